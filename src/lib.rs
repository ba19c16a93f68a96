//! A scripting-language runtime for score-based generative diffusion with active, temporally correlated noise.

pub mod data;
pub mod error;
pub mod expr;
pub mod files;
pub mod gauss;
pub mod measure;
pub mod nn;
pub mod plot;
pub mod process;
pub mod rng;
pub mod sample;
pub mod score;
pub mod task;
pub mod tensor;
pub mod train;
pub mod vector;

pub mod lang;

pub use error::{Error, Result};
pub use lang::{Diagnostic, Runtime, Value};
