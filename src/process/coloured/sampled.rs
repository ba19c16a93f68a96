//! What a noise is known by, and where.

use crate::error::{Error, Result};

/// What is known of the noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampled {
    /// The correlation function C at times ≥ 0.
    Correlation,
    /// The spectrum S(ω) = ∫ C(t) e^{iωt} dt at angular frequencies ≥ 0.
    Spectrum,
    /// The mean square displacement 2 ∫₀ᵗ (t − s) C(s) ds of x with dx/dt the noise, at times ≥ 0.
    Displacement,
}

impl Sampled {
    /// What an Ornstein–Uhlenbeck process of unit variance and persistence time `time` has at `place`.
    pub(super) fn unit(self, time: f64, place: f64) -> f64 {
        match self {
            Self::Correlation => (-place / time).exp(),
            Self::Spectrum => 2.0 * time / (1.0 + (place * time).powi(2)),
            Self::Displacement => 2.0 * time * time * excess(place / time),
        }
    }

    /// The shortest and the longest persistence time that places from `low` to `high` can tell from no time and from
    /// eternity.
    pub(super) fn times(self, low: f64, high: f64) -> (f64, f64) {
        match self {
            Self::Correlation => (0.03 * low, 100.0 * high),
            Self::Spectrum => (0.01 / high, 30.0 / low),
            Self::Displacement => (0.01 * low, 100.0 * high),
        }
    }

    /// The option that gives it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Correlation => "correlation",
            Self::Spectrum => "spectrum",
            Self::Displacement => "displacement",
        }
    }
}

/// x − 1 + exp(−x).
fn excess(x: f64) -> f64 {
    // Below, two terms of the series are exact to rounding.
    if x < 1e-5 { x * x * (0.5 - x / 6.0) } else { x + (-x).exp_m1() }
}

/// Mean square displacement of an Ornstein–Uhlenbeck process of unit variance and persistence time `time`.
pub(super) fn position(time: f64, place: f64) -> f64 {
    -2.0 * (-place / time).exp_m1()
}

/// `count` places from `low` to `high` at equal ratios.
///
/// # Errors
/// When not 0 < `low` < `high`, or fewer than two are asked for.
pub(super) fn logarithmic(low: f64, high: f64, count: usize) -> Result<Vec<f64>> {
    if !(low > 0.0 && low < high && high.is_finite() && count >= 2) {
        return Err(Error::argument("to", format!("must be above `from`, got {low} to {high}")));
    }
    Ok((0..count).map(|i| low * (high / low).powf(i as f64 / (count - 1) as f64)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the two formulas meet, and against the next terms of the series on either side.
    #[test]
    fn excess_of_small_numbers_has_its_digits() {
        for x in [1e-8, 0.999e-5, 1.001e-5, 1e-3] {
            let series = x * x * (0.5 - x * (1.0 / 6.0 - x * (1.0 / 24.0 - x / 120.0)));
            assert!((excess(x) / series - 1.0).abs() < 2e-10, "{x}");
        }
        assert!((excess(2.0) - (1.0 + f64::exp(-2.0))).abs() < 1e-15);
    }
}
