//! Log densities of data and states under a score, along its probability flow.

mod densities;
mod divergence;
mod flow;
mod horizon;
mod likelihood;
mod options;
#[cfg(test)]
mod tests;

pub use densities::LogDensity;
pub use divergence::Divergence;
pub(super) use flow::{Flow, shortest, units};
pub use likelihood::{log_density, log_likelihood};
pub use options::{Bound, LIKELIHOOD, Likelihood};
