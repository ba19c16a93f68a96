//! Objectives, the training loop, and its checkpoints.

mod checkpoint;
mod classes;
mod classifier;
mod history;
mod objective;
mod options;
mod trainer;

pub use classifier::Classifier;
pub use history::Record;
pub use options::{Backend, Objective, Options, Schedule, Weighting};
pub use trainer::train;

#[cfg(test)]
mod tests;
