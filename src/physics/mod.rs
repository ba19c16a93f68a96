//! What noise does to what data say: how much a noised state tells of the datum, of its class and of its driving noise,
//! and when classes part.

mod bound;
mod classes;
mod denoising;
mod draws;
mod entropy;
mod fisher;
mod hierarchy;
mod learn;
mod modes;
mod noise;
mod observed;
mod speciation;

pub use bound::Excess;
pub use classes::Classes;
pub use draws::Draws;
pub use entropy::{ENTROPY, EntropyProduction, entropy_production};
pub use fisher::{fisher, fisher_decay, fisher_marginal};
pub use hierarchy::{Accuracies, Hierarchy, Model, hierarchy, orthogonal_accuracy};
pub use learn::{LEARN, Learned, learn};
pub use modes::{Mode, mode_decay};
pub use noise::{correlation, noise_explained};
pub use speciation::{speciation_estimate, speciation_time};

#[cfg(test)]
mod tests;
