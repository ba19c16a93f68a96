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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::fixtures::passive;
    use crate::sample::{EulerMaruyama, Grid, Heun};

    /// Under dx = −x dt + √2 dW, data of the variance v₀ have v(t) = v₀ e^−2t + 1 − e^−2t.
    fn variance(start: f64, time: f64) -> f64 {
        start * f64::exp(-2.0 * time) - f64::exp_m1(-2.0 * time)
    }

    fn found(options: &Options, [variance, beside]: [f64; 2], times: &[f64]) -> f64 {
        ratio(&passive(), Detail { variance, beside }, options, times, &Task::default()).unwrap()
    }

    /// Euler–Maruyama steps multiply a deviation by a = 1 + h − 2 h/v and add noise of the variance 2 h, or end in
    /// E[x₀ | z] = v₀ e^−h z/v. Many enough that they are prepared in two parts.
    #[test]
    fn steps_of_gaussian_data_are_those_of_a_recursion() {
        let (start, steps) = (0.05, CHUNK + 30);
        let times: Vec<f64> = (0..=steps).rev().map(|i| 2.0 * i as f64 / steps as f64).collect();
        for last in [LastStep::None, LastStep::Denoise] {
            let mut square = variance(start, 2.0);
            for pair in times.windows(2) {
                let (h, v) = (pair[0] - pair[1], variance(start, pair[0]));
                square = match last {
                    LastStep::Denoise if pair[1] == 0.0 => (start * f64::exp(-h) / v).powi(2) * square,
                    _ => (1.0 + h - 2.0 * h / v).powi(2) * square + 2.0 * h,
                };
            }
            let truth = (square / start).sqrt();
            let options = Options { last, grid: Grid::Uniform, steps, ..Options::by(EulerMaruyama) };
            let found = found(&options, [start, start], &times);
            assert!((truth - 1.0).abs() > 1e-3 && (found - truth).abs() < 1e-5, "{found} not {truth}");
        }
    }

    /// The reference is that of all data, the score that of the part.
    #[test]
    fn a_part_of_the_data_has_the_flow_of_its_own() {
        let times = [2.0, 1.0, 0.5, 0.2, 0.05];
        let heun = Options { last: LastStep::None, ..Options::by(Heun) };
        // Heun's flow of a linear velocity c z does not look at the reference.
        let slope = |time: f64| 1.0 - 1.0 / variance(0.1, time);
        let factor = times.windows(2).map(|pair| {
            let h = pair[0] - pair[1];
            let (first, second) = (slope(pair[0]), slope(pair[1]));
            1.0 + 0.5 * h * (first + second * (1.0 + h * first))
        });
        let end = factor.product::<f64>() * variance(0.1, 2.0).sqrt();
        let truth = end / variance(0.1, 0.05).sqrt();
        for beside in [0.1, 3.0] {
            let found = found(&heun, [0.1, beside], &times);
            assert!((found - truth).abs() < 1e-5, "{found} not {truth}");
        }
    }
}
