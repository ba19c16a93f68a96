//! Objectives and the training loop.

mod history;
mod judge;
mod objective;
mod options;
mod trainer;

pub use history::Record;
pub use judge::Gain;
pub use options::{Backend, Objective, Options, Schedule, Weighting};
pub use trainer::train;

#[cfg(test)]
mod tests;
