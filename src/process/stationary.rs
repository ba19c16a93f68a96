//! Which components of a linear process are driven, whether it settles, and where.

use nalgebra::{DMatrix, DVector};

use super::{Class, Linear, Process};
use crate::error::{Error, Result};
use crate::expr::Node;
use crate::gauss::{Fate, Square, fate, lyapunov};

/// The law that a process settles into, over the components of one copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Stationary {
    /// The mean, \[m\].
    pub mean: DVector<f64>,
    /// The covariance, [m, m].
    pub covariance: DMatrix<f64>,
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

    /// The law that the process settles into: A Σ + Σ Aᵀ + D = 0, A mean + b = 0.
    ///
    /// # Errors
    /// When the drift does not damp every direction; names the offending rate.
    pub fn stationary(&self) -> Result<Stationary> {
        let none = |problem: String| {
            Error::numerical(format!("there is no stationary law: {problem}"))
                .with_hint("a stationary law needs a drift whose eigenvalues all have negative real parts")
        };
        match fate(&self.drift) {
            Fate::Damped => {}
            Fate::Stays => {
                return Err(none(
                    "the drift has an eigenvalue with real part 0, the variance grows for ever".to_owned(),
                ));
            }
            Fate::Grows(rate) => {
                let time = 1.0 / rate;
                return Err(none(format!(
                    "the drift has an eigenvalue with real part {rate:.4}, a perturbation grows e-fold in {time:.4}"
                )));
            }
            Fate::Unknown => return Err(none("the eigenvalues of the drift could not be found".to_owned())),
        }
        let covariance = self
            .lyapunov()
            .ok_or_else(|| none("the equation for it is singular to working precision".to_owned()))?
            .rounded();
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

/// Given the datum and the components before it, a component that keeps less than this part of its variance has no noise of its
/// own: what the factor then holds is rounding.
const SINGULAR: f64 = 1e-20;

impl Process {
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

    /// The components that no noise reaches, directly or through the drift. Auxiliaries at rest are not counted where there
    /// is no kernel: they need no score, and fill up a block, as the second angle of a particle in the plane does.
    pub(super) fn unreached(&self) -> Vec<usize> {
        let mut reached = vec![false; self.components()];
        let mut front = self.driven().to_vec();
        while let Some(from) = front.pop() {
            reached[from] = true;
            front.extend((0..reached.len()).filter(|&to| !reached[to] && self.drives(from, to)));
        }
        (0..reached.len()).filter(|&i| !reached[i] && !self.is_at_rest(i)).collect()
    }

    fn is_at_rest(&self, component: usize) -> bool {
        let is_auxiliary = component >= self.data_components() && self.class() == Class::Nonlinear;
        is_auxiliary && self.definition().drift[component].as_constant() == Some(0.0)
    }

    /// Whether the component `from` occurs in the drift of `to`.
    fn drives(&self, from: usize, to: usize) -> bool {
        match self.constant() {
            Some(linear) => linear.drift[(to, from)] != 0.0,
            None => {
                let occurs = |node: &Node| matches!(node, Node::Component(index, _) if *index == from);
                self.definition().drift[to].find(occurs).is_some()
            }
        }
    }

    /// Whether a score exists and can be used: noise reaches every component, and not the same noise in the same way.
    ///
    /// # Errors
    /// Names the first component that stays without noise, or without noise of its own.
    pub fn require_noise(&self) -> Result<()> {
        if let Some(&component) = self.unreached().first() {
            let name = self.component_name(component);
            return Err(Error::process(self.name(), format!("{name} is never driven: no score can be learned"))
                .with_hint(format!("let noise reach {name} or a block that drives it, with a temperature above 0")));
        }
        if self.class() == Class::Nonlinear {
            return Ok(());
        }
        let kernel = self.kernel(self.horizon())?;
        let is_bound = |&i: &usize| kernel.cholesky[(i, i)].powi(2) < SINGULAR * kernel.covariance[(i, i)];
        let Some(component) = (0..self.components()).find(is_bound) else { return Ok(()) };
        let before = (0..component).map(|i| self.component_name(i)).collect::<Vec<_>>().join(" and ");
        let name = self.component_name(component);
        let problem = format!("given the data, {before} determines {name}: the law has no density and no score");
        Err(Error::process(self.name(), problem).with_hint(format!("give {name} a Wiener source of its own")))
    }
}
