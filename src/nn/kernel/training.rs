//! Loss and gradient of one chunk of a batch, on buffers allocated once.

use super::elementwise::{activate_with_slopes, squared_error, through_activation};
use super::packed::Packed;
use super::product::{Left, Right, Shape, multiply};
use crate::nn::{Layer, Mlp};

/// Inputs of a network and what it should answer, component-major.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// Number of samples.
    pub count: usize,
    /// [inputs, count].
    pub input: &'a [f32],
    /// [outputs, count].
    pub target: &'a [f32],
    /// Weight of each squared error, [outputs, count].
    pub weight: &'a [f32],
}

/// Buffers for the forward and backward pass over one chunk of a batch, and the gradient that comes of it.
#[derive(Debug, Clone)]
pub struct Chunk {
    network: Mlp,
    layers: Vec<Layer>,
    /// Values of each hidden layer, [count, width].
    values: Vec<Vec<f32>>,
    /// Derivative of each hidden value by its pre-activation, [count, width].
    slopes: Vec<Vec<f32>>,
    /// Gradient by the output of the layer that the backward pass is at and the one before, [count, width].
    upstream: [Vec<f32>; 2],
    gradient: Vec<f32>,
    edge: Vec<f32>,
}

impl Chunk {
    /// Buffers for up to `most` samples.
    pub fn new(network: &Mlp, most: usize) -> Self {
        let hidden = || network.hidden().iter().map(|width| vec![0.0; most * width]).collect();
        let room = most * network.width().max(network.outputs());
        Self {
            network: network.clone(),
            layers: network.layers(),
            values: hidden(),
            slopes: hidden(),
            upstream: [vec![0.0; room], vec![0.0; room]],
            gradient: vec![0.0; network.parameters()],
            edge: Vec::new(),
        }
    }

    /// The gradient that [`Chunk::run`] left, in the order of the parameters.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// The same, for another way of computing it to write to.
    pub fn gradient_mut(&mut self) -> &mut [f32] {
        &mut self.gradient
    }

    /// Returns `scale` · Σ weight · (network(input) − target)² and leaves its gradient by the parameters, whose weights
    /// stand in `packed` too.
    pub fn run(&mut self, parameters: &[f32], packed: &Packed, samples: Samples<'_>, scale: f32) -> f64 {
        self.forward(parameters, packed, samples);
        let last = &self.layers[self.layers.len() - 1];
        let output = &mut self.upstream[0][..samples.count * last.outputs];
        let bias_gradient = &mut self.gradient[last.bias.clone()];
        let bias = &parameters[last.bias.clone()];
        let loss = squared_error(bias, samples.target, samples.weight, scale, output, bias_gradient);
        self.backward(packed, samples);
        loss
    }

    /// Fills `values` and `slopes`, and the first `upstream` with the last layer's product.
    fn forward(&mut self, parameters: &[f32], packed: &Packed, samples: Samples<'_>) {
        let count = samples.count;
        for (number, layer) in self.layers.iter().enumerate() {
            let (before, now) = self.values.split_at_mut(number);
            let left = match before.last() {
                None => Left::Columns(samples.input),
                Some(values) => Left::Rows(values),
            };
            let shape = Shape { rows: count, depth: layer.inputs, columns: layer.outputs };
            let weight = packed.forward(number);
            match now.first_mut() {
                None => multiply(shape, left, weight, &mut self.upstream[0], &mut self.edge),
                Some(values) => {
                    multiply(shape, left, weight, values, &mut self.edge);
                    let (bias, values) = (&parameters[layer.bias.clone()], &mut values[..count * layer.outputs]);
                    activate_with_slopes(self.network.activation(), bias, values, &mut self.slopes[number]);
                }
            }
        }
    }

