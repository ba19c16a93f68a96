//! What a convolution is, in whatever way it is computed.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::dense::first_weights;
use super::recipe::{Declared, First};
use crate::nn::graph::extent::Extent;

/// What stands outside an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// Zeros.
    Zeros,
    /// The other side, as on a lattice with periodic boundaries.
    Periodic,
}

/// A convolution with square windows; its answer is as large as the image divided by the stride, rounded up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Convolution {
    /// Channels that it makes.
    pub outputs: usize,
    /// Taps along each side of a window; odd, so that it has a middle.
    pub kernel: usize,
    /// Pixels between windows.
    pub stride: usize,
    /// Pixels between taps.
    pub dilation: usize,
    /// What stands outside.
    pub padding: Padding,
    /// Whether it adds a number to each channel.
    pub bias: bool,
    /// First weights are normals of this standard deviation over the square root of their fan-in; 0 for zeros.
    pub gain: f64,
}

/// Channels before and behind a convolution from which on fewer multiplications outweigh the way to them.
const WORTH_FILTERING: usize = 16;

impl Convolution {
    /// Pixels from the middle of a window to its last.
    pub(super) fn reach(&self) -> usize {
        self.kernel / 2 * self.dilation
    }

    /// Whether Winograd's filtering can compute it and pays.
    pub(super) fn is_filtered(&self, input: Extent) -> bool {
        (self.kernel, self.stride, self.dilation) == (3, 1, 1) && input.channels.min(self.outputs) >= WORTH_FILTERING
    }

    /// The shape of its answer.
    pub(super) fn answer(&self, input: Extent) -> Extent {
        let side = |side: usize| side.div_ceil(self.stride);
        Extent { channels: self.outputs, height: side(input.height), width: side(input.width) }
    }

    /// Its parameters for inputs of so many channels.
    pub(super) fn declared(&self, inputs: usize) -> Vec<Declared> {
        let Self { outputs, kernel, gain, .. } = *self;
        let bias = Declared { name: "bias", shape: vec![outputs], first: First::Constant(0.0) };
        let first = first_weights(gain, kernel * kernel * inputs);
        let weight = Declared { name: "weight", shape: vec![kernel, kernel, inputs, outputs], first };
        if self.bias { vec![bias, weight] } else { vec![weight] }
    }

    /// Multiplications of the sum as it is written.
    pub(super) fn products_of_numbers(&self, input: Extent) -> usize {
        self.answer(input).size() * self.kernel.pow(2) * input.channels
    }

    /// What defines it.
    pub(super) fn defined(&self, input: &Tensor, parameters: &[Tensor]) -> candle_core::Result<Tensor> {
        let Self { stride, dilation, padding, bias, .. } = *self;
        let weight = parameters[parameters.len() - 1].permute((3, 2, 0, 1))?.contiguous()?;
        let mut answer = match padding {
            Padding::Zeros => input.conv2d(&weight, self.reach(), 1, dilation, 1)?,
            Padding::Periodic => {
                let image = wrapped(&wrapped(input, 2, self.reach())?, 3, self.reach())?;
                image.conv2d(&weight, 0, 1, dilation, 1)?
            }
        };
        // Candle's gradient of its own strides takes every image for a square.
        for axis in [2, 3].into_iter().filter(|_| stride > 1) {
            let kept: Vec<u32> = (0..answer.dim(axis)? as u32).step_by(stride).collect();
            answer = answer.contiguous()?.index_select(&Tensor::new(kept, input.device())?, axis)?;
        }
        if bias { answer.broadcast_add(&parameters[0].reshape((1, (), 1, 1))?) } else { Ok(answer) }
    }
}

/// With `margin` rows of the other side on each, along `axis`.
fn wrapped(image: &Tensor, axis: usize, margin: usize) -> candle_core::Result<Tensor> {
    if margin == 0 {
        return Ok(image.clone());
    }
    let size = image.dim(axis)?;
    let (first, last) = (image.narrow(axis, 0, margin)?, image.narrow(axis, size - margin, margin)?);
    Tensor::cat(&[&last, image, &first], axis)?.contiguous()
}
