//! The perceptron as a function.

use super::layers::Mlp;
use crate::nn::kernel::{PANEL, activate_panel, activate_panel_with_slopes, transform, transform_back};
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
    /// Numbers of a panel of all hidden layers.
    hidden: usize,
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
        let hidden = PANEL * network.hidden.iter().sum::<usize>();
        Self { activation: network.activation, layers: layers.collect(), room, hidden }
    }

    /// Writes what is shown of the samples from `first` on to a panel.
    fn enter(&self, Shown { count, state, clock, .. }: Shown<'_>, first: usize, values: &mut [f32]) {
        let (used, time) = (PANEL.min(count - first), (self.layers[0].inputs - 1) * PANEL);
        // Lanes beyond the last sample hold what they held; no other reads them.
        for (panel, row) in values[..time].chunks_exact_mut(PANEL).zip(state.chunks_exact(count)) {
            panel[..used].copy_from_slice(&row[first..first + used]);
        }
        values[time..][..PANEL].fill(clock);
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

    /// Takes a panel in `before` through all hidden layers, and leaves the slopes of their activations.
    fn slopes<'a>(&self, mut before: &'a mut [f32], mut now: &'a mut [f32], mut slopes: &mut [f32]) {
        for FixedLayer { inputs, bias, weight } in &self.layers[..self.layers.len() - 1] {
            let out = &mut now[..bias.len() * PANEL];
            let (own, rest) = slopes.split_at_mut(out.len());
            transform(weight, &before[..inputs * PANEL], out);
            activate_panel_with_slopes(self.activation, bias, out, own);
            slopes = rest;
            std::mem::swap(&mut before, &mut now);
        }
    }

    /// Takes the gradient by a panel of answers in `after` back to that by what was shown.
    fn back<'a>(&self, mut after: &'a mut [f32], mut now: &'a mut [f32], mut slopes: &[f32]) -> &'a [f32] {
        for (number, FixedLayer { inputs, bias, weight }) in self.layers.iter().enumerate().rev() {
            let out = &mut now[..inputs * PANEL];
            transform_back(weight, &after[..bias.len() * PANEL], out);
            if number > 0 {
                let (rest, own) = slopes.split_at(slopes.len() - out.len());
                out.iter_mut().zip(own).for_each(|(value, slope)| *value *= slope);
                slopes = rest;
            }
            std::mem::swap(&mut after, &mut now);
        }
        after
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

    fn evaluate(&self, shown: Shown<'_>, space: &mut [f32], output: &mut [f32]) {
        let count = shown.count;
        let (values, others) = space.split_at_mut(self.room);
        let bias = &self.layers[self.layers.len() - 1].bias;
        for first in (0..count).step_by(PANEL) {
            let used = PANEL.min(count - first);
            self.enter(shown, first, values);
            let answers = self.panel(values, others);
            for ((out, row), b) in output.chunks_exact_mut(count).zip(answers.chunks_exact(PANEL)).zip(bias) {
                for (out, value) in out[first..first + used].iter_mut().zip(row) {
                    *out = value + b;
                }
            }
        }
    }

    /// The slopes of all activations too.
    fn gradient_space(&self, _: usize) -> usize {
        2 * self.room + self.hidden
    }

    fn gradient(&self, shown: Shown<'_>, weight: &[f32], space: &mut [f32], gradient: &mut [f32]) {
        let count = shown.count;
        let (values, rest) = space.split_at_mut(self.room);
        let (others, slopes) = rest.split_at_mut(self.room);
        let slopes = &mut slopes[..self.hidden];
        for first in (0..count).step_by(PANEL) {
            let used = PANEL.min(count - first);
            self.enter(shown, first, values);
            self.slopes(values, others, slopes);
            for (panel, row) in values.chunks_exact_mut(PANEL).zip(weight.chunks_exact(count)) {
                panel[..used].copy_from_slice(&row[first..first + used]);
            }
            let found = self.back(values, others, slopes);
            for (out, row) in gradient.chunks_exact_mut(count).zip(found.chunks_exact(PANEL)) {
                out[first..first + used].copy_from_slice(&row[..used]);
            }
        }
    }
}
