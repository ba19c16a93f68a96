//! Windows of simulated paths: how long they may be, and the units of scores within them.

use nalgebra::DMatrix;

use super::bias::squared_bias;
use super::pilot::{BLOCK, Pilot, dot};
use crate::error::{Error, Result};
use crate::process::{Chain, Class, Walk};
use crate::rng::{Purpose, Stream};

/// Blocks of paths, in pairs, by which units are measured: to 2 %.
const UNIT_BLOCKS: usize = 16;
/// Part of its own variance that no component has less of where the others are known; less is rounding.
const LEAST_OWN: f64 = 1e-6;
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
    fn windows(&self, count: usize, end: usize, window: f64) -> Walk<'_> {
        let begin = window_begin(self.chain, self.process.components(), end, window);
        let mut walk = self.chain.walk(self.copies, count);
        self.begin(&mut walk, count, 2, end as u32, |_| {});
        let stream = Stream::new(self.seed, Purpose::Pilot).part((2 << 20) + 2);
        walk.windows(&vec![begin as u32; count], &vec![end as u32; count], |step, normals| {
            stream.normals(step as u32, end as u32, normals);
        });
        walk
    }

    /// ln ℓ² at all steps: ℓ² is what a component varies by where the data and the other components are known, from
    /// pairs of paths that have their data in common. No window enters, so that neither the scale of a loss nor the
    /// size of answers depends on one.
    pub(super) fn units(&self) -> Result<Vec<f64>> {
        let (m, steps, driven) = (self.process.components(), self.chain.steps(), self.process.driven());
        // The second half of a block has the data of the first.
        let share = |x: &mut [f32]| {
            for row in x.chunks_exact_mut(BLOCK) {
                row.copy_within(..BLOCK / 2, BLOCK / 2);
            }
        };
        let stream = Stream::new(self.seed, Purpose::Pilot).part((2 << 20) + 1);
        let parts = self.task.shared("simulating paths", UNIT_BLOCKS, |block| {
            let mut walk = self.chain.walk(self.copies, BLOCK);
            self.begin(&mut walk, BLOCK, 1, block as u32, share);
            let mut sums = Vec::with_capacity(steps * m * m);
            for step in 0..steps {
                self.task.check()?;
                walk.step(step, |normals| stream.normals(step as u32, block as u32, normals));
                let differences: Vec<f32> = walk
                    .states()
                    .chunks_exact(BLOCK)
                    .flat_map(|row| row[..BLOCK / 2].iter().zip(&row[BLOCK / 2..]).map(|(a, b)| a - b))
                    .collect();
                let rows = || differences.chunks_exact(self.copies * BLOCK / 2);
                sums.extend(rows().flat_map(|a| rows().map(move |b| dot(a, b))));
            }
            Ok(sums)
        })?;
        let pairs = (self.copies * UNIT_BLOCKS * BLOCK / 2) as f64;
        let covariance = |step: usize| {
            let sum = |place: usize| parts.iter().map(|sums| sums[step * m * m + place]).sum::<f64>();
            DMatrix::from_fn(m, m, |i, j| sum(i * m + j) / (2.0 * pairs))
        };
        let units: Vec<_> = (0..steps).map(|step| own_variances(&covariance(step))).collect();
        let units: Vec<f64> = std::iter::once(&units[0])
            .chain(&units)
            .flat_map(|all| driven.iter().map(|&component| all[component].ln()))
            .collect();
        if units.iter().any(|u| !u.is_finite()) {
            let problem = "a driven component has no noise of its own";
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
            "process {}: windowed targets have a squared bias of {bias:.2} ± {error:.2} % of the squared score even over \
             windows of {window:.1e}: give more `chain_steps`, or train with objective: \"sliced\", the default",
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
                let walk = self.windows(TESTED_SAMPLES, self.chain.step_at(time), window);
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

/// The variance of each component where all others are known, of a law with that `covariance`; 0 for one at rest.
fn own_variances(covariance: &DMatrix<f64>) -> Vec<f64> {
    let size = covariance.nrows();
    // In units in which the diagonal is 1: components may be of very different size.
    let unit = |i: usize| if covariance[(i, i)] > 0.0 { covariance[(i, i)].sqrt().recip() } else { 0.0 };
    let scaled = |i, j| if i == j { 1.0 + LEAST_OWN } else { covariance[(i, j)] * unit(i) * unit(j) };
    let inverse = DMatrix::from_fn(size, size, scaled).cholesky().map(|factor| factor.inverse());
    let part = |i| inverse.as_ref().map_or(f64::NAN, |inverse| inverse[(i, i)].recip());
    (0..size).map(|i| covariance[(i, i)] * part(i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_variances_are_what_the_others_leave() {
        let close = |covariance: &[f64], wanted: [f64; 2]| {
            let own = own_variances(&DMatrix::from_row_slice(2, 2, covariance));
            assert!(own.iter().zip(wanted).all(|(a, b)| (a - b).abs() <= 1e-5 * b), "{own:?} {wanted:?}");
        };
        close(&[4.0, 1.0, 1.0, 1.0], [3.0, 0.75]);
        close(&[4e6, 1.0, 1.0, 1e-6], [3e6, 0.75e-6]);
        // One at rest says nothing of the other.
        close(&[0.0, 0.0, 0.0, 2.0], [0.0, 2.0]);
    }
}
