//! The U-Net of the standard library against one in PyTorch, with its weights (tests/oracle/unet_reference.safetensors:
//! channels 16, multipliers 1, 2, 2, one block, attention at 16, embedding 64; three images [2, 32, 32]).

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use safetensors::SafeTensors;

use super::Runtime;
use super::builtins::score::Score;
use crate::host::Host;
use crate::nn::{Candle, Network, Parameter, Samples, Shown, Training};
use crate::rng::{Purpose, Stream};
use crate::score::Learned;
use crate::task::Task;

/// The modules of the reference in the order in which they are run, which is that of our layers with parameters.
fn modules() -> Vec<String> {
    let residual = |name: &str, has_skip: bool| {
        let parts = ["norm1", "conv1", "time", "norm2", "conv2", "skip"];
        parts[..if has_skip { 6 } else { 5 }].iter().map(|part| format!("{name}.{part}")).collect()
    };
    let attention = |name: &str| ["norm", "qkv", "out"].iter().map(|part| format!("{name}.{part}")).collect();
    let one = |name: &str| vec![name.to_owned()];
    let up = |i: usize| residual(&format!("up.{i}"), true);
    let all: Vec<Vec<String>> = vec![
        one("embed.0"),
        one("embed.2"),
        one("first"),
        residual("down.0", false),
        one("down.1"),
        residual("down.2", true),
        attention("down.3"),
        one("down.4"),
        residual("down.5", false),
        residual("middle.0", false),
        attention("middle.1"),
        residual("middle.2", false),
        up(0),
        up(1),
        one("up.2"),
        up(3),
        attention("up.4"),
        up(5),
        attention("up.6"),
        one("up.7"),
        up(8),
        up(9),
        one("norm"),
        one("last"),
    ];
    all.concat()
}

fn read(file: &SafeTensors<'_>, name: &str) -> (Vec<usize>, Vec<f32>) {
    let view = file.tensor(name).unwrap();
    let values = view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    (view.shape().to_vec(), values)
}

/// Weights [out, in, taps..] as [taps.., in, out].
fn turned(shape: &[usize], values: &[f32]) -> Vec<f32> {
    let (outputs, inputs) = (shape[0], shape[1]);
    let taps: usize = shape[2..].iter().product();
    let entry = |i: usize| values[(i % outputs * inputs + i / outputs % inputs) * taps + i / outputs / inputs];
    (0..values.len()).map(entry).collect()
}

/// [columns, rows] of [rows, columns].
fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| values.iter().skip(c).step_by(columns).copied()).collect()
}

/// The U-Net of the reference, with its weights; and the file.
fn reference(bytes: &[u8]) -> (SafeTensors<'_>, Arc<dyn Network>, Vec<f32>) {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let (_, frequencies) = read(&file, "weights.frequencies");
    let made = format!(
        "score::unet(process::active(), dataset::from_array(zeros([2, 32, 32])), #{{ channels: 16, blocks: 1, \
         embedding: 64, frequencies: {frequencies:?} }})"
    );
    let Score::Learned(learned) = Runtime::new().eval::<Score>(&made).unwrap() else { panic!("it is learned") };
    let network = learned.network().clone();
    let mut parameters = Vec::new();
    for module in modules() {
        parameters.extend(read(&file, &format!("weights.{module}.bias")).1);
        let (shape, weight) = read(&file, &format!("weights.{module}.weight"));
        parameters.extend(if shape.len() == 1 { weight } else { turned(&shape, &weight) });
    }
    assert_eq!(parameters.len(), network.parameters(), "{:?}", network.named_parameters());
    (file, network, parameters)
}

fn file() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/unet_reference.safetensors");
    std::fs::read(path).unwrap()
}

