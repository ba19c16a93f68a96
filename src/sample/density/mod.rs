//! Log densities of data and states under a score, along its probability flow.

mod divergence;
mod flow;
mod likelihood;
#[cfg(test)]
mod tests;

pub use divergence::Divergence;
pub(super) use flow::{Flow, shortest, units};
pub use likelihood::{Bound, LIKELIHOOD, Likelihood, LogDensity, log_density, log_likelihood};
