//! Simulated paths from which a score without a kernel takes its units, its Gaussian part and its windows.

use serde::{Deserialize, Serialize};

use super::super::equilibrium::Equilibrium;
use super::measured::Measured;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::process::{Chain, Process, WITHOUT_VALUE, Walk};
use crate::rng::{Purpose, Stream};
use crate::task::Task;

/// Samples whose moments are measured.
const SAMPLES: usize = 1 << 15;
/// Samples simulated together.
pub(super) const BLOCK: usize = 256;
/// End states that are kept for the prior.
const ENDS: usize = 1 << 12;

/// Variances below this part of a mean square are rounding.
const RESOLUTION: f64 = 1e-12;

/// The simulation of `process` from `data`.
pub(super) struct Pilot<'a> {
    pub(super) process: &'a Process,
    pub(super) chain: &'a Chain,
    pub(super) equilibrium: &'a Equilibrium,
    pub(super) data: &'a Dataset,
    pub(super) copies: usize,
    pub(super) seed: u64,
    pub(super) task: &'a Task,
}

/// Sums over samples.
#[derive(Default, Serialize, Deserialize)]
struct Sums {
    /// z, [J + 1, m·copies].
    first: Vec<f64>,
    /// z_i z_j summed over copies, [J + 1, m, m].
    second: Vec<f64>,
    /// x_0 z_T, summed over copies, [k, m].
    cross: Vec<f64>,
    /// The least and the largest value of each component and copy at any time, [m·copies].
    reach: Vec<[f32; 2]>,
    /// φ, [J + 1, φs·copies].
    level: Vec<f64>,
    /// Of each φ summed over copies: φ z_i, φ² and ∂φ, [J + 1, φs, m + 2].
    balance: Vec<f64>,
    ends: Vec<f32>,
}

