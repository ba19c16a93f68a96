//! What a noise process is: its definition, class, kernel, prior.

mod definition;
mod describe;
mod kernel;
mod linear;
mod prior;
mod propagator;
mod stationary;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use definition::{Definition, StartLaw};
pub use kernel::Kernel;
pub use linear::Linear;
pub(crate) use prior::correlate;
pub use prior::{Prior, PriorLaw};
pub use propagator::Propagator;
pub use stationary::Stationary;

use crate::error::{Error, Result, suggestion};

/// A forward process with numbers for all its parameters. Cheap to clone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Process(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    definition: Arc<Definition>,
    parameters: BTreeMap<String, f64>,
    linear: Linear,
    horizon: f64,
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
    /// When it is not linear with constant coefficients, a coefficient has no finite value, or the horizon is not
    /// above 0.
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
        let linear = definition.linear(&parameters)?;
        Ok(Self(Arc::new(Inner { definition, parameters, linear, horizon })))
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

    /// The process in numbers.
    pub fn linear(&self) -> &Linear {
        &self.0.linear
    }

    /// The class, as `p.kind` names it.
    pub fn kind(&self) -> &'static str {
        "linear"
    }
}

#[cfg(test)]
mod kernel_tests;
