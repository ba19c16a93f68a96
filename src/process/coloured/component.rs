//! Independent parts of a noise.

use super::ladder::Ladder;
use super::sampled::{Sampled, position};

/// A part that is within this of being its own noise is taken as such.
const ROUNDING: f64 = 1e-6;

/// One of the independent noises whose sum is the wanted one.
#[derive(Debug, Clone, PartialEq)]
pub enum Component {
    /// An Ornstein–Uhlenbeck process: C(t) = v exp(−t/τ).
    Decay {
        /// Its variance v.
        variance: f64,
        /// Its persistence time τ.
        time: f64,
    },
    /// A damped oscillation: C(t) = v exp(−t/τ) (cos Ωt + blend sin(Ωt)/(Ωτ)). The blend lies between −1, the velocity
    /// of an oscillator in a heat bath, and 1, its position; beyond, the spectrum would be negative.
    Oscillation {
        /// Its variance v.
        variance: f64,
        /// Its decay time τ.
        time: f64,
        /// Its angular frequency Ω > 0.
        frequency: f64,
        /// From −1 to 1.
        blend: f64,
    },
    /// Any other filter of one white noise.
    Ladder(Ladder),
    /// An Ornstein–Uhlenbeck process y of the position: its increments dy are added to dx. The mean square displacement
    /// is 2 v (1 − exp(−t/τ)).
    Position {
        /// The variance v of y.
        variance: f64,
        /// Its persistence time τ.
        time: f64,
    },
}

impl Component {
    /// The function of the noise that `sampled` names, at `places` that rise. A noise of the position has a mean square
    /// displacement only.
    #[must_use]
    pub fn function(&self, sampled: Sampled, places: &[f64]) -> Vec<f64> {
        let each = |of: &dyn Fn(f64) -> f64| places.iter().map(|&place| of(place)).collect();
        match *self {
            Self::Decay { variance, time } => each(&|place| variance * sampled.unit(time, place)),
            Self::Position { variance, time } => each(&|place| variance * position(time, place)),
            Self::Oscillation { variance, time, frequency, blend } => {
                let damping = 2.0 / time;
                let weights = [1.0 + blend, 1.0 - blend].map(|part| (0.5 * variance * part.max(0.0)).sqrt());
                let couplings = vec![(frequency.powi(2) + time.powi(-2)).sqrt()];
                Ladder { weights: weights.to_vec(), couplings, damping }.function(sampled, places)
            }
            Self::Ladder(ref ladder) => ladder.function(sampled, places),
        }
    }

    /// Number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        match self {
            Self::Decay { .. } | Self::Position { .. } => 1,
            Self::Oscillation { .. } => 2,
            Self::Ladder(ladder) => ladder.weights.len(),
        }
    }

    /// A ladder as a sum of decays and oscillations, if each of them is a noise by itself; else as it is.
    pub(super) fn parts(ladder: &Ladder) -> Vec<Self> {
        Self::simple(ladder).unwrap_or_else(|| vec![Self::Ladder(ladder.clone())])
    }

    fn simple(ladder: &Ladder) -> Option<Vec<Self>> {
        let (poles, residues) = ladder.fractions()?;
        let part = |(pole, residue): (nalgebra::Complex<f64>, &nalgebra::Complex<f64>)| {
            let time = -1.0 / pole.re;
            if pole.im == 0.0 {
                return (residue.re > 0.0).then_some(Self::Decay { variance: residue.re, time });
            }
            let blend = -residue.im / residue.re * pole.im * time;
            let is_noise = residue.re > 0.0 && blend.abs() < 1.0 + ROUNDING;
            is_noise.then_some(Self::Oscillation {
                variance: 2.0 * residue.re,
                time,
                frequency: pole.im,
                blend: blend.clamp(-1.0, 1.0),
            })
        };
        let mut parts = poles.upper().zip(&residues).map(part).collect::<Option<Vec<_>>>()?;
        parts.sort_by(|a, b| a.time().total_cmp(&b.time()));
        Some(parts)
    }

    fn time(&self) -> f64 {
        match self {
            Self::Decay { time, .. } | Self::Oscillation { time, .. } | Self::Position { time, .. } => *time,
            Self::Ladder(_) => 0.0,
        }
    }
}
