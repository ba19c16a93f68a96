//! How the Fourier modes of the density of data decay.

use nalgebra::{DMatrix, DVector};

use super::draws::Draws;
use super::observed::require_gaussian;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::measure::Estimate;
use crate::process::Process;
use crate::task::Task;

/// The modulus of a Fourier mode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Exactly.
    Exact(f64),
    /// By draws of the data.
    Estimated(Estimate),
}

/// |P̂(q, t)| = |E exp(i q·x_t)| = |P̂_0(Rᵀ q)| exp(−qᵀ Σ_xx q/2), with R(t) = a(t) where coordinates are independent:
/// of mixtures and of finite data exactly, of others by `draws`.
///
/// # Errors
/// When the process has no Gaussian kernel, or `wave` has another length than a datum.
pub fn mode_decay(
    process: &Process,
    data: &Dataset,
    wave: &[f64],
    time: f64,
    draws: Draws,
    task: &Task,
) -> Result<Mode> {
    require_gaussian(process)?;
    let d = data.dimension();
    if wave.len() != d {
        return Err(Error::argument("q", format!("has {} numbers, a datum has {d}", wave.len()))
            .with_hint("give a wave number for each coordinate"));
    }
    let copies = process.copies(d)?;
    let kernel = process.kernel(time)?;
    let k = process.data_components();
    // [k, copies], as a datum stands in the state.
    let wave = DMatrix::from_fn(k, copies, |i, c| wave[i * copies + c]);
    let noise = kernel.covariance.view((0, 0), (k, k));
    let spread = (wave.transpose() * noise * &wave).trace();
    let seen = kernel.response().rows(0, k).transpose() * wave;
    let seen = DVector::from_fn(d, |at, _| seen[(at / copies, at % copies)]);
    let damping = (-0.5 * spread).exp();
    if let Some(mixture) = data.mixture() {
        let parts = mixture.weights.iter().zip(mixture.means.chunks_exact(d)).enumerate();
        let [real, imaginary] = parts.fold([0.0; 2], |[real, imaginary], (component, (weight, mean))| {
            let (sin, cos) = seen.dot(&DVector::from_column_slice(mean)).sin_cos();
            let variance = seen.dot(&mixture.times(component, &seen));
            let size = weight * (-0.5 * variance).exp();
            [real + size * cos, imaginary + size * sin]
        });
        return Ok(Mode::Exact(damping * real.hypot(imaginary)));
    }
    let drawn;
    let points = match data.points() {
        Some(points) => points,
        None => {
            drawn = data.sample(draws.count, draws.seed, task)?;
            &drawn
        }
    };
    let phases: Vec<(f64, f64)> = points
        .values()
        .chunks_exact(d)
        .map(|datum| datum.iter().zip(&seen).map(|(x, q)| f64::from(*x) * q).sum::<f64>().sin_cos())
        .collect();
    let number = phases.len() as f64;
    let [real, imaginary] = phases.iter().fold([0.0; 2], |[re, im], (sin, cos)| [re + cos / number, im + sin / number]);
    let modulus = real.hypot(imaginary);
    if data.points().is_some() {
        return Ok(Mode::Exact(damping * modulus));
    }
    // What each draw adds along the mean is what moves the modulus.
    let along: Vec<f64> = phases.iter().map(|(sin, cos)| damping * (cos * real + sin * imaginary) / modulus).collect();
    Ok(Mode::Estimated(Estimate::mean(&along)))
}
