//! The basis of a process whose kernel is not known or not to be used: moments of simulated forward paths.
//!
//! s_G is the score of a Gaussian with the mean and covariance that simulated states have at that time, with a share of
//! the equilibrium score where the process is not linear, and ℓ the deviation of a driven component where the data and
//! the other components are known.

mod bias;
mod fit;
mod measured;
mod pilot;
mod windows;

#[cfg(test)]
mod tests;

use nalgebra::{DMatrix, DVector};
use serde_json::Value;

use super::equilibrium::{Balance, Balancing, Equilibrium};
use super::frame::{Frame, Gaussian, clock};
use super::{Basis, Coordinates, MUCH_SIGNAL, Subject};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::process::{CHAIN_STEPS, Chain, Class, Prior, PriorLaw, Process};
use crate::settings::{Setting, Values};
use crate::task::Task;
use fit::fit;
pub use measured::Measured;
use pilot::Pilot;
use windows::window_begin;

/// Part of the range of simulated states that samples may go beyond it, on either side.
const MARGIN: f32 = 0.15;

/// How the forward process is simulated for a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Steps of the chain.
    pub chain_steps: usize,
    /// Length of the windows in time; `None` lets training that needs them choose.
    pub window: Option<f64>,
    /// Seed of the simulated paths.
    pub seed: u64,
}

impl Default for Simulation {
    fn default() -> Self {
        Self::read(&Values::defaults(Self::SETTINGS))
    }
}

impl Simulation {
    /// What can be set by name, beside the seed.
    pub const SETTINGS: &'static [Setting] = &[
        CHAIN_STEPS,
        Setting::number("window", "length in time of the windows over which simulated paths are linearised")
            .above(0.0)
            .or_else("half of the longest whose targets have a bias below 5 % of the score, found by simulation when training needs it"),
    ];

    /// The simulation that `values` of [`Simulation::SETTINGS`] set, with seed 0.
    pub fn read(values: &Values) -> Self {
        Self { chain_steps: values.count(CHAIN_STEPS.name), window: values.number_if_given("window"), seed: 0 }
    }
}

/// What files call this kind of basis.
pub(in crate::score::basis) const KIND: &str = "simulated";

/// The basis of `subject` that described itself so.
pub(in crate::score::basis) fn restore(description: Value, subject: Subject) -> Result<Box<dyn Basis>> {
    let broken = |e| Error::argument("basis", format!("is described in another way than this program does: {e}"));
    let measured: Measured = serde_json::from_value(description).map_err(broken)?;
    let basis = SimulatedBasis::with_measured(subject, measured)?;
    Ok(Box::new(basis))
}

fn refuse_angles(process: &Process) -> Result<()> {
    if !process.is_periodic() {
        return Ok(());
    }
    let problem = format!("its angles `{}` have no score by simulated paths", process.blocks()[0]);
    let hint = match process.class() {
        Class::Nonlinear => "simulate the process, or leave `periodic` out and take the angles as real numbers",
        _ => "leave `simulated` out: the kernel serves",
    };
    Err(Error::process(process.name(), problem).with_hint(hint))
}

/// Scores by simulated paths of a process.
#[derive(Debug)]
pub struct SimulatedBasis {
    subject: Subject,
    chain: Chain,
    equilibrium: Equilibrium,
    measured: Measured,
}

impl SimulatedBasis {
    /// Simulates a process from `data` and measures.
    ///
    /// # Errors
    /// When no noise drives the process, an option is out of range, the paths run away, or interrupted.
    pub fn new(process: &Process, data: &Dataset, simulation: &Simulation, task: &Task) -> Result<Self> {
        process.require_noise()?;
        refuse_angles(process)?;
        let chain = Chain::new(process, simulation.chain_steps)?;
        let subject = Subject::of(process, data)?.along_coordinates();
        let equilibrium = Equilibrium::of(process)?;
        let (copies, seed) = (subject.copies(), simulation.seed);
        let pilot = Pilot { process, chain: &chain, equilibrium: &equilibrium, data, copies, seed, task };
        let measured = pilot.run(simulation.window)?;
        let basis = Self { subject, chain, equilibrium, measured };
        if let Some(warning) = basis.warning() {
            task.warn(&warning);
        }
        Ok(basis)
    }

    /// What is wrong with the prior: end states that still know their data.
    pub fn warning(&self) -> Option<String> {
        let signal = self.measured.residual_signal;
        (signal > MUCH_SIGNAL).then(|| {
            format!(
                "process {}: at the horizon the data still explain {:.1} % of the variance (linearly); the prior does not \
                 know which datum it stands for: raise the horizon",
                self.subject.process().name(),
                100.0 * signal
            )
        })
    }

