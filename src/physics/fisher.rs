//! Fisher information of a noised state about the datum, and of its marginal law.

use nalgebra::DMatrix;

use super::draws::Draws;
use super::observed::Observed;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::measure::Estimate;
use crate::process::Process;
use crate::sample;
use crate::score::Score;
use crate::task::Task;

/// J(t) = mᵀ Σ⁻¹ m of the blocks `observe` (all, where none are named), m being how their mean depends on the datum and
/// Σ their covariance given it: per coordinate of the datum, in 1/(unit of the datum)².
///
/// # Errors
/// When the process has no Gaussian kernel or no such block, or `time` is not above 0.
pub fn fisher(process: &Process, time: f64, observe: Option<&[String]>) -> Result<f64> {
    let observed = Observed::new(process, time, observe)?;
    Ok(observed.signal().norm_squared() / observed.response.ncols() as f64)
}

/// −d ln J/dt of [`fisher`], in 1/time.
///
/// With w = Σ⁻¹ m, which is 0 for what is not observed, J' = 2 wᵀ A (m − Σ w) − wᵀ D w: the observed part of m − Σ w is
/// 0, so that nothing cancels where everything is observed.
///
/// # Errors
/// As [`fisher`], and when nothing is left of the datum.
pub fn fisher_decay(process: &Process, time: f64, observe: Option<&[String]>) -> Result<f64> {
    let observed = Observed::new(process, time, observe)?;
    let white = observed.signal();
    let total = white.norm_squared();
    if total == 0.0 {
        return Err(Error::argument("t", format!("is {time}, where nothing is left of the datum")));
    }
    let linear = process.linear_at(time)?;
    let solved = observed.weights(&white);
    let mut weights = DMatrix::zeros(process.components(), white.ncols());
    for (row, &component) in observed.components.iter().enumerate() {
        weights.set_row(component, &solved.row(row));
    }
    let mut unseen = observed.kernel.response() - &observed.kernel.covariance * &weights;
    observed.components.iter().for_each(|&component| unseen.row_mut(component).fill(0.0));
    let fed = 2.0 * (weights.transpose() * &linear.drift * unseen).trace();
    let lost = (linear.noise.transpose() * weights).norm_squared();
    Ok((lost - fed) / total)
}

/// E ‖∇ log p_t‖² over the driven blocks of noised data, in 1/(unit of the state)².
///
/// # Errors
/// As [`sample::score_at`].
pub fn fisher_marginal(score: &dyn Score, data: &Dataset, time: f64, draws: Draws, task: &Task) -> Result<Estimate> {
    let Draws { count, seed } = draws;
    let drawn = data.sample(count, seed, task)?;
    let noised = sample::perturb_for(score, &drawn, time, seed, task)?;
    let slopes = sample::score_at(score, &noised, time, task)?;
    let mut squares = vec![0.0; count];
    for (_, slope) in &slopes {
        let width = slope.len() / count;
        for (square, row) in squares.iter_mut().zip(slope.values().chunks_exact(width)) {
            // Coordinates that are not driven have no score.
            *square += row.iter().filter(|v| !v.is_nan()).map(|&v| f64::from(v).powi(2)).sum::<f64>();
        }
    }
    Ok(Estimate::mean(&squares))
}
