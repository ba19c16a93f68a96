//! Eigenvalues with 32 digits: elimination to Hessenberg form, then the double-shifted QR iteration of Francis.
//!
//! After the procedures `elmhes` and `hqr` of Martin, Peters, Wilkinson, Numer. Math. 12, 349 and 14, 219 (1968, 1970).

use nalgebra::Complex;

use crate::gauss::double::{Double, Square};

/// Relative size below which an entry under the diagonal is 0: 2⁻¹⁰⁴.
const NEGLIGIBLE: f64 = 5e-32;
/// Steps that an eigenvalue may take; a few are usual.
const MOST_STEPS: usize = 60;

/// The eigenvalues of a matrix, rounded to double precision; `None` where the iteration does not converge.
pub(super) fn francis(matrix: Square) -> Option<Vec<Complex<f64>>> {
    eigenvalues(matrix, MOST_STEPS)
}

/// The same with no more than `most` steps for an eigenvalue.
fn eigenvalues(mut matrix: Square, most: usize) -> Option<Vec<Complex<f64>>> {
    reduce(&mut matrix);
    let mut iteration = Iteration { norm: size(&matrix), matrix, shift: Double::ZERO };
    let mut found = Vec::with_capacity(iteration.matrix.size());
    let mut count = iteration.matrix.size();
    let mut steps = 0;
    while count > 0 {
        let last = count - 1;
        let first = iteration.first_of_block(last);
        match last - first {
            0 => found.push(iteration.single(last)),
            1 => found.extend(iteration.pair(last)),
            _ if steps == most => return None,
            _ => {
                iteration.step(first, last, steps);
                steps += 1;
                continue;
            }
        }
        count = first;
        steps = 0;
    }
    Some(found)
}

fn size(matrix: &Square) -> f64 {
    let all = 0..matrix.size();
    all.clone().flat_map(|i| all.clone().map(move |j| (i, j))).map(|place| matrix[place].value().abs()).sum()
}

/// Upper Hessenberg form by elimination with the largest pivot.
fn reduce(matrix: &mut Square) {
    let size = matrix.size();
    for m in 1..size.saturating_sub(1) {
        let largest = |i: &usize, j: &usize| {
            let entry = |row: usize| matrix[(row, m - 1)].value().abs();
            entry(*i).total_cmp(&entry(*j))
        };
        let pivot = (m..size).max_by(largest).unwrap_or(m);
        for j in 0..size {
            matrix.swap((pivot, j), (m, j));
        }
        for i in 0..size {
            matrix.swap((i, pivot), (i, m));
        }
        if matrix[(m, m - 1)].value() == 0.0 {
            continue;
        }
        for i in m + 1..size {
            let factor = matrix[(i, m - 1)].divided_by(matrix[(m, m - 1)]);
            matrix[(i, m - 1)] = Double::ZERO;
            for j in m..size {
                matrix[(i, j)] = matrix[(i, j)] - factor * matrix[(m, j)];
            }
            for j in 0..size {
                matrix[(j, m)] = matrix[(j, m)] + factor * matrix[(j, i)];
            }
        }
    }
}

struct Iteration {
    matrix: Square,
    norm: f64,
    /// What exceptional shifts have taken from the diagonal.
    shift: Double,
}

impl Iteration {
    fn at(&self, i: usize, j: usize) -> Double {
        self.matrix[(i, j)]
    }

    /// Where the block that ends at `last`, and is joined to none before it, begins.
    fn first_of_block(&mut self, last: usize) -> usize {
        for i in (1..=last).rev() {
            let beside = self.at(i - 1, i - 1).value().abs() + self.at(i, i).value().abs();
            let beside = if beside == 0.0 { self.norm } else { beside };
            if self.at(i, i - 1).value().abs() <= NEGLIGIBLE * beside {
                self.matrix[(i, i - 1)] = Double::ZERO;
                return i;
            }
        }
        0
    }

    fn single(&self, place: usize) -> Complex<f64> {
        Complex::new((self.at(place, place) + self.shift).value(), 0.0)
    }

    fn pair(&self, last: usize) -> [Complex<f64>; 2] {
        let (x, y) = (self.at(last, last), self.at(last - 1, last - 1));
        let product = self.at(last, last - 1) * self.at(last - 1, last);
        let half = (y - x) * 0.5.into();
        let discriminant = half * half + product;
        let x = x + self.shift;
        if discriminant.value() < 0.0 {
            let (re, im) = ((x + half).value(), (-discriminant).root().value());
            return [Complex::new(re, im), Complex::new(re, -im)];
        }
        let root = if discriminant.value() > 0.0 { discriminant.root() } else { Double::ZERO };
        let far = if half.value() < 0.0 { half - root } else { half + root };
        let other = if far.value() == 0.0 { x } else { x - product.divided_by(far) };
        [Complex::new((x + far).value(), 0.0), Complex::new(other.value(), 0.0)]
    }