#[test]
fn the_unet_is_that_of_the_reference() {
    let bytes = file();
    let (file, network, parameters) = reference(&bytes);
    let ((_, x), (_, t), (_, expected)) = (read(&file, "input.x"), read(&file, "input.t"), read(&file, "output"));
    let scale = expected.iter().fold(0.0, |most, y| f32::max(most, y.abs()));
    let near = |found: &[f32], expected: &[f32]| {
        let error = found.iter().zip(expected).fold(0.0, |most, (a, b)| f32::max(most, (a - b).abs()));
        assert!(error < 1e-4 * scale, "{error} of {scale}");
    };
    let candle = Candle::new(&network, &Device::Cpu).unwrap();
    candle.set(&parameters).unwrap();
    let answer = candle.forward(&transposed(&x, network.inputs()), &t, &[]).unwrap();
    near(&transposed(&answer, t.len()), &expected);
    let inference = network.inference(&parameters);
    for (image, (&clock, expected)) in t.iter().zip(expected.chunks_exact(network.outputs())).enumerate() {
        let state = &x[image * network.inputs()..][..network.inputs()];
        let mut answer = vec![0.0; network.outputs()];
        inference.evaluate(
            Shown { count: 1, state, clock, class: None },
            &mut vec![0.0; inference.space(1)],
            &mut answer,
        );
        near(&answer, expected);
    }
    // The divergence of a score is made of such products.
    let state = &x[..network.inputs()];
    let answer = |state: &[f32]| {
        let mut answer = vec![0.0; network.outputs()];
        inference.evaluate(
            Shown { count: 1, state, clock: t[0], class: None },
            &mut vec![0.0; inference.space(1)],
            &mut answer,
        );
        answer
    };
    let [mut weight, mut direction] = [network.outputs(), network.inputs()].map(|size| vec![0.0; size]);
    Stream::new(1, Purpose::Script).normals(0, 0, &mut weight);
    Stream::new(1, Purpose::Script).normals(0, 1, &mut direction);
    let mut gradient = vec![f32::NAN; network.inputs()];
    let space = &mut vec![f32::NAN; inference.gradient_space(1)];
    inference.gradient(Shown { count: 1, state, clock: t[0], class: None }, &weight, space, &mut gradient);
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let along = |by: f32| {
        let moved: Vec<_> = state.iter().zip(&direction).map(|(z, w)| z + by * w).collect();
        product(&answer(&moved), &weight)
    };
    let (found, expected) = (product(&gradient, &direction), (along(1e-2) - along(-1e-2)) / 0.02);
    let size = (product(&gradient, &gradient) * product(&direction, &direction)).sqrt();
    assert!((found - expected).abs() < 1e-4 * size, "{found} against {expected}, at most {size}");
}

/// Through all layers of the reference at once, parameter by parameter: relative distances of the gradients.
#[test]
fn the_gradient_of_the_whole_unet_is_candles() {
    let bytes = file();
    let (file, network, parameters) = reference(&bytes);
    let ((_, x), (_, t), count) = (read(&file, "input.x"), read(&file, "input.t"), 3);
    let state = transposed(&x, network.inputs());
    let [mut target, mut weight] = [0, 1].map(|_| vec![0.0; network.outputs() * count]);
    Stream::new(2, Purpose::Script).normals(0, 0, &mut target);
    Stream::new(2, Purpose::Script).uniforms(0, 1, &mut weight);
    let (state, clock, target, weight) = (&state[..], &t[..], &target[..], &weight[..]);
    let samples = Samples { count, state, clock, class: &[], target, weight, chance: None };
    let gradient = |mut training: Box<dyn Training>| {
        Task::default().team(training.parts(), |team| training.update(&parameters, team)).unwrap();
        let (mut space, mut gradient) = (vec![f32::NAN; training.space(count)], vec![f32::NAN; parameters.len()]);
        let mut errors = vec![f64::NAN; count];
        (training.pass(&parameters, samples, 1e-3, &mut space, &mut gradient, &mut errors).unwrap(), gradient)
    };
    let candle = Candle::new(&network, &Device::Cpu).unwrap();
    candle.set(&parameters).unwrap();
    let ((loss, found), (truth, expected)) = (gradient(network.training()), gradient(Box::new(candle)));
    assert!((loss / truth - 1.0).abs() < 1e-5, "{loss} against {truth}");
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    for Parameter { name, place, .. } in network.named_parameters() {
        let (found, expected) = (&found[place.clone()], &expected[place]);
        let error = norm(&mut found.iter().zip(expected).map(|(a, b)| a - b)) / norm(&mut expected.iter().copied());
        assert!(error < 1e-4, "the gradient by {name} differs by {error}");
    }
}

#[test]
fn described_networks_come_back_from_files_to_the_bit() {
    let mut runtime = Runtime::new();
    let made = "let m = score::network(process::active(), dataset::diamond(), |z, t| { \
                    let h = layer::dense(z, 12) + layer::dense(layer::embed(t, 6), 12); \
                    layer::answer(layer::group_norm(layer::gelu(h), 3)) }, #{ seed: 2 }); \
                train(m, dataset::diamond(), #{ steps: 5, batch: 32 }); m";
    let Score::Learned(model) = runtime.eval::<Score>(made).unwrap() else { panic!("it is learned") };
    let bytes = model.encode().unwrap();
    let again = Learned::decode(Path::new("m.safetensors"), &bytes, &Host::default()).unwrap();
    assert_eq!(again.weights(), model.weights());
    assert_eq!(again.network().description(), model.network().description());
    assert_eq!(again.encode().unwrap(), bytes);
}
