//! The stationary covariance of a linear process.

use nalgebra::{DMatrix, DVector, Schur};

use super::double::{Double, Square};

/// The real part of the eigenvalue of A that decays most slowly (negative: every perturbation dies out).
///
/// `None` when the iteration for the eigenvalues does not converge, which happens for non-finite entries.
pub(crate) fn slowest_rate(drift: &DMatrix<f64>) -> Option<f64> {
    let schur = Schur::try_new(drift.clone(), f64::EPSILON, 10_000)?;
    schur.complex_eigenvalues().iter().map(|e| e.re).reduce(f64::max)
}

/// The symmetric X with A X + X Aᵀ + D = 0, to about 30 digits; `None` when there is no unique one.
///
/// A direct solve in double precision, then refined with residuals formed in [`Double`]. The digits are needed: the
/// covariance at late times is X minus something that may be 10¹⁰⁰ times smaller, in entries where X itself is 0.
pub(crate) fn lyapunov(drift: &DMatrix<f64>, diffusion: &Square) -> Option<Square> {
    let size = drift.nrows();
    let pairs: Vec<_> = (0..size).flat_map(|i| (i..size).map(move |j| (i, j))).collect();
    let place = |i: usize, j: usize| pairs.iter().position(|&p| p == (i.min(j), i.max(j))).unwrap_or(0);
    let mut system = DMatrix::zeros(pairs.len(), pairs.len());
    for (row, &(i, j)) in pairs.iter().enumerate() {
        for k in 0..size {
            system[(row, place(k, j))] += drift[(i, k)];
            system[(row, place(i, k))] += drift[(j, k)];
        }
    }
    let system = system.lu();
    if !system.is_invertible() {
        return None;
    }
    let exact_drift = Square::exact(drift);
    let mut solution = Square::zeros(size);
    // Each pass gains at least a few digits unless the system is singular to working precision.
    for _ in 0..12 {
        let half = exact_drift.times(&solution);
        let residual = |i: usize, j: usize| half[(i, j)] + half[(j, i)] + diffusion[(i, j)];
        let right = DVector::from_iterator(pairs.len(), pairs.iter().map(|&(i, j)| -residual(i, j).value()));
        let correction = system.solve(&right)?;
        if !correction.iter().all(|c| c.is_finite()) {
            return None;
        }
        for (&(i, j), &change) in pairs.iter().zip(correction.iter()) {
            solution[(i, j)] = solution[(i, j)] + Double::from(change);
            solution[(j, i)] = solution[(i, j)];
        }
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The closed form of active noise: Σ_xx = Tp/k + Ta/(k(1+kτ)), Σ_xη = Ta/(1+kτ), Σ_ηη = Ta/τ
    /// (arXiv 2411.07233).
    #[test]
    fn active_noise() {
        let (k, tp, ta, tau) = (2.0, 0.25, 0.5, 4.0);
        let drift = DMatrix::from_row_slice(2, 2, &[-k, 1.0, 0.0, -1.0 / tau]);
        let diffusion = DMatrix::from_row_slice(2, 2, &[2.0 * tp, 0.0, 0.0, 2.0 * ta / (tau * tau)]);
        let x = lyapunov(&drift, &Square::exact(&diffusion)).unwrap().rounded();
        let cross = ta / (1.0 + k * tau);
        let truth = DMatrix::from_row_slice(2, 2, &[tp / k + cross / k, cross, cross, ta / tau]);
        assert!((x - truth).abs().max() < 1e-16);
        assert!((slowest_rate(&drift).unwrap() + 0.25).abs() < 1e-12);
    }

    /// Critically damped Langevin dynamics: position and velocity are exactly uncorrelated.
    #[test]
    fn exact_zeros() {
        let drift = DMatrix::from_row_slice(2, 2, &[0.0, 16.0, -4.0, -16.0]);
        let diffusion = DMatrix::from_row_slice(2, 2, &[0.0, 0.0, 0.0, 8.0]);
        let x = lyapunov(&drift, &Square::exact(&diffusion)).unwrap().rounded();
        assert_eq!(x, DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, 0.25]));
    }

    #[test]
    fn none_without_a_stationary_law() {
        assert!(lyapunov(&DMatrix::zeros(1, 1), &Square::identity(1)).is_none());
    }
}
