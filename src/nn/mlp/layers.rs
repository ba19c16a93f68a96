//! What a multilayer perceptron is: its layers, and where their parameters stand.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::nn::Activation;

/// A multilayer perceptron `y = W_n a(... a(x W_0 + b_0) ...) + b_n`, where x is the state and, last, what stands for
/// the time. Describes it; the parameters are a slice elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mlp {
    /// Of the state.
    pub(super) inputs: usize,
    pub(super) hidden: Vec<usize>,
    pub(super) outputs: usize,
    pub(super) activation: Activation,
}

/// One affine layer `x W + b` and where its parameters stand in the parameter vector.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Width of what comes in.
    pub(super) inputs: usize,
    /// Width of what goes out.
    pub(super) outputs: usize,
    /// b, \[outputs\].
    pub(super) bias: Range<usize>,
    /// W, [inputs, outputs] in row-major order.
    pub(super) weight: Range<usize>,
}

impl Layer {
    /// The last row of W, which in the first layer is that of the time.
    pub(super) fn last_row(&self) -> Range<usize> {
        self.weight.end - self.outputs..self.weight.end
    }
}

/// Wider or deeper is a mistyped number rather than a network for a processor.
const MOST_LAYERS: usize = 64;
const WIDEST: usize = 1 << 16;
const MOST_PARAMETERS: usize = 1 << 28;

impl Mlp {
    /// A network from `inputs` numbers of the state, and the time, through layers of the widths `hidden` to `outputs`
    /// numbers.
    ///
    /// # Errors
    /// When there is no hidden layer, a width is 0 or beyond 65,536, or the whole does not fit into a gigabyte.
    pub fn new(inputs: usize, hidden: &[usize], outputs: usize, activation: Activation) -> Result<Self> {
        let refuse = |problem: String| Err(refusal(problem));
        if hidden.is_empty() || hidden.len() > MOST_LAYERS {
            return refuse(format!("must hold 1 to {MOST_LAYERS} widths, got {}", hidden.len()));
        }
        if let Some(width) = hidden.iter().find(|width| !(1..=WIDEST).contains(*width)) {
            return refuse(format!("must hold widths from 1 to {WIDEST}, got {width}"));
        }
        if inputs == 0 || outputs == 0 || inputs.max(outputs) >= MOST_PARAMETERS {
            return Err(Error::argument("shape", format!("gives a network of {inputs} inputs and {outputs} outputs")));
        }
        let network = Self { inputs, hidden: hidden.to_vec(), outputs, activation };
        let count = network.count();
        if count > MOST_PARAMETERS {
            return refuse(format!("gives {count} parameters, more than {MOST_PARAMETERS}"));
        }
        Ok(network)
    }

    /// The layers from input to output.
    pub(super) fn layers(&self) -> Vec<Layer> {
        let widths = [&[self.inputs + 1], &self.hidden[..], &[self.outputs]].concat();
        let mut begin = 0;
        widths
            .windows(2)
            .map(|pair| {
                let (inputs, outputs) = (pair[0], pair[1]);
                let bias = begin..begin + outputs;
                let weight = bias.end..bias.end + inputs * outputs;
                begin = weight.end;
                Layer { inputs, outputs, bias, weight }
            })
            .collect()
    }

    /// Number of parameters.
    pub(super) fn count(&self) -> usize {
        self.layers().last().map_or(0, |layer| layer.weight.end)
    }

    /// The largest width of a hidden layer.
    pub(super) fn width(&self) -> usize {
        self.hidden.iter().copied().max().unwrap_or(0)
    }
}

pub(super) fn refusal(problem: String) -> Error {
    Error::argument("hidden", problem).with_hint("for two-dimensional data [128, 128, 128, 128] does well")
}
