//! What the network of a score is shown where there is no kernel: moments of simulated forward paths.
//!
//! As in [`Mixed`](super::Mixed), ŝ_d = s_G,d + NN/ℓ_d: s_G is the score of a Gaussian with the mean and covariance that
//! simulated states have at that time, with a share of the equilibrium score where the process is not linear, and ℓ the
//! typical deviation of a driven component within a window of the chain.

use nalgebra::{DMatrix, DVector};

use super::Frame;
use super::equilibrium::Equilibrium;
use super::mixed::{Balance, clock};
use super::pilot::{Moments, Pilot, window_begin};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::expr::Workspace;
use crate::process::{Chain, Prior, PriorLaw, Process};
use crate::task::Task;

/// Variance at the horizon that the data explain beyond this part is worth a warning: linear processes with 30 % of the
/// data's mean left are near it for data as wide as their noise.
const MUCH_SIGNAL: f64 = 0.08;

/// Part of the range of simulated states that samples may go beyond it, on either side.
const MARGIN: f32 = 0.15;

/// How the forward process is simulated for a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Steps of the chain.
    pub steps: usize,
    /// Length of the windows in time; `None` lets the program choose the longest over which the process stays close to
    /// its linearisation.
    pub window: Option<f64>,
    /// Seed of the simulated paths.
    pub seed: u64,
}

impl Default for Simulation {
    fn default() -> Self {
        Self { steps: 500, window: None, seed: 0 }
    }
}

/// The parametrisation of one process and one dataset by simulated paths.
#[derive(Debug)]
pub struct Simulated {
    process: Process,
    chain: Chain,
    copies: usize,
    equilibrium: Equilibrium,
    moments: Moments,
}

impl Simulated {
    /// Simulates `process` from `data` and measures.
    ///
    /// # Errors
    /// When no noise drives the process, an option is out of range, the paths run away, or interrupted.
    pub fn new(process: &Process, data: &Dataset, simulation: &Simulation, task: &Task) -> Result<Self> {
        process.require_noise()?;
        let chain = Chain::new(process, simulation.steps)?;
        let copies = process.copies(data.dimension())?;
        let equilibrium = Equilibrium::of(process)?;
        let seed = simulation.seed;
        let pilot = Pilot { process, chain: &chain, equilibrium: &equilibrium, data, copies, seed, task };
        let moments = pilot.run(simulation.window)?;
        let simulated = Self { process: process.clone(), chain, copies, equilibrium, moments };
        if let Some(warning) = simulated.warning() {
            task.warn(&warning);
        }
        Ok(simulated)
    }

    /// What is wrong with the prior: end states that still know their data.
    pub fn warning(&self) -> Option<String> {
        let signal = self.moments.residual_signal;
        (signal > MUCH_SIGNAL).then(|| {
            format!(
                "process {}: at the horizon the data still explain {:.1} % of the variance (linearly); the prior does not \
                 know which datum it stands for: raise the horizon",
                self.process.name(),
                100.0 * signal
            )
        })
    }

