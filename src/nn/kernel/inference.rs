//! The network as a function, on buffers allocated once.

use super::elementwise::{activate, to_components};
use super::packed::packed;
use super::product::{Left, Right, Shape, multiply};
use crate::nn::{Activation, Mlp};

/// Evaluates a network with fixed parameters over blocks of samples; every thread has its own.
#[derive(Debug, Clone)]
pub struct Inference {
    activation: Activation,
    layers: Vec<FixedLayer>,
    /// Values of the layer before and of the layer being computed, [count, width] each.
    values: [Vec<f32>; 2],
    edge: Vec<f32>,
}

#[derive(Debug, Clone)]
struct FixedLayer {
    inputs: usize,
    bias: Vec<f32>,
    /// Packed.
    weight: Vec<f32>,
}

impl Inference {
    /// The network with these parameters, and buffers for up to `most` samples at a time.
    pub fn new(network: &Mlp, parameters: &[f32], most: usize) -> Self {
        let room = most * network.width().max(network.outputs());
        let layers = network.layers().into_iter().map(|layer| FixedLayer {
            inputs: layer.inputs,
            bias: parameters[layer.bias].to_vec(),
            weight: packed(&parameters[layer.weight], layer.outputs),
        });
        Self {
            activation: network.activation(),
            layers: layers.collect(),
            values: [vec![0.0; room], vec![0.0; room]],
            edge: Vec::new(),
        }
    }

    /// Writes the network's `output` [outputs, count] for `input` [inputs, count].
    pub fn evaluate(&mut self, count: usize, input: &[f32], output: &mut [f32]) {
        let [before, now] = &mut self.values;
        for (number, FixedLayer { inputs, bias, weight }) in self.layers.iter().enumerate() {
            let left = if number == 0 { Left::Columns(input) } else { Left::Rows(before) };
            let shape = Shape { rows: count, depth: *inputs, columns: bias.len() };
            multiply(shape, left, Right::Panels(weight), now, &mut self.edge);
            let values = &mut now[..count * bias.len()];
            if number + 1 < self.layers.len() {
                activate(self.activation, bias, values);
            } else {
                to_components(bias, count, values, output);
            }
            std::mem::swap(before, now);
        }
    }
}
