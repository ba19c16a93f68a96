//! The perturbation kernel: the law of the noised state given the datum.

mod certificate;
mod integrated;
mod kernels;
mod mesh;
mod monomial;
mod passage;
mod poles;
mod propagator;
mod quadrature;
mod quick;
mod rescaled;
mod series;
mod stretch;
mod transition;

use nalgebra::{DMatrix, DVector};

pub use certificate::{Certificate, Residual};
pub(super) use kernels::Kernels;
pub(super) use poles::Integrand;
pub use propagator::Propagator;
pub(super) use quick::{Quick, quick};
pub(super) use rescaled::Rescaled;
pub use transition::Transition;

use crate::error::{Error, Result};
use crate::gauss::{conditional_std, reorder, triangularize};

/// z_t | x_0 ~ N(Φ(t)·(x_0, 0, ...) + c, Σ) for each coordinate of the datum, the auxiliaries marginalised over their
/// law at t = 0 ("hybrid score matching": Dockhorn, Vahdat, Kreis, arXiv 2112.07068).
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    /// Time t.
    pub time: f64,
    /// Number k of components that are data: 1, or the number of coupled coordinates.
    pub data: usize,
    /// Φ, [m, m].
    pub transfer: DMatrix<f64>,
    /// c: what the mean has besides Φ(x_0, 0, ...), from the constant part of the drift and the means of the
    /// auxiliaries at t = 0, \[m\].
    pub offset: DVector<f64>,
    /// Σ, [m, m].
    pub covariance: DMatrix<f64>,
    /// The lower-triangular L with Σ = L Lᵀ and a diagonal ≥ 0, components in declared order, [m, m].
    pub cholesky: DMatrix<f64>,
}

impl Kernel {
    /// The response Φ_x of all components to the datum, [m, k].
    #[must_use]
    pub fn response(&self) -> DMatrix<f64> {
        self.transfer.columns(0, self.data).into_owned()
    }

    /// Itself, if its law has a density.
    ///
    /// # Errors
    /// When a component has no noise of its own at this time.
    pub fn with_density(self) -> Result<Self> {
        if self.cholesky.diagonal().iter().all(|&pivot| pivot > 0.0) {
            return Ok(self);
        }
        Err(Error::numerical(format!("the law of the noised state at t = {} is singular: it has no score", self.time))
            .with_hint("ask for times above 0, and let noise reach every block"))
    }

    /// The mean of z_t for a datum, or data of mean, `x0` of d coordinates: [m·copies], row (component i, copy c) at
    /// i·copies + c, where copies = d/k.
    #[must_use]
    pub fn mean(&self, x0: &[f64]) -> Vec<f64> {
        let copies = x0.len() / self.data;
        let row = |i: usize, c: usize| {
            let carried: f64 = (0..self.data).map(|j| self.transfer[(i, j)] * x0[j * copies + c]).sum();
            carried + self.offset[i]
        };
        (0..self.offset.len()).flat_map(|i| (0..copies).map(move |c| row(i, c))).collect()
    }

    /// The law of z_t when x_0 has `variance` about its mean: Σ + Φ_x s² Φ_xᵀ, its factor formed without subtraction.
    #[must_use]
    pub fn with_data_variance(&self, variance: f64) -> Self {
        self.with_data_factor(&DMatrix::from_diagonal_element(self.data, self.data, variance.sqrt()))
    }

    /// The law of z_t when x_0 has the covariance S = F Fᵀ about its mean, with `factor` F of shape [k, any]:
    /// Σ + Φ_x S Φ_xᵀ.
    #[must_use]
    pub fn with_data_factor(&self, factor: &DMatrix<f64>) -> Self {
        let carried = self.response() * factor;
        let (size, width) = carried.shape();
        let columns = DMatrix::from_fn(size, width + size, |i, j| match j.checked_sub(width) {
            None => carried[(i, j)],
            Some(j) => self.cholesky[(i, j)],
        });
        Self {
            covariance: &self.covariance + &carried * carried.transpose(),
            cholesky: triangularize(columns),
            ..self.clone()
        }
    }

    /// The standard deviation ℓ of each component given all the others, \[m\]; 0 where the others determine it.
    ///
    /// The unit in which the score of that component is measured: a whitened target is ℓ times the score.
    #[must_use]
    pub fn conditional_std(&self) -> DVector<f64> {
        conditional_std(&self.cholesky)
    }

    /// The lower-triangular factor with the components in another `order` (`order[i]` is the declared place of
    /// component i).
    ///
    /// With the driven components last (see [`Process::undriven_first`](crate::process::Process::undriven_first)) and
    /// z = mean + L ε, the driven part of ∇ log p(z_t | x_0) is −L_dd^{−ᵀ} ε_d.
    #[must_use]
    pub fn cholesky_in(&self, order: &[usize]) -> DMatrix<f64> {
        reorder(&self.cholesky, order)
    }
}

impl From<Kernel> for Transition {
    fn from(kernel: Kernel) -> Self {
        let Kernel { transfer, offset, covariance, cholesky, .. } = kernel;
        Self { transfer, offset, covariance, cholesky }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod varying_tests;
