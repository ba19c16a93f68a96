//! Windows of simulated paths: how long they may be, and the units of scores within them.

use super::pilot::{BLOCK, Pilot, dot, sum};
use crate::error::{Error, Result};
use crate::process::{Chain, Class, Walk};
use crate::rng::{Purpose, Stream};

/// Times at which units are measured; between them ln ℓ² is linear in ln t.
const UNIT_TIMES: usize = 48;
/// Ends of windows that are tested, and samples at each.
const TESTED_ENDS: usize = 8;
const TESTED_SAMPLES: usize = 1 << 14;
/// Windows are halved at most so often.
const HALVINGS: i32 = 10;
/// Bias of the targets, as a part of the score, that a window may have besides what chance explains.
const BIAS: f64 = 0.01;

/// A window holds at least as many steps as noise needs to reach all components.
pub(super) fn window_begin(chain: &Chain, components: usize, end: usize, window: f64) -> usize {
    let start = chain.times()[end] - window;
    let begin = if start <= 0.0 { 0 } else { chain.step_at(start) - 1 };
    begin.min(end.saturating_sub(2 * components))
}

impl Pilot<'_> {
    /// Walks `count` samples into windows that all end after step `end`.
    fn windows(&self, count: usize, end: usize, window: f64, part: u32) -> Walk<'_> {
        let begin = window_begin(self.chain, self.process.components(), end, window);
        let mut walk = self.chain.walk(self.copies, count);
        self.begin(&mut walk, count, part, end as u32);
        let stream = Stream::new(self.seed, Purpose::Pilot).part((2 << 20) + part);
        walk.windows(&vec![begin as u32; count], &vec![end as u32; count], |step, normals| {
            stream.normals(step as u32, end as u32, normals);
        });
        walk
    }

    /// ln ℓ² at all steps.
    pub(super) fn units(&self, window: f64) -> Result<Vec<f64>> {
        let last = self.chain.steps();
        let mut ends: Vec<_> =
            (0..=UNIT_TIMES).map(|i| (last as f64).powf(i as f64 / UNIT_TIMES as f64).round() as usize).collect();
        ends.dedup();
        let driven = self.process.driven().len();
        let known = self.task.blocks(ends.len(), |i| {
            let walk = self.windows(BLOCK, ends[i], window, 1);
            let mut law = walk.law();
            let mut sum = vec![0.0; driven];
            for lane in 0..self.copies * BLOCK {
                walk.window(lane, &mut law);
                law.conditional_variance().iter().zip(&mut sum).for_each(|(v, s)| *s += v);
            }
            Ok(sum.iter().map(|s| (s / (self.copies * BLOCK) as f64).ln()).collect::<Vec<_>>())
        })?;
        let mut units = Vec::with_capacity((last + 1) * driven);
        let mut segment = 0;
        for step in std::iter::once(1).chain(1..=last) {
            while segment + 2 < ends.len() && ends[segment + 1] < step {
                segment += 1;
            }
            let [a, b] = [ends[segment], ends[segment + 1]].map(|end| self.chain.times()[end].ln());
            let part = (self.chain.times()[step].ln() - a) / (b - a);
            units.extend((0..driven).map(|d| known[segment][d] + part * (known[segment + 1][d] - known[segment][d])));
        }
        if units.iter().any(|u| !u.is_finite()) {
            let problem = "a driven component has no noise of its own within a window";
            return Err(Error::process(self.process.name(), problem)
                .with_hint("give each driven block a source of its own, and noise that does not vanish"));
        }
        Ok(units)
    }

    /// The whole horizon for a linear process with noise that does not depend on the state, whose windows are exact;
    /// else half of the longest window that passes the test, since what the test cannot see is still there.
    pub(super) fn longest_window(&self) -> Result<f64> {
        let horizon = self.process.horizon();
        if self.process.class() != Class::Nonlinear {
            return Ok(horizon);
        }
        for halving in 0..HALVINGS {
            let window = horizon * 0.5_f64.powi(halving);
            if self.is_close(window)? {
                return Ok(0.5 * window);
            }
        }
        let shortest = horizon * 0.5_f64.powi(HALVINGS);
        self.task.warn(&format!(
            "process {}: windowed targets are biased even over windows of {shortest:.1e}: give more `chain_steps`, or train \
             with objective: \"sliced\", the default",
            self.process.name()
        ));
        Ok(shortest)
    }

    /// Whether the targets average to a score, by Stein's identity: E[s_d g] = −E[∂_d g] for the true score s and any
    /// g, here u and u³ of the normalised component u itself, which looks into the tails. Deviations beyond [`BIAS`],
    /// in standard errors, are squared and added up over ends, components and g: for n of them without any bias the sum
    /// stays below n + 4√(2n) but once in more than 10⁴ times.
    fn is_close(&self, window: f64) -> Result<bool> {
        let misfits = self.task.blocks(TESTED_ENDS, |i| {
            let time = self.process.horizon() * (i + 1) as f64 / TESTED_ENDS as f64;
            let walk = self.windows(TESTED_SAMPLES, self.chain.step_at(time), window, 2);
            let lanes = self.copies * TESTED_SAMPLES;
            let mut states = vec![0.0; self.process.components() * lanes];
            walk.ends(&mut states);
            let mut law = walk.law();
            let scores: Vec<_> = (0..lanes)
                .map(|lane| {
                    walk.window(lane, &mut law);
                    law.score()
                })
                .collect();
            let misfit = |(place, &component): (usize, &usize)| {
                let states = &states[component * lanes..][..lanes];
                stein_misfit(states, scores.iter().map(|score| score[place]))
            };
            Ok(self.process.driven().iter().enumerate().map(misfit).sum::<f64>())
        })?;
        let tests = (2 * TESTED_ENDS * self.process.driven().len()) as f64;
        Ok(misfits.iter().sum::<f64>() < tests + 4.0 * (2.0 * tests).sqrt())
    }
}

/// By how much E[s u] = −1 and E[s u³] = −3 fail for `states` and their `scores`: squares of standard errors.
fn stein_misfit(states: &[f32], scores: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = states.len() as f64;
    let mean = sum(states) / count;
    let variance = dot(states, states) / count - mean * mean;
    let normal = |z: f32| (f64::from(z) - mean) / variance.sqrt();
    let misfit = |power: i32| {
        // E[∂g] of a power is that power times the moment below it: 1, and 3 E[u²] = 3.
        let wanted = f64::from(power);
        let (mut first, mut second) = (0.0, 0.0);
        for (z, score) in states.iter().zip(scores.clone()) {
            let product = score * variance.sqrt() * normal(*z).powi(power);
            first += product / count;
            second += product * product / count;
        }
        let scatter = ((second - first * first) / count).sqrt();
        (((first + wanted).abs() - BIAS * wanted).max(0.0) / scatter).powi(2)
    };
    misfit(1) + misfit(3)
}
