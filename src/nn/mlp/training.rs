//! Loss and gradient of one chunk of a batch.

use std::ops::Range;

use super::layers::{Layer, Mlp};
use crate::error::Result;
use crate::nn::kernel::{
    Form, Left, Matrix, PANEL, Packed, Right, Shape, activate_with_slopes, add_outer, multiply, squared_error,
    through_activation,
};
use crate::nn::{Activation, Samples, Training};
use crate::task::Team;

/// The fused passes of a perceptron.
pub(super) struct FusedTraining {
    activation: Activation,
    layers: Vec<Layer>,
    /// Widths of all hidden layers before each layer: its values follow theirs.
    places: Vec<usize>,
    sizes: Sizes,
    packed: Packed,
}

/// Numbers that a pass keeps per sample.
#[derive(Clone, Copy)]
struct Sizes {
    /// Values of all hidden layers.
    hidden: usize,
    /// Values of the widest layer that a gradient passes.
    widest: usize,
}

impl Sizes {
    fn of(network: &Mlp) -> Self {
        Self { hidden: network.hidden.iter().sum(), widest: network.width().max(network.outputs) }
    }

    fn all(self) -> usize {
        2 * self.hidden + 2 * self.widest + PANEL
    }
}

/// Working memory of a pass over `count` samples.
pub(super) fn space(network: &Mlp, count: usize) -> usize {
    count * Sizes::of(network).all()
}

/// The working memory of a pass, divided.
struct Space<'a> {
    /// Values of the hidden layers, [count, width] each.
    values: &'a mut [f32],
    /// Derivative of each hidden value by its pre-activation, in the places of the values.
    slopes: &'a mut [f32],
    /// Gradient by the output of the layer that the backward pass is at and the one before, [count, width].
    upstream: [&'a mut [f32]; 2],
    /// Of products, [count, PANEL].
    edge: &'a mut [f32],
}

impl<'a> Space<'a> {
    fn new(space: &'a mut [f32], count: usize, sizes: Sizes) -> Self {
        let (values, rest) = space.split_at_mut(count * sizes.hidden);
        let (slopes, rest) = rest.split_at_mut(count * sizes.hidden);
        let (here, rest) = rest.split_at_mut(count * sizes.widest);
        let (next, edge) = rest.split_at_mut(count * sizes.widest);
        Self { values, slopes, upstream: [here, next], edge }
    }
}

impl FusedTraining {
    /// Room for the weights of `network`.
    pub(super) fn new(network: &Mlp) -> Self {
        let layers = network.layers();
        let matrix = |(number, layer): (usize, &Layer)| {
            let rows = if number == 0 { network.inputs } else { layer.inputs };
            let place = layer.weight.start..layer.weight.start + rows * layer.outputs;
            // The input has no gradient.
            Matrix { rows, columns: layer.outputs, place, form: Form::Parts(1), is_transposed: number > 0 }
        };
        let place = |number: usize| network.hidden[..number].iter().sum();
        Self {
            activation: network.activation,
            places: (0..layers.len()).map(place).collect(),
            sizes: Sizes::of(network),
            packed: Packed::new(layers.iter().enumerate().map(matrix)),
            layers,
        }
    }

    /// Fills values and slopes, and the first `upstream` with the last layer's product.
    fn forward(&self, parameters: &[f32], samples: Samples<'_>, space: &mut Space<'_>) {
        let count = samples.count;
        for (number, layer) in self.layers.iter().enumerate() {
            let begin = count * self.places[number];
            let (before, values) = space.values.split_at_mut(begin);
            let (left, depth) = match number {
                0 => (Left::Columns(samples.state), layer.inputs - 1),
                _ => (Left::Rows(&before[begin - count * layer.inputs..]), layer.inputs),
            };
            let shape = Shape { rows: count, depth, columns: layer.outputs };
            if number + 1 == self.layers.len() {
                multiply(shape, left, self.packed.forward(number), space.upstream[0], space.edge);
                return;
            }
            multiply(shape, left, self.packed.forward(number), values, space.edge);
            let values = &mut values[..count * layer.outputs];
            if number == 0 {
                add_outer(samples.clock, &parameters[layer.last_row()], values);
            }
            activate_with_slopes(self.activation, &parameters[layer.bias.clone()], values, &mut space.slopes[begin..]);
        }
    }

    /// Walks from the gradient by the output, in the first `upstream`, to the gradient by every parameter.
    fn backward(&self, samples: Samples<'_>, space: &mut Space<'_>, gradient: &mut [f32]) {
        let count = samples.count;
        let Space { values, slopes, upstream: [upstream, next], edge } = space;
        for (number, layer) in self.layers.iter().enumerate().rev() {
            let (begin, columns) = (count * self.places[number], layer.outputs);
            let here = &mut upstream[..count * columns];
            if number + 1 < self.layers.len() {
                through_activation(&slopes[begin..], here, &mut gradient[layer.bias.clone()]);
            }
            let mut by_weights = |rows: usize, input: Left<'_>, place: Range<usize>, here: &[f32]| {
                let shape = Shape { rows, depth: count, columns };
                multiply(shape, input, Right::Rows(here), &mut gradient[place], edge);
            };
            if number == 0 {
                by_weights(
                    layer.inputs - 1,
                    Left::Rows(samples.state),
                    layer.weight.start..layer.last_row().start,
                    here,
                );
                by_weights(1, Left::Rows(samples.clock), layer.last_row(), here);
            } else {
                let input = &values[begin - count * layer.inputs..begin];
                by_weights(layer.inputs, Left::Columns(input), layer.weight.clone(), here);
                let shape = Shape { rows: count, depth: columns, columns: layer.inputs };
                multiply(shape, Left::Rows(here), self.packed.backward(number), next, edge);
                std::mem::swap(upstream, next);
            }
        }
    }
}