    /// Takes up what was measured before.
    ///
    /// # Errors
    /// When the numbers do not fit the process.
    pub fn restore(process: &Process, copies: usize, moments: Moments) -> Result<Self> {
        let chain = Chain::new(process, moments.steps)?;
        let equilibrium = Equilibrium::of(process)?;
        let (m, driven, times) = (process.components(), process.driven().len(), moments.steps + 1);
        let balances = equilibrium.places().len();
        let lengths = [&moments.mean, &moments.covariance, &moments.log_unit, &moments.level, &moments.balance];
        let wanted = [m * copies, m * m, driven, balances * copies, balances * (m + 2)].map(|row| times * row);
        let fits = lengths.map(Vec::len) == wanted
            && moments.reach.len() == m * copies
            && !moments.ends.is_empty()
            && moments.ends.len().is_multiple_of(m * copies);
        if !fits {
            return Err(Error::process(process.name(), "the simulated moments do not fit it"));
        }
        Ok(Self { process: process.clone(), chain, copies, equilibrium, moments })
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The chain that is simulated.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What was measured.
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Independent copies of the process that a datum takes.
    pub fn copies(&self) -> usize {
        self.copies
    }

    /// The step after which a window begins that ends after step `end`, for windows of length `window`.
    pub fn window_begin(&self, end: usize, window: f64) -> usize {
        window_begin(&self.chain, self.process.components(), end, window)
    }

    /// The parametrisation at `time`, linear in √t between the times of the chain.
    ///
    /// # Errors
    /// When the simulated states have no density.
    pub fn at(&self, time: f64) -> Result<Frame> {
        let (m, horizon) = (self.process.components(), self.process.horizon());
        let place = (time / horizon).sqrt().clamp(0.0, 1.0) * self.chain.steps() as f64;
        let place = place.max(1.0);
        let before = (place as usize).min(self.chain.steps() - 1);
        let part = place - before as f64;
        let between = |values: &[f64], row: usize, i: usize| {
            let (a, b) = (values[before * row + i], values[(before + 1) * row + i]);
            a + part * (b - a)
        };
        let row = m * self.copies;
        let mean = (0..row).map(|i| between(&self.moments.mean, row, i)).collect();
        let covariance = DMatrix::from_fn(m, m, |i, j| between(&self.moments.covariance, m * m, i * m + j));
        let driven = self.process.driven();
        let unit = |i: usize| (0.5 * between(&self.moments.log_unit, driven.len(), i)).exp();
        let balances = self.equilibrium.places().len();
        let width = balances * (m + 2);
        let balance: Vec<_> = (0..width).map(|i| between(&self.moments.balance, width, i)).collect();
        let (gauss, weight) = self.fit(&covariance, &balance, time)?;
        let level = (0..balances * self.copies).map(|i| between(&self.moments.level, balances * self.copies, i));
        let balance = Balance { weight, level: level.collect(), at: self.equilibrium.at(time) };
        Ok(Frame {
            mean,
            scale: covariance.diagonal().map(|v| if v > 0.0 { v.sqrt() } else { 1.0 }),
            gauss,
            balance: (balances > 0).then_some(balance),
            unit: DVector::from_iterator(driven.len(), (0..driven.len()).map(unit)),
            clock: clock(time, horizon),
        })
    }

    /// The score of least E[½ s_d² + ∂_d s_d] (Hyvärinen, JMLR 6, 695 (2005)) among −Σ_b gauss[d, b] (z_b − μ_b), the
    /// Gaussian one, plus weight_f (φ_f − level_f) where there is a φ: [driven, m], with zeros for components at rest, and
    /// \[φs\].
    fn fit(&self, covariance: &DMatrix<f64>, balance: &[f64], time: f64) -> Result<(DMatrix<f64>, Vec<f64>)> {
        let m = covariance.nrows();
        let moving: Vec<_> = (0..m).filter(|&i| covariance[(i, i)] > 0.0).collect();
        let law = covariance.select_rows(&moving).select_columns(&moving);
        let singular = || {
            let problem = format!("the simulated states have no density at t = {time:e}");
            Error::process(self.process.name(), problem).with_hint("let noise reach every block that moves")
        };
        let driven = self.process.driven();
        let mut gauss = DMatrix::zeros(driven.len(), m);
        let mut weights = vec![0.0; self.equilibrium.places().len()];
        for (row, block) in driven.iter().enumerate() {
            let place = moving.iter().position(|i| i == block).ok_or_else(singular)?;
            let unit = DVector::from_fn(moving.len(), |i, _| f64::from(i == place));
            let balanced = self.equilibrium.places().iter().position(|p| *p == row).and_then(|f| {
                let [cross @ .., square, slope] = &balance[f * (m + 2)..(f + 1) * (m + 2)] else { return None };
                // 0 where φ was not finite: its noise vanishes somewhere.
                if *square <= 0.0 {
                    return None;
                }
                let mut all = law.clone().resize(moving.len() + 1, moving.len() + 1, *square);
                for (i, &component) in moving.iter().enumerate() {
                    all[(i, moving.len())] = cross[component];
                    all[(moving.len(), i)] = cross[component];
                }
                let mut solution = solve(&all, &unit.clone().push(*slope))?;
                weights[f] = -solution[moving.len()];
                solution.resize_vertically_mut(moving.len(), 0.0);
                Some(solution)
            });
            // A φ that is all but linear in the components adds nothing that they cannot say.
            let solution = balanced.or_else(|| solve(&law, &unit)).ok_or_else(singular)?;
            for (&component, value) in moving.iter().zip(&solution) {
                gauss[(row, component)] = *value;
            }
        }
        Ok((gauss, weights))
    }

    /// How far samples may go, [m·copies]: a little beyond what simulated paths reach. Nothing is known of the score
    /// beyond, and a drift that confines more than linearly throws the reverse process out there to infinity.
    pub fn walls(&self) -> Vec<[f32; 2]> {
        let wider = |&[low, high]: &[f32; 2]| [low - MARGIN * (high - low), high + MARGIN * (high - low)];
        self.moments.reach.iter().map(wider).collect()
    }

    /// A thread's own means of adding the equilibrium part to the score of up to `width` samples.
    pub(crate) fn balancing(&self, width: usize) -> Balancing<'_> {
        let length = width * self.copies;
        Balancing {
            equilibrium: &self.equilibrium,
            copies: self.copies,
            space: self.equilibrium.workspace(length),
            values: vec![0.0; self.equilibrium.places().len() * length],
        }
    }

