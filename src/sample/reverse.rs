//! The reverse process: from the prior, or from given states, to data.

use super::adaptive;
use super::expected;
use super::grid::through;
use super::layout::{BLOCK, Layout};
use super::march::March;
use super::method::{Needs, Way};
use super::noise::Noise;
use super::normalised;
use super::options::Options;
use super::output::Request;
use super::parts::{Folder, Parts};
use super::plan::{Counts, Plan};
use super::problem::Problem;
use super::start::{Beginning, Values};
use super::state::{Run, State};
use crate::error::{Error, Result};
use crate::measure::Estimate;
use crate::process::{PriorLaw, Process};
use crate::rng::{Purpose, Stream};
use crate::score::{Chart, Score, remainder, unsettled};
use crate::settings::written;
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
    let state = draw(score, 0, count, law, options, task)?;
    judged(state, score, law, task)
}

/// Samples as [`sample`] does, part by part, each kept in a folder when it is complete; the same bits.
///
/// # Errors
/// As [`sample`], and when the folder cannot be used, or has samples of other things.
pub fn sample_in_parts(
    score: &dyn Score,
    count: usize,
    law: PriorLaw,
    options: &Options,
    folder: &Folder,
    task: &Task,
) -> Result<State> {
    let parts = Parts::open(folder, score, law, options, task)?;
    let state = parts.all(count, |first, count| draw(score, first, count, law, options, task))?;
    judged(state, score, law, task)
}

/// Draws samples from the prior, from number `first` on, and follows the reverse process.
fn draw(score: &dyn Score, first: usize, count: usize, law: PriorLaw, options: &Options, task: &Task) -> Result<State> {
    let process = score.process();
    process.require_noise()?;
    let prior = score.prior(law)?;
    let stream = Stream::new(options.seed, Purpose::Prior).at(process.horizon());
    let start = |block: u32, _: usize, rows: &mut [f32]| {
        prior.draw(&stream, 0, block, rows);
        Ok(())
    };
    let noise = Noise::Normal(increments(options, process.horizon()));
    go(score, first / BLOCK, count, process.horizon(), &start, noise, options, task)
}

/// Samples from the prior, with the warnings that they call for.
fn judged(mut state: State, score: &dyn Score, law: PriorLaw, task: &Task) -> Result<State> {
    state.warn(too_wide(&state, score), task);
    state.warn(unlike(&state, score), task);
    if law != PriorLaw::Ensemble {
        state.warn(remainder(score)?, task);
    }
    if law == PriorLaw::Stationary {
        state.warn(unsettled(score)?, task);
    }
    Ok(state)
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
        let problem = format!("must be above the end, {}, got {}", written(options.end), written(from));
        return Err(
            Error::argument("from", problem).with_hint("states at t = 0 are data: noise them by `perturb` first")
        );
    }
    normalised::check(score, state)?;
    let (values, chart) = (Values::new(process, score.shape(), state)?, Chart::new(score, from)?);
    let start = |block: u32, samples: usize, rows: &mut [f32]| {
        values.copy(block, samples, rows);
        chart.enter(samples, rows);
        Ok(())
    };
    let noise = Noise::Normal(values.key(increments(options, from)));
    follow(score, values.count, from, &start, noise, options, task)
}

/// The Wiener increments of a way back that begins at `from`.
fn increments(options: &Options, from: f64) -> Stream {
    Stream::new(options.seed, Purpose::Reverse).at(from)
}

/// Follows the reverse process from the states that `start` gives, in the coordinates of the score, at the time `from`.
pub(super) fn follow(
    score: &dyn Score,
    count: usize,
    from: f64,
    start: &Beginning<'_>,
    noise: Noise,
    options: &Options,
    task: &Task,
) -> Result<State> {
    let mut state = go(score, 0, count, from, start, noise, options, task)?;
    state.warn(too_wide(&state, score), task);
    Ok(state)
}

/// Follows the reverse process, with blocks numbered from `first_block` on, and judges the steps only.
#[allow(clippy::too_many_arguments)] // All of them are the way.
fn go(
    score: &dyn Score,
    first_block: usize,
    count: usize,
    from: f64,
    start: &Beginning<'_>,
    noise: Noise,
    options: &Options,
    task: &Task,
) -> Result<State> {
    let process = score.process();
    options.check(process)?;
    check_end(process.horizon(), from, options.end)?;
    let request = Request { process, first_block, count, shape: score.shape(), kept: Vec::new() };
    let layout = Layout::new(process, request.dimension())?;
    let problem = Problem { score, layout, times: vec![from, options.end], noise, task };
    let mut state = match options.method.way() {
        Way::Adaptive(tolerance) => adaptive::run(&problem, request, start, tolerance, options)?,
        Way::Fixed(_) => {
            let times = times(process, options, from)?;
            let steps = expected::warning(score, options, &times, task)?;
            let mut state = march(&Problem { times, ..problem }, request, start, options)?;
            state.warn(steps, task);
            state
        }
    };
    state.units = score.units().cloned();
    Ok(state)
}

/// Refuses an end that is not passed on the way down from the time `from`.
fn check_end(horizon: f64, from: f64, end: f64) -> Result<()> {
    if end >= 0.0 && end < from {
        return Ok(());
    }
    let start = if from == horizon { "the horizon" } else { "the start" };
    Err(Error::argument(
        "end",
        format!("must be a time from 0 to below {}, {start}, got {}", written(from), written(end)),
    ))
}