impl Training for FusedTraining {
    fn parts(&self) -> usize {
        self.packed.parts()
    }

    fn update(&mut self, parameters: &[f32], team: &mut Team<'_>) -> Result<()> {
        self.packed.update(parameters, team);
        Ok(())
    }

    fn space(&self, count: usize) -> usize {
        count * self.sizes.all()
    }

    fn pass(
        &self,
        parameters: &[f32],
        samples: Samples<'_>,
        scale: f32,
        space: &mut [f32],
        gradient: &mut [f32],
        errors: &mut [f64],
    ) -> Result<f64> {
        let mut space = Space::new(space, samples.count, self.sizes);
        self.forward(parameters, samples, &mut space);
        let last = &self.layers[self.layers.len() - 1];
        let output = &mut space.upstream[0][..samples.count * last.outputs];
        let (bias, by_bias) = (&parameters[last.bias.clone()], &mut gradient[last.bias.clone()]);
        let loss = squared_error(bias, samples.target, samples.weight, scale, output, by_bias, errors);
        self.backward(samples, &mut space, gradient);
        Ok(loss)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candle_core::Device;

    use super::*;
    use crate::nn::{Candle, Network, Shown};
    use crate::rng::{Purpose, Stream};
    use crate::task::Task;

    const COUNT: usize = 37;

    /// A batch: states, clocks, targets, weights.
    type Batch = [Vec<f32>; 4];

    /// A network with no zero among its parameters, and a batch for it.
    fn case(hidden: &[usize], activation: Activation) -> (Arc<dyn Network>, Vec<f32>, Batch) {
        let network = Mlp::new(4, hidden, 3, activation).unwrap();
        let normals = |block, count| {
            let mut values = vec![0.0; count];
            Stream::new(1, Purpose::Script).normals(0, block, &mut values);
            values
        };
        let parameters = normals(0, network.parameters()).iter().map(|w| 0.2 * w).collect();
        let weight = normals(3, 3 * COUNT).iter().map(|w| w * w).collect();
        let batch = [normals(1, 4 * COUNT), normals(4, COUNT), normals(2, 3 * COUNT), weight];
        (Arc::new(network), parameters, batch)
    }

    fn samples([state, clock, target, weight]: &Batch) -> Samples<'_> {
        Samples { count: COUNT, state, clock, class: &[], target, weight, chance: None }
    }

    /// Loss and gradient, in buffers with something else in them.
    fn gradient(mut training: Box<dyn Training>, parameters: &[f32], batch: &Batch) -> (f64, Vec<f32>) {
        Task::default().team(training.parts(), |team| training.update(parameters, team)).unwrap();
        let (mut space, mut gradient) = (vec![f32::NAN; training.space(COUNT)], vec![f32::NAN; parameters.len()]);
        let mut errors = vec![f64::NAN; COUNT];
        let loss = training.pass(parameters, samples(batch), 0.01, &mut space, &mut gradient, &mut errors).unwrap();
        let sum: f64 = errors.iter().sum();
        assert!((sum / loss - 1.0).abs() < 1e-6 && errors.iter().all(|error| *error > 0.0), "{sum} against {loss}");
        (loss, gradient)
    }

    /// Relative distance of two vectors.
    fn distance(a: &[f32], b: &[f32]) -> f32 {
        let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
        norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
    }

    /// Seen to fail with the slope of the SiLU off by its term z s (1 − s), with the bias gradient left out, and
    /// without the time.
    #[test]
    fn gradients_are_those_of_automatic_differentiation() {
        for activation in [Activation::Silu, Activation::Tanh, Activation::Relu] {
            for hidden in [&[32_usize, 16, 48][..], &[20]] {
                let (network, parameters, batch) = case(hidden, activation);
                let (loss, found) = gradient(network.training(), &parameters, &batch);
                let candle = Box::new(Candle::new(&network, &Device::Cpu).unwrap());
                let (expected_loss, expected) = gradient(candle, &parameters, &batch);
                assert!((loss / expected_loss - 1.0).abs() < 1e-5, "{loss} against {expected_loss}");
                for parameter in network.named_parameters() {
                    let error = distance(&found[parameter.place.clone()], &expected[parameter.place]);
                    assert!(error < 1e-5, "{activation:?} {hidden:?} {}: {error}", parameter.name);
                }
            }
        }
    }

    #[test]
    fn inference_is_the_forward_pass_of_candle() {
        let (network, parameters, [state, ..]) = case(&[32, 16, 48], Activation::Silu);
        let (inference, mut output) = (network.inference(&parameters), vec![0.0; 3 * COUNT]);
        let shown = Shown { count: COUNT, state: &state, clock: 0.7, class: None };
        inference.evaluate(shown, &mut vec![0.0; inference.space(COUNT)], &mut output);
        let candle = Candle::new(&network, &Device::Cpu).unwrap();
        candle.set(&parameters).unwrap();
        assert!(distance(&output, &candle.forward(&state, &[0.7; COUNT], &[]).unwrap()) < 1e-6);
    }
}
