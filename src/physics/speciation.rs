//! The time at which what is widest in the data is as wide as the noise in them: before it, on the way back, the class
//! of a sample is open (Biroli, Bonnaire, de Bortoli, Mézard, arXiv 2402.18491; Behera et al., arXiv 2411.07233).

use nalgebra::DMatrix;

use super::observed::{Observed, components, require_density, require_gaussian};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::process::Process;
use crate::settings::written;
use crate::task::Task;

/// Times at which the ratio is looked at, before the crossing is refined.
const PLACES: usize = 2000;

/// The last time at which the noised data are wide by their own as by noise: a(t)² Λ = Σ_xx(t), Λ being the largest
/// eigenvalue of the covariance of the data. Where coordinates are coupled, the largest eigenvalue of
/// Σ_xx⁻¹ R S Rᵀ is 1.
///
/// # Errors
/// When the process has no Gaussian kernel, the data do not vary, or are still wider than the noise at the horizon.
pub fn speciation_time(process: &Process, data: &Dataset, task: &Task) -> Result<f64> {
    let factor = widest(process, data, task)?;
    let data = components(process, Some(&process.blocks()[..1]))?;
    require_density(process, &data)?;
    let ratio = |time: f64| -> Result<f64> {
        let observed = Observed::of(process, data.clone(), time)?;
        Ok((observed.signal() * &factor).singular_values().max().powi(2))
    };
    let horizon = process.horizon();
    let end = ratio(horizon)?;
    if end >= 1.0 {
        let problem = format!(
            "the data are not lost by its horizon {}: they are {:.3} times as wide as the noise",
            written(horizon),
            end.sqrt()
        );
        return Err(Error::process(process.name(), problem).with_hint("ask with a longer `horizon`"));
    }
    // Equal steps in √t, from the horizon down.
    let place = |i: usize| horizon * ((PLACES - i) as f64 / PLACES as f64).powi(2);
    let mut late = horizon;
    for i in 1..PLACES {
        let early = place(i);
        if ratio(early)? >= 1.0 {
            return bisect(early, late, ratio);
        }
        late = early;
    }
    // Data far narrower than the noise: by halves.
    for _ in 0..1000 {
        let early = 0.5 * late;
        if ratio(early)? >= 1.0 {
            return bisect(early, late, ratio);
        }
        late = early;
    }
    Err(Error::process(process.name(), "its noise is wider than the data at every time above 0"))
}

/// The time between `early`, where the ratio is 1 or more, and `late`, where it is less, at which it is 1.
fn bisect(mut early: f64, mut late: f64, ratio: impl Fn(f64) -> Result<f64>) -> Result<f64> {
    loop {
        let middle = 0.5 * (early + late);
        if middle <= early || middle >= late {
            return Ok(middle);
        }
        match ratio(middle)? >= 1.0 {
            true => early = middle,
            false => late = middle,
        }
    }
}

/// A factor F with F Fᵀ of the covariance of the data that one copy of the process carries, [k, any]: of the widest
/// direction where coordinates are independent.
fn widest(process: &Process, data: &Dataset, task: &Task) -> Result<DMatrix<f64>> {
    require_gaussian(process)?;
    process.copies(data.dimension())?;
    let factor = match process.coordinates() {
        Some(_) => data.moments().factor(),
        None => DMatrix::from_element(1, 1, data.largest_variance(task)?.sqrt()),
    };
    if factor.norm() > 0.0 { Ok(factor) } else { Err(Error::argument("data", "do not vary: they have no classes")) }
}

/// The formula for late times, (1/2k) ln(1 + Λ/Σ_∞), k being the rate at which the data decay and Σ_∞ the variance that
/// they settle into: exact for noise without memory.
///
/// # Errors
/// As [`speciation_time`], and when coefficients depend on the time, coordinates are coupled, the data act on the
/// auxiliaries, or do not settle.
pub fn speciation_estimate(process: &Process, data: &Dataset, task: &Task) -> Result<f64> {
    let variance = widest(process, data, task)?.norm_squared();
    let unsuited = |problem: &str| {
        Error::process(process.name(), format!("{problem}: the formula for late times is not for it"))
            .with_hint("ask for the exact time, without `asymptotic`")
    };
    let linear = match (process.constant(), process.coordinates()) {
        (Some(linear), None) => linear,
        (None, _) => return Err(unsuited("its coefficients depend on the time")),
        (_, Some(_)) => return Err(unsuited("it couples coordinates")),
    };
    if linear.drift.column(0).iter().skip(1).any(|fed| *fed != 0.0) {
        return Err(unsuited("its auxiliaries are driven by the data"));
    }
    let rate = -linear.drift[(0, 0)];
    if rate <= 0.0 {
        return Err(unsuited("its data do not decay"));
    }
    let settled = process.stationary()?.covariance[(0, 0)];
    Ok((variance / settled).ln_1p() / (2.0 * rate))
}
