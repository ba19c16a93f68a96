//! The law that noised data would have if they were Gaussian.

use std::sync::Arc;

use nalgebra::DMatrix;

use super::{Kernel, Process};
use crate::data::Moments;
use crate::error::Result;

/// Gaussian data of known moments under a linear process, copy by copy along the axes of the data. Copies of one
/// variance share a law: they are of one *kind*.
///
/// An orthogonal turn of the coordinates commutes with independent copies of one process, so that along the axes the
/// copies stay independent, each with a variance of its own. Where the process couples coordinates, there is one copy,
/// and the data's covariance is over its data components.
#[derive(Debug, Clone)]
pub struct Noised {
    /// F of each kind, the covariance of its data components being F Fᵀ, [k, k].
    factors: Vec<DMatrix<f64>>,
    kinds: Arc<[usize]>,
}

impl Noised {
    /// Data of these `moments` under `process`.
    ///
    /// # Errors
    /// When the process couples another number of coordinates.
    pub fn new(process: &Process, moments: &Moments) -> Result<Self> {
        process.copies(moments.mean.len())?;
        if process.coordinates().is_some() {
            return Ok(Self { factors: vec![moments.factor()], kinds: [0].into() });
        }
        let mut known: Vec<f64> = Vec::new();
        let kinds = moments.variances.iter().map(|variance| {
            known.iter().position(|other| other == variance).unwrap_or_else(|| {
                known.push(*variance);
                known.len() - 1
            })
        });
        let kinds: Arc<[usize]> = kinds.collect();
        let factors = known.iter().map(|variance| DMatrix::from_element(1, 1, variance.sqrt())).collect();
        Ok(Self { factors, kinds })
    }

    /// The same with at most `most` kinds: variances within a factor of each other are one, their geometric mean.
    #[must_use]
    pub fn coarse(self, most: usize) -> Self {
        if self.factors.len() <= most {
            return self;
        }
        let deviations = || self.factors.iter().map(|factor| factor[(0, 0)]).filter(|deviation| *deviation > 0.0);
        let (low, high) = (deviations().fold(f64::INFINITY, f64::min), deviations().fold(0.0, f64::max));
        // One class is left for copies without variance.
        let classes = (most - 1) as f64;
        let class = |deviation: f64| match deviation {
            0.0 => most - 1,
            _ => (((deviation / low).ln() / (high / low).ln() * classes) as usize).min(most - 2),
        };
        let middle = |class: usize| match class {
            class if class == most - 1 => 0.0,
            class => low * (high / low).powf((class as f64 + 0.5) / classes),
        };
        let factors = (0..most).map(|class| DMatrix::from_element(1, 1, middle(class))).collect();
        let kinds = self.kinds.iter().map(|&kind| class(self.factors[kind][(0, 0)])).collect();
        Self { factors, kinds }
    }

    /// The kind of each copy, \[copies\].
    #[must_use]
    pub fn kinds(&self) -> &Arc<[usize]> {
        &self.kinds
    }

    /// F of each kind, the covariance of its data components being F Fᵀ, [k, k].
    #[must_use]
    pub fn spreads(&self) -> &[DMatrix<f64>] {
        &self.factors
    }

    /// Φ_x F of each kind: what the data contribute to the factor of the noised state, [m, k].
    #[must_use]
    pub fn carried(&self, kernel: &Kernel) -> Vec<DMatrix<f64>> {
        self.factors.iter().map(|factor| kernel.response() * factor).collect()
    }

    /// The law of the noised state under `kernel`, of each kind.
    #[must_use]
    pub fn laws(&self, kernel: &Kernel) -> Vec<Kernel> {
        self.factors.iter().map(|factor| kernel.with_data_factor(factor)).collect()
    }

    /// The factor over components of each kind, [m, m].
    #[must_use]
    pub fn factors(&self, kernel: &Kernel) -> Vec<DMatrix<f64>> {
        self.laws(kernel).into_iter().map(|law| law.cholesky).collect()
    }
}
