//! From one time to another.

use nalgebra::{DMatrix, DVector};

use crate::error::{Error, Result};

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

impl Transition {
    /// Itself, if all of it is finite at `time`.
    pub(super) fn finite(self, time: f64) -> Result<Self> {
        if self.transfer.iter().chain(&self.offset).chain(&self.covariance).all(|entry| entry.is_finite()) {
            return Ok(self);
        }
        Err(Error::numerical(format!("the kernel at t = {time} is beyond the range of floating point"))
            .with_hint("the process grows without bound: choose a shorter horizon or a drift that damps"))
    }
}
