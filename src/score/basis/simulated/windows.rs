//! Windows of simulated paths: how long they may be, and the units of scores within them.

use super::bias::squared_bias;
use super::pilot::{BLOCK, Pilot};
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
/// Bias of the targets, as a part of the score, that a window may have.
const BIAS: f64 = 0.05;

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
    /// else half of the longest window whose targets have little [`bias`](Self::bias), since what that cannot tell is
    /// still there. Its estimate is right on average, also where the noise of short windows hides more than is allowed.
    pub(super) fn longest_window(&self) -> Result<f64> {
        let horizon = self.process.horizon();
        if self.process.class() != Class::Nonlinear {
            return Ok(horizon);
        }
        let (mut window, mut bias) = (horizon, [f64::INFINITY; 2]);
        for halving in 0..HALVINGS {
            window = horizon * 0.5_f64.powi(halving);
            bias = self.bias(window)?;
            if bias[0] < BIAS.powi(2) {
                return Ok(0.5 * window);
            }
        }
        let [bias, error] = bias.map(|square| 100.0 * square);
        self.task.warn(&format!(
            "process {}: windowed targets are biased even over windows of {window:.1e}, by {bias:.2} ± {error:.2} % of the \
             mean square of the score: give more `chain_steps`, or train with objective: \"sliced\", the default",
            self.process.name()
        ));
        Ok(window)
    }

    /// Squared bias of the targets of windows of that length, as a part of the squared score: the mean over ends and
    /// driven components, with its standard error.
    fn bias(&self, window: f64) -> Result<[f64; 2]> {
        let parts = self
            .task
            .blocks(TESTED_ENDS, |i| {
                let time = self.process.horizon() * (i + 1) as f64 / TESTED_ENDS as f64;
                let walk = self.windows(TESTED_SAMPLES, self.chain.step_at(time), window, 2);
                let (lanes, size) = (self.copies * TESTED_SAMPLES, self.process.components());
                let mut states = vec![0.0; size * lanes];
                walk.ends(&mut states);
                // As many as there are samples, of all copies, the first half of the samples first.
                let half = |lane: &usize| lane % TESTED_SAMPLES < TESTED_SAMPLES / 2;
                let (first, second): (Vec<_>, Vec<_>) = (0..lanes).step_by(self.copies).partition(half);
                let chosen: Vec<usize> = first.into_iter().chain(second).collect();
                let row = |values: &[f32], row: usize| -> Vec<f64> {
                    chosen.iter().map(|lane| f64::from(values[row * lanes + lane])).collect()
                };
                let mut law = walk.law();
                let mut score = |lane: &usize| {
                    walk.window(*lane, &mut law);
                    law.score()
                };
                let scores: Vec<_> = chosen.iter().map(&mut score).collect();
                let rows: Vec<_> = (0..size).map(|component| row(&states, component)).collect();
                let [values, slopes] = self.equilibrium.with_slopes(time, lanes, &states);
                let part = |(place, &own): (usize, &usize)| {
                    let targets: Vec<_> = scores.iter().map(|score| score[place]).collect();
                    let balance = self.equilibrium.places().iter().position(|other| *other == place);
                    let balance = balance.map(|f| (row(&values, f), row(&slopes, f)));
                    let is_finite =
                        |(value, slope): &(Vec<f64>, Vec<f64>)| value.iter().chain(slope).all(|v| v.is_finite());
                    squared_bias(&rows, own, &targets, balance.filter(is_finite))
                };
                Ok(self.process.driven().iter().enumerate().map(part).collect::<Vec<_>>())
            })?
            .concat();
        let count = parts.len() as f64;
        let mean = parts.iter().sum::<f64>() / count;
        let variance = parts.iter().map(|part| (part - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Ok([mean, (variance / count).sqrt()])
    }
}
