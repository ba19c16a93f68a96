//! The linear process in numbers.

use nalgebra::{DMatrix, DVector};

/// `dz = (A z + b) dt + G dW`, the same for every coordinate of the data, with numbers for all parameters.
///
/// A state z has one entry per block; block 0 is the data x. A datum of d coordinates carries d independent copies.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// A, [blocks, blocks], in 1/time.
    pub drift: DMatrix<f64>,
    /// b, \[blocks\].
    pub offset: DVector<f64>,
    /// G, [blocks, sources], one column per Wiener source.
    pub noise: DMatrix<f64>,
    /// Mean of the auxiliaries at t = 0, \[blocks\]; entry 0 is 0.
    pub start_mean: DVector<f64>,
    /// Standard deviation of the (independent) auxiliaries at t = 0, \[blocks\]; entry 0 is 0.
    pub start_std: DVector<f64>,
}
