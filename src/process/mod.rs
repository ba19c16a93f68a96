//! What a noise process is: its definition, class, kernel, prior.

mod chain;
mod coloured;
mod components;
mod definition;
mod describe;
mod difference;
mod equations;
mod fault;
#[cfg(test)]
pub(crate) mod fixtures;
mod kernel;
mod linear;
mod motion;
mod noised;
mod prior;
mod quick;
mod sensitivity;
mod stationary;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

pub use chain::{CHAIN_STEPS, Chain, Walk, WindowLaw};
pub use coloured::{Component, Embedding, Ladder, Sampled, embed, places};
pub use definition::{
    Amplitudes, Class, Definition, Draft, DraftStart, Entry, Start, StartLaw, StartNumbers, coordinate_symbol,
};
pub(crate) use describe::covariance_table;
pub use difference::difference;
pub use fault::WITHOUT_VALUE;
pub use kernel::{Certificate, Kernel, Propagator, Residual, Transition};
pub use linear::Linear;
pub use motion::{Equations, Motion};
pub use noised::Noised;
pub(crate) use prior::correlate;
pub use prior::{Prior, PriorLaw};
pub use sensitivity::{KernelSlope, Sensitivity};
pub use stationary::Stationary;

use crate::error::{Error, Result, suggestion};
use crate::expr::Expression;
use crate::settings::written;
use definition::{Form, Numbers, Timeline};
use kernel::{Kernels, Quick, Rescaled};

/// A forward process with numbers for all its parameters. Cheap to clone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Process(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    definition: Arc<Definition>,
    parameters: BTreeMap<String, f64>,
    horizon: f64,
    class: Class,
    /// What makes it harder than constant coefficients.
    reasons: Vec<String>,
    /// The coefficients of a linear process.
    timeline: Option<Arc<Timeline>>,
    /// The time in which the coefficients are constant, where they share a factor.
    rescaled: Option<Rescaled>,
    /// Components with noise of their own.
    driven: Vec<usize>,
    /// Wiener sources that drive any component.
    sources: Vec<usize>,
    kernels: OnceLock<Kernels>,
    switching: OnceLock<Vec<f64>>,
    quick: OnceLock<Vec<Quick>>,
}

/// What a checkpoint holds of a process; the rest follows.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    definition: Definition,
    parameters: BTreeMap<String, f64>,
    horizon: f64,
}

impl From<Process> for Stored {
    fn from(process: Process) -> Self {
        let inner = &*process.0;
        Self { definition: (*inner.definition).clone(), parameters: inner.parameters.clone(), horizon: inner.horizon }
    }
}

impl TryFrom<Stored> for Process {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        Self::build(Arc::new(stored.definition), stored.parameters, stored.horizon)
    }
}

impl Process {
    /// A process with the parameters' default values.
    ///
    /// # Errors
    /// When a coefficient has no finite value, or the horizon is not above 0.
    pub fn new(definition: Definition, horizon: f64) -> Result<Self> {
        let parameters = definition.parameters.clone();
        Self::build(Arc::new(definition), parameters, horizon)
    }

    /// A linear process given by its matrices.
    ///
    /// # Errors
    /// As [`Process::new`].
    pub fn from_linear(name: &str, blocks: &[&str], linear: Linear, horizon: f64) -> Result<Self> {
        Self::new(Definition::from_linear(name, blocks, &linear), horizon)
    }

