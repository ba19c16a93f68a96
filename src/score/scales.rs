//! Whether a process fits its data: what is left of them at the horizon, what the first noise hides of them, and how
//! wide their coordinates are beside each other.

use nalgebra::DVector;

use super::{Coordinates, Score, circle};
use crate::data::{Dataset, Moments};
use crate::error::Result;
use crate::gauss::{mahalanobis_squared, solve_lower};
use crate::process::{Class, Noised, Process};
use crate::task::Task;
use crate::tensor::number;

/// Variance at the horizon that the data explain beyond this part is worth a warning: linear processes with 30 % of the
/// data's mean left are near it for data as wide as their noise.
pub(super) const MUCH_SIGNAL: f64 = 0.08;

/// A coordinate that much wider than another is worth a warning; where all are measured by one deviation, the second.
const MUCH_WIDER: [f64; 2] = [100.0, 5.0];

/// A mean that many standard deviations away is worth a warning: 1,500 samples tell it from none.
const MUCH_APART: f64 = 0.05;

/// What a user should know of a process and the data of `score` before anything is sampled, with numbers.
///
/// # Errors
/// When the kernel at the horizon does not exist.
pub fn warnings(score: &dyn Score) -> Result<Vec<String>> {
    Ok(remainder(score)?.into_iter().chain(widths(score)).collect())
}

/// What is left of the data at the horizon, where the prior does not know their shape.
///
/// # Errors
/// When the kernel at the horizon does not exist.
pub fn remainder(score: &dyn Score) -> Result<Option<String>> {
    let (process, moments) = (score.process(), score.moments());
    if process.class() == Class::Nonlinear || score.is_gaussian() {
        return Ok(None);
    }
    if process.is_periodic() {
        return circle::remainder(score);
    }
    let kernel = process.kernel(process.horizon())?;
    let noised = Noised::new(process, moments)?;
    // What the state knows of the datum, against the law of the data: the signal to noise of the best estimate.
    let signal = noised.carried(&kernel).into_iter().map(|carried| {
        let columns = carried.column_iter().map(|column| solve_lower(&kernel.cholesky, &column.into_owned()));
        columns.map(|column| DVector::norm_squared(&column)).fold(0.0, f64::max)
    });
    let signal: Vec<f64> = signal.collect();
    let kinds = noised.kinds().iter().enumerate();
    let Some((copy, most)) = kinds.map(|(copy, &kind)| (copy, signal[kind])).max_by(|a, b| a.1.total_cmp(&b.1)) else {
        return Ok(None);
    };
    let share = if most.is_finite() { most / (1.0 + most) } else { 1.0 };
    Ok((share > MUCH_SIGNAL).then(|| {
        let place = match (moments.mean.len(), &moments.axes, process.coordinates()) {
            (1, ..) => String::new(),
            (_, None, None) => format!(" of coordinate {copy}"),
            _ => " along one axis".to_owned(),
        };
        // Where they are normalised, only their shape is left to blame.
        let narrower = score.units().is_none().then(|| {
            let wanted = number((most / MUCH_SIGNAL).sqrt());
            format!(", or noise data {wanted} times as narrow, e.g. by data.normalise(..)")
        });
        format!(
            "process {}: at the horizon the data still explain {:.1} % of the variance{place}, and the prior, a Gaussian, \
             does not know their shape: raise the horizon{}",
            process.name(),
            100.0 * share,
            narrower.unwrap_or_default()
        )
    }))
}

/// What is left at the horizon of `data` of many coordinates along their widest direction, about which their `moments`
/// know nothing: there the prior is too narrow.
///
/// # Errors
/// When the kernel at the horizon does not exist, or interrupted.
pub fn uncorrelated(process: &Process, moments: &Moments, data: &Dataset, task: &Task) -> Result<Option<String>> {
    let has_other_law = process.class() == Class::Nonlinear || process.is_periodic() || process.coordinates().is_some();
    if has_other_law || moments.axes.is_some() {
        return Ok(None);
    }
    let variance = data.apparent_variance(task)?;
    if variance <= moments.variance() {
        return Ok(None);
    }
    let kernel = process.kernel(process.horizon())?;
    let signal = mahalanobis_squared(&kernel.cholesky, kernel.response().column(0).into_owned());
    let wider = (1.0 + signal * variance) / (1.0 + signal * moments.variance());
    Ok((wider > 1.0 + MUCH_SIGNAL).then(|| {
        format!(
            "process {}: at the horizon the noised data have {} times the variance of the prior along their widest \
             direction, for the prior knows no correlations of so many coordinates: raise the horizon",
            process.name(),
            number(wider)
        )
    }))
}

/// That the stationary law is not where the noised data are at the horizon: samples would be shifted by about as many
/// of their standard deviations.
///
/// # Errors
/// When the kernel at the horizon or the stationary law does not exist.
pub fn unsettled(score: &dyn Score) -> Result<Option<String>> {
    let (process, moments) = (score.process(), score.moments());
    let (kernel, settled) = (process.kernel(process.horizon())?, process.stationary()?);
    let copies = process.copies(moments.mean.len())?;
    let noised = kernel.mean(&moments.mean);
    let apart = (0..copies).map(|copy| {
        let apart = settled.mean.iter().enumerate().map(|(i, mean)| mean - noised[i * copies + copy]);
        solve_lower(&kernel.cholesky, &DVector::from_iterator(settled.mean.len(), apart)).norm()
    });
    let most = apart.fold(0.0, f64::max);
    Ok((most > MUCH_APART).then(|| {
        format!(
            "process {}: at the horizon the mean of the noised data is {} standard deviations from that of the stationary \
             law, and samples are shifted by about as many of theirs: raise the horizon, or use the prior \"matched\"",
            process.name(),
            number(most)
        )
    }))
}

