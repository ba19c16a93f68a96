//! The stationary covariance of a linear process.

use nalgebra::{DMatrix, DVector};

use super::double::{Double, Square};
use super::spectrum::{Balanced, Eigenvalue, parts};

/// Parts of the norm of an inverse below which the real parts of its eigenvalues are not known.
const RESOLUTION: f64 = 1e-12;

/// What becomes of a perturbation under dz/dt = A z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    /// It dies out, whichever it is.
    Damped,
    /// One stays, or its rate cannot be told from 0.
    Stays,
    /// One grows at this rate.
    Grows(f64),
    /// Entries are not finite, or the iteration for the eigenvalues does not converge.
    Unknown,
}

/// The fate of the perturbation that lives longest.
///
/// An eigenvalue of A is known to a part of ‖A‖, and its inverse, an eigenvalue of A⁻¹, to a part of ‖A⁻¹‖: fast rates
/// are read off A, slow ones off A⁻¹. With one of the two alone a memory of 10⁻³² of the slowest time would hide
/// whether that dies out.
pub(crate) fn fate(drift: &DMatrix<f64>) -> Fate {
    if drift.iter().any(|entry| !entry.is_finite()) {
        return Fate::Unknown;
    }
    let fates = parts(drift).into_iter().map(|part| fate_of_part(&part));
    fates.reduce(Fate::worse).unwrap_or(Fate::Damped)
}

fn fate_of_part(part: &Balanced) -> Fate {
    let Some(mut fast) = part.spectrum() else { return Fate::Unknown };
    let inverse = part.inverse();
    let mut slow = inverse.as_ref().and_then(Balanced::spectrum).unwrap_or_default();
    fast.sort_by(|a, b| b.value.norm().total_cmp(&a.value.norm()));
    slow.sort_by(|a, b| a.value.norm().total_cmp(&b.value.norm()));
    let own = |(place, rate): (usize, &Eigenvalue)| {
        if rate.value.re.abs() > rate.error {
            return rate.value.re;
        }
        // The inverse itself is known in double precision. Re 1/μ has the sign of Re μ.
        let is_known = |time: &&Eigenvalue| time.value.re.abs() > time.error.max(RESOLUTION * time.norm);
        slow.get(place).filter(is_known).map_or(0.0, |time| time.value.re / time.value.norm_sqr())
    };
    match fast.iter().enumerate().map(own).reduce(f64::max) {
        Some(rate) if rate > 0.0 => Fate::Grows(rate),
        Some(0.0) => Fate::Stays,
        _ => Fate::Damped,
    }
}

impl Fate {
    /// That of the two that lives longer.
    fn worse(self, other: Self) -> Self {
        let rank = |fate: Self| match fate {
            Self::Damped => (0, 0.0),
            Self::Stays => (1, 0.0),
            Self::Grows(rate) => (2, rate),
            Self::Unknown => (3, 0.0),
        };
        if rank(other) > rank(self) { other } else { self }
    }
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
        assert_eq!(fate(&drift), Fate::Damped);
    }

    /// Critically damped Langevin dynamics: position and velocity are exactly uncorrelated.
    #[test]
    fn exact_zeros() {
        let drift = DMatrix::from_row_slice(2, 2, &[0.0, 16.0, -4.0, -16.0]);
        let diffusion = DMatrix::from_row_slice(2, 2, &[0.0, 0.0, 0.0, 8.0]);
        let x = lyapunov(&drift, &Square::exact(&diffusion)).unwrap().rounded();
        assert_eq!(x, DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, 0.25]));
    }

    /// Friction so strong that position relaxes 10²⁴ times as slowly as velocity, and rates as far apart beside each
    /// other.
    #[test]
    fn slow_rates_are_told_from_none() {
        let langevin = |friction: f64| DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -1.0, -friction]);
        for friction in [1e3, 1e6, 1e9, 1e12] {
            assert_eq!(fate(&langevin(friction)), Fate::Damped, "{friction:e}");
            assert!(matches!(fate(&-langevin(friction)), Fate::Grows(rate) if (rate / friction - 1.0).abs() < 1e-5));
        }
        for time in [1e-30, 1e-20, 1e20, 1e30] {
            let active = DMatrix::from_row_slice(2, 2, &[-1.0 / time, 1.0, 0.0, -2.0 / time]);
            assert_eq!(fate(&active), Fate::Damped, "{time:e}");
            // Position in units of 1/time² of the force.
            let langevin = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -1.0 / (time * time), -1.0 / time]);
            assert_eq!(fate(&langevin), Fate::Damped, "{time:e}");
            assert!(matches!(fate(&-langevin), Fate::Grows(_)), "{time:e}");
        }
        for tau in [1e-16, 1e-12, 1e12, 1e16] {
            assert_eq!(fate(&DMatrix::from_row_slice(2, 2, &[-1.0, 1.0, 0.0, -1.0 / tau])), Fate::Damped, "{tau:e}");
            assert!(matches!(fate(&DMatrix::from_row_slice(2, 2, &[1e-3, 1.0, 0.0, -1.0 / tau])), Fate::Grows(_)));
        }
        assert_eq!(fate(&DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -1.0, 0.0])), Fate::Stays);
        assert_eq!(fate(&DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 0.0, -1e12])), Fate::Stays);
    }

    /// Rates of 10⁻⁴⁰ beside 10⁴⁰, which 32 digits of the matrix do not resolve.
    #[test]
    fn the_inverse_tells_slow_rates() {
        let coupled = |sign: f64| fate(&DMatrix::from_row_slice(2, 2, &[0.0, 1.0, sign, -1e40]));
        assert_eq!(coupled(-1.0), Fate::Damped);
        let growing = coupled(1.0);
        assert!(matches!(growing, Fate::Grows(rate) if (rate / 1e-40 - 1.0).abs() < 1e-9), "{growing:?}");
    }

    #[test]
    fn the_longest_life_counts() {
        let of = |rates: [f64; 3]| fate(&DMatrix::from_diagonal(&DVector::from_row_slice(&rates)));
        assert_eq!(of([-1.0, 2.0, 1.0]), Fate::Grows(2.0));
        assert_eq!(of([3.0, 2.0, -1.0]), Fate::Grows(3.0));
        assert_eq!(of([-1.0, 0.0, -2.0]), Fate::Stays);
        assert_eq!(of([0.0, f64::NAN, -2.0]), Fate::Unknown);
    }

    #[test]
    fn none_without_a_stationary_law() {
        assert!(lyapunov(&DMatrix::zeros(1, 1), &Square::identity(1)).is_none());
    }
}
