//! The Gaussian process that is followed exactly, what the score has beyond it being left to steps.

use std::sync::Arc;

use nalgebra::{Cholesky, DMatrix, DVector};

use crate::data::Moments;
use crate::error::{Error, Result};
use crate::gauss::{precision, triangularize};
use crate::process::{Kernel, Noised, Process};
use crate::sample::problem::Problem;
use crate::score::Coordinates;

/// Most variances that coordinates are told apart by: each has coefficients of its own in every step. Beyond, what the
/// reference has too little or too much of is left to the score.
const MOST_KINDS: usize = 64;

/// The Gaussian law of the noised state that is followed exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// That of Gaussian data with the mean and covariance of the true ones: what is left to the steps is what is
    /// not Gaussian, so that Gaussian data are sampled exactly with any steps.
    Data,
    /// The stationary law of the process; that of critically damped Langevin dynamics makes the SSCS of Dockhorn,
    /// Vahdat, Kreis, arXiv 2112.07068.
    Stationary,
}

/// The Gaussian law of the copies at one time.
pub(super) struct Law {
    pub(super) mean: DVector<f64>,
    /// Of each kind of copy.
    pub(super) factors: Vec<DMatrix<f64>>,
}

/// A Gaussian process, in the coordinates of the score.
pub(super) struct Followed<'a> {
    pub(super) process: &'a Process,
    /// The stationary law, where that is followed.
    stationary: Option<DMatrix<f64>>,
    /// The mean of the stationary law, or of the data in each data component, where the coordinates leave it.
    mean: Option<Vec<f64>>,
    noised: Noised,
}

impl<'a> Followed<'a> {
    pub(super) fn new(problem: &Problem<'a>, reference: Reference) -> Result<Self> {
        let (process, moments) = (problem.process(), problem.score.moments());
        let is_own = problem.score.coordinates() == Coordinates::Own;
        // Any mean makes an exact step; one for all copies, and one variance, make one set of coefficients.
        let average = |copies: &[f64]| copies.iter().sum::<f64>() / copies.len() as f64;
        let means = || moments.mean.chunks_exact(problem.layout.copies).map(average).collect();
        let noised = match is_own || reference == Reference::Stationary {
            true => Noised::new(process, &Moments::isotropic(moments.mean.clone(), moments.variance()))?,
            false => Noised::new(process, moments)?.coarse(MOST_KINDS),
        };
        if reference == Reference::Data {
            return Ok(Self { process, stationary: None, mean: is_own.then(means), noised });
        }
        let law = process.stationary()?;
        let factor = Cholesky::new(law.covariance).ok_or_else(|| {
            Error::process(process.name(), "its stationary law is singular: noise does not reach every block")
                .with_hint("take the reference \"data\"")
        })?;
        let mean = is_own.then(|| law.mean.as_slice().to_vec());
        Ok(Self { process, stationary: Some(factor.unpack()), mean, noised })
    }

    /// The law at `time`.
    pub(super) fn at(&self, time: f64) -> Result<Law> {
        Ok(self.law(&self.process.kernel(time)?))
    }

    /// The law at the time of `kernel`.
    pub(super) fn law(&self, kernel: &Kernel) -> Law {
        let size = self.process.components();
        if let Some(factor) = &self.stationary {
            let mean = self.mean.clone().map_or_else(|| DVector::zeros(size), DVector::from_vec);
            return Law { mean, factors: vec![factor.clone()] };
        }
        let mean = self.mean.as_ref().map_or_else(|| DVector::zeros(size), |mean| kernel.mean(mean).into());
        Law { mean, factors: self.noised.factors(kernel) }
    }

    /// The kind of each copy.
    pub(super) fn kinds(&self) -> &Arc<[usize]> {
        self.noised.kinds()
    }

    /// The law of z at the time `to` given z at the later time `from`, of each kind of copy: what z − mean is
    /// multiplied by, and the factor of what is left to chance.
    pub(super) fn backward(&self, from: f64, to: f64) -> Result<Vec<(DMatrix<f64>, DMatrix<f64>)>> {
        let forward = self.process.transition(to, from)?;
        let size = forward.offset.len();
        let given = |factor: &DMatrix<f64>| {
            // The factor of the joint law of (z_from, z_to), of which the lower rows give the law of z_to given z_from.
            let mut joint = DMatrix::zeros(2 * size, 2 * size);
            joint.view_mut((0, 0), (size, size)).copy_from(&(&forward.transfer * factor));
            joint.view_mut((0, size), (size, size)).copy_from(&forward.cholesky);
            joint.view_mut((size, 0), (size, size)).copy_from(factor);
            let joint = triangularize(joint);
            let block = |row: usize, column: usize| joint.view((row * size, column * size), (size, size)).into_owned();
            (block(1, 0) * block(0, 0).transpose() * precision(&block(0, 0)), block(1, 1))
        };
        Ok(self.at(to)?.factors.iter().map(given).collect())
    }
}
