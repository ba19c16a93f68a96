//! The passes on the processor against Candle, and Candle's convolutions against sums as they are written.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::*;
use crate::nn::{Activation, Candle, Chance, Inference, Network, Samples, Shown, Training};
use crate::rng::{Purpose, Stream};
use crate::task::{self, Task};

/// Samples of a batch: no multiple of what registers hold.
const COUNT: usize = 5;

/// Classes that a network may be told.
const CLASSES: usize = 3;

fn normals(block: u32, count: usize) -> Vec<f32> {
    let mut values = vec![0.0; count];
    Stream::new(1, Purpose::Script).normals(0, block, &mut values);
    values
}

/// Relative distance of two vectors.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}

fn dense(outputs: usize) -> Dense {
    Dense { outputs, bias: true, gain: 1.0 }
}

fn convolution(outputs: usize) -> Convolution {
    let (padding, bias) = (Padding::Zeros, true);
    Convolution { outputs, kernel: 3, stride: 1, dilation: 1, padding, bias, gain: 1.0 }
}

/// A network for states of `extent`, made by `describe`, with parameters none of which is zero.
fn network(extent: Extent, describe: impl Fn(&Shows) -> Result<Signal>) -> (Arc<dyn Network>, Vec<f32>) {
    let shows = Shows::new(extent, CLASSES).unwrap();
    let answer = describe(&shows).unwrap();
    let graph = Graph::new(&shows, &answer, answer.extent().size()).unwrap();
    let parameters = graph.initial(3).iter().zip(normals(9, graph.parameters())).map(|(w, n)| w + 0.1 * n).collect();
    (Arc::new(graph), parameters)
}

/// Loss and gradient, in buffers with something else in them.
fn gradient(mut training: Box<dyn Training>, parameters: &[f32], samples: Samples<'_>) -> (f64, Vec<f32>) {
    Task::default().team(training.parts(), |team| training.update(parameters, team)).unwrap();
    let (mut space, mut gradient) = (vec![f32::NAN; training.space(samples.count)], vec![f32::NAN; parameters.len()]);
    let mut errors = vec![f64::NAN; samples.count];
    let loss = training.pass(parameters, samples, 0.01, &mut space, &mut gradient, &mut errors).unwrap();
    let sum: f64 = errors.iter().sum();
    assert!((sum / loss - 1.0).abs() < 1e-5, "{sum} against {loss}");
    (loss, gradient)
}

/// The answers to what is shown, and their gradient by the state with some weights, by buffers with something else in
/// them.
fn asked(inference: &dyn Inference, network: &dyn Network, shown: Shown<'_>) -> [Vec<f32>; 2] {
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let [mut answer, mut gradient] = [outputs, inputs].map(|rows| vec![f32::NAN; rows * COUNT]);
    inference.evaluate(shown, &mut vec![f32::NAN; inference.space(COUNT)], &mut answer);
    let weight = normals(7, outputs * COUNT);
    inference.gradient(shown, &weight, &mut vec![f32::NAN; inference.gradient_space(COUNT)], &mut gradient);
    [answer, gradient]
}

/// Holds answers and gradients of the passes against Candle's.
fn check(name: &str, extent: Extent, describe: impl Fn(&Shows) -> Result<Signal>) {
    let (network, parameters) = network(extent, describe);
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let [state, clock, target] = [inputs, 1, outputs].map(|rows| normals(rows as u32 + 20, rows * COUNT));
    let weight: Vec<f32> = normals(5, outputs * COUNT).iter().map(|w| w * w).collect();
    let candle = Candle::new(&network, &Device::Cpu).unwrap();
    candle.set(&parameters).unwrap();
    let reference =
        Candle::on(task::Device::Candle, &network).unwrap().inference(&parameters, &task::Task::default()).unwrap();
    // Of no class, and of the last one.
    let told = network.classes().min(1);
    for class in [None, Some(CLASSES - 1)] {
        let shown = Shown { count: COUNT, state: &state, clock: 0.7, class };
        let inference = network.inference(&parameters);
        let [found, expected]: [[Vec<f32>; 2]; 2] =
            [inference.as_ref(), &reference].map(|inference| asked(inference, network.as_ref(), shown));
        let errors = [0, 1].map(|what| distance(&found[what], &expected[what]));
        assert!(errors[0] < 3e-6, "{name}: answers of {class:?} differ by {}", errors[0]);
        assert!(errors[1] < 1e-5, "{name}: the gradient by the state differs by {}", errors[1]);
    }
    let class = normals(6, CLASSES * COUNT * told);
    let chance = Some(Chance { stream: Stream::new(8, Purpose::Dropout), step: 3, chunk: 1 });
    let (state, clock, class, target, weight) = (&state[..], &clock[..], &class[..], &target[..], &weight[..]);
    let samples = Samples { count: COUNT, state, clock, class, target, weight, chance };
    let (loss, found) = gradient(network.training(), &parameters, samples);
    let (expected_loss, expected) = gradient(Box::new(candle), &parameters, samples);
    assert!((loss / expected_loss - 1.0).abs() < 1e-5, "{name}: {loss} against {expected_loss}");
    for Parameter { name: parameter, place, .. } in network.named_parameters() {
        let error = distance(&found[place.clone()], &expected[place]);
        assert!(error < 2e-5, "{name}: the gradient by {parameter} differs by {error}");
    }
}

