//! The prior: the Gaussian over all blocks from which the reverse process starts.

use nalgebra::DMatrix;

use super::Process;
use crate::data::Moments;
use crate::error::{Error, Result};
use crate::gauss::Square;
use crate::rng::Stream;

/// Which Gaussian stands for the noised data at the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PriorLaw {
    /// Mean and covariance of the noised data themselves, N(Φ_x m + c, Φ_x s² Φ_xᵀ + Σ(T)), for data of mean m and
    /// variance s² per coordinate. What is left of the data at a finite horizon is not thrown away.
    #[default]
    Matched,
    /// The stationary law of the process, which knows nothing of the data.
    Stationary,
}

/// A Gaussian over blocks and coordinates, the coordinates independent; drawn from with its full joint covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// Means, [m, copies], row-major.
    mean: Vec<f32>,
    /// Lower-triangular factor over components, [m, m], row-major.
    factor: Vec<f32>,
    components: usize,
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
        }
    }

    fn from_parts(factor: &DMatrix<f64>, mean: &[f64]) -> Self {
        Self {
            mean: mean.iter().map(|&m| m as f32).collect(),
            factor: factor.transpose().iter().map(|&entry| entry as f32).collect(),
            components: factor.nrows(),
        }
    }

    /// Fills `out` with draws of (`step`, `block`), component-major [m·copies, count], without allocating.
    pub fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        stream.normals(step, block, out);
        let count = out.len() / self.mean.len();
        correlate(&self.factor, self.components, out);
        for (row, &mean) in out.chunks_exact_mut(count).zip(&self.mean) {
            row.iter_mut().for_each(|value| *value += mean);
        }
    }
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
