//! Samplers: the reverse process from prior to data, the forward process, the kernel applied; likelihood.
//!
//! Samples go through all steps in blocks of fixed size that never wait for each other. Every random number is keyed by
//! seed, purpose, step and block, so the bits of a result do not depend on the number of threads.

mod adaptive;
mod at;
mod combination;
mod convergence;
mod density;
mod expected;
mod fault;
mod field;
mod forward;
mod grid;
mod integrator;
mod keep;
mod layout;
mod march;
mod method;
mod noise;
mod normalised;
mod options;
mod output;
mod parts;
mod plan;
mod problem;
mod reverse;
mod shuffle;
mod start;
mod state;
mod tweedie;
mod update;

pub use at::{denoise, score_at, states_of};
pub use convergence::{ACCURACY, Accuracy, convergence};
pub use density::{Bound, Divergence, LIKELIHOOD, Likelihood, LogDensity, log_density, log_likelihood};
pub use forward::{FORWARD, Forward, perturb, simulate};
pub use grid::{GRID, Grid};
pub use keep::{KEEP, Keep};
pub use method::{
    About, EulerMaruyama, Exponential, Heun, METHODS, Method, Needs, Nodes, PredictorCorrector, Reference, RungeKutta,
    Splitting, TITLES, about,
};
pub use normalised::{perturb_for, simulate_for};
pub use options::{FROM, LastStep, Options, REVERSE, SAMPLE, STEPS, prior};
pub use parts::{Folder, PARTS};
pub use reverse::{reverse, sample, sample_in_parts};
pub use state::{Run, State};

#[cfg(test)]
mod nonlinear_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod ranks_tests;
#[cfg(test)]
mod tests;