fn image(channels: usize, height: usize, width: usize) -> Extent {
    Extent { channels, height, width }
}

#[test]
fn vectors_through_every_layer() {
    let plain = Extent::vector(3);
    check("dense", plain, |shows| Signal::of(dense(2), &[&shows.state]));
    check("without bias", plain, |shows| Signal::of(Dense { bias: false, ..dense(40) }, &[&shows.state]));
    for activation in [Activation::Silu, Activation::Tanh, Activation::Relu, Activation::Gelu] {
        check(activation.name(), plain, |shows| {
            let h = Signal::of(dense(17), &[&shows.state])?;
            Signal::of(dense(3), &[&Signal::of(Activate { activation }, &[&h])?])
        });
    }
    check("gates and waves", plain, |shows| {
        let h = Signal::of(dense(8), &[&shows.state])?;
        let e = Signal::of(Embedding { frequencies: vec![0.3, -1.2] }, &[&shows.time])?;
        let e = Signal::of(dense(8), &[&e])?;
        let product = Signal::of(Combine { combination: Combination::Product }, &[&h, &e])?;
        let square = Signal::of(Combine { combination: Combination::Product }, &[&product, &product])?;
        let sum = Signal::of(Combine { combination: Combination::Sum }, &[&square, &h])?;
        let normal =
            Signal::of(GroupNorm { groups: 2 }, &[&Signal::of(Affine { factor: 0.5, offset: 2.0 }, &[&sum])?])?;
        let all = Signal::of(Concatenate {}, &[&normal, &shows.time, &e, &shows.state])?;
        Signal::of(dense(5), &[&all])
    });
    check("classes", plain, |shows| {
        let class = shows.class.as_ref().unwrap();
        let e = Signal::of(Dense { bias: false, ..dense(4) }, &[class])?;
        Signal::of(dense(2), &[&Signal::of(Concatenate {}, &[&shows.state, &e, class])?])
    });
    check("dropout", plain, |shows| {
        let h = Signal::of(Dropout { part: 0.4 }, &[&Signal::of(dense(8), &[&shows.state])?])?;
        Signal::of(dense(2), &[&Signal::of(Dropout { part: 0.4 }, &[&h])?])
    });
    check("waves of what was learned", plain, |shows| {
        let one = Signal::of(dense(1), &[&shows.state])?;
        Signal::of(dense(2), &[&Signal::of(Embedding { frequencies: vec![0.1, 0.4, 1.0] }, &[&one])?])
    });
}

/// Sizes with C = H = W, odd ones, strides, dilations, borders.
#[test]
fn convolutions_of_all_shapes() {
    for extent in [image(4, 4, 4), image(2, 5, 7), image(1, 8, 6), image(33, 9, 4), image(16, 24, 24)] {
        for (kernel, stride, dilation) in [(3, 1, 1), (1, 1, 1), (3, 2, 1), (3, 1, 2), (5, 1, 1), (1, 2, 1), (3, 3, 1)]
        {
            for padding in [Padding::Zeros, Padding::Periodic] {
                let divides = extent.height % stride == 0 && extent.width % stride == 0;
                if kernel / 2 * dilation >= extent.height.min(extent.width)
                    || (padding == Padding::Periodic && !divides)
                {
                    continue;
                }
                let name = format!("{extent}, kernel {kernel}, stride {stride}, dilation {dilation}, {padding:?}");
                let options = Convolution { kernel, stride, dilation, padding, ..convolution(6) };
                check(&name, extent, |shows| {
                    // A layer before, so that the gradient by its input counts.
                    let h = Signal::of(dense(extent.channels), &[&shows.state])?;
                    Signal::of(options.clone(), &[&h])
                });
            }
        }
    }
}

