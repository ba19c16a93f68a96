//! What noise does to what data say.

mod hierarchy;

pub use hierarchy::{Accuracies, Estimate, Hierarchy, Model, hierarchy, orthogonal_accuracy};
