//! Numbers of 32 digits as unevaluated sums of two `f64`, and square matrices of them.
//!
//! Sums after Knuth (The Art of Computer Programming 2, §4.2.2), products by one fused multiply-add; the algorithms are
//! those of Hida, Li, Bailey, "Library for double-double and quad-double arithmetic" (2007).

use std::ops::{Add, Index, IndexMut, Mul, Neg, Sub};

use nalgebra::DMatrix;

use crate::dispatched;

/// `high + low` with |low| ≤ ½ ulp(high): relative error about 10⁻³² per operation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Double {
    high: f64,
    low: f64,
}

impl Double {
    pub(crate) const ZERO: Self = Self { high: 0.0, low: 0.0 };
    pub(crate) const ONE: Self = Self { high: 1.0, low: 0.0 };

    /// Rounded to double precision.
    #[inline(always)]
    pub(crate) fn value(self) -> f64 {
        self.high + self.low
    }

    /// The exact sum of two numbers with |a| ≥ |b|.
    #[inline(always)]
    fn ordered_sum(a: f64, b: f64) -> Self {
        let high = a + b;
        Self { high, low: b - (high - a) }
    }

    /// The exact sum of any two numbers.
    #[inline(always)]
    fn sum(a: f64, b: f64) -> Self {
        let high = a + b;
        let part = high - a;
        Self { high, low: (a - (high - part)) + (b - part) }
    }

    /// The quotient.
    pub(crate) fn divided_by(self, divisor: Self) -> Self {
        let first = self.high / divisor.high;
        let rest = self - divisor * first.into();
        let second = rest.high / divisor.high;
        let rest = rest - divisor * second.into();
        Self::ordered_sum(first, second) + (rest.high / divisor.high).into()
    }

    /// The square root of a positive number.
    pub(crate) fn root(self) -> Self {
        let near = self.high.sqrt();
        let rest = self - Self::from(near) * near.into();
        Self::ordered_sum(near, rest.high / (2.0 * near))
    }
}

impl From<f64> for Double {
    #[inline(always)]
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Add for Double {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // Both halves are summed exactly: the shorter "sloppy" sum loses all digits where terms cancel.
        let high = Self::sum(self.high, other.high);
        let low = Self::sum(self.low, other.low);
        let middle = Self::ordered_sum(high.high, high.low + low.high);
        Self::ordered_sum(middle.high, middle.low + low.low)
    }
}

impl Neg for Double {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Sub for Double {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Double {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let high = self.high * other.high;
        let error = self.high.mul_add(other.high, -high);
        Self::ordered_sum(high, error + (self.high * other.low + self.low * other.high))
    }
}

/// A square matrix, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Square {
    size: usize,
    entries: Vec<Double>,
}

impl Square {
    pub(crate) fn zeros(size: usize) -> Self {
        Self { size, entries: vec![Double::ZERO; size * size] }
    }

    pub(crate) fn identity(size: usize) -> Self {
        let mut one = Self::zeros(size);
        (0..size).for_each(|i| one[(i, i)] = Double::ONE);
        one
    }

