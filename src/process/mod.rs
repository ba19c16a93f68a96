//! What a noise process is: its definition, class, kernel, prior.

mod kernel;
mod linear;
mod prior;
mod propagator;
mod stationary;

use std::sync::Arc;

pub use kernel::Kernel;
pub use linear::Linear;
pub(crate) use prior::correlate;
pub use prior::{Prior, PriorLaw};
pub use propagator::Propagator;
pub use stationary::Stationary;

use crate::error::{Error, Result};

/// A forward process with numbers for all its parameters. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Process(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    blocks: Vec<String>,
    linear: Linear,
    horizon: f64,
}

impl Process {
    /// A linear process given by its matrices.
    ///
    /// # Errors
    /// When shapes disagree, a number is not finite, or the horizon is not above 0.
    pub fn from_linear(name: &str, blocks: &[&str], linear: Linear, horizon: f64) -> Result<Self> {
        if !(horizon > 0.0 && horizon.is_finite()) {
            return Err(Error::argument("horizon", format!("must be above 0, got {horizon}")));
        }
        let blocks = blocks.iter().map(ToString::to_string).collect();
        Ok(Self(Arc::new(Inner { name: name.to_owned(), blocks, linear, horizon })))
    }

    /// The name given by its author.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Names of the blocks; the first is the data.
    pub fn blocks(&self) -> &[String] {
        &self.0.blocks
    }

    /// Total time T of the forward process.
    pub fn horizon(&self) -> f64 {
        self.0.horizon
    }

    /// The process in numbers.
    pub fn linear(&self) -> &Linear {
        &self.0.linear
    }
}

#[cfg(test)]
mod kernel_tests;