    fn build(definition: Arc<Definition>, parameters: BTreeMap<String, f64>, horizon: f64) -> Result<Self> {
        if !(horizon > 0.0 && horizon.is_finite()) {
            return Err(Error::argument("horizon", format!("must be finite and above 0, got {}", written(horizon))));
        }
        definition.check()?;
        let form = Form::of(&definition);
        let numbers = Numbers { definition: &definition, parameters: &parameters };
        let times: Vec<_> = (0..=CHECKS).map(|i| horizon * f64::from(i) / f64::from(CHECKS)).collect();
        let timeline = |coefficients| Timeline::new(&definition, &parameters, coefficients);
        let timeline = match (&form.coefficients, numbers.check(&times)) {
            (Some(coefficients), Ok(())) => {
                let timeline = timeline(coefficients)?;
                timeline.check_start(horizon)?;
                Some(timeline)
            }
            // What is infinite at t = 0 only can be integrated over, if it grows slowly enough.
            (Some(coefficients), Err(error)) => {
                let timeline = numbers.check(&times[1..]).and_then(|()| timeline(coefficients)).map_err(|_| error)?;
                timeline.check_start(horizon)?;
                Some(timeline)
            }
            (None, checked) => {
                checked?;
                None
            }
        };
        // What is infinite at t = 0 is so at every angle.
        numbers.check_periodic(&times[1..])?;
        let timeline = timeline.map(Arc::new);
        let varying = timeline.as_ref().filter(|_| form.class == Class::TimeDependent);
        let rescaled = varying.and_then(|timeline| Rescaled::of(timeline, horizon));
        let class = if rescaled.is_some() { Class::Commuting } else { form.class };
        let is_driven = |&i: &usize| definition.noise[i].iter().any(|g| numbers.is_noise(g));
        let driven = (0..definition.components()).filter(is_driven).collect();
        let count = definition.noise.first().map_or(0, Vec::len);
        let drives = |&source: &usize| definition.noise.iter().any(|row| numbers.is_noise(&row[source]));
        let sources = (0..count).filter(drives).collect();
        Ok(Self(Arc::new(Inner {
            parameters,
            horizon,
            class,
            reasons: form.reasons,
            timeline,
            rescaled,
            driven,
            sources,
            kernels: OnceLock::new(),
            switching: OnceLock::new(),
            quick: OnceLock::new(),
            definition,
        })))
    }

    /// The same process with other parameters; `horizon` may be among them.
    ///
    /// # Errors
    /// When a name is not a parameter, and as [`Process::new`].
    pub fn vary(&self, changes: &BTreeMap<String, f64>) -> Result<Self> {
        let mut parameters = self.0.parameters.clone();
        let mut horizon = self.0.horizon;
        for (name, &value) in changes {
            match parameters.get_mut(name) {
                Some(parameter) => *parameter = value,
                None if name == "horizon" => horizon = value,
                None => return Err(self.unknown_parameter(name)),
            }
        }
        Self::build(self.0.definition.clone(), parameters, horizon)
    }

    /// The same process with another horizon.
    ///
    /// # Errors
    /// As [`Process::new`].
    pub fn until(&self, horizon: f64) -> Result<Self> {
        if horizon == self.horizon() {
            return Ok(self.clone());
        }
        Self::build(self.0.definition.clone(), self.0.parameters.clone(), horizon)
    }

    /// The value of the parameter of this `name`.
    ///
    /// # Errors
    /// When there is none.
    pub fn parameter(&self, name: &str) -> Result<f64> {
        self.0.parameters.get(name).copied().ok_or_else(|| self.unknown_parameter(name))
    }

    fn unknown_parameter(&self, name: &str) -> Error {
        let error = Error::argument(name, format!("is not a parameter of the process `{}`", self.name()));
        let known: Vec<_> = self.0.parameters.keys().collect();
        error.with_hint(match known.is_empty() {
            true => "it has no parameters".to_owned(),
            false => suggestion(name, &known, "its parameters are"),
        })
    }

    /// The name given by its author.
    pub fn name(&self) -> &str {
        &self.0.definition.name
    }

    /// Names of the blocks; the first is the data.
    pub fn blocks(&self) -> &[String] {
        &self.0.definition.blocks
    }

    /// The parameters' values.
    pub fn parameters(&self) -> &BTreeMap<String, f64> {
        &self.0.parameters
    }

    /// The expressions behind the numbers.
    pub fn definition(&self) -> &Definition {
        &self.0.definition
    }

    /// Whether the data are angles, in (−π, π] as states have them. On their way they are real numbers, whose whole
    /// turns do not matter.
    pub fn is_periodic(&self) -> bool {
        !self.0.definition.periodic.is_empty()
    }

    /// Total time T of the forward process.
    pub fn horizon(&self) -> f64 {
        self.0.horizon
    }

