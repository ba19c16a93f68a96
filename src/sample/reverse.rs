//! The reverse process: from the prior, or from given states, to data.

use std::ops::Range;

use super::adaptive;
use super::euler::{Corrections, Euler};
use super::exponential::Exponential;
use super::field::Layout;
use super::heun::Heun;
use super::integrator::Tolerance;
use super::march::{BLOCK, March, Steps, Worker};
use super::noise::Noise;
use super::output::{Request, transpose};
use super::splitting::Splitting;
use super::state::{Run, State};
use super::{Keep, LastStep, Method, Options};
use crate::error::{Error, Result};
use crate::process::{PriorLaw, Process};
use crate::rng::{Purpose, Stream};
use crate::score::Score;
use crate::task::Task;
use crate::tensor::number;

/// What all methods follow: the reverse process through given times.
#[derive(Clone)]
pub(super) struct Problem<'a> {
    pub(super) score: &'a dyn Score,
    pub(super) layout: Layout,
    /// Falling; the last may be 0, where the score is never asked for.
    pub(super) times: Vec<f64>,
    pub(super) noise: Noise,
    pub(super) task: &'a Task,
}

impl<'a> Problem<'a> {
    pub(super) fn process(&self) -> &'a Process {
        self.score.process()
    }
}

/// Draws `count` samples from the prior `law` and follows the reverse process from the horizon.
///
/// The reverse process is dz = [−f + ∇·D + D ŝ] ds + G dW (Anderson 1982), its probability flow
/// dz = [−f + ½ ∇·D + ½ D ŝ] ds (Song et al., arXiv 2011.13456). The score is never asked for at t = 0.
///
/// # Errors
/// When an option is out of range, the method cannot follow the process, the prior or a kernel does not exist, the samples
/// become infinite, or interrupted.
pub fn sample(score: &dyn Score, count: usize, law: PriorLaw, options: &Options, task: &Task) -> Result<State> {
    let process = score.process();
    process.require_noise()?;
    let prior = score.prior(law)?;
    let stream = Stream::new(options.seed, Purpose::Prior);
    let start = |block: u32, _: usize, rows: &mut [f32]| {
        prior.draw(&stream, 0, block, rows);
        Ok(())
    };
    let noise = Noise::Normal(Stream::new(options.seed, Purpose::Increment));
    follow(score, count, process.horizon(), &start, noise, options, task)
}

/// Follows the reverse process from `state` at the time `from`; by default at the time at which `state` is.
///
/// # Errors
/// When a block of the process is missing, shapes differ, `from` is not a time above `options.end`, and as [`sample`].
pub fn reverse(score: &dyn Score, state: &State, from: Option<f64>, options: &Options, task: &Task) -> Result<State> {
    let process = score.process();
    process.require_noise()?;
    let from = from.unwrap_or(state.time);
    if !(from > options.end && from.is_finite()) {
        let problem = format!("must be above the end, {}, got {from}", options.end);
        return Err(
            Error::argument("from", problem).with_hint("states at t = 0 are data: noise them by `perturb` first")
        );
    }
    let values = Values::new(process, score.shape(), state)?;
    let start = |block: u32, samples: usize, rows: &mut [f32]| {
        values.copy(block, samples, rows);
        Ok(())
    };
    let noise = Noise::Normal(Stream::new(options.seed, Purpose::Increment));
    follow(score, values.count, from, &start, noise, options, task)
}

/// Writes the states at the beginning of (block, samples), component-major.
pub(super) type Start<'a> = dyn Fn(u32, usize, &mut [f32]) -> Result<()> + Sync + Send + 'a;