    /// The prior of `law`: the Gaussian with the moments of the end states, or these states, smoothed.
    ///
    /// # Errors
    /// For the stationary law, which is not known.
    pub fn prior(&self, law: PriorLaw) -> Result<Prior> {
        let (m, row) = (self.process.components(), self.process.components() * self.copies);
        let last = self.chain.steps();
        let covariance = DMatrix::from_row_slice(m, m, &self.moments.covariance[last * m * m..][..m * m]);
        let mean = &self.moments.mean[last * row..][..row];
        match law {
            PriorLaw::Matched => Ok(Prior::gaussian(&covariance, mean)),
            PriorLaw::Ensemble => Ok(Prior::ensemble(&self.moments.ends, &covariance, mean)),
            PriorLaw::Stationary => {
                Err(Error::process(self.process.name(), "its stationary law is not known: it is simulated")
                    .with_hint("use the prior \"matched\" or \"ensemble\""))
            }
        }
    }
}

impl std::fmt::Display for Simulated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Moments { steps, window, residual_signal, .. } = &self.moments;
        write!(f, "simulated in {steps} steps, windows of {window:.4}, ")?;
        write!(f, "{:.2} % of the variance at the horizon explained by the data", 100.0 * residual_signal)
    }
}

/// Adds the equilibrium part to scores.
pub(crate) struct Balancing<'a> {
    equilibrium: &'a Equilibrium,
    copies: usize,
    space: Workspace,
    values: Vec<f32>,
}

impl Balancing<'_> {
    /// Adds weight (φ − level) to the `score`, [driven·copies, count], of a `state`, [m·copies, count].
    pub(crate) fn add(&mut self, balance: &Balance, count: usize, state: &[f32], score: &mut [f32]) {
        let length = self.copies * count;
        let values = &mut self.values[..self.equilibrium.places().len() * length];
        self.equilibrium.run(&balance.at, &mut self.space, length, state, values);
        for (f, &place) in self.equilibrium.places().iter().enumerate() {
            let weight = balance.weight[f] as f32;
            // Where φ has no weight it may have no value either.
            if weight == 0.0 {
                continue;
            }
            for copy in 0..self.copies {
                let level = balance.level[f * self.copies + copy] as f32;
                let values = &values[(f * self.copies + copy) * count..][..count];
                let score = &mut score[(place * self.copies + copy) * count..][..count];
                for (score, value) in score.iter_mut().zip(values) {
                    *score += weight * (value - level);
                }
            }
        }
    }
}

/// The solution of a positive definite system, unless it is singular to working precision.
fn solve(matrix: &DMatrix<f64>, right: &DVector<f64>) -> Option<DVector<f64>> {
    // In units in which the diagonal is 1: components may be of very different size.
    let unit = matrix.diagonal().map(|v| v.sqrt().recip());
    let scaled = DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] * unit[i] * unit[j]);
    let factor = scaled.cholesky()?;
    let least = factor.l_dirty().diagonal().min();
    let solution = factor.solve(&right.component_mul(&unit)).component_mul(&unit);
    (least > 1e-6 && solution.iter().all(|v| v.is_finite())).then_some(solution)
}