    /// The class by the graph.
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// The class, as `p.kind` names it.
    pub fn kind(&self) -> &'static str {
        match self.class() {
            Class::Constant => "linear",
            Class::Commuting | Class::TimeDependent => "linear time-dependent",
            Class::Nonlinear => "nonlinear",
        }
    }

    /// What makes the process time-dependent or nonlinear, part by part.
    pub fn reasons(&self) -> &[String] {
        &self.0.reasons
    }

    /// The numbers of a linear process with constant coefficients.
    pub fn constant(&self) -> Option<&Linear> {
        let timeline = self.0.timeline.as_ref().filter(|_| self.class() == Class::Constant)?;
        Some(timeline.constant())
    }

    /// The common factor β(t) of all coefficients and the process without it, for [`Class::Commuting`].
    pub fn rescaled(&self) -> Option<(&Expression, &Linear)> {
        self.0.rescaled.as_ref().map(|rescaled| (rescaled.clock.factor(), &rescaled.linear))
    }

    /// The numbers of a linear process at `time`.
    ///
    /// # Errors
    /// When the process is nonlinear, or a coefficient has no finite value at that time.
    pub fn linear_at(&self, time: f64) -> Result<Linear> {
        match &self.0.timeline {
            Some(timeline) => timeline.at(time),
            None => Err(self.has_no_kernel()),
        }
    }

    /// The times below the horizon at which the process switches: see [`Definition::switching_times`].
    pub fn switching_times(&self) -> &[f64] {
        self.0.switching.get_or_init(|| self.definition().switching_times(self.parameters(), self.horizon()))
    }

    /// The perturbation kernel at `time` ≥ 0.
    ///
    /// # Errors
    /// When the process is nonlinear, `time` is negative or not finite, or the kernel leaves the range of floating
    /// point.
    pub fn kernel(&self, time: f64) -> Result<Kernel> {
        self.kernels()?.kernel(time, self.data_components())
    }

    /// The law of the state at the time `to` given the state at `from` ≤ `to`.
    ///
    /// # Errors
    /// As [`Process::kernel`].
    pub fn transition(&self, from: f64, to: f64) -> Result<Transition> {
        self.kernels()?.transition(from, to)
    }

    /// The law of the components at t = 0; 0 for the data.
    ///
    /// # Errors
    /// None for a process that was built: its numbers were checked.
    pub fn start(&self) -> Result<StartNumbers> {
        Numbers { definition: &self.0.definition, parameters: &self.0.parameters }.start()
    }

    /// The drift f with numbers for all parameters, one expression per component.
    pub fn bound_drift(&self) -> Vec<Expression> {
        self.definition().drift.iter().map(|f| f.bind(self.parameters())).collect()
    }

    /// The noise G with numbers for all parameters, [components, sources] with the sources of [`Process::sources`].
    pub fn bound_noise(&self) -> Vec<Vec<Expression>> {
        let row = |row: &Vec<Expression>| self.sources().iter().map(|&s| row[s].bind(self.parameters())).collect();
        self.definition().noise.iter().map(row).collect()
    }

    /// D = G Gᵀ with numbers for all parameters, [components, components].
    pub fn bound_diffusion(&self) -> Vec<Vec<Expression>> {
        let entry = |i: usize, j: usize| self.definition().diffusion(i, j).bind(self.parameters());
        let rows = 0..self.components();
        rows.clone().map(|i| rows.clone().map(|j| entry(i, j)).collect()).collect()
    }

    fn kernels(&self) -> Result<&Kernels> {
        if self.0.kernels.get().is_none() {
            // Two threads may both prepare it; the first to finish is kept.
            let _ = self.0.kernels.set(self.prepare_kernels()?);
        }
        Ok(self.0.kernels.get().expect("set above"))
    }

    fn prepare_kernels(&self) -> Result<Kernels> {
        let timeline = self.0.timeline.as_ref().ok_or_else(|| self.has_no_kernel())?;
        Kernels::new(timeline, self.0.rescaled.as_ref(), self.class(), self.horizon())
    }

    fn has_no_kernel(&self) -> Error {
        let problem = format!("it has no Gaussian kernel, since it is nonlinear: {}", self.reasons().join(", "));
        Error::process(self.name(), problem)
            .with_hint("use `simulate` for forward paths; training simulates them by itself")
    }
}

/// Parts of the horizon at whose ends coefficients must be finite.
const CHECKS: u32 = 64;
