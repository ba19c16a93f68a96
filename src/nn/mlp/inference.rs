//! The perceptron as a function.

use super::layers::Mlp;
use crate::nn::kernel::{PANEL, activate_panel, transform};
use crate::nn::{Activation, Inference, Network, Shown};

/// Evaluates a network with fixed parameters.
///
/// Samples go through the whole network in panels of 32, component-major, so that the values of a layer are read
/// where the layer before wrote them and never leave the first cache.
pub(super) struct FusedInference {
    activation: Activation,
    layers: Vec<FixedLayer>,
    /// Numbers of a panel of the widest layer.
    room: usize,
}

struct FixedLayer {
    inputs: usize,
    bias: Vec<f32>,
    /// [inputs, outputs].
    weight: Vec<f32>,
}

impl FusedInference {
    /// The network with these parameters.
    pub(super) fn new(network: &Mlp, parameters: &[f32]) -> Self {
        let layers = network.layers().into_iter().map(|layer| FixedLayer {
            inputs: layer.inputs,
            bias: parameters[layer.bias].to_vec(),
            weight: parameters[layer.weight].to_vec(),
        });
        let room = PANEL * network.width().max(network.inputs() + 1).max(network.outputs());
        Self { activation: network.activation, layers: layers.collect(), room }
    }

    /// Takes a panel in `before` through all layers, but for the bias of the last.
    fn panel<'a>(&self, mut before: &'a mut [f32], mut now: &'a mut [f32]) -> &'a [f32] {
        let last = self.layers.len() - 1;
        for (number, FixedLayer { inputs, bias, weight }) in self.layers.iter().enumerate() {
            let out = &mut now[..bias.len() * PANEL];
            transform(weight, &before[..inputs * PANEL], out);
            if number < last {
                activate_panel(self.activation, bias, out);
            }
            std::mem::swap(&mut before, &mut now);
        }
        before
    }
}

impl Inference for FusedInference {
    fn tile(&self) -> usize {
        256
    }

    /// Values of the layer before and of the layer being computed, [width, PANEL] each.
    fn space(&self, _: usize) -> usize {
        2 * self.room
    }

    fn evaluate(&self, Shown { count, state, clock, .. }: Shown<'_>, space: &mut [f32], output: &mut [f32]) {
        let (values, others) = space.split_at_mut(self.room);
        let time = (self.layers[0].inputs - 1) * PANEL;
        let bias = &self.layers[self.layers.len() - 1].bias;
        for first in (0..count).step_by(PANEL) {
            let used = PANEL.min(count - first);
            // Lanes beyond the last sample hold what they held; no other reads them.
            for (panel, row) in values[..time].chunks_exact_mut(PANEL).zip(state.chunks_exact(count)) {
                panel[..used].copy_from_slice(&row[first..first + used]);
            }
            values[time..][..PANEL].fill(clock);
            let answers = self.panel(values, others);
            for ((out, row), b) in output.chunks_exact_mut(count).zip(answers.chunks_exact(PANEL)).zip(bias) {
                for (out, value) in out[first..first + used].iter_mut().zip(row) {
                    *out = value + b;
                }
            }
        }
    }
}
