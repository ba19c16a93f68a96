//! The network as a function, on buffers allocated once.

use super::elementwise::{activate, to_components};
use super::product::{View, multiply};
use crate::nn::{Layer, Mlp};

/// Evaluates a network over blocks of samples; every thread has its own.
#[derive(Debug, Clone)]
pub struct Inference {
    network: Mlp,
    layers: Vec<Layer>,
    /// Values of the layer before and of the layer being computed, [count, width] each.
    values: [Vec<f32>; 2],
}

impl Inference {
    /// Buffers for up to `most` samples at a time.
    pub fn new(network: &Mlp, most: usize) -> Self {
        let room = most * network.width().max(network.outputs());
        Self { network: network.clone(), layers: network.layers(), values: [vec![0.0; room], vec![0.0; room]] }
    }

    /// Writes the network's `output` [outputs, count] for `input` [inputs, count].
    pub fn evaluate(&mut self, parameters: &[f32], count: usize, input: &[f32], output: &mut [f32]) {
        let [before, now] = &mut self.values;
        let (last, hidden) = self.layers.split_last().expect("a network has layers");
        for (number, layer) in hidden.iter().enumerate() {
            let left = match number {
                0 => View::new(input, layer.inputs, count).transposed(),
                _ => View::new(before, count, layer.inputs),
            };
            let values = &mut now[..count * layer.outputs];
            multiply(values, left, View::new(&parameters[layer.weight.clone()], layer.inputs, layer.outputs));
            activate(self.network.activation(), &parameters[layer.bias.clone()], values);
            std::mem::swap(before, now);
        }
        let values = &mut now[..count * last.outputs];
        let weight = View::new(&parameters[last.weight.clone()], last.inputs, last.outputs);
        multiply(values, View::new(before, count, last.inputs), weight);
        to_components(&parameters[last.bias.clone()], count, values, output);
    }
}
