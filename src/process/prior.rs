//! The prior: the law over all blocks from which the reverse process starts.

use nalgebra::DMatrix;

use super::Process;
use crate::data::Moments;
use crate::error::{Error, Result};
use crate::gauss::Square;
use crate::rng::Stream;

/// Which law stands for the noised data at the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PriorLaw {
    /// Mean and covariance of the noised data themselves, N(Φ_x m + c, Φ_x s² Φ_xᵀ + Σ(T)), for data of mean m and
    /// variance s² per coordinate. What is left of the data at a finite horizon is not thrown away.
    #[default]
    Matched,
    /// The stationary law of the process, which knows nothing of the data.
    Stationary,
    /// Simulated states at the horizon themselves, where the score was made with them.
    Ensemble,
}

/// A law of states, drawn from with all correlations between components.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior(Law);

#[derive(Debug, Clone, PartialEq)]
enum Law {
    /// Copies are independent.
    Gaussian {
        /// Means, [m, copies], row-major.
        mean: Vec<f32>,
        /// Lower-triangular factor over components, [m, m], row-major.
        factor: Vec<f32>,
        components: usize,
    },
    /// Each of some states is as likely as any other.
    Ensemble {
        /// [states, m·copies].
        states: Vec<f32>,
        rows: usize,
    },
}

impl Prior {
    /// The prior of `law` for data with these `moments`.
    ///
    /// # Errors
    /// When the kernel at the horizon, or the stationary law, does not exist or is singular.
    pub fn new(process: &Process, moments: &Moments, law: PriorLaw) -> Result<Self> {
        match law {
            PriorLaw::Matched => {
                let kernel = process.kernel(process.horizon())?.with_data_variance(moments.variance);
                Ok(Self::from_parts(&kernel.cholesky, &kernel.mean(&moments.mean)))
            }
            PriorLaw::Stationary => {
                let law = process.stationary()?;
                let copies = process.copies(moments.mean.len())?;
                let factor = Square::exact(&law.covariance).cholesky(f64::EPSILON).ok_or_else(|| {
                    Error::process(process.name(), "its stationary law is singular: noise does not reach every block")
                        .with_hint("let noise reach every block, or use the prior \"matched\"")
                })?;
                let mean: Vec<_> = law.mean.iter().flat_map(|&m| std::iter::repeat_n(m, copies)).collect();
                Ok(Self::from_parts(&factor.rounded(), &mean))
            }
            PriorLaw::Ensemble => {
                Err(Error::argument("prior", "\"ensemble\" needs simulated states, which this score lacks")
                    .with_hint("use \"matched\": the kernel gives the mean and covariance exactly"))
            }
        }
    }

    /// A Gaussian with this covariance over components, [m, m], and this `mean`, [m·copies]. Components without
    /// variance stay at their mean.
    pub(crate) fn gaussian(covariance: &DMatrix<f64>, mean: &[f64]) -> Self {
        let factor = Square::exact(covariance).cholesky(f64::EPSILON).map(|factor| factor.rounded());
        Self::from_parts(&factor.unwrap_or_else(|| semidefinite(covariance)), mean)
    }

    /// The law that gives each of `states`, [count, rows], the same probability.
    pub(crate) fn ensemble(states: &[f32], rows: usize) -> Self {
        Self(Law::Ensemble { states: states.to_vec(), rows })
    }

    fn from_parts(factor: &DMatrix<f64>, mean: &[f64]) -> Self {
        Self(Law::Gaussian {
            mean: mean.iter().map(|&m| m as f32).collect(),
            factor: factor.transpose().iter().map(|&entry| entry as f32).collect(),
            components: factor.nrows(),
        })
    }

    /// Fills `out` with draws of (`step`, `block`), component-major [m·copies, count].
    pub fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        match &self.0 {
            Law::Gaussian { mean, factor, components } => {
                stream.normals(step, block, out);
                correlate(factor, *components, out);
                for (row, &mean) in out.chunks_exact_mut(out.len() / mean.len()).zip(mean) {
                    row.iter_mut().for_each(|value| *value += mean);
                }
            }
            Law::Ensemble { states, rows } => {
                let (count, members) = (out.len() / rows, states.len() / rows);
                let mut uniforms = vec![0.0; count];
                stream.uniforms(step, block, &mut uniforms);
                for (i, uniform) in uniforms.iter().enumerate() {
                    let member = ((uniform * members as f32) as usize).min(members - 1);
                    for (r, value) in states[member * rows..][..*rows].iter().enumerate() {
                        out[r * count + i] = *value;
                    }
                }
            }
        }
    }
}

/// A lower-triangular factor where some components have no variance of their own: their columns are 0.
fn semidefinite(covariance: &DMatrix<f64>) -> DMatrix<f64> {
    let size = covariance.nrows();
    let mut factor = DMatrix::<f64>::zeros(size, size);
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[(i, k)] * factor[(j, k)]).sum();
            let left = covariance[(i, j)] - known;
            factor[(i, j)] = match factor[(j, j)] {
                _ if i == j => left.max(0.0).sqrt(),
                0.0 => 0.0,
                pivot => left / pivot,
            };
        }
    }
    factor
}

/// Replaces independent normals ε, [m, len], by L ε; `factor` is L, [m, m], row-major.
pub(crate) fn correlate(factor: &[f32], components: usize, values: &mut [f32]) {
    let length = values.len() / components;
    // From the last component down: component b needs the normals of those up to b only.
    for b in (0..components).rev() {
        let (before, own) = values.split_at_mut(b * length);
        let scale = factor[b * components + b];
        own[..length].iter_mut().for_each(|value| *value *= scale);
        for (j, other) in before.chunks_exact(length).enumerate() {
            let weight = factor[b * components + j];
            own[..length].iter_mut().zip(other).for_each(|(value, other)| *value += weight * other);
        }
    }
}