impl Pilot<'_> {
    pub(super) fn run(&self, window: Option<f64>) -> Result<Measured> {
        let horizon = self.process.horizon();
        if let Some(window) = window.filter(|w| !(*w > 0.0 && w.is_finite())) {
            return Err(Error::argument("window", format!("must be a time above 0, got {window}")));
        }
        let sums = self.simulate()?;
        let (mean, covariance, residual_signal) = self.moments(&sums)?;
        let (level, balance) = self.balance(&sums, &mean);
        let window = window.map(|window| window.min(horizon));
        let log_unit = self.units()?;
        let (steps, reach, ends) = (self.chain.asked(), sums.reach, sums.ends);
        Ok(Measured { steps, window, mean, covariance, log_unit, level, balance, residual_signal, reach, ends })
    }

    /// Starts a walk of block number `block` from data, which it returns, as `change` leaves them.
    pub(super) fn begin(
        &self,
        walk: &mut Walk<'_>,
        count: usize,
        part: u32,
        block: u32,
        change: impl FnOnce(&mut [f32]),
    ) -> Vec<f32> {
        let mut x = vec![0.0; self.data.dimension() * count];
        self.data.draw(&Stream::new(self.seed, Purpose::Pilot), part, block, &mut x);
        change(&mut x);
        let start = Stream::new(self.seed, Purpose::PilotStart);
        walk.start(&x, |normals| start.normals(part, block, normals));
        x
    }

    fn simulate(&self) -> Result<Sums> {
        self.check_memory()?;
        let stream = Stream::new(self.seed, Purpose::Pilot).part(1 << 20);
        let parts = self.task.shared("simulating paths", SAMPLES / BLOCK, |block| {
            let mut walk = self.chain.walk(self.copies, BLOCK);
            let x = self.begin(&mut walk, BLOCK, 0, block as u32, |_| {});
            let mut sums = Sums::default();
            self.add(0, walk.states(), &mut sums);
            for step in 0..self.chain.steps() {
                self.task.check()?;
                walk.step(step, |normals| stream.normals(step as u32, block as u32, normals));
                self.add(step + 1, walk.states(), &mut sums);
            }
            sums.cross = self.products(&x, walk.states());
            if block < ENDS / BLOCK {
                let rows = walk.states().len() / BLOCK;
                sums.ends = (0..BLOCK)
                    .flat_map(|i| (0..rows).map(move |r| (r, i)))
                    .map(|(r, i)| walk.states()[r * BLOCK + i])
                    .collect();
            }
            Ok(sums)
        })?;
        Ok(parts.into_iter().reduce(Sums::plus).expect("there are blocks"))
    }

    /// What of drift or noise has no value for the first path that is not finite after `last` steps, found by taking
    /// the paths through the same steps once more.
    fn fault(&self, last: usize) -> Result<Option<String>> {
        let stream = Stream::new(self.seed, Purpose::Pilot).part(1 << 20);
        let faults = self.task.blocks(SAMPLES / BLOCK, |block| {
            let mut walk = self.chain.walk(self.copies, BLOCK);
            self.begin(&mut walk, BLOCK, 0, block as u32, |_| {});
            let length = self.copies * BLOCK;
            for step in 0..last {
                let before = walk.states().to_vec();
                walk.step(step, |normals| stream.normals(step as u32, block as u32, normals));
                if let Some(place) = walk.states().iter().position(|z| !z.is_finite()) {
                    let lane = place % length;
                    let state: Vec<_> = before.chunks_exact(length).map(|row| f64::from(row[lane])).collect();
                    return Ok(self.process.fault(self.chain.times()[step], &state));
                }
            }
            Ok(None)
        })?;
        Ok(faults.into_iter().flatten().next())
    }

    /// Refuses sums that do not fit into memory: each block of paths has its own for all steps.
    fn check_memory(&self) -> Result<()> {
        let (m, balances, steps) = (self.process.components(), self.equilibrium.places().len(), self.chain.steps());
        let each = (m + balances) * self.copies + (m + balances) * m + 2 * balances;
        let bytes = 8.0 * (SAMPLES / BLOCK) as f64 * (steps + 1) as f64 * each as f64;
        self.task.host().afford(bytes, |problem| {
            Error::argument("chain_steps", format!("of {steps} for {} components {problem}", m * self.copies))
                .with_hint("simulate fewer steps")
        })
    }

    fn add(&self, step: usize, states: &[f32], sums: &mut Sums) {
        // Noise that vanishes at t = 0 would leave φ infinite there.
        let time = self.chain.times()[step.max(1)];
        let length = self.copies * BLOCK;
        let [values, slopes] = self.equilibrium.with_slopes(time, length, states);
        sums.reach.resize(states.len() / BLOCK, [f32::INFINITY, f32::NEG_INFINITY]);
        for ([low, high], row) in sums.reach.iter_mut().zip(states.chunks_exact(BLOCK)) {
            *low = row.iter().copied().fold(*low, f32::min);
            *high = row.iter().copied().fold(*high, f32::max);
        }
        sums.level.extend(values.chunks_exact(BLOCK).map(sum));
        for (value, slope) in values.chunks_exact(length).zip(slopes.chunks_exact(length)) {
            sums.balance.extend(self.products(value, states));
            sums.balance.extend([dot(value, value), sum(slope)]);
        }
        sums.first.extend(states.chunks_exact(BLOCK).map(sum));
        sums.second.extend(self.products(states, states));
    }

    /// Σ a_i b_j over copies and samples, [components of a, components of b].
    fn products(&self, a: &[f32], b: &[f32]) -> Vec<f64> {
        let length = self.copies * BLOCK;
        a.chunks_exact(length).flat_map(|a| b.chunks_exact(length).map(move |b| dot(a, b))).collect()
    }

    /// Mean, covariance, and the part of the variance at the end that the data explain.
    fn moments(&self, sums: &Sums) -> Result<(Vec<f64>, Vec<f64>, f64)> {
        let (m, copies, count) = (self.process.components(), self.copies, SAMPLES as f64);
        let mean: Vec<_> = sums.first.iter().map(|s| s / count).collect();
        let centre = |k: usize, i: usize, l: usize, j: usize| -> f64 {
            let (a, b) = (&mean[(k * m + i) * copies..][..copies], &mean[(l * m + j) * copies..][..copies]);
            a.iter().zip(b).map(|(a, b)| a * b).sum()
        };
        let all = copies as f64;
        let mut covariance: Vec<_> = sums
            .second
            .iter()
            .enumerate()
            .map(|(place, s)| {
                let (k, i, j) = (place / (m * m), place / m % m, place % m);
                (s / count - centre(k, i, k, j)) / all
            })
            .collect();
        let broken = |values: &[f64], row: usize| values.iter().position(|v| !v.is_finite()).map(|place| place / row);
        if let Some(step) = broken(&mean, m * copies).or_else(|| broken(&covariance, m * m)) {
            if let Some(fault) = self.fault(step)? {
                return Err(Error::process(self.process.name(), fault).with_hint(WITHOUT_VALUE));
            }
            let time = self.chain.times()[step];
            let problem = format!("the simulated paths leave the range of floating point about t = {time:.3e}");
            return Err(Error::process(self.process.name(), problem)
                .with_hint("raise `chain_steps`, or give the process a drift that damps"));
        }
        // A component at rest has a variance of rounding.
        for (place, s) in sums.second.iter().enumerate().filter(|(place, _)| place / m % m == place % m) {
            let (k, i) = (place / (m * m), place % m);
            if covariance[place] < RESOLUTION * s / count / all {
                for j in 0..m {
                    covariance[(k * m + i) * m + j] = 0.0;
                    covariance[(k * m + j) * m + i] = 0.0;
                }
            }
        }
        let last = self.chain.steps();
        let variance = |k: usize, i: usize| covariance[(k * m + i) * m + i];
        let explained = |(place, s): (usize, &f64)| {
            let (j, i) = (place / m, place % m);
            let cross = (s / count - centre(0, j, last, i)) / all;
            let both = variance(0, j) * variance(last, i);
            if both > 0.0 { cross * cross / both } else { 0.0 }
        };
        let residual = sums.cross.iter().enumerate().map(explained).fold(0.0, f64::max);
        Ok((mean, covariance, residual))
    }

    /// Means of the equilibrium scores, and their covariances with the components, variances and mean slopes.
    fn balance(&self, sums: &Sums, mean: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (m, copies, count) = (self.process.components(), self.copies, SAMPLES as f64);
        let width = m + 2;
        let level: Vec<_> = sums.level.iter().map(|s| s / count).collect();
        let balances = self.equilibrium.places().len();
        let centred = sums.balance.iter().enumerate().map(|(place, s)| {
            let (k, f, i) = (place / (balances * width), place / width % balances, place % width);
            let own = &level[(k * balances + f) * copies..][..copies];
            let other = match i {
                i if i < m => &mean[(k * m + i) * copies..][..copies],
                i if i == m => own,
                _ => &[],
            };
            let product: f64 = own.iter().zip(other).map(|(a, b)| a * b).sum();
            (s / count - product) / copies as f64
        });
        // What is not finite would not survive a file, and means that there is no such φ at that time.
        let known = |values: Vec<f64>| values.into_iter().map(|v| if v.is_finite() { v } else { 0.0 }).collect();
        let centred = known(centred.collect());
        (known(level), centred)
    }
}

impl Sums {
    fn plus(mut self, other: Self) -> Self {
        let add = |a: &mut Vec<f64>, b: &[f64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        add(&mut self.first, &other.first);
        add(&mut self.second, &other.second);
        add(&mut self.cross, &other.cross);
        add(&mut self.level, &other.level);
        add(&mut self.balance, &other.balance);
        for (a, b) in self.reach.iter_mut().zip(other.reach) {
            *a = [a[0].min(b[0]), a[1].max(b[1])];
        }
        self.ends.extend(other.ends);
        self
    }
}

fn sum(row: &[f32]) -> f64 {
    row.iter().map(|&v| f64::from(v)).sum()
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}
