//! What the auxiliaries know of the noise in the data.

use nalgebra::DMatrix;

use super::observed::require_gaussian;
use crate::error::{Error, Result};
use crate::gauss::reorder;
use crate::process::Process;

/// The part of the variance of the noise in the data that the auxiliaries determine, from 0 to 1: with one auxiliary
/// the squared correlation Σ_xη²/(Σ_xx Σ_ηη).
///
/// # Errors
/// When the process has no Gaussian kernel, or no noise has reached the data at `time`.
pub fn noise_explained(process: &Process, time: f64) -> Result<f64> {
    require_gaussian(process)?;
    let kernel = process.kernel(time)?;
    let k = process.data_components();
    let noise = kernel.covariance.diagonal().rows(0, k).sum();
    if noise <= 0.0 {
        return Err(Error::argument("t", format!("must be a time at which noise has reached the data, got {time}"))
            .with_hint("take a time above 0"));
    }
    // The data last: their part of the factor is that of their covariance given all others.
    let size = process.components();
    let order: Vec<usize> = (k..size).chain(0..k).collect();
    let left = reorder(&kernel.cholesky, &order).view((size - k, size - k), (k, k)).norm_squared();
    Ok((1.0 - left / noise).max(0.0))
}

/// The correlations between the components of the noised state given the datum, [m, m].
///
/// # Errors
/// When the process has no Gaussian kernel, or a component has no noise at `time`.
pub fn correlation(process: &Process, time: f64) -> Result<DMatrix<f64>> {
    require_gaussian(process)?;
    let covariance = process.kernel(time)?.covariance;
    let variances = covariance.diagonal();
    if let Some(component) = variances.iter().position(|variance| *variance <= 0.0) {
        let name = process.component_name(component);
        return Err(Error::argument("t", format!("must be a time at which noise has reached {name}, got {time}"))
            .with_hint("take a time above 0"));
    }
    let entry = |i: usize, j: usize| match i == j {
        true => 1.0,
        false => covariance[(i, j)] / (variances[i] * variances[j]).sqrt(),
    };
    Ok(DMatrix::from_fn(variances.len(), variances.len(), entry))
}