/// Follows the reverse process by fixed steps through the times of `problem`.
fn march(problem: &Problem<'_>, request: Request<'_>, start: &Beginning<'_>, options: &Options) -> Result<State> {
    let Problem { score, layout, ref times, ref noise, task } = *problem;
    let steps = times.len() - 1;
    request.check_memory(options.keep.frames(steps), task.host())?;
    let kept = options.keep.places(steps, |step| times[step])?;
    let request = Request { kept: kept.iter().map(|&place| times[place]).collect(), ..request };
    let longest = times.windows(2).map(|pair| pair[0] - pair[1]).fold(0.0, f64::max);
    let walls = score.walls();
    let (end, time, score) = (options.end, |step: usize| times[step], Some(score));
    let march = March { name: "sample", task, request, score, steps, longest, end, time: &time, kept, walls };
    let step = options.stepper(problem)?;
    let plan = |range| Plan::new(range, &step, score, layout, noise, task);
    let (state, evaluations) = march.run(start, plan)?;
    let more = match steps - options.steps {
        0 => String::new(),
        more => format!(", and {more} more where coefficients change fast"),
    };
    let run =
        Run { method: format!("{options}{more}"), evaluations, mean_evaluations: evaluations as f64, rejected: 0 };
    Ok(State { run: Some(run), ..state })
}

/// The falling times of fixed steps from `from` on: those of the grid, moved to where the process switches, and more of
/// them where its coefficients change fast, but for methods that follow the kernel, whose steps miss nothing.
fn times(process: &Process, options: &Options, from: f64) -> Result<Vec<f64>> {
    let mut times = through(options.grid.times(from, options.end, options.steps)?, process.switching_times());
    if options.method.about().needs == Needs::Linear {
        return Ok(times);
    }
    times.reverse();
    times = process.refined(times);
    times.reverse();
    Ok(times)
}

/// Steps of a method with fixed steps from the horizon on, most draws of one, and most rows of a draw; none of others.
pub(super) fn draws(score: &dyn Score, options: &Options, task: &Task) -> Result<[usize; 3]> {
    let process = score.process();
    options.check(process)?;
    if let Way::Adaptive(_) = options.method.way() {
        return Ok([0; 3]);
    }
    let layout = Layout::new(process, score.shape().iter().product())?;
    let times = times(process, options, process.horizon())?;
    let noise = Noise::Normal(increments(options, process.horizon()));
    let problem = Problem { score, layout, times, noise, task };
    let step = options.stepper(&problem)?;
    let mut counts = Counts::default();
    let steps = problem.times.len() - 1;
    for number in 0..steps {
        task.check()?;
        step(number)?.iter().for_each(|part| counts = counts.and(part, layout));
    }
    Ok([steps, counts.draws, counts.drawn])
}

/// Samples of that many times the variance of the data are none.
const MUCH_WIDER: f64 = 4.0;

/// That samples are much wider than the data.
fn too_wide(state: &State, score: &dyn Score) -> Option<String> {
    let (c, spread) = widths(state, score)?.max_by(|a, b| a.1.value.total_cmp(&b.1.value))?;
    (spread.value > MUCH_WIDER).then(|| {
        format!(
            "the samples have {} times the variance of the data{}: the steps are too long for the process, or the \
             score has not been learned",
            number(spread.value),
            place(score, c)
        )
    })
}

/// A part of the variance that is worth a warning, where chance does not explain it.
const MUCH_UNLIKE: f64 = 0.1;
/// Standard errors that chance explains.
const MOST_ERRORS: f64 = 5.0;

/// That samples from the prior are narrower or wider than the data, of which rare ones may be missing.
fn unlike(state: &State, score: &dyn Score) -> Option<String> {
    // Angles have no variance that turns leave alone.
    if score.process().is_periodic() {
        return None;
    }
    let off = |spread: &Estimate| (spread.value - 1.0).abs();
    let is_much = |spread: &Estimate| {
        off(spread) > MUCH_UNLIKE && off(spread) > MOST_ERRORS * spread.error && spread.value <= MUCH_WIDER
    };
    let found = widths(state, score)?.filter(|(_, spread)| is_much(spread));
    let (c, spread) = found.max_by(|a, b| off(&a.1).total_cmp(&off(&b.1)))?;
    Some(format!(
        "the samples have {:.3} ± {:.3} times the variance of the data{}: take more steps, or learn the score for longer",
        spread.value,
        spread.error,
        place(score, c)
    ))
}

fn place(score: &dyn Score, coordinate: usize) -> String {
    if score.moments().mean.len() == 1 { String::new() } else { format!(" in coordinate {coordinate}") }
}

/// The variance of samples at t = 0 in parts of that of the data, coordinate by coordinate where these vary; none of
/// samples of a class.
fn widths(state: &State, score: &dyn Score) -> Option<impl Iterator<Item = (usize, Estimate)>> {
    if state.time != 0.0 || !score.is_of_all() {
        return None;
    }
    let (moments, values) = (score.moments(), state.blocks[0].values());
    let d = moments.mean.len();
    let mut sums = vec![[0.0; 2]; d];
    for datum in values.chunks_exact(d) {
        for (c, (sums, &x)) in sums.iter_mut().zip(datum).enumerate() {
            let own = score.units().map_or(f64::from(x), |units| units.normalise(c, f64::from(x)));
            let square = (own - moments.mean[c]).powi(2);
            sums[0] += square;
            sums[1] += square * square;
        }
    }
    let count = (values.len() / d) as f64;
    let all = sums.into_iter().zip(moments.coordinate_variances()).enumerate();
    // A coordinate without variance has none to compare with.
    Some(all.filter(|(_, (_, variance))| *variance > 0.0).map(move |(c, ([squares, fourths], variance))| {
        let mean = squares / count;
        let error = ((fourths / count - mean * mean).max(0.0) / count).sqrt();
        (c, Estimate { value: mean / variance, error: error / variance })
    }))
}
