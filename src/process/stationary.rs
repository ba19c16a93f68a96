//! Whether a linear process settles, and where.

use nalgebra::{DMatrix, DVector};

use super::{Linear, Process};
use crate::error::{Error, Result};
use crate::gauss::{Fate, Square, fate, lyapunov};

/// What a drift needs for a stationary law.
pub(super) const DAMPED: &str = "a stationary law needs a drift whose eigenvalues all have negative real parts";

/// The law that a process settles into, over the components of one copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Stationary {
    /// The mean, \[m\].
    pub mean: DVector<f64>,
    /// The covariance, [m, m].
    pub covariance: DMatrix<f64>,
}

impl Linear {
    /// The law that the process settles into: A Σ + Σ Aᵀ + D = 0, A mean + b = 0.
    ///
    /// # Errors
    /// When the drift does not damp every direction; names the offending rate.
    pub fn stationary(&self) -> Result<Stationary> {
        self.settles().map_err(|why| Error::numerical(format!("there is no stationary law: {why}")).with_hint(DAMPED))
    }

    /// The same; without one, why.
    pub(super) fn settles(&self) -> std::result::Result<Stationary, String> {
        match fate(&self.drift) {
            Fate::Damped => {}
            Fate::Stays => {
                return Err("the drift has an eigenvalue with real part 0, or too near to 0 to be told from it: the variance grows for ever".to_owned());
            }
            Fate::Grows(rate) => {
                let time = 1.0 / rate;
                return Err(format!(
                    "the drift has an eigenvalue with real part {rate:.4}, a perturbation grows e-fold in {time:.4}"
                ));
            }
            Fate::Unknown => return Err("the eigenvalues of the drift could not be found".to_owned()),
        }
        let noise = || self.noise.iter().filter(|amplitude| **amplitude != 0.0);
        if let Some(amplitude) = noise().find(|amplitude| !(*amplitude * *amplitude).is_normal()) {
            return Err(format!("the square of a noise amplitude, {amplitude:.3e}, is beyond double precision"));
        }
        let covariance = self.lyapunov().ok_or("the equation for it is singular to working precision")?.rounded();
        let mean = self.drift.clone().lu().solve(&-&self.offset).unwrap_or_else(|| DVector::zeros(self.size()));
        Ok(Stationary { mean, covariance })
    }

    /// The stationary covariance and its factor, if the process settles and all components are reached by noise.
    pub(super) fn stationary_law(&self) -> Option<(Square, Square)> {
        if fate(&self.drift) != Fate::Damped {
            return None;
        }
        let covariance = self.lyapunov()?;
        let factor = covariance.cholesky(f64::EPSILON)?;
        Some((covariance, factor))
    }

    fn lyapunov(&self) -> Option<Square> {
        lyapunov(&self.drift, &Square::exact(&self.diffusion()))
    }
}

impl Process {
    /// That the law that the process settles into has no density, where one is needed to begin from.
    pub(crate) fn without_stationary_density(&self) -> Error {
        Error::process(self.name(), "its stationary law is singular: noise does not reach every block")
            .with_hint("let noise reach every block, or use the prior \"matched\"")
    }

    /// The law that the process settles into.
    ///
    /// # Errors
    /// When it is not linear with constant coefficients, and as [`Linear::stationary`].
    pub fn stationary(&self) -> Result<Stationary> {
        let settled = self.constant().or_else(|| self.rescaled().map(|(_, linear)| linear));
        match settled {
            Some(linear) => linear.stationary(),
            None => {
                let problem = format!("there is no stationary law in closed form: {}", self.reasons().join(", "));
                Err(Error::process(self.name(), problem).with_hint("use the prior \"matched\""))
            }
        }
    }
}