/// Follows the reverse process from the states that `start` gives, at the time `from`.
pub(super) fn follow(
    score: &dyn Score,
    count: usize,
    from: f64,
    start: &Start<'_>,
    noise: Noise,
    options: &Options,
    task: &Task,
) -> Result<State> {
    let process = score.process();
    options.method.check(process)?;
    let request = Request { process, count, shape: score.shape(), kept: Vec::new() };
    let layout = Layout::new(process, request.dimension())?;
    if let Method::RungeKutta { relative, absolute } = options.method {
        let problem = Problem { score, layout, times: vec![from, options.end], noise, task };
        return adaptive::run(&problem, request, start, Tolerance { relative, absolute }, options);
    }
    let times = options.grid.times(from, options.end, options.steps)?;
    let kept = options.keep.places(options.steps, |step| times[step])?;
    let request = Request { kept: kept.iter().map(|&place| times[place]).collect(), ..request };
    let problem = Problem { score, layout, times, noise, task };
    let memory = match options.method {
        Method::Exponential { order } => (order - 1) * layout.score,
        _ => 0,
    };
    let (steps, end) = (options.steps, options.end);
    let longest = problem.times.windows(2).map(|pair| pair[0] - pair[1]).fold(0.0, f64::max);
    let walls = score.walls();
    let march = March { name: "sample", task, request, steps, longest, end, kept, memory, walls };
    let state = march.run(start, |range| prepare(&problem, range, options))?;
    let evaluations = evaluations(&problem.times, options);
    let run = Run { method: options.to_string(), evaluations, mean_evaluations: evaluations as f64, rejected: 0 };
    warned(State { run: Some(run), ..state }, score, task)
}

/// Samples of that many times the variance of the data are none.
const MUCH_WIDER: f64 = 4.0;

/// Warns of samples that are much wider than the data.
pub(super) fn warned(mut state: State, score: &dyn Score, task: &Task) -> Result<State> {
    let moments = score.moments();
    let d = moments.mean.len();
    let values = state.blocks[0].values();
    let square = |(i, &x): (usize, &f32)| (f64::from(x) - moments.mean[i % d]).powi(2);
    let ratio = values.iter().enumerate().map(square).sum::<f64>() / values.len() as f64 / moments.variance;
    if state.time == 0.0 && ratio > MUCH_WIDER {
        let warning = format!(
            "the samples have {} times the variance of the data: the steps are too long for the process, or the \
             score has not been learned",
            number(ratio)
        );
        task.warn(&warning);
        state.warnings.push(warning);
    }
    Ok(state)
}

impl Keep {
    /// The numbers of the steps of a monotone grid, of `time(step)`, whose times are to be kept, rising.
    pub(super) fn places(&self, steps: usize, time: impl Fn(usize) -> f64) -> Result<Vec<usize>> {
        let nearest = |&wanted: &f64| {
            let is_before = |step: usize| (time(step) - wanted).signum() == (time(0) - time(steps)).signum();
            let (mut low, mut high) = (0, steps);
            while low + 1 < high {
                let middle = low.midpoint(high);
                if is_before(middle) { low = middle } else { high = middle }
            }
            if (time(low) - wanted).abs() < (time(high) - wanted).abs() { low } else { high }
        };
        match self {
            Self::End => Ok(Vec::new()),
            Self::All => Ok((0..=steps).collect()),
            Self::Times(times) => {
                check_kept(times, time(0), time(steps))?;
                let mut places: Vec<_> = times.iter().map(nearest).collect();
                places.sort_unstable();
                places.dedup();
                Ok(places)
            }
        }
    }
}

/// Refuses times that are not passed between two others.
pub(super) fn check_kept(times: &[f64], start: f64, end: f64) -> Result<()> {
    let (low, high) = (start.min(end), start.max(end));
    match times.iter().find(|time| !(low..=high).contains(*time)) {
        Some(time) => Err(Error::argument("keep", format!("has the time {time}, which is not from {low} to {high}"))),
        None => Ok(()),
    }
}

/// The steps of `range`, the last of all replaced where it is to add no noise.
fn prepare<'a>(problem: &'a Problem<'a>, range: Range<usize>, options: &Options) -> Result<Box<dyn Steps + 'a>> {
    let last = problem.times.len() - 2;
    if options.last == LastStep::None || range.end <= last {
        return prepare_method(problem, range, options.method);
    }
    let silent = Euler::new(problem, last..last + 1, true, None)?;
    match range.len() {
        1 => Ok(Box::new(silent)),
        _ => {
            Ok(Box::new(Replaced { steps: prepare_method(problem, range.start..last, options.method)?, silent, last }))
        }
    }
}

