//! Layers, from which closures of `score::network` describe networks.

mod images;
mod operators;
mod settings;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, INT, Map};

use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, Tables, count_argument, kind, number_argument, read};
use crate::lang::types;
use crate::nn::Activation;
use crate::nn::graph::{Activate, Answer, Concatenate, Dense, Dropout, Embedding, Extent, Flatten, GroupNorm, Signal};
use crate::settings::Setting;
use settings::{KERNEL, PADDING, PADDINGS, WEIGHTS};

/// Registers the type, its operators and the module.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    types::register::<Signal>(engine, "Signal", "a layer gives another signal: let h = layer::dense(x, 64);");
    engine.register_type_with_name::<Answer>("Answer");
    engine.register_fn("to_string", |signal: &mut Signal| signal.to_string());
    engine.register_fn("to_debug", |signal: &mut Signal| signal.to_string());
    operators::register(engine);
    let options: &[(&'static str, Table)] = &[("dense", &[WEIGHTS]), ("embed", &[WAVES]), ("answer", &[LAST])];
    let parts = [
        (rhai::exported_manifest!(functions), options),
        (rhai::exported_manifest!(images::functions), images::OPTIONS),
    ];
    let module = tables.joined("layer", &parts);
    engine.register_static_module("layer", module.into());
    engine.register_global_module(rhai::exported_module!(methods).into());
}

const LAST: &[Setting] = &[KERNEL, PADDING];

const WAVES: &[Setting] = &[
    Setting::number("scale", "standard deviation of the frequencies, in turns per unit").above(0.0).or(1.0),
    Setting::numbers("frequencies", "the frequencies themselves, half as many as the width").or_else("drawn"),
    Setting::seed("seed of the frequencies"),
];

fn activated(ctx: &NativeCallContext, h: &Signal, activation: Activation) -> Outcome<Signal> {
    Signal::of(Activate { activation }, &[h]).raise(ctx)
}

#[export_module(manifest)]
mod functions {
    /// An affine map of the numbers of a vector, or of those at each pixel of an image (a convolution of one tap).
    ///
    /// # Shapes
    /// h \[channels\] -> \[width\]; [channels, height, width] -> [width, height, width]
    ///
    /// # Arguments
    /// - `h`: what the layer is given
    /// - `width`: numbers that it makes
    ///
    /// # Returns
    /// A `Signal`.
    ///
    /// # Errors
    /// When the width is not from 1 to 65,536.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond();
    /// let m = score::network(process::active(), d, |z, t| {
    ///     let h = layer::silu(layer::dense(layer::concatenate([z, t]), 64));
    ///     layer::answer(layer::silu(layer::dense(h, 64)))
    /// });
    /// train(m, d, #{ steps: 20, batch: 64 });
    /// assert(m.steps == 20);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn dense(ctx: NativeCallContext, h: Signal, width: Dynamic, options: Map) -> Outcome<Signal> {
        let outputs = count_argument(&ctx, "width", &width)?;
        let layer = read(&ctx, options, &[WEIGHTS], |given| {
            Ok(Dense { outputs, bias: given.flag("bias"), gain: given.number("gain") })
        })?;
        Signal::of(layer, &[&h]).raise(&ctx)
    }

    /// Groups of channels of each sample brought to mean 0 and variance 1, then scaled and shifted by learned numbers.
    ///
    /// # Shapes
    /// The same.
    ///
    /// # Arguments
    /// - `h`: what the layer is given
    /// - `groups`: number of groups, which divides that of channels
    ///
    /// # Returns
    /// A `Signal`.
    ///
    /// # Errors
    /// When the number of groups does not divide that of channels.
    ///
    /// # Source
    /// Wu and He, arXiv 1803.08494.
    #[rhai_fn(return_raw)]
    pub fn group_norm(ctx: NativeCallContext, h: Signal, groups: Dynamic) -> Outcome<Signal> {
        Signal::of(GroupNorm { groups: count_argument(&ctx, "groups", &groups)? }, &[&h]).raise(&ctx)
    }

    /// A number as waves: sin(2 pi f t) for several frequencies f, then the cosines.
    ///
    /// What stands for the time t is 1 + ln(t/T)/2, about -4 to 1.
    ///
    /// # Shapes
    /// t \[1\] -> \[width\]
    ///
    /// # Arguments
    /// - `t`: a number
    /// - `width`: numbers that it makes, even
    ///
    /// # Returns
    /// A `Signal`.
    ///
    /// # Errors
    /// When `t` has another shape, `width` is odd, or there are other than width/2 frequencies.
    ///
    /// # Source
    /// Tancik et al., arXiv 2006.10739.
    ///
    /// # Example
    /// ```rhai
    /// let m = score::network(process::passive(), dataset::diamond(), |z, t| {
    ///     let e = layer::embed(t, 4, #{ frequencies: [0.25, 0.5] });
    ///     assert_eq(e.shape, [4]);
    ///     layer::answer(layer::silu(layer::dense(z, 16) + layer::dense(e, 16)))
    /// });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn embed(ctx: NativeCallContext, t: Signal, width: Dynamic, options: Map) -> Outcome<Signal> {
        let width = count_argument(&ctx, "width", &width)?;
        let layer = read(&ctx, options, &[WAVES], |given| {
            let (scale, seed) = (given.number("scale"), given.natural("seed"));
            Embedding::new(width, scale, seed, given.numbers_if_given("frequencies")).raise(&ctx)
        })?;
        Signal::of(layer, &[&t]).raise(&ctx)
    }

    /// A class as a vector of learned numbers, zeros where no class is told.
    ///
    /// # Shapes
    /// c \[classes\] -> \[width\]
    ///
    /// # Arguments
    /// - `c`: the class, the third argument of the closure of `score::network`
    /// - `width`: numbers that it makes
    ///
    /// # Returns
    /// A `Signal`.
    ///
    /// # Errors
    /// When the data have no labels, and so there are no classes.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::digits();
    /// let m = score::network(process::passive(), d, |z, t, c| {
    ///     let e = layer::dense(t, 8) + layer::embed_class(c, 8);
    ///     layer::answer(layer::silu(layer::conv(z, 8) + e))
    /// });
    /// train(m, d, #{ steps: 2, batch: 8 });
    /// assert_eq(sample(m.given("3"), #{ count: 2, steps: 4 }).x.shape, [2, 8, 8]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn embed_class(ctx: NativeCallContext, c: Dynamic, width: Dynamic) -> Outcome<Signal> {
        let outputs = count_argument(&ctx, "width", &width)?;
        let Some(class) = c.read_lock::<Signal>().map(|signal| signal.clone()) else {
            let problem = match c.is_unit() {
                true => "is no class: the data have no labels".to_owned(),
                false => format!("must be the class, got {}", kind(&ctx, &c)),
            };
            let hint = "give the data labels, and take the class as the third argument: |z, t, c|";
            return Err(Error::argument("c", problem).with_hint(hint)).raise(&ctx);
        };
        // Each class picks its row of the weights, which begins with normals.
        let gain = (class.extent().size() as f64).sqrt();
        Signal::of(Dense { outputs, bias: false, gain }, &[&class]).raise(&ctx)
    }

    /// Numbers left out by chance in training, and all others made larger, so that their mean stays; nothing is left
    /// out afterwards.
    ///
    /// # Shapes
    /// The same.
    ///
    /// # Arguments
    /// - `h`: what the layer is given
    /// - `part`: the part of the numbers that is left out, from 0 to below 1
    ///
    /// # Returns
    /// A `Signal`.
    ///
    /// # Errors
    /// When the part is out of range.
    ///
    /// # Source
    /// Srivastava et al., J. Mach. Learn. Res. 15, 1929 (2014).
    #[rhai_fn(return_raw)]
    pub fn dropout(ctx: NativeCallContext, h: Signal, part: Dynamic) -> Outcome<Signal> {
        Signal::of(Dropout { part: number_argument(&ctx, "part", &part)? }, &[&h]).raise(&ctx)
    }

    /// The channels of several values of the same pixels behind each other.
    ///
    /// # Shapes
    /// [c1, height, width], [c2, height, width], .. -> [c1 + c2 + .., height, width]; likewise vectors
    ///
    /// # Arguments
    /// - `values`: array of them
    ///
    /// # Returns
    /// A `Signal`.
    ///
    /// # Errors
    /// When they have other pixels, or one is no signal.
    #[rhai_fn(return_raw)]
    pub fn concatenate(ctx: NativeCallContext, values: Array) -> Outcome<Signal> {
        let mut signals = Vec::with_capacity(values.len());
        for (i, value) in values.iter().enumerate() {
            let Some(signal) = value.read_lock::<Signal>() else {
                let problem = format!("must hold what layers made, got {} at {i}", kind(&ctx, value));
                return Err(Error::argument("values", problem)).raise(&ctx);
            };
            signals.push(signal.clone());
        }
        Signal::of(Concatenate {}, &signals.iter().collect::<Vec<_>>()).raise(&ctx)
    }

    /// All numbers of an image as one vector.
    ///
    /// # Shapes
    /// h [channels, height, width] -> \[channels height width\]
    ///
    /// # Returns
    /// A `Signal`.
    #[rhai_fn(return_raw)]
    pub fn flatten(ctx: NativeCallContext, h: Signal) -> Outcome<Signal> {
        Signal::of(Flatten {}, &[&h]).raise(&ctx)
    }

    /// z/(1 + exp(-z)) of every number.
    #[rhai_fn(return_raw)]
    pub fn silu(ctx: NativeCallContext, h: Signal) -> Outcome<Signal> {
        activated(&ctx, &h, Activation::Silu)
    }

    /// tanh z of every number.
    #[rhai_fn(return_raw)]
    pub fn tanh(ctx: NativeCallContext, h: Signal) -> Outcome<Signal> {
        activated(&ctx, &h, Activation::Tanh)
    }

    /// max(z, 0) of every number.
    #[rhai_fn(return_raw)]
    pub fn relu(ctx: NativeCallContext, h: Signal) -> Outcome<Signal> {
        activated(&ctx, &h, Activation::Relu)
    }

    /// z times the probability that a standard normal is below z, by its approximation with tanh, of every number.
    ///
    /// # Source
    /// Hendrycks and Gimpel, arXiv 1606.08415.
    #[rhai_fn(return_raw)]
    pub fn gelu(ctx: NativeCallContext, h: Signal) -> Outcome<Signal> {
        activated(&ctx, &h, Activation::Gelu)
    }

    /// The last layer of a network: as wide as the blocks that noise drives, with first weights of zero, so that an
    /// untrained network adds nothing to the Gaussian score.
    ///
    /// A vector is mapped to all numbers of the answer; an image, which must have the size of the data, by windows.
    ///
    /// # Returns
    /// An `Answer`, for the closure of `score::network` to return.
    ///
    /// # Errors
    /// Where the network is made: when `h` is an image of another size than the data.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::from_array(random_normal([8, 4, 4], 1));
    /// let untrained = score::network(process::passive(), d, |z, t| layer::answer(layer::conv(z, 8), #{ kernel: 1 }));
    /// let x = d.sample(5, 2);
    /// assert(untrained.at(x, 0.5).x.shape == [5, 4, 4]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn answer(ctx: NativeCallContext, h: Signal, options: Map) -> Outcome<Answer> {
        read(&ctx, options, &[LAST], |given| {
            Ok(Answer { signal: h, kernel: given.count("kernel"), padding: given.chosen("padding", PADDINGS) })
        })
    }
}

#[export_module]
mod methods {
    /// Shape of a value in a network that is being described: \[channels\] of a vector, [channels, height, width] of an
    /// image.
    #[rhai_fn(get = "shape", pure)]
    pub fn shape(signal: &mut Signal) -> Array {
        let Extent { channels, height, width } = signal.extent();
        let shape = if signal.extent().is_vector() { vec![channels] } else { vec![channels, height, width] };
        shape.into_iter().map(|side| Dynamic::from_int(side as INT)).collect()
    }
}
