//! The multilayer perceptron: shapes, names and first values of its parameters.

use std::ops::Range;

use super::Activation;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::rng::{Purpose, Stream};

/// A multilayer perceptron `y = W_n a(... a(x W_0 + b_0) ...) + b_n`. Describes it; the parameters are a slice elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mlp {
    inputs: usize,
    hidden: Vec<usize>,
    outputs: usize,
    activation: Activation,
}

/// One affine layer `x W + b` and where its parameters stand in the parameter vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Width of what comes in.
    pub inputs: usize,
    /// Width of what goes out.
    pub outputs: usize,
    /// b, \[outputs\].
    pub bias: Range<usize>,
    /// W, [inputs, outputs] in row-major order.
    pub weight: Range<usize>,
}

/// Wider or deeper is a mistyped number rather than a network for a processor.
const MOST_LAYERS: usize = 64;
const WIDEST: usize = 1 << 16;
const MOST_PARAMETERS: usize = 1 << 28;

impl Mlp {
    /// A network from `inputs` through layers of the widths `hidden` to `outputs` numbers.
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
        if inputs == 0 || outputs == 0 || inputs.max(outputs) > MOST_PARAMETERS {
            return Err(Error::argument("shape", format!("gives a network of {inputs} inputs and {outputs} outputs")));
        }
        let network = Self { inputs, hidden: hidden.to_vec(), outputs, activation };
        let count = network.parameters();
        if count > MOST_PARAMETERS {
            return refuse(format!("gives {count} parameters, more than {MOST_PARAMETERS}"));
        }
        Ok(network)
    }

    /// Refuses a network whose parameters do not fit, before there are any.
    ///
    /// # Errors
    /// When they and all that training keeps of them need more memory than `host` has.
    pub fn check_memory(&self, host: &Host) -> Result<()> {
        let count = self.parameters();
        // The parameters, their average, and two moments.
        match host.lacking(4.0 * 4.0 * count as f64) {
            None => Ok(()),
            Some(problem) => {
                Err(refusal(format!("gives {count} parameters, which with all that training keeps {problem}")))
            }
        }
    }

    /// Width of the input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Widths of the hidden layers.
    pub fn hidden(&self) -> &[usize] {
        &self.hidden
    }

    /// Width of the output.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The nonlinearity after every layer but the last.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The layers from input to output.
    pub fn layers(&self) -> Vec<Layer> {
        let widths = [&[self.inputs], &self.hidden[..], &[self.outputs]].concat();
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

    /// Name, shape and place of every parameter, in the order of names, which is the order of places.
    pub fn named_parameters(&self) -> Vec<(String, Vec<usize>, Range<usize>)> {
        let named = |(number, layer): (usize, Layer)| {
            let bias = (format!("layer{number:02}.bias"), vec![layer.outputs], layer.bias);
            let weight = (format!("layer{number:02}.weight"), vec![layer.inputs, layer.outputs], layer.weight);
            [bias, weight]
        };
        self.layers().into_iter().enumerate().flat_map(named).collect()
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.layers().last().map_or(0, |layer| layer.weight.end)
    }

    /// The largest width of a hidden layer.
    pub fn width(&self) -> usize {
        self.hidden.iter().copied().max().unwrap_or(0)
    }

    /// First parameters: normal weights of variance gain²/fan-in, biases 0, and a last layer of zeros, so that the
    /// network begins as the zero function.
    pub fn initial(&self, seed: u64) -> Vec<f32> {
        let stream = Stream::new(seed, Purpose::Weights);
        let mut parameters = vec![0.0; self.parameters()];
        for (number, layer) in self.layers().into_iter().take(self.hidden.len()).enumerate() {
            let weight = &mut parameters[layer.weight];
            stream.normals(0, number as u32, weight);
            let scale = self.activation.gain() / (layer.inputs as f32).sqrt();
            weight.iter_mut().for_each(|w| *w *= scale);
        }
        parameters
    }
}

fn refusal(problem: String) -> Error {
    Error::argument("hidden", problem).with_hint("for two-dimensional data [128, 128, 128, 128] does well")
}

impl std::fmt::Display for Mlp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.inputs)?;
        for width in self.hidden.iter().chain([&self.outputs]) {
            write!(f, " → {width}")?;
        }
        write!(f, ", {}, {} parameters", self.activation.name(), self.parameters())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_stand_in_the_order_of_their_names() {
        let network = Mlp::new(5, &[7; 11], 2, Activation::Silu).unwrap();
        let named = network.named_parameters();
        assert!(named.windows(2).all(|w| w[0].0 < w[1].0 && w[0].2.end == w[1].2.start));
        assert!(named.iter().all(|(_, shape, place)| shape.iter().product::<usize>() == place.len()));
        assert_eq!(named.last().unwrap().2.end, network.parameters());
    }

    #[test]
    fn seeds_decide_the_first_weights() {
        let network = Mlp::new(5, &[16, 16], 2, Activation::Tanh).unwrap();
        assert_eq!(network.initial(3), network.initial(3));
        assert_ne!(network.initial(3), network.initial(4));
        let last = network.layers().pop().unwrap();
        assert!(network.initial(3)[last.bias.start..].iter().all(|&w| w == 0.0));
    }

    #[test]
    fn impossible_networks_are_refused() {
        for hidden in [&[][..], &[0], &[128, 1 << 20], &[1 << 16; 2], &[1; 100]] {
            assert!(Mlp::new(5, hidden, 2, Activation::Silu).is_err(), "{hidden:?}");
        }
    }
}
