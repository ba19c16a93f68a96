//! What is known of data without drawing from them.

/// Mean and variance of a data distribution, as the mixed score and the prior use them.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Mean of each coordinate, \[d\].
    pub mean: Vec<f64>,
    /// Variance averaged over the coordinates.
    pub variance: f64,
}
