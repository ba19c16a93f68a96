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
    /// Means, [m, d], row-major.
    mean: Vec<f32>,
    /// Lower-triangular factor over blocks, [m, m], row-major.
    factor: Vec<f32>,
    blocks: usize,
}

impl Prior {
    /// The prior of `law` for data with these `moments`.
    ///
    /// # Errors
    /// When the kernel at the horizon, or the stationary law, does not exist or is singular.
    pub fn new(process: &Process, moments: &Moments, law: PriorLaw) -> Result<Self> {
        match law {
            PriorLaw::Matched => {
                let kernel = process.linear().kernel(process.horizon())?.with_data_variance(moments.variance);
                let response = kernel.response();
                let mean = |b: usize, m: f64| response[b] * m + kernel.offset[b];
                Ok(Self::from_parts(&kernel.cholesky, &moments.mean, mean))
            }
            PriorLaw::Stationary => {
                let law = process.linear().stationary()?;
                let factor = Square::exact(&law.covariance).cholesky(f64::EPSILON).ok_or_else(|| {
                    Error::process(process.name(), "its stationary law is singular: noise does not reach every block")
                        .with_hint("let noise reach every block, or use the prior \"matched\"")
                })?;
                Ok(Self::from_parts(&factor.rounded(), &moments.mean, |b, _| law.mean[b]))
            }
        }
    }

    fn from_parts(factor: &DMatrix<f64>, data_mean: &[f64], mean: impl Fn(usize, f64) -> f64) -> Self {
        let blocks = factor.nrows();
        Self {
            mean: (0..blocks)
                .flat_map(|b| data_mean.iter().map(move |&m| (b, m)))
                .map(|(b, m)| mean(b, m) as f32)
                .collect(),
            factor: factor.transpose().iter().map(|&entry| entry as f32).collect(),
            blocks,
        }
    }

    /// Fills `out` with draws of (`step`, `block`), component-major [m·d, count], without allocating.
    pub fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        stream.normals(step, block, out);
        let dimension = self.mean.len() / self.blocks;
        let count = out.len() / self.mean.len();
        correlate(&self.factor, self.blocks, out);
        for (row, &mean) in out.chunks_exact_mut(count).zip(&self.mean[..self.blocks * dimension]) {
            row.iter_mut().for_each(|value| *value += mean);
        }
    }
}

/// Replaces independent normals ε, [m, len], by L ε; `factor` is L, [m, m], row-major.
pub(crate) fn correlate(factor: &[f32], blocks: usize, values: &mut [f32]) {
    let length = values.len() / blocks;
    // From the last block down: block b needs the normals of the blocks up to b only.
    for b in (0..blocks).rev() {
        let (before, own) = values.split_at_mut(b * length);
        let scale = factor[b * blocks + b];
        own[..length].iter_mut().for_each(|value| *value *= scale);
        for (j, other) in before.chunks_exact(length).enumerate() {
            let weight = factor[b * blocks + j];
            own[..length].iter_mut().zip(other).for_each(|(value, other)| *value += weight * other);
        }
    }
}
