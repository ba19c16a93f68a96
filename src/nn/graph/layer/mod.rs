//! The layers of a network.
//!
//! A layer is a file that says all of itself: its options, which shapes it takes and makes, its parameters, what it
//! computes in Candle, which defines it, and its passes on the processor. The list of all is in `kinds.rs`.
//!
//! On the processor a value is [samples, pixels, channels]: what is done at each pixel is then a product of matrices
//! with pixels of all samples as rows, and a convolution is one too, whose rows are windows that overlap.

mod activation;
mod affine;
mod attention;
mod combine;
mod concatenate;
mod convolution;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod group_norm;
mod kinds;
mod recipe;
mod resample;
mod source;
mod taps;
mod winograd;

pub use activation::Activate;
pub use affine::Affine;
pub use attention::{Attend, attention};
pub use combine::{Combination, Combine};
pub use concatenate::Concatenate;
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use group_norm::GroupNorm;
pub(super) use kinds::restore;
pub(super) use recipe::{First, Pass, Values};
pub(super) use recipe::{Layer, Recipe};
pub use resample::{Direction, Filter, Resample};
pub use source::Source;
pub use taps::{Convolution, Padding};
