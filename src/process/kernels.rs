//! Kernels and transitions of a linear process, prepared once for many times.

use nalgebra::DVector;

use super::integrated::Integrated;
use super::rescaled::Clock;
use super::{Kernel, Linear, Propagator, Transition};
use crate::error::{Error, Result};

/// What gives the kernel at any time and the transition between any two.
#[derive(Debug)]
pub(super) enum Kernels {
    Constant(Constant),
    /// Those of constant coefficients at the rescaled time.
    Rescaled(Constant, Clock),
    Integrated(Integrated),
}

#[derive(Debug)]
pub(super) struct Constant {
    whole: Propagator,
    /// The same from a known state.
    noise: Propagator,
}

impl Constant {
    pub(super) fn new(linear: &Linear) -> Result<Self> {
        let still = DVector::zeros(linear.size());
        let bare = Linear { start_mean: still.clone(), start_std: still, ..linear.clone() };
        Ok(Self { whole: Propagator::new(linear)?, noise: Propagator::new(&bare)? })
    }
}

impl Kernels {
    /// The kernel at `time`, of `data` components that are data.
    pub(super) fn kernel(&self, time: f64, data: usize) -> Result<Kernel> {
        match self {
            Self::Constant(constant) => Ok(Kernel { data, ..constant.whole.kernel(time)? }),
            Self::Rescaled(constant, clock) => {
                Ok(Kernel { time, data, ..constant.whole.kernel(clock.between(0.0, time)?)? })
            }
            Self::Integrated(integrated) => integrated.kernel(time, data),
        }
    }

    /// The transition from the time `from` to `to`.
    pub(super) fn transition(&self, from: f64, to: f64) -> Result<Transition> {
        if !(from >= 0.0 && to >= from && to.is_finite()) {
            return Err(Error::argument("t", format!("must rise from a time of 0 or above, got {from} to {to}")));
        }
        let (constant, passed) = match self {
            Self::Constant(constant) => (constant, to - from),
            Self::Rescaled(constant, clock) => (constant, clock.between(from, to)?),
            Self::Integrated(integrated) => return integrated.transition(from, to),
        };
        let Kernel { transfer, offset, covariance, cholesky, .. } = constant.noise.kernel(passed)?;
        Ok(Transition { transfer, offset, covariance, cholesky })
    }
}
