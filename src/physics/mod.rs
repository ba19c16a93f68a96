//! What noise does to what data say: how much a noised state tells of the datum, of its class and of its driving noise,
//! and when classes part.

mod classes;
mod entropy;
mod fisher;
mod modes;
mod noise;
mod observed;
mod speciation;

pub use classes::{bayes_accuracy, class_information, class_parts, class_recovery, clone_agreement};
pub use entropy::{ENTROPY, EntropyProduction, entropy_production};
pub use fisher::{fisher, fisher_decay, fisher_marginal};
pub use modes::{Mode, mode_decay};
pub use noise::{correlation, noise_explained};
use observed::Observed;
pub use speciation::{speciation_estimate, speciation_time};

use crate::error::{Error, Result};
use crate::process::Process;

/// Refuses a process whose law of the state is not Gaussian.
fn require_gaussian(process: &Process) -> Result<()> {
    if process.is_periodic() {
        let problem = format!("its angles `{}` have a wrapped law, which this is not defined for", process.blocks()[0]);
        return Err(Error::process(process.name(), problem).with_hint("leave out `periodic` where turns do not matter"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
