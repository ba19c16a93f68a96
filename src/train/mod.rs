//! Objectives, the training loop, and its checkpoints.

mod by_time;
mod checkpoint;
mod classes;
mod classifier;
mod history;
mod log;
mod objective;
mod options;
mod trainer;

pub use classifier::Classifier;
pub use history::Record;
pub use log::Line;
pub use options::{Objective, Options, Schedule, Weighting};
pub use trainer::train;

#[cfg(test)]
mod tests;
