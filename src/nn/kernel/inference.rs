//! The network as a function, on buffers allocated once.

use super::elementwise::{activate, to_components};
use super::product::{Left, Shape, multiply};
use crate::nn::{Layer, Mlp};

/// Evaluates a network over blocks of samples; every thread has its own.
#[derive(Debug, Clone)]
pub struct Inference {
    network: Mlp,
    layers: Vec<Layer>,
    /// Values of the layer before and of the layer being computed, [count, width] each.
    values: [Vec<f32>; 2],
    edge: Vec<f32>,
}

impl Inference {
    /// Buffers for up to `most` samples at a time.
    pub fn new(network: &Mlp, most: usize) -> Self {
        let room = most * network.width().max(network.outputs());
        Self {
            network: network.clone(),
            layers: network.layers(),
            values: [vec![0.0; room], vec![0.0; room]],
            edge: Vec::new(),
        }
    }

    /// Writes the network's `output` [outputs, count] for `input` [inputs, count].
    pub fn evaluate(&mut self, parameters: &[f32], count: usize, input: &[f32], output: &mut [f32]) {
        let [before, now] = &mut self.values;
        for (number, layer) in self.layers.iter().enumerate() {
            let left = if number == 0 { Left::Columns(input) } else { Left::Rows(before) };
            let shape = Shape { rows: count, depth: layer.inputs, columns: layer.outputs };
            let (weight, bias) = (&parameters[layer.weight.clone()], &parameters[layer.bias.clone()]);
            multiply(shape, left, weight, now, &mut self.edge);
            let values = &mut now[..count * layer.outputs];
            if number + 1 < self.layers.len() {
                activate(self.network.activation(), bias, values);
            } else {
                to_components(bias, count, values, output);
            }
            std::mem::swap(before, now);
        }
    }
}
