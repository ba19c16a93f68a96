//! Kernels and transitions of a linear process, prepared once for many times.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::integrated::Integrated;
use super::rescaled::{Clock, Rescaled};
use super::series::Series;
use super::{Kernel, Propagator, Transition};
use crate::error::{Error, Result};
use crate::process::definition::Timeline;
use crate::process::{Class, Linear};
use crate::settings::written;

/// What gives the kernel at any time and the transition between any two.
#[derive(Debug)]
pub(in crate::process) enum Kernels {
    Constant(Constant),
    /// Those of constant coefficients at the rescaled time.
    Rescaled(Constant, Clock),
    Integrated(Integrated),
}

/// Kernels of constant coefficients.
#[derive(Debug)]
pub(in crate::process) enum Constant {
    /// Few components, with all digits: from the law of the start, and from a known state.
    Few {
        whole: Box<Propagator>,
        noise: Box<Propagator>,
    },
    Many(Series),
}

/// More components than this are too slow in 32 digits: a kernel of 8 takes 140 µs, one of 16 takes 1.3 ms.
const FEW: usize = 8;

impl Constant {
    /// # Errors
    /// When a coefficient is not finite.
    pub(in crate::process) fn new(linear: &Linear) -> Result<Self> {
        if linear.size() > FEW {
            return Ok(Self::Many(Series::new(linear)));
        }
        let size = linear.size();
        let bare =
            Linear { start_mean: DVector::zeros(size), start_factor: DMatrix::zeros(size, size), ..linear.clone() };
        let [whole, noise] = [Propagator::new(linear)?, Propagator::new(&bare)?].map(Box::new);
        Ok(Self::Few { whole, noise })
    }

    fn kernel(&self, passed: f64) -> Result<Transition> {
        match self {
            Self::Few { whole, .. } => whole.kernel(passed).map(Transition::from),
            Self::Many(series) => series.kernel(passed)?.finite(passed),
        }
    }

    fn transition(&self, passed: f64) -> Result<Transition> {
        match self {
            Self::Few { noise, .. } => noise.kernel(passed).map(Transition::from),
            Self::Many(series) => series.transition(passed)?.finite(passed),
        }
    }
}

impl Kernels {
    /// Those of a process of these coefficients, of class `class`, with the `rescaled` form that it has if these
    /// commute.
    ///
    /// # Errors
    /// When a coefficient has no finite value or changes too fast.
    pub(in crate::process) fn new(
        timeline: &Arc<Timeline>,
        rescaled: Option<&Rescaled>,
        class: Class,
        horizon: f64,
    ) -> Result<Self> {
        match rescaled {
            Some(Rescaled { linear, clock }) => Ok(Self::Rescaled(Constant::new(linear)?, clock.clone())),
            None if class == Class::Constant => Constant::new(timeline.constant()).map(Self::Constant),
            None => Integrated::new(timeline.clone(), horizon).map(Self::Integrated),
        }
    }

    /// The kernel at `time`, of `data` components that are data.
    pub(in crate::process) fn kernel(&self, time: f64, data: usize) -> Result<Kernel> {
        let law = match self {
            Self::Constant(constant) => constant.kernel(time)?,
            Self::Rescaled(constant, clock) => constant.kernel(clock.between(0.0, time)?)?,
            Self::Integrated(integrated) => integrated.kernel(time)?,
        };
        let Transition { transfer, offset, covariance, cholesky } = law;
        Ok(Kernel { time, data, transfer, offset, covariance, cholesky })
    }

    /// The transition from the time `from` to `to`.
    pub(in crate::process) fn transition(&self, from: f64, to: f64) -> Result<Transition> {
        if !(from >= 0.0 && to >= from && to.is_finite()) {
            return Err(Error::argument(
                "t",
                format!("must rise from a time of 0 or above, got {} to {}", written(from), written(to)),
            ));
        }
        match self {
            Self::Constant(constant) => constant.transition(to - from),
            Self::Rescaled(constant, clock) => constant.transition(clock.between(from, to)?),
            Self::Integrated(integrated) => integrated.transition(from, to),
        }
    }
}
