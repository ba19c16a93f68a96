//! What the steps of a method would make of Gaussian data, computed without samples: whether they are short enough.

use nalgebra::DMatrix;

use super::layout::Layout;
use super::method::Needs;
use super::noise::{Impulses, Noise};
use super::options::Options;
use super::plan::Plan;
use super::problem::Problem;
use crate::data::{Covariance, Dataset, Mixture};
use crate::error::Result;
use crate::gauss::triangularize;
use crate::process::{Class, Process};
use crate::score::{Exact, Score};
use crate::task::Task;
use crate::tensor::number;
use crate::vector::single;

/// An error of a standard deviation by the steps alone that is worth a warning.
const MUCH: f64 = 0.03;

/// Steps whose coefficients and scores are prepared at once.
const CHUNK: usize = 128;

/// That the steps of `options` through the falling `times` make Gaussian data as wide, or as narrow, as those of
/// `score` too wide or too narrow. Nothing is known of processes without a kernel, and steps around a Gaussian
/// reference have no such error.
///
/// # Errors
/// Those of the kernel and of the method, or interrupted.
pub(super) fn warning(score: &dyn Score, options: &Options, times: &[f64], task: &Task) -> Result<Option<String>> {
    let (process, about) = (score.process(), options.method.about());
    // Gaussian data do not fit on a circle.
    if process.class() == Class::Nonlinear || about.needs == Needs::Linear || process.is_periodic() {
        return Ok(None);
    }
    let variances = score.moments().coordinate_variances();
    let mut places: Vec<usize> = (0..variances.len()).filter(|&c| variances[c] > 0.0).collect();
    places.sort_by(|&a, &b| variances[a].total_cmp(&variances[b]));
    places.dedup_by(|a, b| variances[*a] == variances[*b]);
    places.drain(1..places.len().max(2) - 1);
    let mut worst: Option<(usize, f64)> = None;
    for place in places {
        let ratio = ratio(process, variances[place], options, times, task)?;
        if worst.is_none_or(|(_, other)| f64::ln(ratio).abs() > f64::ln(other).abs()) {
            worst = Some((place, ratio));
        }
    }
    Ok(worst.filter(|(_, ratio)| (ratio - 1.0).abs() > MUCH).map(|(place, ratio)| {
        let coordinate = if variances.len() == 1 { String::new() } else { format!(" in coordinate {place}") };
        format!(
            "by {} steps of \"{}\" Gaussian data of this variance{coordinate} would come out with {} times their standard \
             deviation: take more steps, or the method \"exponential\"",
            times.len() - 1,
            about.name,
            number(ratio)
        )
    }))
}

/// The standard deviation of Gaussian data of `variance` that the steps would give, in parts of the true one.
fn ratio(process: &Process, variance: f64, options: &Options, times: &[f64], task: &Task) -> Result<f64> {
    let d = process.data_components();
    let mixture = Mixture::new(vec![1.0], vec![0.0; d], Covariance::Isotropic(vec![variance]))?;
    let score = Exact::new(process, &Dataset::from_mixture("gaussian", mixture)?)?;
    let law = |time: f64| process.kernel(time).map(|kernel| kernel.with_data_variance(variance).cholesky);
    let end = propagate(&score, law(times[0])?, options, times, task)?;
    let truth = law(times[times.len() - 1])?;
    Ok((end.rows(0, d).norm_squared() / truth.rows(0, d).norm_squared()).sqrt())
}

/// The factor of the law at the end for that of the `factor` at the beginning. A step is a linear map of all that stays
/// from step to step and of its random numbers: it is applied to the columns of the factor and to unit impulses.
fn propagate(
    score: &Exact,
    factor: DMatrix<f64>,
    options: &Options,
    times: &[f64],
    task: &Task,
) -> Result<DMatrix<f64>> {
    let layout = Layout::new(score.process(), score.shape().iter().product())?;
    // All steps have impulses in the same samples.
    let silent = Noise::Impulse(Impulses { first: 0, parts: 0, rows: 0 });
    let problem = Problem { score, layout, times: times.to_vec(), noise: silent, task };
    let step = options.stepper(&problem)?;
    let steps = times.len() - 1;
    let mut kept = factor;
    for first in (0..steps).step_by(CHUNK) {
        let range = first..steps.min(first + CHUNK);
        let plan = Plan::new(range.clone(), &step, Some(score), layout, &problem.noise, task)?;
        let counts = plan.counts();
        let size = counts.kept.max(layout.state).max(kept.nrows());
        let columns = kept.ncols().max(size);
        let samples = columns + counts.draws * counts.drawn;
        let noise = Noise::Impulse(Impulses { first: columns, parts: 0, rows: counts.drawn });
        let plan = plan.with_noise(&noise);
        let mut worker = plan.worker(samples);
        let mut rows = vec![0.0; size * samples];
        for number in range {
            task.check()?;
            rows.fill(0.0);
            for (b, row) in kept.row_iter().enumerate() {
                row.iter().enumerate().for_each(|(column, entry)| rows[b * samples + column] = single(*entry));
            }
            worker.step(number, 0, &mut rows);
            let moved = rows.iter().map(|entry| f64::from(*entry));
            kept = triangularize(DMatrix::from_row_iterator(size, samples, moved));
        }
    }
    Ok(kept.rows(0, layout.state).into_owned())
}
