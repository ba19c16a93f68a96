//! Objectives and the training loop.

mod batch;
mod options;
mod table;
mod trainer;

pub use options::{Backend, Options, Schedule, Weighting};
pub use trainer::{Record, train};

#[cfg(test)]
mod tests;
