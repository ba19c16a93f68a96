//! Units in which the rows and columns of a matrix are alike.

use nalgebra::{Complex, DMatrix};

/// Rounds, at most: each brings rows and columns nearer to each other, a few are usual.
const MOST_ROUNDS: usize = 100;
/// The smallest exponent of two that a number of full precision has.
const LEAST: f64 = -1022.0;

/// A matrix in other units.
pub(crate) struct Balanced {
    /// D⁻¹ A D/2^exponent: its largest entry is between ½ and 2.
    pub(super) matrix: DMatrix<f64>,
    exponent: f64,
    /// Whether entries are so much smaller than the largest that they are gone.
    pub(super) has_lost: bool,
}

impl Balanced {
    /// The balanced form of a matrix whose components all act on each other: by powers of two, so nothing is rounded.
    ///
    /// On logarithms, since squares, and even quotients, of the entries may be out of range.
    pub(super) fn new(matrix: DMatrix<f64>) -> Self {
        let size = matrix.nrows();
        let mut logs = matrix.map(|entry| entry.abs().log2());
        let mut units = vec![0.0_f64; size];
        for _ in 0..MOST_ROUNDS {
            let mut is_settled = true;
            for i in 0..size {
                let others = || (0..size).filter(|&j| j != i);
                let (column, row) = (log_sum(others().map(|j| logs[(j, i)])), log_sum(others().map(|j| logs[(i, j)])));
                let unit = (0.5 * (row - column)).round();
                if unit != 0.0 && unit.is_finite() {
                    units[i] += unit;
                    others().for_each(|j| {
                        logs[(j, i)] += unit;
                        logs[(i, j)] -= unit;
                    });
                    is_settled = false;
                }
            }
            if is_settled {
                break;
            }
        }
        let exponent = logs.iter().copied().filter(|log| log.is_finite()).fold(f64::NEG_INFINITY, f64::max).round();
        let exponent = if exponent.is_finite() { exponent } else { 0.0 };
        let has_lost = logs.iter().any(|log| log.is_finite() && log - exponent < LEAST);
        let matrix = DMatrix::from_fn(size, size, |i, j| scaled(matrix[(i, j)], units[j] - units[i] - exponent));
        Self { matrix, exponent, has_lost }
    }

    /// An eigenvalue in the units of the original.
    pub(super) fn back(&self, value: Complex<f64>) -> Complex<f64> {
        Complex::new(scaled(value.re, self.exponent), scaled(value.im, self.exponent))
    }

    /// The inverse, if there is one in double precision.
    pub(crate) fn inverse(&self) -> Option<Self> {
        let matrix = self.matrix.clone().try_inverse()?;
        let is_finite = matrix.iter().all(|entry| entry.is_finite());
        is_finite.then_some(Self { matrix, exponent: -self.exponent, has_lost: self.has_lost })
    }
}

/// log₂ Σ 2^x.
fn log_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() { largest } else { largest + logs.map(|log| (log - largest).exp2()).sum::<f64>().log2() }
}

/// x·2^exponent, in steps none of which leaves the range unless the result does.
fn scaled(x: f64, exponent: f64) -> f64 {
    const STEP: f64 = 900.0;
    let (mut x, mut rest) = (x, exponent);
    while rest.abs() > STEP && x != 0.0 && x.is_finite() {
        x *= STEP.copysign(rest).exp2();
        rest -= STEP.copysign(rest);
    }
    x * rest.clamp(-STEP, STEP).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverses_have_inverse_eigenvalues() {
        let unit = 40.0_f64.exp2();
        let part = Balanced::new(DMatrix::from_row_slice(2, 2, &[2.0, 1.0, 1.0, 2.0]) * unit);
        let mut found: Vec<_> =
            part.inverse().unwrap().spectrum().unwrap().iter().map(|one| one.value.re * unit).collect();
        found.sort_by(f64::total_cmp);
        assert!((found[0] - 1.0 / 3.0).abs() < 1e-15 && (found[1] - 1.0).abs() < 1e-15, "{found:?}");
        assert!(Balanced::new(DMatrix::from_element(2, 2, 1.0)).inverse().is_none());
    }

    #[test]
    fn sums_of_powers_of_two() {
        assert_eq!(log_sum([3.0, 3.0, 4.0].into_iter()), 5.0);
        assert_eq!(log_sum([-2000.0, f64::NEG_INFINITY].into_iter()), -2000.0);
        assert_eq!(log_sum([f64::NEG_INFINITY].into_iter()), f64::NEG_INFINITY);
    }
}
