//! The multilayer perceptron: names and first values of its parameters, and what else makes a network of it.

mod inference;
mod layers;
mod training;

use std::sync::Arc;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Activation, Chance, Inference, Network, Parameter, Training};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::rng::{Purpose, Stream};
use crate::vector::single;
use inference::FusedInference;
pub use layers::Mlp;
use layers::{Layer, refusal};
use training::FusedTraining;

/// What files call this kind of network.
pub(super) const KIND: &str = "mlp";

/// What a file says of it.
#[derive(Serialize, Deserialize)]
struct Description {
    hidden: Vec<usize>,
    activation: Activation,
}

/// The network that described itself so.
pub(super) fn restore(description: Value, inputs: usize, outputs: usize) -> Result<Arc<dyn Network>> {
    let broken = |e| Error::argument("network", format!("is described in another way than this program does: {e}"));
    let Description { hidden, activation } = serde_json::from_value(description).map_err(broken)?;
    Ok(Arc::new(Mlp::new(inputs, &hidden, outputs, activation)?))
}

impl Network for Mlp {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn description(&self) -> Value {
        let description = Description { hidden: self.hidden.clone(), activation: self.activation };
        serde_json::to_value(description).expect("numbers and a name are JSON")
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn named_parameters(&self) -> Vec<Parameter> {
        let named = |(number, Layer { inputs, outputs, bias, weight }): (usize, Layer)| {
            let name = |part: &str| format!("layer{number:02}.{part}");
            let bias = Parameter { name: name("bias"), shape: vec![outputs], place: bias };
            let weight = Parameter { name: name("weight"), shape: vec![inputs, outputs], place: weight };
            [bias, weight]
        };
        self.layers().into_iter().enumerate().flat_map(named).collect()
    }

    fn parameters(&self) -> usize {
        self.count()
    }

    /// Normal weights of variance gain²/fan-in, biases 0, and a last layer of zeros.
    fn initial(&self, seed: u64) -> Vec<f32> {
        let stream = Stream::new(seed, Purpose::Weights);
        let mut parameters = vec![0.0; self.parameters()];
        for (number, layer) in self.layers().into_iter().take(self.hidden.len()).enumerate() {
            let weight = &mut parameters[layer.weight];
            stream.normals(0, number as u32, weight);
            let scale = self.activation.gain() / single(layer.inputs as f64).sqrt();
            weight.iter_mut().for_each(|w| *w *= scale);
        }
        parameters
    }

    fn check_memory(&self, host: &Host) -> Result<()> {
        let count = self.parameters();
        // The parameters, their average, and two moments.
        host.afford(4.0 * 4.0 * count as f64, |problem| {
            refusal(format!("gives {count} parameters, which with all that training keeps {problem}"))
        })
    }

    fn memory(&self, batch: usize, threads: usize) -> f64 {
        let (chunks, count) = (batch.div_ceil(self.chunk()), self.chunk().min(batch));
        // Parameters, their average and two moments, and the sum of the gradients; the weights packed twice; a gradient
        // of each chunk; what a thread keeps of one.
        let values = self.parameters() * (7 + chunks) + threads * training::space(self, count);
        4.0 * values as f64
    }

    fn chunk(&self) -> usize {
        128
    }

    fn training(&self) -> Box<dyn Training> {
        Box::new(FusedTraining::new(self))
    }

    fn inference(&self, parameters: &[f32]) -> Box<dyn Inference> {
        Box::new(FusedInference::new(self, parameters))
    }

    fn candle(&self, parameters: &[Tensor], shown: &[Tensor], _: Option<Chance>) -> candle_core::Result<Tensor> {
        let mut value = Tensor::cat(shown, 1)?.contiguous()?;
        for (number, pair) in parameters.chunks_exact(2).enumerate() {
            value = value.matmul(&pair[1])?.broadcast_add(&pair[0])?;
            if number < self.hidden.len() {
                value = self.activation.candle(&value)?;
            }
        }
        Ok(value)
    }
}

impl std::fmt::Display for Mlp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.inputs + 1)?;
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
        let network = Mlp::new(4, &[7; 11], 2, Activation::Silu).unwrap();
        let named = network.named_parameters();
        assert!(named.windows(2).all(|w| w[0].name < w[1].name && w[0].place.end == w[1].place.start));
        assert!(named.iter().all(|p| p.shape.iter().product::<usize>() == p.place.len()));
        assert_eq!(named.last().unwrap().place.end, network.parameters());
    }

    #[test]
    fn seeds_decide_the_first_weights() {
        let network = Mlp::new(4, &[16, 16], 2, Activation::Tanh).unwrap();
        assert_eq!(network.initial(3), network.initial(3));
        assert_ne!(network.initial(3), network.initial(4));
        let last = network.layers().pop().unwrap();
        assert!(network.initial(3)[last.bias.start..].iter().all(|&w| w == 0.0));
    }

    #[test]
    fn impossible_networks_are_refused() {
        for hidden in [&[][..], &[0], &[128, 1 << 20], &[1 << 16; 2], &[1; 100]] {
            assert!(Mlp::new(4, hidden, 2, Activation::Silu).is_err(), "{hidden:?}");
        }
    }
}