    /// Walks from the gradient by the output, in the first `upstream`, to the gradient by every parameter.
    fn backward(&mut self, packed: &Packed, samples: Samples<'_>) {
        let count = samples.count;
        let [upstream, next] = &mut self.upstream;
        for (number, layer) in self.layers.iter().enumerate().rev() {
            let here = &mut upstream[..count * layer.outputs];
            if let Some(slopes) = self.slopes.get(number) {
                through_activation(slopes, here, &mut self.gradient[layer.bias.clone()]);
            }
            let input = match number {
                0 => Left::Rows(samples.input),
                _ => Left::Columns(&self.values[number - 1][..count * layer.inputs]),
            };
            let shape = Shape { rows: layer.inputs, depth: count, columns: layer.outputs };
            multiply(shape, input, Right::Rows(here), &mut self.gradient[layer.weight.clone()], &mut self.edge);
            if number > 0 {
                let shape = Shape { rows: count, depth: layer.outputs, columns: layer.inputs };
                multiply(shape, Left::Rows(here), packed.backward(number), next, &mut self.edge);
                std::mem::swap(upstream, next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::nn::Activation;
    use crate::nn::kernel::{Adam, Inference, Moments, reduce};
    use crate::nn::reference::Reference;
    use crate::rng::{Purpose, Stream};
    use crate::task::Task;

    const COUNT: usize = 37;

    /// A network with no zero among its parameters, and a batch for it: input, target, weight.
    fn case(hidden: &[usize], activation: Activation) -> (Mlp, Vec<f32>, [Vec<f32>; 3]) {
        let network = Mlp::new(5, hidden, 3, activation).unwrap();
        let normals = |block, count| {
            let mut values = vec![0.0; count];
            Stream::new(1, Purpose::Script).normals(0, block, &mut values);
            values
        };
        let parameters = normals(0, network.parameters()).iter().map(|w| 0.2 * w).collect();
        let weight = normals(3, 3 * COUNT).iter().map(|w| w * w).collect();
        (network, parameters, [normals(1, 5 * COUNT), normals(2, 3 * COUNT), weight])
    }

    fn samples(batch: &[Vec<f32>; 3]) -> Samples<'_> {
        Samples { count: COUNT, input: &batch[0], target: &batch[1], weight: &batch[2] }
    }

    /// Relative distance of two vectors.
    fn distance(a: &[f32], b: &[f32]) -> f32 {
        let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
        norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
    }

    /// Seen to fail with the slope of the SiLU off by its term z s (1 − s), and with the bias gradient left out.
    #[test]
    fn gradients_are_those_of_automatic_differentiation() {
        for activation in [Activation::Silu, Activation::Tanh, Activation::Relu] {
            for hidden in [&[32_usize, 16, 48][..], &[20]] {
                let (network, parameters, batch) = case(hidden, activation);
                let mut chunk = Chunk::new(&network, COUNT + 5);
                let mut packed = Packed::new(&network);
                Task::default().team(packed.parts(), |team| packed.update(&parameters, team));
                let loss = chunk.run(&parameters, &packed, samples(&batch), 0.01);
                let reference = Reference::new(&network, &parameters, &Device::Cpu).unwrap();
                let mut expected = vec![0.0; network.parameters()];
                let expected_loss = reference.gradient(samples(&batch), 0.01, &mut expected).unwrap();
                assert!((loss / expected_loss - 1.0).abs() < 1e-5, "{loss} against {expected_loss}");
                for (name, _, place) in network.named_parameters() {
                    let error = distance(&chunk.gradient()[place.clone()], &expected[place]);
                    assert!(error < 1e-5, "{activation:?} {hidden:?} {name}: {error}");
                }
            }
        }
    }

    #[test]
    fn inference_is_the_forward_pass_of_candle() {
        let (network, parameters, batch) = case(&[32, 16, 48], Activation::Silu);
        let mut output = vec![0.0; 3 * COUNT];
        Inference::new(&network, &parameters).evaluate(COUNT, &batch[0], &mut output);
        let reference = Reference::new(&network, &parameters, &Device::Cpu).unwrap();
        let input = candle_core::Tensor::from_slice(&batch[0], (5, COUNT), &Device::Cpu).unwrap();
        let expected = reference.forward(&input.t().unwrap().contiguous().unwrap()).unwrap().t().unwrap();
        assert!(distance(&output, &expected.flatten_all().unwrap().to_vec1::<f32>().unwrap()) < 1e-6);
    }

    /// Two steps against the algorithm as printed, in double precision. Seen to fail with β₂ = 0.99.
    #[test]
    fn adam_is_adam() {
        let gradients = [[0.3_f32, -2.0, 1e-6], [0.1, 4.0, -1e-6]];
        let mut parameters = [1.0_f32, 2.0, 3.0];
        let (mut first, mut second, mut average) = ([0.0; 3], [0.0; 3], parameters);
        let mut expected = parameters.map(|p| [f64::from(p), 0.0, 0.0, f64::from(p)]);
        for (step, gradient) in gradients.iter().enumerate() {
            let mut moments = Moments { first: &mut first, second: &mut second, average: &mut average };
            Adam::at(step as u64 + 1, 1e-2, 0.5, 0.9).update(gradient, &mut parameters, &mut moments);
            for ([p, m, v, a], g) in expected.iter_mut().zip(gradient) {
                let (g, t) = (0.5 * f64::from(*g), step as i32 + 1);
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                *p -= 1e-2 * (*m / (1.0 - 0.9_f64.powi(t))) / ((*v / (1.0 - 0.999_f64.powi(t))).sqrt() + 1e-8);
                *a = 0.9 * *a + 0.1 * *p;
            }
        }
        for (i, [p, _, _, a]) in expected.iter().enumerate() {
            assert!((f64::from(parameters[i]) - p).abs() < 1e-6, "parameter {i}: {} against {p}", parameters[i]);
            assert!((f64::from(average[i]) - a).abs() < 1e-6, "average {i}: {} against {a}", average[i]);
        }
    }

    #[test]
    fn reduction_adds_in_order_and_returns_squares() {
        let parts: Vec<Vec<f32>> = (0..3).map(|part| (0..37).map(|i| (i * part) as f32).collect()).collect();
        let mut sum = vec![0.0; 37];
        let squares = reduce(3, |part| &parts[part], &mut sum);
        assert!(sum.iter().enumerate().all(|(i, &value)| value == 3.0 * i as f32));
        assert_eq!(squares, (0..37).map(|i| 9.0 * f64::from(i * i)).sum::<f64>());
    }
}
