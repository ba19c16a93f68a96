//! How the auxiliaries start: each by a law of its own, together by a covariance, or in the law that they settle into.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::dispatched;
use crate::expr::Expression;
use crate::vector::single;

/// The law of an auxiliary component at t = 0: N(mean, std²).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StartLaw {
    /// Mean.
    pub mean: Expression,
    /// Standard deviation.
    pub std: Expression,
}

/// The laws of the auxiliary components at t = 0. The data have none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Start {
    /// Independent laws, one entry for each component of the state; `None` starts at 0.
    Each(Vec<Option<StartLaw>>),
    /// One normal law of all auxiliary components.
    Joint {
        /// Mean, \[auxiliary components\].
        mean: Vec<Expression>,
        /// Covariance, [auxiliary components, auxiliary components].
        covariance: Vec<Vec<Expression>>,
    },
    /// The stationary law of the auxiliaries, which move without regard to the data.
    Stationary {},
}

/// N(mean, factor factorᵀ) over the components at t = 0.
#[derive(Debug, Clone, PartialEq)]
pub struct StartNumbers {
    /// Mean, \[m\]; 0 for the data.
    pub mean: DVector<f64>,
    /// Lower-triangular factor of the covariance, [m, m]; 0 for the data.
    pub factor: DMatrix<f64>,
}

impl Start {
    /// All expressions.
    pub(super) fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Each(laws) => laws.iter().flatten().flat_map(|law| [&law.mean, &law.std]).collect(),
            Self::Joint { mean, covariance } => mean.iter().chain(covariance.iter().flatten()).collect(),
            Self::Stationary {} => Vec::new(),
        }
    }

    /// Whether it says as much as a state of `components` has, the first `data` of them being the data.
    pub(super) fn fits(&self, components: usize, data: usize) -> bool {
        match self {
            Self::Each(laws) => laws.len() == components,
            Self::Joint { mean, covariance } => {
                let count = components - data;
                mean.len() == count && covariance.len() == count && covariance.iter().all(|row| row.len() == count)
            }
            Self::Stationary {} => true,
        }
    }

    /// In words, from the names of the auxiliary components: `eta ~ normal(0, 1)`.
    pub(in crate::process) fn describe(&self, names: &[String]) -> Vec<String> {
        if names.is_empty() {
            return Vec::new();
        }
        let list = |items: &[Expression]| items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Each(laws) => {
                let one = |(name, law): (&String, &Option<StartLaw>)| match law {
                    Some(law) => format!("{name} ~ normal({}, {})", law.mean, law.std),
                    None => format!("{name} = 0"),
                };
                names.iter().zip(&laws[laws.len() - names.len()..]).map(one).collect()
            }
            Self::Joint { mean, covariance } => {
                let rows: Vec<_> = covariance.iter().map(|row| format!("[{}]", list(row))).collect();
                vec![format!(
                    "({}) ~ normal with mean [{}] and covariance [{}]",
                    names.join(", "),
                    list(mean),
                    rows.join(", ")
                )]
            }
            Self::Stationary {} => vec![format!("({}) ~ their stationary law", names.join(", "))],
        }
    }
}

impl StartNumbers {
    /// Turns independent standard normals in `state`, [m, any], into draws of the law, in place.
    pub fn spread(&self, state: &mut [f32]) {
        let count = self.mean.len();
        let length = state.len() / count;
        // From the last component on: the normals of those before it are still there.
        for i in (0..count).rev() {
            let (before, rest) = state.split_at_mut(i * length);
            let row = &mut rest[..length];
            rescale(single(self.factor[(i, i)]), single(self.mean[i]), row);
            for (j, other) in before.chunks_exact(length).enumerate().filter(|(j, _)| self.factor[(i, *j)] != 0.0) {
                add(single(self.factor[(i, j)]), other, row);
            }
        }
    }
}

dispatched! {
    /// z ← std z + mean.
    fn rescale(std: f32, mean: f32, row: &mut [f32]) {
        for z in row {
            *z = std.mul_add(*z, mean);
        }
    }
}

dispatched! {
    /// z ← z + factor other.
    fn add(factor: f32, other: &[f32], row: &mut [f32]) {
        for (z, other) in row.iter_mut().zip(other) {
            *z = factor.mul_add(*other, *z);
        }
    }
}
