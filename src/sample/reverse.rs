//! The reverse process: from the prior, or from given states, to data.

use super::adaptive;
use super::field::Field;
use super::layout::Layout;
use super::march::March;
use super::method::{self, Way};
use super::noise::Noise;
use super::options::{LastStep, Options};
use super::output::Request;
use super::plan::{Counts, Plan, Stepper};
use super::problem::Problem;
use super::start::{Beginning, Values};
use super::state::{Run, State};
use crate::error::{Error, Result};
use crate::process::{Motion, PriorLaw};
use crate::rng::{Purpose, Stream};
use crate::score::Score;
use crate::task::Task;
use crate::tensor::number;

/// Draws `count` samples from the prior `law` and follows the reverse process from the horizon.
///
/// The reverse process is dz = [−f + ∇·D + D ŝ] ds + G dW (Anderson 1982), its probability flow
/// dz = [−f + ½ ∇·D + ½ D ŝ] ds (Song et al., arXiv 2011.13456). The score is never asked for at t = 0.
///
/// # Errors
/// When an option is out of range, the method cannot follow the process, the prior or a kernel does not exist, the
/// samples become infinite, or interrupted.
pub fn sample(score: &dyn Score, count: usize, law: PriorLaw, options: &Options, task: &Task) -> Result<State> {
    let process = score.process();
    process.require_noise()?;
    let prior = score.prior(law)?;
    let stream = Stream::new(options.seed, Purpose::Prior).at(process.horizon());
    let start = |block: u32, _: usize, rows: &mut [f32]| {
        prior.draw(&stream, 0, block, rows);
        Ok(())
    };
    let noise = Noise::Normal(increments(options, process.horizon()));
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
    let noise = Noise::Normal(values.key(increments(options, from)));
    follow(score, values.count, from, &start, noise, options, task)
}

/// The Wiener increments of a way back that begins at `from`.
fn increments(options: &Options, from: f64) -> Stream {
    Stream::new(options.seed, Purpose::Reverse).at(from)
}

/// Follows the reverse process from the states that `start` gives, at the time `from`.
pub(super) fn follow(
    score: &dyn Score,
    count: usize,
    from: f64,
    start: &Beginning<'_>,
    noise: Noise,
    options: &Options,
    task: &Task,
) -> Result<State> {
    let process = score.process();
    method::check(&*options.method, process)?;
    let request = Request { process, count, shape: score.shape(), kept: Vec::new() };
    let layout = Layout::new(process, request.dimension())?;
    let problem = Problem { score, layout, times: vec![from, options.end], noise, task };
    let state = match options.method.way() {
        Way::Adaptive(tolerance) => adaptive::run(&problem, request, start, tolerance, options)?,
        Way::Fixed(_) => {
            let times = options.grid.times(from, options.end, options.steps)?;
            march(&Problem { times, ..problem }, request, start, options)?
        }
    };
    warned(state, score, task)
}

/// Follows the reverse process by fixed steps through the times of `problem`.
fn march(problem: &Problem<'_>, request: Request<'_>, start: &Beginning<'_>, options: &Options) -> Result<State> {
    let Problem { score, layout, ref times, ref noise, task } = *problem;
    let kept = options.keep.places(options.steps, |step| times[step])?;
    let request = Request { kept: kept.iter().map(|&place| times[place]).collect(), ..request };
    let longest = times.windows(2).map(|pair| pair[0] - pair[1]).fold(0.0, f64::max);
    let walls = score.walls();
    let march = March { name: "sample", task, request, steps: options.steps, longest, end: options.end, kept, walls };
    let step = stepper(problem, options)?;
    let plan = |range| Plan::new(range, &step, Some(score), layout, noise, task);
    let (state, evaluations) = march.run(start, plan)?;
    let run = Run { method: options.to_string(), evaluations, mean_evaluations: evaluations as f64, rejected: 0 };
    Ok(State { run: Some(run), ..state })
}

/// The parts of each step of a method with fixed steps, the last of all replaced where it is to denoise.
fn stepper<'a>(problem: &'a Problem<'a>, options: &'a Options) -> Result<Stepper<'a>> {
    let Way::Fixed(method) = options.method.way() else { unreachable!("adaptive steps have no plan") };
    let own = method.stepper(problem)?;
    if options.last == LastStep::None {
        return Ok(own);
    }
    let (reverse, last) = (Field::new(problem.process(), Motion::Reverse)?, problem.times.len() - 2);
    Ok(Box::new(move |step| if step == last { problem.denoised(&reverse, step) } else { own(step) }))
}

/// Most draws of a step of a method with fixed steps from the horizon on, and most rows of a draw; none of others.
pub(super) fn draws(score: &dyn Score, options: &Options, task: &Task) -> Result<(usize, usize)> {
    let process = score.process();
    method::check(&*options.method, process)?;
    if let Way::Adaptive(_) = options.method.way() {
        return Ok((0, 0));
    }
    let layout = Layout::new(process, score.shape().iter().product())?;
    let times = options.grid.times(process.horizon(), options.end, options.steps)?;
    let noise = Noise::Normal(increments(options, process.horizon()));
    let problem = Problem { score, layout, times, noise, task };
    let step = stepper(&problem, options)?;
    let mut counts = Counts::default();
    for number in 0..options.steps {
        step(number)?.iter().for_each(|part| counts = counts.and(part, layout));
    }
    Ok((counts.draws, counts.drawn))
}

/// Samples of that many times the variance of the data are none.
const MUCH_WIDER: f64 = 4.0;

/// Warns of samples that are much wider than the data.
fn warned(mut state: State, score: &dyn Score, task: &Task) -> Result<State> {
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