/// Coordinates of very different width.
fn widths(score: &dyn Score) -> Option<String> {
    let deviations: Vec<_> = score.moments().coordinate_variances().into_iter().map(f64::sqrt).enumerate().collect();
    let widest = deviations.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let narrowest = deviations.iter().filter(|(_, deviation)| *deviation > 0.0).min_by(|a, b| a.1.total_cmp(&b.1))?;
    let ratio = widest.1 / narrowest.1;
    let (limit, problem) = match score.coordinates() {
        Coordinates::Principal => (MUCH_WIDER[0], "steps must be short for the one and reach far for the other"),
        Coordinates::Own => (MUCH_WIDER[1], "a score by simulated paths measures all coordinates by one deviation"),
    };
    (ratio > limit && !score.is_gaussian()).then(|| {
        format!(
            "coordinate {} of the data is {} times as wide as coordinate {}, {} beside {}: {problem}; \
             data.normalise(\"coordinate\") gives each its unit",
            widest.0,
            number(ratio),
            narrowest.0,
            number(widest.1),
            number(narrowest.1)
        )
    })
}

/// That the noise at `time`, the first above 0 that is asked for, hides what is finest in the data, if it is more than
/// `most` times as wide.
///
/// # Errors
/// When the kernel does not exist there.
pub fn blurred(score: &dyn Score, time: f64, most: f64) -> Result<Option<String>> {
    let process = score.process();
    let Some(finest) = score.finest().filter(|_| process.class() != Class::Nonlinear) else { return Ok(None) };
    let kernel = process.kernel(time)?;
    let noise = (0..kernel.data).map(|b| kernel.covariance[(b, b)].sqrt()).fold(0.0, f64::max);
    let carried = (0..kernel.data).map(|b| kernel.transfer[(b, b)].abs()).fold(0.0, f64::max);
    let ratio = noise / (carried * finest);
    Ok((ratio > most).then(|| {
        format!(
            "at t = {time:.3e}, the shortest time at which the score is asked for, the noise is {} times as wide as what \
             is finest in the data, {}: details of them are lost",
            number(ratio),
            number(finest)
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Covariance, Mixture};
    use crate::process::fixtures::{Active, passive};
    use crate::score::Exact;

    /// Modes at these places along the first coordinate, of these deviations along both.
    fn modes(places: &[f64], [first, second]: [f64; 2]) -> Exact {
        let means = places.iter().flat_map(|place| [*place, 0.0]).collect();
        let covariance = Covariance::Full([first * first, 0.0, 0.0, second * second].repeat(places.len()));
        let mixture = Mixture::new(vec![1.0; places.len()], means, covariance).unwrap();
        Exact::new(&Active::default().process(), &Dataset::from_mixture("modes", mixture).unwrap()).unwrap()
    }

    #[test]
    fn ordinary_data_are_not_warned_of() {
        assert_eq!(warnings(&modes(&[-0.5, 0.5], [0.1, 0.1])).unwrap(), [""; 0]);
        assert_eq!(widths(&modes(&[-0.5, 0.5], [0.1, 0.006])), None);
    }

    /// Gaussian data of any widths are exact.
    #[test]
    fn coordinates_of_very_different_width_are() {
        let said = widths(&modes(&[-0.5, 0.5], [0.1, 0.005])).unwrap();
        let start = "coordinate 0 of the data is 101.98 times as wide as coordinate 1, 0.5099 beside 0.005:";
        assert!(said.starts_with(start), "{said}");
        assert_eq!(widths(&modes(&[0.0], [1.0, 1e-3])), None);
    }

    /// √(1 − e^(−2t)) of noise beside e^(−t) of what is finest.
    #[test]
    fn noise_that_hides_details_is_measured_by_them() {
        let mixture = Mixture::new(vec![1.0; 2], vec![-0.5, 0.5], Covariance::Isotropic(vec![1e-4; 2])).unwrap();
        let data = Dataset::from_mixture("modes", mixture).unwrap();
        let score = Exact::new(&passive(), &data).unwrap();
        let time: f64 = 0.01;
        let ratio = (1.0 - (-2.0 * time).exp()).sqrt() / ((-time).exp() * 0.01);
        assert_eq!(blurred(&score, time, 1.001 * ratio).unwrap(), None);
        let said = blurred(&score, time, 0.999 * ratio).unwrap().unwrap();
        assert!(said.contains(&format!("the noise is {} times as wide", number(ratio))), "{said}");
    }

    /// Twenty coordinates that are one, ±1 in all: the prior has the width of one, the data that of twenty.
    #[test]
    fn data_along_one_direction_are_wider_than_a_prior_without_correlations() {
        let values: Vec<f64> = (0..400).map(|i| if i / 20 % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let data = Dataset::from_values("line", &[20, 20], &values).unwrap();
        let process = passive();
        let left = (-2.0 * process.horizon()).exp();
        let noise = 1.0 - left;
        let wider = (noise + left * 20.0) / (noise + left);
        let said = uncorrelated(&process, data.moments(), &data, &Task::default()).unwrap().unwrap();
        let times: f64 = said.split(" have ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!((times / wider - 1.0).abs() < 0.05, "{said} {wider}");
    }
}
