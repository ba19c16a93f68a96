//! What the steps of a method would make of Gaussian data, computed without samples: whether they are short enough.

use nalgebra::DMatrix;

use super::layout::Layout;
use super::method::Needs;
use super::noise::{Impulses, Noise};
use super::options::{LastStep, Options};
use super::plan::Plan;
use super::problem::Problem;
use crate::data::{Covariance, Dataset, Detail, Mixture, Moments};
use crate::error::Result;
use crate::gauss::triangularize;
use crate::process::{Class, Process};
use crate::score::{Exact, Prepared, Score};
use crate::task::Task;
use crate::tensor::number;
use crate::vector::single;

/// An error of a standard deviation by the steps alone that is worth a warning: 3 % of a variance.
const MUCH: f64 = 0.015;

/// Steps whose coefficients and scores are prepared at once.
const CHUNK: usize = 128;

/// What the steps make of the data, or of the detail, where that is worst.
struct Worst {
    ratio: f64,
    /// In words.
    what: String,
}

/// That the steps of `options` through the falling `times` make Gaussian data as wide, or as narrow, as those of
/// `score`, or the part of them that is finest, too wide or too narrow. Nothing is known of processes without a kernel.
///
/// # Errors
/// Those of the kernel and of the method, or interrupted.
pub(super) fn warning(score: &dyn Score, options: &Options, times: &[f64], task: &Task) -> Result<Option<String>> {
    let (process, about) = (score.process(), options.method.about());
    // Gaussian data do not fit on a circle.
    if process.class() == Class::Nonlinear || process.is_periodic() {
        return Ok(None);
    }
    // A last step to the expected state leaves out what the state before it may differ by.
    let follows_reference = options.method.is_exact_for_gaussians() && options.last == LastStep::None;
    let variances = score.moments().coordinate_variances();
    let mut candidates: Vec<(Detail, String)> = Vec::new();
    // Steps around a Gaussian reference make no error of Gaussian data.
    if !follows_reference {
        let mut places: Vec<usize> = (0..variances.len()).filter(|&c| variances[c] > 0.0).collect();
        places.sort_by(|&a, &b| variances[a].total_cmp(&variances[b]));
        places.dedup_by(|a, b| variances[*a] == variances[*b]);
        places.drain(1..places.len().max(2) - 1);
        candidates.extend(places.into_iter().map(|place| {
            let coordinate = if variances.len() == 1 { String::new() } else { format!(" in coordinate {place}") };
            let own = variances[place];
            (Detail { variance: own, beside: own }, format!("Gaussian data of this variance{coordinate}"))
        }));
    }
    let details = score.details().into_iter().filter(|detail| !(follows_reference && detail.is_whole()));
    candidates.extend(details.map(|detail| {
        (detail, format!("what is finest in the data, of standard deviation {},", number(detail.variance.sqrt())))
    }));
    let mut worst: Option<Worst> = None;
    for (detail, what) in candidates {
        let ratio = ratio(process, detail, options, times, task)?;
        if worst.as_ref().is_none_or(|other| f64::ln(ratio).abs() > f64::ln(other.ratio).abs()) {
            worst = Some(Worst { ratio, what });
        }
    }
    Ok(worst.filter(|Worst { ratio, .. }| (ratio - 1.0).abs() > MUCH).map(|Worst { ratio, what }| {
        let other = match (options.last, about.needs) {
            (LastStep::Denoise, _) => ", a grid that is finer towards 0, or last: \"none\"",
            (_, Needs::Linear) => "",
            _ => ", or the method \"exponential\"",
        };
        format!(
            "by {} steps of \"{}\" {what} would come out with {} times their standard deviation: take more steps{other}",
            times.len() - 1,
            about.name,
            number(ratio)
        )
    }))
}

/// A Gaussian score with the reference of wider data.
struct Beside {
    score: Exact,
    moments: Moments,
}

impl Score for Beside {
    fn process(&self) -> &Process {
        self.score.process()
    }

    fn shape(&self) -> &[usize] {
        self.score.shape()
    }

    fn moments(&self) -> &Moments {
        &self.moments
    }

    fn prepare(&self, times: &[f64], task: &Task) -> Result<Box<dyn Prepared + '_>> {
        self.score.prepare(times, task)
    }
}

/// The standard deviation that the steps would give Gaussian data as narrow as `detail`, in parts of the true one.
fn ratio(process: &Process, detail: Detail, options: &Options, times: &[f64], task: &Task) -> Result<f64> {
    let d = process.data_components();
    let mixture = Mixture::new(vec![1.0], vec![0.0; d], Covariance::Isotropic(vec![detail.variance]))?;
    let score = Exact::new(process, &Dataset::from_mixture("gaussian", mixture)?)?;
    let score = Beside { score, moments: Moments::isotropic(vec![0.0; d], detail.beside) };
    let law = |time: f64| process.kernel(time).map(|kernel| kernel.with_data_variance(detail.variance).cholesky);
    let end = propagate(&score, law(times[0])?, options, times, task)?;
    let truth = law(times[times.len() - 1])?;
    Ok((end.rows(0, d).norm_squared() / truth.rows(0, d).norm_squared()).sqrt())
}

/// The factor of the law at the end for that of the `factor` at the beginning. A step is a linear map of all that stays
/// from step to step and of its random numbers: it is applied to the columns of the factor and to unit impulses.
fn propagate(
    score: &dyn Score,
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
