//! Kernels and transitions of a linear process, prepared once for many times.

use nalgebra::DVector;

use super::{Kernel, Linear, Propagator, Transition};
use crate::error::{Error, Result};

/// What gives the kernel at any time and the transition between any two.
#[derive(Debug)]
pub(super) enum Kernels {
    Constant { whole: Propagator, noise: Propagator },
}

impl Kernels {
    pub(super) fn constant(linear: &Linear) -> Result<Self> {
        let size = linear.size();
        let still = DVector::zeros(size);
        let bare = Linear { start_mean: still.clone(), start_std: still, ..linear.clone() };
        Ok(Self::Constant { whole: Propagator::new(linear)?, noise: Propagator::new(&bare)? })
    }

    /// The kernel at `time`, of `data` components that are data.
    pub(super) fn kernel(&self, time: f64, data: usize) -> Result<Kernel> {
        match self {
            Self::Constant { whole, .. } => Ok(Kernel { data, ..whole.kernel(time)? }),
        }
    }

    /// The transition from the time `from` to `to`.
    pub(super) fn transition(&self, from: f64, to: f64) -> Result<Transition> {
        if !(from >= 0.0 && to >= from && to.is_finite()) {
            return Err(Error::argument("t", format!("must rise from a time of 0 or above, got {from} to {to}")));
        }
        match self {
            Self::Constant { noise, .. } => {
                let Kernel { transfer, offset, covariance, cholesky, .. } = noise.kernel(to - from)?;
                Ok(Transition { transfer, offset, covariance, cholesky })
            }
        }
    }
}
