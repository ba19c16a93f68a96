//! The linear process in numbers.

use nalgebra::{DMatrix, DVector};

/// `dz = (A z + b) dt + G dW` over the m components of one copy of the process, with numbers for all parameters.
///
/// The data come first among the components: component 0, or where coordinates are coupled as many as there are
/// coordinates (see [`Definition`](super::Definition)). Without coupling a datum of d coordinates carries d copies.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// A, [m, m], in 1/time.
    pub drift: DMatrix<f64>,
    /// b, \[m\].
    pub offset: DVector<f64>,
    /// G, [m, sources], one column per Wiener source.
    pub noise: DMatrix<f64>,
    /// Mean of the auxiliaries at t = 0, \[m\]; 0 for the data.
    pub start_mean: DVector<f64>,
    /// Lower-triangular factor of the covariance of the auxiliaries at t = 0, [m, m]; 0 for the data.
    pub start_factor: DMatrix<f64>,
}

impl Linear {
    /// Number m of components.
    #[must_use]
    pub fn size(&self) -> usize {
        self.drift.nrows()
    }

    /// D = G Gᵀ, [m, m].
    #[must_use]
    pub fn diffusion(&self) -> DMatrix<f64> {
        &self.noise * self.noise.transpose()
    }
}
