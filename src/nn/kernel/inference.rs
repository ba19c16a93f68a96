//! The network as a function, on buffers allocated once.

use super::elementwise::activate_panel;
use super::product::{PANEL, transform};
use crate::nn::{Activation, Mlp};

/// Evaluates a network with fixed parameters over blocks of samples; every thread has its own.
///
/// Samples go through the whole network in panels of 32, component-major, so that the values of a layer are read
/// where the layer before wrote them and never leave the first cache.
#[derive(Debug, Clone)]
pub struct Inference {
    activation: Activation,
    layers: Vec<FixedLayer>,
    /// Values of the layer before and of the layer being computed, [width, PANEL] each.
    values: [Vec<f32>; 2],
}

#[derive(Debug, Clone)]
struct FixedLayer {
    inputs: usize,
    bias: Vec<f32>,
    /// [inputs, outputs].
    weight: Vec<f32>,
}

impl Inference {
    /// The network with these parameters.
    pub fn new(network: &Mlp, parameters: &[f32]) -> Self {
        let room = PANEL * network.width().max(network.inputs()).max(network.outputs());
        let layers = network.layers().into_iter().map(|layer| FixedLayer {
            inputs: layer.inputs,
            bias: parameters[layer.bias].to_vec(),
            weight: parameters[layer.weight].to_vec(),
        });
        Self { activation: network.activation(), layers: layers.collect(), values: [vec![0.0; room], vec![0.0; room]] }
    }

    /// Writes the network's `output` [outputs, count] for `input` [inputs, count].
    pub fn evaluate(&mut self, count: usize, input: &[f32], output: &mut [f32]) {
        for first in (0..count).step_by(PANEL) {
            let used = PANEL.min(count - first);
            // Lanes beyond the last sample hold what they held; no other reads them.
            for (panel, row) in self.values[0].chunks_exact_mut(PANEL).zip(input.chunks_exact(count)) {
                panel[..used].copy_from_slice(&row[first..first + used]);
            }
            self.panel();
            let bias = &self.layers[self.layers.len() - 1].bias;
            for ((out, row), b) in output.chunks_exact_mut(count).zip(self.values[0].chunks_exact(PANEL)).zip(bias) {
                for (out, value) in out[first..first + used].iter_mut().zip(row) {
                    *out = value + b;
                }
            }
        }
    }

    /// Takes the first buffer through all layers, but for the bias of the last.
    fn panel(&mut self) {
        let [before, now] = &mut self.values;
        let last = self.layers.len() - 1;
        for (number, FixedLayer { inputs, bias, weight }) in self.layers.iter().enumerate() {
            let out = &mut now[..bias.len() * PANEL];
            transform(weight, &before[..inputs * PANEL], out);
            if number < last {
                activate_panel(self.activation, bias, out);
            }
            std::mem::swap(before, now);
        }
    }
}
