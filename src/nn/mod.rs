//! Networks: what they are to the rest of the program, each kind with its fused passes on the processor, and all of
//! them in Candle, whose automatic differentiation the passes are held against.
//!
//! All parameters of a network stand in one vector, in the order of their names; [`Network::named_parameters`] says
//! where each begins. So the optimiser, the moving average, a checkpoint and a gradient are plain loops over one slice.
//!
//! A kind of network is a file that implements [`Network`], and a line in the list in `kinds.rs`, by which saved models
//! are read.

mod activation;
mod candle;
pub mod graph;
pub mod kernel;
mod kinds;
mod mlp;
mod network;
mod weights;

pub use activation::Activation;
pub use candle::Candle;
pub use graph::Graph;
pub use kinds::restore;
pub use mlp::Mlp;
pub use network::{Chance, Inference, Network, Parameter, Samples, Shown, Training};
pub use weights::Weights;
