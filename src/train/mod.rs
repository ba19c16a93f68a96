//! Objectives and the training loop.

mod batch;
mod feed;
mod history;
mod options;
mod paths;
mod table;
mod trainer;

pub use history::Record;
pub use options::{Backend, Objective, Options, Schedule, Weighting};
pub use trainer::train;

#[cfg(test)]
mod tests;
