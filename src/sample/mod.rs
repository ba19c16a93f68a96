//! Samplers: the reverse process from prior to data, the forward process, the kernel applied; likelihood.
//!
//! Samples go through all steps in blocks of fixed size that never wait for each other. Every random number is keyed by
//! seed, purpose, step and block, so the bits of a result do not depend on the number of threads.

mod adaptive;
mod affine;
mod convergence;
mod divergence;
mod euler;
mod exponential;
mod field;
mod flow;
mod forward;
mod grid;
mod heun;
mod integrator;
mod likelihood;
mod march;
mod meter;
mod noise;
mod options;
mod output;
mod reverse;
mod shuffle;
mod splitting;
mod stability;
mod start;
mod state;

pub use convergence::{Accuracy, convergence};
pub use divergence::Divergence;
pub use forward::{Forward, perturb, simulate};
pub use grid::Grid;
pub use likelihood::{Bound, Likelihood, LogDensity, log_density, log_likelihood};
pub use options::{Keep, LastStep, Method, Options, Reference};
pub use reverse::{reverse, sample};
pub use state::{Run, State};

#[cfg(test)]
mod likelihood_tests;
#[cfg(test)]
mod nonlinear_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod tests;
