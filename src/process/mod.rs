//! What a noise process is: its definition, class, kernel, prior.

mod certificate;
mod chain;
mod coloured;
mod definition;
mod describe;
mod draft;
mod equations;
mod flow;
mod form;
mod integrated;
mod kernel;
mod kernels;
mod linear;
mod monomial;
mod motion;
mod prior;
mod propagator;
mod quadrature;
mod rescaled;
mod schedule;
mod series;
mod stationary;
mod transition;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use nalgebra::DVector;
use serde::{Deserialize, Serialize};

pub use certificate::{Certificate, Residual};
pub use chain::{Chain, Factor, Walk};
pub use coloured::{Embedding, Sampled, embed, logarithmic};
pub use definition::{Definition, StartLaw};
pub(crate) use describe::covariance_table;
pub use draft::{Amplitudes, Draft, Entry, coordinate_symbol};
pub use form::Class;
pub use kernel::Kernel;
pub use linear::Linear;
pub use motion::{Equations, Motion};
pub(crate) use prior::correlate;
pub use prior::{Prior, PriorLaw};
pub use propagator::Propagator;
pub use stationary::Stationary;
pub use transition::Transition;

use crate::error::{Error, Result, suggestion};
use crate::expr::Expression;
use form::{Form, Numbers};
use integrated::Integrated;
use kernels::{Constant, Kernels};
use rescaled::Rescaled;
use schedule::Schedule;

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
    schedule: Option<Arc<Schedule>>,
    /// The time in which the coefficients are constant, where they share a factor.
    rescaled: Option<Rescaled>,
    /// Components with noise of their own.
    driven: Vec<usize>,
    /// Wiener sources that drive any component.
    sources: Vec<usize>,
    kernels: OnceLock<Kernels>,
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
            return Err(Error::argument("horizon", format!("must be finite and above 0, got {horizon}")));
        }
        definition.check()?;
        let form = Form::of(&definition);
        let numbers = Numbers { definition: &definition, parameters: &parameters };
        let times: Vec<_> = (0..=CHECKS).map(|i| horizon * f64::from(i) / f64::from(CHECKS)).collect();
        numbers.check(&times)?;
        let schedule = match &form.coefficients {
            Some(coefficients) => Some(Arc::new(Schedule::new(&definition, &parameters, coefficients)?)),
            None => None,
        };
        let varying = schedule.as_ref().filter(|_| form.class == Class::TimeDependent);
        let rescaled = varying.and_then(|schedule| Rescaled::of(schedule, horizon));
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
            schedule,
            rescaled,
            driven,
            sources,
            kernels: OnceLock::new(),
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

    /// Total time T of the forward process.
    pub fn horizon(&self) -> f64 {
        self.0.horizon
    }

    /// Number d of coordinates that the process couples; `None` where every coordinate is an independent copy.
    pub fn coordinates(&self) -> Option<usize> {
        self.0.definition.coordinates
    }

    /// Number m of components of one copy: its blocks, times the coordinates where these are coupled.
    pub fn components(&self) -> usize {
        self.0.definition.components()
    }

    /// What a component is called: `eta`, or `eta[1]` where coordinates are coupled.
    pub fn component_name(&self, component: usize) -> String {
        self.0.definition.component_name(component)
    }

    /// What all components are called.
    pub fn component_names(&self) -> Vec<String> {
        (0..self.components()).map(|i| self.component_name(i)).collect()
    }

    /// Number k of components that are data, the first ones: 1, or the number of coupled coordinates.
    pub fn data_components(&self) -> usize {
        self.coordinates().unwrap_or(1)
    }

    /// Number of independent copies that data of `dimension` coordinates take: d, or 1 where coordinates are coupled.
    /// The state of many samples is \[components·copies, samples\], the row of (component i, copy c) being i·copies + c.
    ///
    /// # Errors
    /// When the process couples another number of coordinates.
    pub fn copies(&self, dimension: usize) -> Result<usize> {
        match self.coordinates() {
            None => Ok(dimension),
            Some(own) if own == dimension => Ok(1),
            Some(own) => {
                Err(Error::process(self.name(), format!("it couples {own} coordinates, but the data have {dimension}"))
                    .with_hint(format!("take data of shape [{own}], or a process of {dimension} coordinates")))
            }
        }
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

    /// The components with noise of their own, in order: those whose score the reverse process needs.
    pub fn driven(&self) -> &[usize] {
        &self.0.driven
    }

    /// The Wiener sources that drive any component, in order.
    pub fn sources(&self) -> &[usize] {
        &self.0.sources
    }

    /// All components, those without noise of their own first, each group in order.
    pub fn undriven_first(&self) -> Vec<usize> {
        let driven = self.driven();
        let mut order: Vec<_> = (0..self.components()).filter(|i| !driven.contains(i)).collect();
        order.extend(driven);
        order
    }

    /// The numbers of a linear process with constant coefficients.
    pub fn constant(&self) -> Option<&Linear> {
        let schedule = self.0.schedule.as_ref().filter(|_| self.class() == Class::Constant)?;
        Some(schedule.constant())
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
        match &self.0.schedule {
            Some(schedule) => schedule.at(time),
            None => Err(self.has_no_kernel()),
        }
    }

    /// The perturbation kernel at `time` ≥ 0.
    ///
    /// # Errors
    /// When the process is nonlinear, `time` is negative or not finite, or the kernel leaves the range of floating point.
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

    /// Mean and standard deviation of the independent components at t = 0, \[m\]; 0 for the data.
    ///
    /// # Errors
    /// None for a process that was built: its numbers were checked.
    pub fn start(&self) -> Result<(DVector<f64>, DVector<f64>)> {
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
        match (&self.0.schedule, &self.0.rescaled) {
            (None, _) => Err(self.has_no_kernel()),
            (Some(_), Some(Rescaled { linear, clock })) => Ok(Kernels::Rescaled(Constant::new(linear)?, clock.clone())),
            (Some(schedule), None) if self.class() == Class::Constant => {
                Ok(Kernels::Constant(Constant::new(schedule.constant())?))
            }
            (Some(schedule), None) => Integrated::new(schedule.clone(), self.horizon()).map(Kernels::Integrated),
        }
    }

    fn has_no_kernel(&self) -> Error {
        let problem = format!("it has no Gaussian kernel, since it is nonlinear: {}", self.reasons().join(", "));
        Error::process(self.name(), problem)
            .with_hint("use `simulate` for forward paths; training simulates them by itself")
    }
}

/// Parts of the horizon at whose ends coefficients must be finite.
const CHECKS: u32 = 64;

#[cfg(test)]
mod kernel_tests;
#[cfg(test)]
mod varying_tests;
