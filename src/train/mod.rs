//! Objectives and the training loop.

mod batch;
mod history;
mod options;
mod table;
mod trainer;

pub use history::Record;
pub use options::{Backend, Options, Schedule, Weighting};
pub use trainer::train;

#[cfg(test)]
mod tests;
