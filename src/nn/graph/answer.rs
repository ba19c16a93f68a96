//! The last layer: as wide as what is asked for, and zero before training.

use super::extent::Extent;
use super::layer::{Convolution, Dense, Padding};
use super::signal::Signal;
use crate::error::{Error, Result};

/// What becomes the answer of a network when it is known how wide that must be.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What the last layer is given.
    pub signal: Signal,
    /// Taps along each side of its windows, where it is an image.
    pub kernel: usize,
    /// What stands outside an image.
    pub padding: Padding,
}

impl Answer {
    /// The last layer, which makes `wanted` of the signal; with weights of zero, so that an untrained network answers
    /// zero.
    ///
    /// # Errors
    /// When the signal is an image of other pixels than the answer.
    pub fn of(self, wanted: Extent) -> Result<Signal> {
        let Self { signal, kernel, padding } = self;
        let extent = signal.extent();
        if extent.is_vector() {
            return Signal::of(Dense { outputs: wanted.size(), bias: true, gain: 0.0 }, &[&signal]);
        }
        if (extent.height, extent.width) != (wanted.height, wanted.width) {
            let problem = format!("has shape {extent} where an answer of shape {wanted} is asked for");
            return Err(Error::argument("h", problem).with_hint("bring it back to the size of the data first"));
        }
        let (outputs, stride, dilation, bias, gain) = (wanted.channels, 1, 1, true, 0.0);
        Signal::of(Convolution { outputs, kernel, stride, dilation, padding, bias, gain }, &[&signal])
    }
}
