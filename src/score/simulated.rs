//! What the network of a score is shown where there is no kernel: moments of simulated forward paths.
//!
//! As in [`Mixed`](super::Mixed), ŝ_d = s_G,d + NN/ℓ_d: s_G is the score of a Gaussian with the mean and covariance that
//! simulated states have at that time, and ℓ the typical deviation of a driven component within a window of the chain.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::Frame;
use super::mixed::clock;
use super::pilot::Pilot;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::gauss::{precision, triangularize};
use crate::process::{Chain, Prior, PriorLaw, Process};
use crate::task::Task;

/// Variance at the horizon that the data explain beyond this part is worth a warning: linear processes with 30 % of the
/// data's mean left are near it for data as wide as their noise.
const MUCH_SIGNAL: f64 = 0.08;

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

/// What was measured on simulated paths; a checkpoint carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Steps of the chain.
    pub steps: usize,
    /// Length of the windows in time.
    pub window: f64,
    /// Mean of the states at t_0, ..., t_J, [J + 1, m·copies].
    pub mean: Vec<f64>,
    /// Covariance over components, averaged over copies, [J + 1, m, m].
    pub covariance: Vec<f64>,
    /// ln ℓ² of the driven components at t_1, ..., t_J, [J, driven].
    pub log_unit: Vec<f64>,
    /// Part of the variance of an end state that its datum explains, of the component that knows most.
    pub residual_signal: f64,
    /// States at the horizon, [count, m·copies].
    pub ends: Vec<f32>,
}

/// The parametrisation of one process and one dataset by simulated paths.
#[derive(Debug)]
pub struct Simulated {
    process: Process,
    chain: Chain,
    copies: usize,
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
        let pilot = Pilot { process, chain: &chain, data, copies, seed: simulation.seed, task };
        let moments = pilot.run(simulation.window)?;
        let simulated = Self { process: process.clone(), chain, copies, moments };
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
                "process {}: at the horizon the data still explain {:.1} % of the variance; the prior does not know which \
                 datum it stands for: raise the horizon",
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
        let (m, driven, times) = (process.components(), process.driven().len(), moments.steps + 1);
        let lengths = [moments.mean.len(), moments.covariance.len(), moments.log_unit.len()];
        let fits = lengths == [times * m * copies, times * m * m, moments.steps * driven]
            && !moments.ends.is_empty()
            && moments.ends.len().is_multiple_of(m * copies);
        if !fits {
            return Err(Error::process(process.name(), "the simulated moments do not fit it"));
        }
        Ok(Self { process: process.clone(), chain, copies, moments })
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
        let unit = |i: usize| {
            let at = |k: usize| self.moments.log_unit[(k.max(1) - 1) * driven.len() + i];
            (0.5 * (at(before) + part * (at(before + 1) - at(before)))).exp()
        };
        Ok(Frame {
            mean,
            scale: covariance.diagonal().map(|v| if v > 0.0 { v.sqrt() } else { 1.0 }),
            gauss: self.gaussian_score(&covariance, time)?,
            unit: DVector::from_iterator(driven.len(), (0..driven.len()).map(unit)),
            clock: clock(time, horizon),
        })
    }

    /// The driven rows of the precision, [driven, m], with zeros for components at rest.
    fn gaussian_score(&self, covariance: &DMatrix<f64>, time: f64) -> Result<DMatrix<f64>> {
        let moving: Vec<_> = (0..covariance.nrows()).filter(|&i| covariance[(i, i)] > 0.0).collect();
        let law = covariance.select_rows(&moving).select_columns(&moving);
        let singular = || {
            let problem = format!("the simulated states have no density at t = {time:e}");
            Error::process(self.process.name(), problem).with_hint("let noise reach every block that moves")
        };
        let factor = law.cholesky().ok_or_else(singular)?.l();
        let inverse = precision(&triangularize(factor));
        let driven = self.process.driven();
        let mut gauss = DMatrix::zeros(driven.len(), covariance.nrows());
        for (row, block) in driven.iter().enumerate() {
            let place = moving.iter().position(|i| i == block).ok_or_else(singular)?;
            for (column, &other) in moving.iter().enumerate() {
                gauss[(row, other)] = inverse[(place, column)];
            }
        }
        Ok(gauss)
    }

    /// The prior of `law`: the Gaussian with the moments of the end states, or these states themselves.
    ///
    /// # Errors
    /// For the stationary law, which is not known.
    pub fn prior(&self, law: PriorLaw) -> Result<Prior> {
        let (m, row) = (self.process.components(), self.process.components() * self.copies);
        let last = self.chain.steps();
        match law {
            PriorLaw::Matched => {
                let covariance = DMatrix::from_row_slice(m, m, &self.moments.covariance[last * m * m..][..m * m]);
                Ok(Prior::gaussian(&covariance, &self.moments.mean[last * row..][..row]))
            }
            PriorLaw::Ensemble => Ok(Prior::ensemble(&self.moments.ends, row)),
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

/// A window holds at least as many steps as noise needs to reach all components.
pub(super) fn window_begin(chain: &Chain, components: usize, end: usize, window: f64) -> usize {
    let start = chain.times()[end] - window;
    let begin = if start <= 0.0 { 0 } else { chain.step_at(start) - 1 };
    begin.min(end.saturating_sub(2 * components))
}
