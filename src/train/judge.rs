//! Whether training made a score better, by batches that it has not learned from.

use super::Options;
use super::objective::Source;
use crate::error::Result;
use crate::nn::{Buffers, Network};
use crate::task::Team;
use crate::vector::single;

/// Batches that are judged by: one for so many steps of the training. Each takes the time of two steps at most.
const STEPS_PER_BATCH: u64 = 40;
/// At least so many, of which chance can be told.
const LEAST: u64 = 8;
const MOST: u64 = 500;

/// By how much the mean squared error of a score fell, per channel and in units of the noise within a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// Error before less error after.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

impl Gain {
    /// Whether the weights after are better, as far as is known.
    pub(super) fn is_better(self) -> bool {
        self.value > 0.0
    }
}

/// What the weights `after` have gained over those `before` in `steps` steps, if `source` has a way to tell. Both are
/// asked the same, and the batches are of steps that no training comes to.
///
/// # Errors
/// When a device fails.
pub(super) fn gain(
    source: &dyn Source,
    network: &dyn Network,
    weights: [&[f32]; 2],
    options: &Options,
    steps: u64,
    team: &mut Team<'_>,
) -> Result<Option<Gain>> {
    let (chunk, mut training) = (network.chunk(), network.training());
    let judge = |first: usize| {
        let count = chunk.min(options.batch - first);
        let buffers = Buffers { gradient: vec![0.0; network.parameters()], space: vec![0.0; training.space(count)] };
        source.judge(first, count).map(|feed| (feed, buffers, Ok(0.0)))
    };
    let Some(mut judges) = (0..options.batch).step_by(chunk).map(judge).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let scale = 1.0 / single((options.batch * network.outputs()) as f64);
    let batches = (steps / STEPS_PER_BATCH).clamp(LEAST, MOST);
    let mut gains = Vec::new();
    for batch in 0..batches {
        team.each(&mut judges, |chunk, (feed, ..)| feed.fill(u32::MAX - batch as u32, chunk as u32));
        let mut losses = [0.0; 2];
        for (parameters, loss) in weights.into_iter().zip(&mut losses) {
            training.update(parameters, team)?;
            team.each(&mut judges, |_, (feed, buffers, part)| {
                *part = training.pass(parameters, feed.samples(), scale, buffers);
            });
            for (.., part) in &mut judges {
                *loss += std::mem::replace(part, Ok(0.0))?;
            }
        }
        gains.push(losses[0] - losses[1]);
    }
    let count = gains.len() as f64;
    let value = gains.iter().sum::<f64>() / count;
    let variance = gains.iter().map(|gain| (gain - value).powi(2)).sum::<f64>() / (count - 1.0);
    Ok(Some(Gain { value, error: (variance / count).sqrt() }))
}