fn prepare_method<'a>(problem: &'a Problem<'a>, range: Range<usize>, method: Method) -> Result<Box<dyn Steps + 'a>> {
    Ok(match method {
        Method::EulerMaruyama => Box::new(Euler::new(problem, range, false, None)?),
        Method::PredictorCorrector { corrections: count, ratio } => {
            Box::new(Euler::new(problem, range, false, Some(Corrections { count, ratio }))?)
        }
        Method::Heun => Box::new(Heun::new(problem, range)?),
        Method::Splitting { reference } => Box::new(Splitting::new(problem, range, reference)?),
        Method::Exponential { order } => Box::new(Exponential::new(problem, range, order)?),
        Method::RungeKutta { .. } => unreachable!("adaptive steps are not prepared"),
    })
}

/// Steps of which the last is another.
struct Replaced<'a> {
    steps: Box<dyn Steps + 'a>,
    silent: Euler<'a>,
    last: usize,
}

impl Steps for Replaced<'_> {
    fn worker(&self, samples: usize) -> Box<dyn Worker + '_> {
        let (steps, silent) = (self.steps.worker(samples), self.silent.worker(samples));
        Box::new(ReplacedWorker { steps, silent, last: self.last })
    }
}

struct ReplacedWorker<'a> {
    steps: Box<dyn Worker + 'a>,
    silent: Box<dyn Worker + 'a>,
    last: usize,
}

impl Worker for ReplacedWorker<'_> {
    fn step(&mut self, step: usize, block: u32, rows: &mut [f32]) {
        match step == self.last {
            true => self.silent.step(step, block, rows),
            false => self.steps.step(step, block, rows),
        }
    }
}

/// Evaluations of the score per sample of a method with fixed steps.
fn evaluations(times: &[f64], options: &Options) -> usize {
    let steps = times.len() - 1;
    // Steps that end where the score exists, and are the method's own.
    let whole = steps - usize::from(options.last == LastStep::Denoise || times[steps] == 0.0);
    match options.method {
        Method::Heun => steps + whole,
        Method::PredictorCorrector { corrections, .. } => steps + whole * corrections,
        Method::Exponential { order } if order > 1 && whole > 0 => steps + 1,
        _ => steps,
    }
}

/// The blocks of a state in the order of a process.
pub(super) struct Values<'a> {
    pub(super) count: usize,
    dimension: usize,
    blocks: Vec<std::borrow::Cow<'a, [f32]>>,
}

impl<'a> Values<'a> {
    /// # Errors
    /// When a block is missing, has another shape than [count, `shape`...], or is not finite.
    pub(super) fn new(process: &Process, shape: &[usize], state: &'a State) -> Result<Self> {
        let count = state.blocks.first().map_or(0, |block| block.shape().first().copied().unwrap_or(0));
        let wanted = [&[count], shape].concat();
        let block = |name: &String| {
            if !state.names.contains(name) {
                let problem = format!("has no block `{name}`, which the process `{}` has", process.name());
                let hint = "take a state of this process, from `perturb`, `simulate` or `sample`";
                return Err(Error::argument("state", problem).with_hint(hint));
            }
            let tensor = state.block(name)?;
            if tensor.shape() != wanted {
                let problem = format!("has {:?} in the block `{name}`, the score is for {wanted:?}", tensor.shape());
                return Err(Error::argument("state", problem));
            }
            Ok(tensor.rows(&format!("state.{name}"))?.values)
        };
        let blocks = process.blocks().iter().map(block).collect::<Result<Vec<_>>>()?;
        Ok(Self { count, dimension: shape.iter().product(), blocks })
    }

    /// Writes the samples of a block, component-major [m·d, samples].
    pub(super) fn copy(&self, block: u32, samples: usize, rows: &mut [f32]) {
        let size = self.dimension * samples;
        for (values, rows) in self.blocks.iter().zip(rows.chunks_exact_mut(size)) {
            transpose(&values[block as usize * BLOCK * self.dimension..][..size], self.dimension, rows);
        }
    }
}