    pub(crate) fn exact(matrix: &DMatrix<f64>) -> Self {
        let size = matrix.nrows();
        Self { size, entries: (0..size * size).map(|i| matrix[(i / size, i % size)].into()).collect() }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Swaps two entries.
    pub(crate) fn swap(&mut self, a: (usize, usize), b: (usize, usize)) {
        self.entries.swap(a.0 * self.size + a.1, b.0 * self.size + b.1);
    }

    /// Rounded to double precision.
    pub(crate) fn rounded(&self) -> DMatrix<f64> {
        DMatrix::from_fn(self.size, self.size, |i, j| self[(i, j)].value())
    }

    pub(crate) fn times(&self, right: &Self) -> Self {
        let mut product = Self::zeros(self.size);
        multiply(self.size, &self.entries, &right.entries, &mut product.entries);
        product
    }

    /// self · middle · selfᵀ for a symmetric `middle`.
    pub(crate) fn sandwich(&self, middle: &Self) -> Self {
        self.times(&self.times(middle).transposed())
    }

    fn transposed(&self) -> Self {
        let size = self.size;
        Self { size, entries: (0..size * size).map(|i| self[(i % size, i / size)]).collect() }
    }

    pub(crate) fn scaled(&self, factor: Double) -> Self {
        Self { size: self.size, entries: self.entries.iter().map(|&e| e * factor).collect() }
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self { size: self.size, entries: self.entries.iter().zip(&other.entries).map(|(&a, &b)| a + b).collect() }
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        Self { size: self.size, entries: self.entries.iter().zip(&other.entries).map(|(&a, &b)| a - b).collect() }
    }

    /// The lower Cholesky factor, if every pivot is above `floor` times the diagonal of the matrix.
    pub(crate) fn cholesky(&self, floor: f64) -> Option<Self> {
        let mut lower = Self::zeros(self.size);
        for i in 0..self.size {
            for j in 0..=i {
                let rest = (0..j).fold(self[(i, j)], |rest, k| rest - lower[(i, k)] * lower[(j, k)]);
                lower[(i, j)] = if i > j {
                    rest.divided_by(lower[(j, j)])
                } else if rest.high > floor * self[(i, i)].high {
                    rest.root()
                } else {
                    return None;
                };
            }
        }
        Some(lower)
    }
}

impl Index<(usize, usize)> for Square {
    type Output = Double;

    fn index(&self, (row, column): (usize, usize)) -> &Double {
        &self.entries[row * self.size + column]
    }
}

impl IndexMut<(usize, usize)> for Square {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut Double {
        &mut self.entries[row * self.size + column]
    }
}

// Dispatched for the fused multiply-add, which the baseline of x86-64 lacks: without it each is a library call.
dispatched! {
    fn multiply(size: usize, left: &[Double], right: &[Double], product: &mut [Double]) {
        for i in 0..size {
            for j in 0..size {
                let mut sum = Double::ZERO;
                for k in 0..size {
                    sum = sum + left[i * size + k] * right[k * size + j];
                }
                product[i * size + j] = sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_digits_survive() {
        let third = Double::ONE.divided_by(3.0.into());
        let rest = Double::ONE - third * 3.0.into();
        assert!(rest.value().abs() < 1e-31, "{rest:?}");
        let two = Double::from(2.0).root();
        assert!((two * two - 2.0.into()).value().abs() < 1e-31);
        assert_eq!(((Double::ONE + 1e-20.into()) - Double::ONE).value(), 1e-20);
    }

    #[test]
    fn cholesky_gives_the_matrix_back() {
        let root = DMatrix::from_row_slice(3, 3, &[1e-4, 0.0, 0.0, 3.0, 1e-6, 0.0, -2.0, 0.5, 7.0]);
        let lower = Square::exact(&root);
        let found = lower.times(&lower.transposed()).cholesky(0.0).unwrap();
        for (found, truth) in found.rounded().iter().zip(root.iter()) {
            assert!((found - truth).abs() <= 1e-13 * truth.abs(), "{found} {truth}");
        }
        assert!(Square::exact(&DMatrix::from_element(2, 2, 1.0)).cholesky(1e-20).is_none());
        // A pivot is small in units of its own diagonal.
        assert!(Square::exact(&DMatrix::from_element(1, 1, 1e-8)).cholesky(1e-10).is_some());
    }

    #[test]
    fn squares_are_matrices() {
        let [a, b] =
            [[1.0, 2.0, 3.0, 4.0], [-5.0, 0.5, 7.0, 11.0]].map(|entries| DMatrix::from_row_slice(2, 2, &entries));
        let [left, right] = [&a, &b].map(Square::exact);
        assert_eq!(left.plus(&right).rounded(), &a + &b);
        assert_eq!(left.minus(&right).rounded(), &a - &b);
        assert_eq!(left.scaled(3.0.into()).rounded(), &a * 3.0);
        assert_eq!(left.times(&right).rounded(), &a * &b);
        assert_eq!(left.sandwich(&Square::identity(2)).rounded(), &a * a.transpose());
    }
}
