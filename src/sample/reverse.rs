//! The reverse process: from the prior to data.

use super::advance::Affine;
use super::blocks::{Meter, in_blocks};
use super::forward::{finite, joined};
use super::{Grid, State};
use crate::error::Result;
use crate::process::{Prior, PriorLaw, Process};
use crate::rng::{Purpose, Stream};
use crate::score::Score;
use crate::task::Task;

/// What the last step of the reverse process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LastStep {
    /// A step as any other.
    #[default]
    None,
    /// The drift only: the noise of the last step would stay in the samples.
    Denoise,
}

/// How to sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Number of samples.
    pub count: usize,
    /// Number of Euler–Maruyama steps.
    pub steps: usize,
    /// How the times are spread.
    pub grid: Grid,
    /// The time at which to stop, from 0 to below the horizon.
    pub end: f64,
    /// What the last step does.
    pub last: LastStep,
    /// Where to start from.
    pub prior: PriorLaw,
    /// Seed of the prior and of the noise.
    pub seed: u64,
}

/// Draws from the prior and follows the reverse process
/// dz = [−f + D ŝ] ds + G dW (Anderson 1982; Song et al., arXiv 2011.13456) by the Euler–Maruyama method.
///
/// The score is asked for at the times where steps begin: never at 0.
///
/// # Errors
/// When an option is out of range, the prior or a kernel does not exist, the samples become infinite, or interrupted.
pub fn sample(score: &dyn Score, options: &Options, task: &Task) -> Result<State> {
    let process = score.process();
    process.require_noise()?;
    let times = options.grid.times(process.horizon(), options.end, options.steps)?;
    let steps = reverse_steps(process, &times, options.last, task)?;
    let prepared = score.prepare(&times[..options.steps], task)?;
    let prior = Prior::new(process, score.moments(), options.prior)?;
    let increments = Stream::new(options.seed, Purpose::Increment);
    let start = Stream::new(options.seed, Purpose::Prior);
    let layout = Layout::new(process, score.shape().iter().product())?;
    let longest = times.windows(2).map(|pair| pair[0] - pair[1]).fold(0.0, f64::max);
    let meter = Meter::new(task, "sample", options.count, options.steps);
    let state = in_blocks(task, process, score.shape(), options.count, |block, samples| {
        let [size, scores, total] = layout.ends.map(|end| end * samples);
        let length = layout.copies * samples;
        let mut evaluator = prepared.evaluator(samples);
        let mut inputs = vec![0.0; total];
        let mut state = vec![0.0; size];
        prior.draw(&start, 0, block, &mut inputs[..size]);
        for (step, affine) in steps.iter().enumerate() {
            let (old, rest) = inputs.split_at_mut(size);
            let (slopes, noise) = rest.split_at_mut(scores - size);
            evaluator.evaluate(step, samples, old, slopes);
            increments.normals(step as u32, block, noise);
            affine.apply(length, &inputs, &mut state);
            inputs[..size].copy_from_slice(&state);
            meter.count(samples)?;
        }
        finite(state, longest, &process.linear_at(process.horizon())?)
    });
    meter.finish();
    Ok(State { evaluations: options.steps, ..state? })
}

/// Where state, score and noise end in the inputs of a step, in rows of one sample.
struct Layout {
    copies: usize,
    ends: [usize; 3],
}

impl Layout {
    fn new(process: &Process, dimension: usize) -> Result<Self> {
        let copies = process.copies(dimension)?;
        let state = process.components();
        let score = state + process.driven().len();
        Ok(Self { copies, ends: [state, score, score + process.sources().len()].map(|rows| rows * copies) })
    }
}

/// The increments of all steps: (−A z − b + D ŝ) Δs + G √Δs ξ.
fn reverse_steps(process: &Process, times: &[f64], last: LastStep, task: &Task) -> Result<Vec<Affine>> {
    task.blocks(times.len() - 1, |i| {
        let linear = process.linear_at(times[i])?;
        let scored = linear.diffusion().select_columns(process.driven());
        let sources = linear.noise.select_columns(process.sources());
        let length = times[i] - times[i + 1];
        let silent = last == LastStep::Denoise && i + 2 == times.len();
        let noise = &sources * if silent { 0.0 } else { length.sqrt() };
        let weights = joined(&[&(&linear.drift * -length), &(&scored * length), &noise]);
        Ok(Affine::new(&(&linear.offset * -length), &weights))
    })
}
