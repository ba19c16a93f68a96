//! How the auxiliaries start: each by a law of its own, together by a covariance, or in the law that they settle into.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::{Definition, Numbers};
use crate::dispatched;
use crate::error::{Error, Result};
use crate::expr::Expression;
use crate::gauss::semidefinite_factor;
use crate::process::Linear;
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

    /// In words: `eta ~ normal(0, 1)`.
    pub(in crate::process) fn describe(&self, definition: &Definition) -> Vec<String> {
        let first = definition.coordinates.unwrap_or(1);
        let names: Vec<_> = (first..definition.components()).map(|i| definition.component_name(i)).collect();
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
                names.iter().zip(&laws[first..]).map(one).collect()
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

impl Numbers<'_> {
    /// The law of the components at t = 0.
    ///
    /// # Errors
    /// When a number of it is not finite, a standard deviation is negative, a covariance is not one, or there is no
    /// stationary law of the auxiliaries alone.
    pub(in crate::process) fn start(&self) -> Result<StartNumbers> {
        let (count, data) = (self.definition.components(), self.definition.coordinates.unwrap_or(1));
        let mut law = StartNumbers { mean: DVector::zeros(count), factor: DMatrix::zeros(count, count) };
        let auxiliary = count - data;
        match &self.definition.start {
            Start::Each(laws) => self.independent(laws, &mut law)?,
            Start::Joint { mean, covariance } => {
                let value = |i: usize, expression| self.value("start", data + i, expression, 0.0);
                for (i, mean) in mean.iter().enumerate() {
                    law.mean[data + i] = value(i, mean)?;
                }
                let mut numbers = DMatrix::zeros(auxiliary, auxiliary);
                for (i, row) in covariance.iter().enumerate() {
                    for (j, entry) in row.iter().enumerate() {
                        numbers[(i, j)] = value(i, entry)?;
                    }
                }
                law.factor.view_mut((data, data), (auxiliary, auxiliary)).copy_from(&self.factor(&numbers, data)?);
            }
            Start::Stationary {} => {
                let settled = self.auxiliaries(data)?.stationary();
                let settled = settled.map_err(|error| self.refused(format!("{error} of the auxiliaries")))?;
                law.mean.rows_mut(data, auxiliary).copy_from(&settled.mean);
                let factor = self.factor(&settled.covariance, data)?;
                law.factor.view_mut((data, data), (auxiliary, auxiliary)).copy_from(&factor);
            }
        }
        Ok(law)
    }

    fn refused(&self, problem: String) -> Error {
        Error::part(&self.definition.name, "start", problem)
    }

    fn independent(&self, laws: &[Option<StartLaw>], to: &mut StartNumbers) -> Result<()> {
        for (i, law) in laws.iter().enumerate() {
            let Some(law) = law else { continue };
            to.mean[i] = self.value("start", i, &law.mean, 0.0)?;
            let std = self.value("start", i, &law.std, 0.0)?;
            if std < 0.0 {
                let name = self.definition.component_name(i);
                return Err(self.refused(format!("the standard deviation of `{name}` at t = 0 is negative: {std}")));
            }
            to.factor[(i, i)] = std;
        }
        Ok(())
    }

    /// The factor of a covariance of the auxiliaries; the first of them is component `data`.
    fn factor(&self, covariance: &DMatrix<f64>, data: usize) -> Result<DMatrix<f64>> {
        let name = |i: usize| self.definition.component_name(data + i);
        for i in 0..covariance.nrows() {
            for j in 0..i {
                let (below, above) = (covariance[(i, j)], covariance[(j, i)]);
                if (below - above).abs() > 1e-12 * (below.abs() + above.abs()) {
                    let problem = format!(
                        "the covariance of `{}` and `{}` is {above} in one place and {below} in the other",
                        name(j),
                        name(i)
                    );
                    return Err(self.refused(problem).with_hint("a covariance is symmetric"));
                }
            }
        }
        semidefinite_factor(covariance).map_err(|i| {
            let problem =
                format!("the covariance is impossible: given those before it, `{}` has a negative one", name(i));
            self.refused(problem).with_hint("|cov[i][j]| is at most sqrt(cov[i][i] * cov[j][j])")
        })
    }

    /// The process of the auxiliaries alone.
    fn auxiliaries(&self, data: usize) -> Result<Linear> {
        let count = self.definition.components();
        let size = count - data;
        let sources = self.definition.noise.first().map_or(0, Vec::len);
        let mut linear = Linear {
            drift: DMatrix::zeros(size, size),
            offset: DVector::zeros(size),
            noise: DMatrix::zeros(size, sources),
            start_mean: DVector::zeros(size),
            start_factor: DMatrix::zeros(size, size),
        };
        let hint = "give the covariance: start: |p| #{ cov: [[..], [..]] }";
        for i in 0..size {
            let name = self.definition.component_name(data + i);
            let refuse = |why: String| {
                self.refused(format!("there is no stationary law of the auxiliaries: {why}")).with_hint(hint)
            };
            let drift = &self.definition.drift[data + i];
            let affine =
                drift.affine(count).map_err(|part| refuse(format!("`{part}` in the drift of {name} is not linear")))?;
            let row = self.definition.noise[data + i].iter();
            let followed = (0..data).find(|&j| affine.coefficients[j].as_constant() != Some(0.0));
            if let Some(j) = followed {
                return Err(refuse(format!("{name} follows {}, the data", self.definition.component_name(j))));
            }
            if let Some(part) = [drift].into_iter().chain(row.clone()).find(|part| part.depends_on_time()) {
                return Err(refuse(format!("`{part}` of {name} changes with the time")));
            }
            if let Some(part) = row.clone().find(|part| part.depends_on_state()) {
                return Err(refuse(format!("the noise `{part}` of {name} depends on the state")));
            }
            for j in 0..size {
                linear.drift[(i, j)] = self.value("drift", data + i, &affine.coefficients[data + j], 0.0)?;
            }
            linear.offset[i] = self.value("drift", data + i, &affine.rest, 0.0)?;
            for (s, amplitude) in row.enumerate() {
                linear.noise[(i, s)] = self.value("noise", data + i, amplitude, 0.0)?;
            }
        }
        Ok(linear)
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
