//! What a score is: the gradient of the log density of a noised state with respect to its driven components.
//!
//! Samples are evaluated in blocks of `count`. There the layout is component-major: entry (component i, copy c, sample
//! n) of a state stands at `(i·copies + c)·count + n`, so that every loop over samples is contiguous.

mod basis;
mod chart;
mod checkpoint;
mod circle;
mod exact;
mod learned;
mod scales;

pub(crate) use basis::Rounded;
pub use basis::{
    Balance, Balancing, Basis, Frame, Gaussian, KernelBasis, Measured, Perturbation, SimulatedBasis, Simulation,
    Subject,
};
pub use chart::Chart;
pub(crate) use chart::turned;
pub use circle::unlike_angles;
pub use exact::Exact;
pub use learned::Learned;
pub use scales::{blurred, remainder, uncorrelated, unsettled, warnings};

use crate::data::{Detail, Moments, Units};
use crate::error::Result;
use crate::process::{Class, Prior, PriorLaw, Process};
use crate::task::Task;

/// Which coordinates a score sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinates {
    /// States as they are.
    Own,
    /// What they differ by from the mean of the noised data, along the axes of the data: see [`Chart`].
    Principal,
}

/// ∇ log p_t(z) with respect to the driven components of a process, for one data distribution.
pub trait Score: Send + Sync {
    /// The forward process.
    fn process(&self) -> &Process;

    /// Shape of one datum; d is its product.
    fn shape(&self) -> &[usize];

    /// Mean and covariance of the data, normalised where they are, from which the prior is matched.
    fn moments(&self) -> &Moments;

    /// What is finest in the data, a standard deviation, as far as it is known.
    fn finest(&self) -> Option<f64> {
        self.moments().narrowest()
    }

    /// What is finest in the data, each beside how wide all of them are in the same direction, as far as it is known.
    fn details(&self) -> Vec<Detail> {
        let narrowest = self.moments().narrowest().map(|deviation| deviation * deviation);
        narrowest.map(|variance| Detail { variance, beside: variance }).into_iter().collect()
    }

    /// Whether the data are Gaussian, so that the moments say all of them.
    fn is_gaussian(&self) -> bool {
        false
    }

    /// Whether the data have a density: finite data, and data that do not vary along some direction, have none before
    /// they are noised.
    fn has_density(&self) -> bool {
        true
    }

    /// Whether it is of all of the data that the moments are of, not of one class.
    fn is_of_all(&self) -> bool {
        true
    }

    /// The units of its data, where these are normalised.
    fn units(&self) -> Option<&Units> {
        None
    }

    /// The coordinates in which it sees states, and gives its answer.
    fn coordinates(&self) -> Coordinates {
        match self.process().class() {
            Class::Nonlinear => Coordinates::Own,
            _ => Coordinates::Principal,
        }
    }

    /// The law from which the reverse process starts unless another is asked for.
    fn usual_prior(&self) -> PriorLaw {
        PriorLaw::Matched
    }

    /// The law `law` at the horizon, in its coordinates.
    ///
    /// # Errors
    /// When it does not exist for this process.
    fn prior(&self, law: PriorLaw) -> Result<Prior> {
        Prior::new(self.process(), self.moments(), law)
    }

    /// The least and the largest value that each component and copy may take on the way, [m·copies], where the score is
    /// not known beyond.
    fn walls(&self) -> Option<Vec<[f32; 2]>> {
        None
    }

    /// Computes in double precision all that depends on time only, once for all `times` (each above 0).
    ///
    /// # Errors
    /// Where the kernel has no Cholesky factor at one of the times, or interrupted.
    fn prepare(&self, times: &[f64], task: &Task) -> Result<Box<dyn Prepared + '_>>;
}

/// A score prepared for a list of times; shared by threads.
pub trait Prepared: Send + Sync {
    /// A thread's own evaluator, with buffers for up to `width` samples, allocated here and never again.
    fn evaluator(&self, width: usize) -> Box<dyn Evaluator + '_>;

    /// A thread's own means of differentiating the score of up to `width` samples; none of a score that has other than
    /// linear functions of the state besides a network, as those by simulated paths have.
    fn differentiator(&self, _width: usize) -> Option<Box<dyn Differentiator + '_>> {
        None
    }
}

/// Evaluates a prepared score over blocks of samples without allocating.
pub trait Evaluator {
    /// Writes the score at the time number `step`, in the coordinates of [`Score::coordinates`].
    ///
    /// `state` is [components·copies, count] and `score` [driven·copies, count], both component-major (see the module's
    /// head); the driven components come in the order of `Process::driven`.
    fn evaluate(&mut self, step: usize, count: usize, state: &[f32], score: &mut [f32]);
}

/// Differentiates a prepared score over blocks of samples without allocating.
pub trait Differentiator {
    /// Writes the gradient by the driven components of Σ weight · score, weights held fixed: the transpose of the
    /// score's derivative times `weight`.
    ///
    /// `weight` and `gradient` are as a score, [driven·copies, count], all in the coordinates of
    /// [`Score::coordinates`].
    fn gradient(&mut self, step: usize, count: usize, state: &[f32], weight: &[f32], gradient: &mut [f32]);
}
