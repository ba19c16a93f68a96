//! What noise does to what data say: how much a noised state tells of the datum, of its class and of its driving noise,
//! and when classes part.

mod classes;
mod fisher;
mod modes;
mod noise;
mod observed;
mod speciation;

pub use classes::{bayes_accuracy, class_information};
pub use fisher::{fisher, fisher_decay, fisher_marginal};
pub use modes::{Mode, mode_decay};
pub use noise::{correlation, noise_explained};
use observed::Observed;
pub use speciation::{speciation_estimate, speciation_time};

use crate::error::{Error, Result};
use crate::process::Process;

/// A mean over draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

impl Estimate {
    /// The mean of `values`, two or more that are independent.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let value = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|one| (one - value).powi(2)).sum();
        Self { value, error: (squares / (count - 1.0) / count).sqrt() }
    }
}

/// Refuses a process whose law of the state is not Gaussian.
fn require_gaussian(process: &Process) -> Result<()> {
    if process.is_periodic() {
        let problem = format!("its angles `{}` have a wrapped law, which this is not defined for", process.blocks()[0]);
        return Err(Error::process(process.name(), problem).with_hint("leave out `periodic` where turns do not matter"));
    }
    Ok(())
}
