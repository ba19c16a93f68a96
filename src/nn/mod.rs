//! Networks: what they are, their first weights, the fused kernels that train them, and the same
//! networks in Candle, whose automatic differentiation the kernels are held against.
//!
//! All parameters of a network stand in one vector, in the order of their names; [`Mlp::layers`] says where each begins.
//! So the optimiser, the moving average, a checkpoint and a gradient are plain loops over one slice.

mod activation;
pub mod kernel;
mod mlp;
pub mod reference;
mod weights;

pub use activation::Activation;
pub use mlp::{Layer, Mlp};
pub use weights::Weights;
