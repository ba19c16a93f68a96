//! Fused forward, backward and optimiser passes of a multilayer perceptron on the processor.
//!
//! Written out by hand where a general framework would chain small operations: between two matrix products stands one
//! pass over memory, all buffers are allocated once, and a batch is cut into chunks that depend on nothing but the
//! batch. Samples come in and go out component-major, [features, count], as the rest of the program keeps them; between
//! layers the layout is [count, width], in which both products of the backward pass read memory in order.

mod elementwise;
mod inference;
mod optimiser;
mod packed;
mod product;
mod training;

pub use inference::Inference;
pub use optimiser::{Adam, Moments, STRIP, reduce};
pub use packed::Packed;
pub use training::{Chunk, Samples};