    /// One double step on the block from `first` to `last`, of three or more, after `steps` of them.
    fn step(&mut self, first: usize, last: usize, steps: usize) {
        let (mut x, mut y) = (self.at(last, last), self.at(last - 1, last - 1));
        let mut product = self.at(last, last - 1) * self.at(last - 1, last);
        if steps > 0 && steps.is_multiple_of(10) {
            self.shift = self.shift + x;
            (0..=last).for_each(|i| self.matrix[(i, i)] = self.at(i, i) - x);
            let size = self.at(last, last - 1).value().abs() + self.at(last - 1, last - 2).value().abs();
            (x, y) = ((0.75 * size).into(), (0.75 * size).into());
            product = (-0.4375 * size * size).into();
        }
        let (start, mut bulge) = self.start(first, last, x, y, product);
        for i in start..last - 1 {
            self.matrix[(i + 2, i)] = Double::ZERO;
            if i > start {
                self.matrix[(i + 2, i - 1)] = Double::ZERO;
            }
        }
        for k in start..last {
            let mut scale = Double::ONE;
            if k > start {
                let third = if k + 1 < last { self.at(k + 2, k - 1) } else { Double::ZERO };
                bulge = [self.at(k, k - 1), self.at(k + 1, k - 1), third];
                let size: f64 = bulge.iter().map(|entry| entry.value().abs()).sum();
                if size == 0.0 {
                    continue;
                }
                scale = size.into();
                bulge = bulge.map(|entry| entry.divided_by(scale));
            }
            let [p, q, r] = bulge;
            let length = (p * p + q * q + r * r).root();
            let length = if p.value() < 0.0 { -length } else { length };
            if k > start {
                self.matrix[(k, k - 1)] = -length * scale;
            } else if start > first {
                self.matrix[(k, k - 1)] = -self.at(k, k - 1);
            }
            self.reflect(k, first, last, [p + length, q, r], length);
        }
    }

    /// Where a step may begin, and the first column of its shifted square there.
    fn start(&self, first: usize, last: usize, x: Double, y: Double, product: Double) -> (usize, [Double; 3]) {
        let mut m = last - 2;
        loop {
            let own = self.at(m, m);
            let (r, s) = (x - own, y - own);
            let column = [
                (r * s - product).divided_by(self.at(m + 1, m)) + self.at(m, m + 1),
                self.at(m + 1, m + 1) - own - r - s,
                self.at(m + 2, m + 1),
            ];
            let size: f64 = column.iter().map(|entry| entry.value().abs()).sum();
            let column = column.map(|entry| entry.divided_by(size.into()));
            if m == first {
                return (m, column);
            }
            let [p, q, r] = column.map(|entry| entry.value().abs());
            let above = self.at(m, m - 1).value().abs() * (q + r);
            let beside: f64 = (m - 1..=m + 1).map(|i| self.at(i, i).value().abs()).sum();
            if above <= NEGLIGIBLE * p * beside {
                return (m, column);
            }
            m -= 1;
        }
    }

    /// The reflection of rows and columns k, k + 1 and, where the block goes on, k + 2 that `bulge` asks for.
    fn reflect(&mut self, k: usize, first: usize, last: usize, bulge: [Double; 3], length: Double) {
        let [p, q, r] = bulge;
        let [x, y, z] = bulge.map(|entry| entry.divided_by(length));
        let (q, r) = (q.divided_by(p), r.divided_by(p));
        let has_third = k + 1 < last;
        for j in k..=last {
            let mut sum = self.at(k, j) + q * self.at(k + 1, j);
            if has_third {
                sum = sum + r * self.at(k + 2, j);
                self.matrix[(k + 2, j)] = self.at(k + 2, j) - sum * z;
            }
            self.matrix[(k + 1, j)] = self.at(k + 1, j) - sum * y;
            self.matrix[(k, j)] = self.at(k, j) - sum * x;
        }
        for i in first..=last.min(k + 3) {
            let mut sum = x * self.at(i, k) + y * self.at(i, k + 1);
            if has_third {
                sum = sum + z * self.at(i, k + 2);
                self.matrix[(i, k + 2)] = self.at(i, k + 2) - sum * r;
            }
            self.matrix[(i, k + 1)] = self.at(i, k + 1) - sum * q;
            self.matrix[(i, k)] = self.at(i, k) - sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;
    use proptest::prelude::*;

    use super::*;
    use crate::property::cases;

    /// Permutations, which the usual shifts leave as they are: the roots of unity.
    #[test]
    fn rings_need_another_shift() {
        for size in 3..9 {
            let ring = DMatrix::from_fn(size, size, |i, j| f64::from(i == (j + 1) % size));
            let found = francis(Square::exact(&ring)).unwrap();
            assert!(eigenvalues(Square::exact(&ring), 10).is_none(), "{size}");
            assert_eq!(found.len(), size);
            for place in 0..size {
                let root = Complex::cis(std::f64::consts::TAU * place as f64 / size as f64);
                assert!(found.iter().any(|value| (value - root).norm() < 1e-14), "{size}: {found:?}");
            }
        }
    }

    #[test]
    fn it_ends() {
        let of = |value: f64| francis(Square::exact(&DMatrix::from_element(3, 3, value)));
        assert_eq!(of(f64::NAN), None);
        assert_eq!(of(0.0), Some(vec![Complex::new(0.0, 0.0); 3]));
    }

    proptest! {
        #![proptest_config(cases(1))]

        /// Nine of ten matrices need no more than 8 steps for any eigenvalue: with 64 of them, fewer than 45 are so
        /// about once in a million times.
        #[test]
        fn few_steps_are_enough(all in proptest::collection::vec(proptest::collection::vec(-1.0_f64..1.0, 36), 64)) {
            let is_quick = |(entries, exponent): (&Vec<f64>, i32)| {
                let matrix = DMatrix::from_row_slice(6, 6, entries) * f64::from(exponent).exp2();
                eigenvalues(Square::exact(&matrix), 8).is_some()
            };
            let quick = all.iter().zip(-32..32).filter(|one| is_quick(*one)).count();
            prop_assert!(quick >= 45, "{quick}");
        }
    }
}
