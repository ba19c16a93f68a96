//! Log densities of data and states under a score, along its probability flow.

mod divergence;
mod flow;
mod horizon;
mod likelihood;
mod options;
#[cfg(test)]
mod tests;

pub use divergence::Divergence;
pub(super) use flow::{Flow, shortest, units};
pub use likelihood::{LogDensity, log_density, log_likelihood};
pub use options::{Bound, LIKELIHOOD, Likelihood};