/// Those with fewer multiplications: odd sides, C = H = W, channels that fill no panel, more tiles than go together.
/// Seen to fail with the taps of the way back in their own order, and with the tiles beyond an odd side left out.
#[test]
fn filtered_convolutions_of_all_shapes() {
    let extents =
        [image(16, 16, 16), image(18, 2, 3), image(33, 9, 4), image(40, 5, 7), image(64, 3, 8), image(16, 15, 14)];
    for (extent, outputs) in extents.into_iter().zip([16, 35, 17, 70, 16, 33]) {
        for padding in [Padding::Zeros, Padding::Periodic] {
            check(&format!("{extent} to {outputs}, {padding:?}"), extent, |shows| {
                let h = Signal::of(dense(extent.channels), &[&shows.state])?;
                Signal::of(Convolution { padding, ..convolution(outputs) }, &[&h])
            });
        }
    }
}

#[test]
fn images_through_every_layer() {
    let extent = image(2, 8, 4);
    let first = |shows: &Shows| Signal::of(dense(12), &[&shows.state]);
    check("group norm", extent, |shows| Signal::of(GroupNorm { groups: 4 }, &[&first(shows)?]));
    for heads in [1, 2, 4] {
        check("attention", extent, |shows| Signal::of(Attend { heads }, &[&first(shows)?]));
    }
    for direction in [Direction::Up, Direction::Down] {
        for filter in [Filter::Box, Filter::Smooth] {
            let options = Resample { direction, filter };
            check(&format!("{options:?}"), extent, |shows| Signal::of(options.clone(), &[&first(shows)?]));
        }
    }
    check("vectors at every pixel", extent, |shows| {
        let (h, e) = (first(shows)?, Signal::of(dense(12), &[&shows.time])?);
        let sum = Signal::of(Combine { combination: Combination::Sum }, &[&e, &h])?;
        Signal::of(Combine { combination: Combination::Product }, &[&sum, &e])
    });
    check("flat", extent, |shows| Signal::of(dense(9), &[&Signal::of(Flatten {}, &[&first(shows)?])?]));
    check("dropout", extent, |shows| Signal::of(Dropout { part: 0.4 }, &[&first(shows)?]));
    check("two branches", extent, |shows| {
        let h = first(shows)?;
        let (a, b) = (Signal::of(convolution(5), &[&h])?, Signal::of(dense(3), &[&h])?);
        Signal::of(convolution(1), &[&Signal::of(Concatenate {}, &[&a, &b, &h])?])
    });
}

/// Candle's own convolution against the sum, so that both are not wrong alike.
#[test]
fn candle_convolves() {
    let (extent, outputs) = (image(2, 5, 4), 3);
    for (padding, stride) in [(Padding::Zeros, 1), (Padding::Zeros, 2), (Padding::Periodic, 1)] {
        let (network, parameters) = network(extent, |shows| {
            Signal::of(Convolution { padding, stride, ..convolution(outputs) }, &[&shows.state])
        });
        let candle = Candle::new(&network, &Device::Cpu).unwrap();
        candle.set(&parameters).unwrap();
        let state = normals(3, extent.size());
        let found = candle.forward(&state, &[0.0], &[]).unwrap();
        let at = |c: usize, y: isize, x: isize| {
            let (height, width) = (5, 4);
            let (inside, y, x) = match padding {
                Padding::Zeros => ((0..height).contains(&y) && (0..width).contains(&x), y, x),
                Padding::Periodic => (true, y.rem_euclid(height), x.rem_euclid(width)),
            };
            if inside { f64::from(state[(c * 5 + y as usize) * 4 + x as usize]) } else { 0.0 }
        };
        let (rows, columns) = (5_usize.div_ceil(stride), 4_usize.div_ceil(stride));
        for o in 0..outputs {
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                let mut sum = f64::from(parameters[o]);
                for (i, j, c) in (0..3).flat_map(|i| (0..3).flat_map(move |j| (0..2).map(move |c| (i, j, c)))) {
                    let weight = parameters[outputs + ((i * 3 + j) * 2 + c) * outputs + o];
                    let (y, x) = ((y * stride + i) as isize - 1, (x * stride + j) as isize - 1);
                    sum += f64::from(weight) * at(c, y, x);
                }
                let value = f64::from(found[(o * rows + y) * columns + x]);
                assert!((value - sum).abs() < 1e-5, "{padding:?}: {value} against {sum}");
            }
        }
    }
}

