//! From one time to another.

use nalgebra::{DMatrix, DVector};

/// z_t | z_s ~ N(Φ z_s + c, Q) for s ≤ t, over the components of one copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// Φ(t, s), [m, m].
    pub transfer: DMatrix<f64>,
    /// c, \[m\].
    pub offset: DVector<f64>,
    /// Q, [m, m].
    pub covariance: DMatrix<f64>,
    /// The lower-triangular L with Q = L Lᵀ and a diagonal ≥ 0, [m, m].
    pub cholesky: DMatrix<f64>,
}
