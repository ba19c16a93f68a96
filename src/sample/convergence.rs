//! The order of a method, measured without sampling noise.
//!
//! For Gaussian data the exact score is affine in the state, so a method with fixed steps is an affine map with
//! additive noise. The samplers themselves are asked for it: from the mean of the prior, from it plus each column of
//! its factor, and from it with a unit impulse in the place of each single random number. What comes out is the mean,
//! and the columns of the covariance, of what the method samples; the error of single precision, about 10⁻⁶, is all
//! that is left of chance.

use nalgebra::{DMatrix, DVector};

use super::layout::BLOCK;
use super::method::Way;
use super::noise::{Impulses, Noise};
use super::reverse::{draws, follow};
use super::{Options, State};
use crate::data::{Covariance, Dataset, Mixture};
use crate::error::{Error, Result};
use crate::process::Process;
use crate::score::{Exact, Score};
use crate::settings::{Setting, written};
use crate::task::Task;
use crate::vector::single;

/// What can be set of a measurement of a method, besides the method itself.
pub const ACCURACY: &[Setting] = &[
    Setting::counts("steps", "numbers of steps").or_numbers(&[25.0, 50.0, 100.0, 200.0, 400.0]),
    Setting::number("variance", "variance of the data, whose mean is 1").above(0.0).or(0.25),
];

/// The errors of a method at one number of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Accuracy {
    /// Number of steps; 0 for adaptive ones.
    pub steps: usize,
    /// Evaluations of the score per sample.
    pub evaluations: usize,
    /// The largest error of the mean of a component, in its standard deviations.
    pub mean: f64,
    /// The error of the data's variance, in parts of it; the largest in size.
    pub variance: f64,
    /// The largest error of the covariance of two components, in their standard deviations.
    pub covariance: f64,
}

/// The errors of `options.method`, with its grid, end and last step, for each number of `steps`, on Gaussian data of
/// mean 1 and `variance` under the exact score; the prior is their law at the horizon. Adaptive methods give one row.
///
/// # Errors
/// When the process has no exact score, `variance` is not above 0, and as [`sample`](super::sample).
pub fn convergence(
    process: &Process,
    variance: f64,
    options: &Options,
    steps: &[usize],
    task: &Task,
) -> Result<Vec<Accuracy>> {
    if !(variance > 0.0 && variance.is_finite()) {
        return Err(Error::argument("variance", format!("must be above 0, got {}", written(variance))));
    }
    let means = vec![1.0; process.data_components()];
    let mixture = Mixture::new(vec![1.0], means.clone(), Covariance::Isotropic(vec![variance]))?;
    let score = Exact::new(process, &Dataset::from_mixture("gaussian", mixture)?)?;
    let steps = if let Way::Adaptive(_) = options.method.way() { &[0] } else { steps };
    check_steps(steps)?;
    let law = |time: f64| -> Result<(DVector<f64>, DMatrix<f64>)> {
        let kernel = process.kernel(time)?.with_data_variance(variance);
        Ok((DVector::from_vec(kernel.mean(&means)), kernel.cholesky))
    };
    let ((_, prior), truth) = (law(process.horizon())?, law(options.end)?);
    let row = |&steps: &usize| {
        let options = Options { steps, ..options.clone() };
        let state = responses(&score, &prior, &options, task)?;
        Ok(accuracy(process, &state, &truth, steps))
    };
    steps.iter().map(row).collect()
}

/// Refuses no steps at all, and the same number twice.
fn check_steps(steps: &[usize]) -> Result<()> {
    if steps.is_empty() {
        return Err(Error::argument("steps", "is empty").with_hint("give at least one number of steps"));
    }
    match steps.iter().enumerate().find(|(i, number)| steps[..*i].contains(number)) {
        None => Ok(()),
        Some((_, twice)) => {
            let problem = format!("has {twice} twice: errors are compared between different numbers of steps");
            Err(Error::argument("steps", problem))
        }
    }
}

/// The ends of the mean, of the columns of the factor of the prior, and of all impulses.
fn responses(score: &Exact, factor: &DMatrix<f64>, options: &Options, task: &Task) -> Result<State> {
    let process = score.process();
    let size = factor.nrows();
    let [steps, draws, rows] = draws(score, options, task)?;
    let first = 1 + size;
    if first > BLOCK {
        let problem = format!("it couples {size} components, more than {} that this can tell apart", BLOCK - 1);
        return Err(Error::process(process.name(), problem).with_hint("couple fewer coordinates"));
    }
    let count = steps.checked_mul(draws * rows).and_then(|impulses| impulses.checked_add(first));
    let count = count.ok_or_else(|| Error::argument("steps", format!("{} are too many", options.steps)))?;
    // The states, in single precision and twice in double.
    task.host().afford(24.0 * size as f64 * count as f64, |problem| {
        Error::argument("steps", format!("of {} ask for {count} impulses, which {problem}", options.steps))
            .with_hint("take fewer steps")
    })?;
    let start = |block: u32, samples: usize, out: &mut [f32]| {
        for (b, row) in out.chunks_exact_mut(samples).enumerate() {
            row.fill(0.0);
            if block == 0 {
                (0..factor.ncols()).for_each(|column| row[1 + column] = single(factor[(b, column)]));
            }
        }
        Ok(())
    };
    let noise = Noise::Impulse(Impulses { first, parts: draws, rows });
    follow(score, count, process.horizon(), &start, noise, options, task)
}

fn accuracy(process: &Process, state: &State, (mean, factor): &(DVector<f64>, DMatrix<f64>), steps: usize) -> Accuracy {
    let count = state.blocks[0].shape()[0];
    let columns: Vec<_> = state
        .blocks
        .iter()
        .flat_map(|block| {
            let (values, width) = (block.values().into_owned(), block.len() / count);
            (0..width).map(move |c| values.iter().skip(c).step_by(width).map(|&v| f64::from(v)).collect::<Vec<_>>())
        })
        .collect();
    let size = mean.len();
    let responses = DMatrix::from_fn(size, count - 1, |b, i| columns[b][1 + i] - columns[b][0]);
    let (covariance, truth) = (&responses * responses.transpose(), factor * factor.transpose());
    // What starts at a fixed value has no deviation to measure by.
    let unit = |b: usize| if truth[(b, b)] > 0.0 { truth[(b, b)].sqrt() } else { 1.0 };
    let pairs = (0..size).flat_map(|a| (0..=a).map(move |b| (a, b)));
    let wrong = |(a, b): (usize, usize)| (covariance[(a, b)] - truth[(a, b)]) / (unit(a) * unit(b));
    let largest = |a: f64, b: f64| if b.abs() > a.abs() { b } else { a };
    Accuracy {
        steps,
        evaluations: state.evaluations(),
        mean: (0..size).map(|b| ((columns[b][0] - mean[b]) / unit(b)).abs()).fold(0.0, f64::max),
        variance: (0..process.data_components()).map(|b| wrong((b, b))).fold(0.0, largest),
        covariance: pairs.map(|pair| wrong(pair).abs()).fold(0.0, f64::max),
    }
}