/// The part that is left out, and the mean of what is left, over 10⁵ numbers: 5 standard errors. Seen to fail with the
/// parts exchanged.
#[test]
fn dropout_leaves_the_mean() {
    let (part, count) = (0.3, 100_000);
    let shows = Shows::new(Extent::vector(1), 0).unwrap();
    let layer = Signal::of(Dropout { part }, &[&shows.state]).unwrap();
    let stream = Stream::new(1, Purpose::Dropout);
    let mask = |chunk| layer.layer().mask(count, Chance { stream, step: 0, chunk }).unwrap();
    let zeros = mask(0).iter().filter(|factor| **factor == 0.0).count() as f64 / count as f64;
    let error = (part * (1.0 - part) / count as f64).sqrt();
    assert!((zeros - part).abs() < 5.0 * error, "{zeros}");
    let mean = mask(0).iter().map(|&factor| f64::from(factor)).sum::<f64>() / count as f64;
    assert!((mean - 1.0).abs() < 5.0 * error / (1.0 - part), "{mean}");
    assert_ne!(mask(0), mask(1));
}

/// With the same first weights, so that a chain written out trains to the bits of the perceptron; and the same gradient
/// by the state.
#[test]
fn chains_of_dense_layers_are_perceptrons() {
    let chain = |gain: f64, activation| {
        let shows = Shows::new(Extent::vector(3), 0).unwrap();
        let mut h = Signal::of(Concatenate {}, &[&shows.state, &shows.time]).unwrap();
        for width in [16, 8] {
            h = Signal::of(Dense { gain, ..dense(width) }, &[&h]).unwrap();
            h = Signal::of(Activate { activation }, &[&h]).unwrap();
        }
        let answer = Answer { signal: h, kernel: 3, padding: Padding::Zeros }.of(Extent::vector(2)).unwrap();
        Graph::new(&shows, &answer, 2).unwrap()
    };
    let found = chain(2.0_f64.sqrt(), Activation::Silu).perceptron();
    assert_eq!(found, Some(crate::nn::Mlp::new(3, &[16, 8], 2, Activation::Silu).unwrap()));
    assert_eq!(chain(1.0, Activation::Silu).perceptron(), None);
    assert!(chain(1.0, Activation::Tanh).perceptron().is_some());
    for activation in [Activation::Silu, Activation::Tanh, Activation::Relu, Activation::Gelu] {
        let graph = chain(2.0_f64.sqrt(), activation);
        let perceptron = crate::nn::Mlp::new(3, &[16, 8], 2, activation).unwrap();
        let parameters = normals(9, graph.parameters());
        let (state, weight) = (normals(1, 3 * 40), normals(2, 2 * 40));
        let shown = Shown { count: 40, state: &state, clock: 0.7, class: None };
        let [found, expected] = [&perceptron as &dyn Network, &graph].map(|network| {
            let (inference, mut gradient) = (network.inference(&parameters), vec![f32::NAN; 3 * 40]);
            inference.gradient(shown, &weight, &mut vec![f32::NAN; inference.gradient_space(40)], &mut gradient);
            gradient
        });
        let error = distance(&found, &expected);
        assert!(error < 1e-5, "{activation:?}: the gradient by the state differs by {error}");
    }
}

#[test]
fn descriptions_come_back() {
    let (network, parameters) = network(image(1, 6, 6), |shows| {
        let h = Signal::of(convolution(8), &[&shows.state])?;
        Signal::of(convolution(1), &[&Signal::of(Activate { activation: Activation::Gelu }, &[&h])?])
    });
    let again = crate::nn::restore(network.kind(), network.description(), 36, 36).unwrap();
    assert_eq!(network.named_parameters(), again.named_parameters());
    for (from, to) in [
        (r#""stride":1"#, r#""stride":0"#),
        (r#""dilation":1"#, r#""dilation":0"#),
        (r#""inputs":[0]"#, r#""inputs":[7]"#),
        (r#""inputs":[2]"#, r#""inputs":[]"#),
        (r#""height":6"#, r#""height":6000000000"#),
        (r#""layer":"convolution""#, r#""layer":"konvolution""#),
        (r#""outputs":8"#, r#""outputs":-8"#),
    ] {
        let text = network.description().to_string();
        assert!(text.contains(from), "{text}");
        let damaged = serde_json::from_str(&text.replace(from, to)).unwrap();
        assert!(crate::nn::restore(network.kind(), damaged, 36, 36).is_err(), "{to}");
    }
    let named = network.named_parameters();
    assert!(named.windows(2).all(|w| w[0].name < w[1].name && w[0].place.end == w[1].place.start));
    let tensors: Vec<Tensor> = named
        .iter()
        .map(|p| Tensor::from_slice(&parameters[p.place.clone()], p.shape.as_slice(), &Device::Cpu).unwrap())
        .collect();
    let state = Tensor::from_slice(&normals(1, 72), (2, 36), &Device::Cpu).unwrap();
    let clock = Tensor::zeros((2, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
    let answers = [&network, &again].map(|network| {
        network
            .candle(&tensors, &[state.clone(), clock.clone()], None)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap()
    });
    assert_eq!(answers[0], answers[1]);
}