    /// Takes up what was measured before.
    fn with_measured(subject: Subject, measured: Measured) -> Result<Self> {
        let process = subject.process();
        let chain = Chain::new(process, measured.steps)?;
        let equilibrium = Equilibrium::of(process)?;
        if !measured.fits(&chain, &subject, &equilibrium) {
            return Err(Error::process(process.name(), "the simulated moments do not fit it"));
        }
        Ok(Self { subject, chain, equilibrium, measured })
    }

    /// The chain that is simulated.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What was measured.
    pub fn measured(&self) -> &Measured {
        &self.measured
    }

    /// The length in time of the windows that training on `data` may have, by simulation with `seed`.
    ///
    /// # Errors
    /// When interrupted.
    pub fn longest_window(&self, data: &Dataset, seed: u64, task: &Task) -> Result<f64> {
        let Self { subject, chain, equilibrium, .. } = self;
        Pilot { process: subject.process(), chain, equilibrium, data, copies: subject.copies(), seed, task }
            .longest_window()
    }

    /// The step after which a window begins that ends after step `end`, for windows of length `window`.
    pub fn window_begin(&self, end: usize, window: f64) -> usize {
        window_begin(&self.chain, self.subject.process().components(), end, window)
    }
}

impl Basis for SimulatedBasis {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn description(&self) -> Value {
        serde_json::to_value(&self.measured).expect("numbers and lists are JSON")
    }

    fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Linear in √t between the times of the chain.
    fn at(&self, time: f64) -> Result<Frame> {
        let process = self.subject.process();
        let (m, horizon, steps) = (process.components(), process.horizon(), self.chain.steps());
        let place = self.chain.place(time).max(1.0);
        let between = |values: &[f64]| Measured::between(values, steps, place);
        let Measured { mean, covariance, log_unit, level, balance, .. } = &self.measured;
        let covariance = DMatrix::from_row_slice(m, m, &between(covariance));
        let places = self.equilibrium.places();
        let (gauss, weight) = fit(process, places, &covariance, &between(balance), time)?;
        let balance = Balance { weight, level: between(level), at: self.equilibrium.at(time) };
        Ok(Frame {
            angles: 0,
            mean: between(mean),
            gaussians: vec![Gaussian {
                scale: covariance.diagonal().map(|v| if v > 0.0 { v.sqrt() } else { 1.0 }),
                gauss,
            }],
            kinds: vec![0; self.subject.copies()].into(),
            balance: (!places.is_empty()).then_some(balance),
            unit: DVector::from_vec(between(log_unit)).map(|log| (0.5 * log).exp()),
            clock: clock(time, horizon),
        })
    }

    /// States as they are simulated.
    fn coordinates(&self) -> Coordinates {
        Coordinates::Own
    }

    /// Simulated states: a nonlinear drift may throw back what a Gaussian has in its tails and they have not.
    fn usual_prior(&self) -> PriorLaw {
        PriorLaw::Ensemble
    }

    /// The Gaussian with the moments of the end states, or these states, smoothed.
    fn prior(&self, law: PriorLaw) -> Result<Prior> {
        let process = self.subject.process();
        let (m, row, last) = (process.components(), self.subject.inputs(), self.chain.steps());
        let covariance = DMatrix::from_row_slice(m, m, &self.measured.covariance[last * m * m..][..m * m]);
        let mean = &self.measured.mean[last * row..][..row];
        match law {
            PriorLaw::Matched => Ok(Prior::gaussian(&covariance, mean)),
            PriorLaw::Ensemble => Ok(Prior::ensemble(&self.measured.ends, &covariance, mean)),
            PriorLaw::Stationary => {
                Err(Error::process(process.name(), "its stationary law is not known: it is simulated")
                    .with_hint("use the prior \"matched\" or \"ensemble\""))
            }
        }
    }

    /// A little beyond what simulated paths reach. Nothing is known of the score beyond, and a drift that confines more
    /// than linearly throws the reverse process out there to infinity.
    fn walls(&self) -> Option<Vec<[f32; 2]>> {
        let wider = |&[low, high]: &[f32; 2]| [low - MARGIN * (high - low), high + MARGIN * (high - low)];
        Some(self.measured.reach.iter().map(wider).collect())
    }

    fn balancing(&self, width: usize) -> Option<Balancing<'_>> {
        Some(Balancing::new(&self.equilibrium, self.subject.copies(), width))
    }

    fn note(&self) -> Option<String> {
        let Measured { steps, window, residual_signal, .. } = &self.measured;
        let signal = 100.0 * residual_signal;
        let windows = window.map_or(String::new(), |window| format!(", windows of {window:.4}"));
        Some(format!(
            "simulated in {steps} steps{windows}, {signal:.2} % of the variance at the horizon explained by the data"
        ))
    }
}
