//! How to follow the reverse process.

use std::fmt;

use super::Grid;
use super::exponential::MOST_NODES;
use crate::error::{Error, Result};
use crate::process::{Class, Process};

/// The methods that follow the reverse process, or its probability flow.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Method {
    /// Euler–Maruyama: weak order 1; one evaluation of the score a step.
    #[default]
    EulerMaruyama,
    /// Heun on the probability flow: order 2; two evaluations a step, one in a step that ends at t = 0.
    Heun,
    /// Dormand–Prince 5(4) on the probability flow with steps by the error, for each 1,024 samples on their own.
    RungeKutta {
        /// Tolerated error of a step, in parts of the state.
        relative: f64,
        /// Tolerated error of a step besides.
        absolute: f64,
    },
    /// The equilibrium split: exact steps of a Gaussian reference around what the score has beyond it; one evaluation a
    /// step, at its middle.
    Splitting {
        /// The reference.
        reference: Reference,
    },
    /// Exponential Adams–Bashforth on the probability flow, of order 1 to 3; one evaluation a step.
    Exponential {
        /// The order.
        order: usize,
    },
    /// Euler–Maruyama with Langevin corrections after each step that does not end at t = 0.
    PredictorCorrector {
        /// Corrections after a step.
        corrections: usize,
        /// Signal-to-noise ratio of a correction.
        ratio: f64,
    },
}

/// The Gaussian law of the noised state that the equilibrium split follows exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reference {
    /// That of Gaussian data with the mean and variance of the true ones: what is left to the middle steps is what is not
    /// Gaussian, so that Gaussian data of one mean and one variance in all
    /// coordinates are sampled exactly with any steps.
    #[default]
    Data,
    /// The stationary law of the process; that of critically damped Langevin dynamics makes the SSCS of Dockhorn, Vahdat,
    /// Kreis, arXiv 2112.07068.
    Stationary,
}

/// What the last step of the reverse process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LastStep {
    /// A step as any other.
    #[default]
    None,
    /// The drift of the reverse process without its noise, whatever the method: the noise of the last step would stay in
    /// the samples. Adaptive steps, which end close to t = 0, put it behind their end.
    Denoise,
}

/// Which states on the way are kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Keep {
    /// Those at the end only.
    #[default]
    End,
    /// Those at these times: of a fixed grid the nearest of its times, of adaptive steps the very times.
    Times(Vec<f64>),
    /// All of a fixed grid.
    All,
}

/// How to follow the reverse process.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The method.
    pub method: Method,
    /// Number of steps; of no meaning for adaptive ones.
    pub steps: usize,
    /// How the times are spread; of no meaning for adaptive steps.
    pub grid: Grid,
    /// The time at which to stop, from 0 to below the start.
    pub end: f64,
    /// What the last step does.
    pub last: LastStep,
    /// Which states are kept.
    pub keep: Keep,
    /// Seed of the noise, and of the prior.
    pub seed: u64,
}

impl Default for Options {
    /// 200 steps of Euler–Maruyama on the uniform grid.
    fn default() -> Self {
        let (method, grid, last, keep) = Default::default();
        Self { method, steps: 200, grid, end: 0.0, last, keep, seed: 0 }
    }
}

impl Method {
    /// Refuses numbers out of range and what the method cannot do for the process.
    pub(super) fn check(self, process: &Process) -> Result<()> {
        let refuse = |name: &str, problem: String| Err(Error::argument(name, problem));
        match self {
            Self::RungeKutta { relative, absolute } => {
                for (name, tolerance) in [("rtol", relative), ("atol", absolute)] {
                    if !(TIGHTEST..1.0).contains(&tolerance) {
                        let problem = format!("must be from {TIGHTEST:e} to below 1, got {tolerance}");
                        return Err(Error::argument(name, problem).with_hint("states are in single precision"));
                    }
                }
            }
            Self::Exponential { order } if !(1..=MOST_NODES).contains(&order) => {
                return refuse("order", format!("must be from 1 to {MOST_NODES}, got {order}"));
            }
            Self::PredictorCorrector { corrections, .. } if !(1..=MOST_CORRECTIONS).contains(&corrections) => {
                return refuse("corrector_steps", format!("must be from 1 to {MOST_CORRECTIONS}, got {corrections}"));
            }
            Self::PredictorCorrector { ratio, .. } if !(ratio > 0.0 && ratio.is_finite()) => {
                return refuse("snr", format!("must be above 0, got {ratio}"));
            }
            _ => {}
        }
        let needs_kernel = matches!(self, Self::Splitting { .. } | Self::Exponential { .. });
        if needs_kernel && process.class() == Class::Nonlinear {
            let causes = process.reasons().join(", ");
            let problem = format!("the method \"{}\" needs a linear process, which this is not: {causes}", self.name());
            return Err(Error::process(process.name(), problem).with_hint("take \"em\", \"heun\", \"rk45\" or \"pc\""));
        }
        Ok(())
    }

    /// Its name in scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::EulerMaruyama => "em",
            Self::Heun => "heun",
            Self::RungeKutta { .. } => "rk45",
            Self::Splitting { .. } => "splitting",
            Self::Exponential { .. } => "exponential",
            Self::PredictorCorrector { .. } => "pc",
        }
    }
}

/// The tightest tolerance: a few roundings of single precision.
const TIGHTEST: f64 = 1e-6;
/// Parts of a random stream are numbered by 24 bits.
const MOST_CORRECTIONS: usize = 1000;

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.method.name())?;
        match self.method {
            Method::EulerMaruyama | Method::Heun => {}
            Method::Splitting { reference: Reference::Data } => f.write_str(" (reference by the data)")?,
            Method::Splitting { reference: Reference::Stationary } => f.write_str(" (stationary reference)")?,
            Method::RungeKutta { relative, absolute } => write!(f, " (rtol {relative:e}, atol {absolute:e})")?,
            Method::Exponential { order } => write!(f, " (order {order})")?,
            Method::PredictorCorrector { corrections, ratio } => {
                write!(f, " ({corrections} corrections a step, snr {ratio})")?;
            }
        }
        match self.method {
            Method::RungeKutta { .. } => f.write_str(", adaptive steps")?,
            _ => write!(f, ", {} steps on the {} grid", self.steps, self.grid)?,
        }
        match self.last {
            LastStep::None => f.write_str(", last step as any other"),
            LastStep::Denoise => f.write_str(", last step without noise"),
        }
    }
}
