//! Layers of images.

use rhai::plugin::*;
use rhai::{Dynamic, Map};

use super::{KERNEL, PADDING, PADDINGS, WEIGHTS};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Given, Table, count_argument, read};
use crate::nn::graph::{self, Convolution, Direction, Filter, Resample, Signal};
use crate::settings::{Choice, Setting, words};

pub(super) const OPTIONS: &[(&str, Table)] =
    &[("conv", &[WINDOWS, WEIGHTS]), ("attention", &[HEADS]), ("upsample", &[FILTER]), ("downsample", &[FILTER])];

const WINDOWS: &[Setting] = &[
    KERNEL,
    Setting::count("stride", "pixels between windows").between(1.0, 16.0).or(1.0),
    Setting::count("dilation", "pixels between taps").between(1.0, 64.0).or(1.0),
    PADDING,
];

const HEADS: &[Setting] = &[Setting::count("heads", "parts of the channels that attend for themselves").or(1.0)];

const FILTER: &[Setting] = &[Setting::choice("filter", "of which pixels a new one is made", &words(FILTERS))];

const FILTERS: &[(Choice, Filter); 2] = &[
    (Choice::new("box", "down: the mean of four pixels; up: a copy of the nearest"), Filter::Box),
    (Choice::new("smooth", "taps (1, 3, 3, 1)/8 along each side, against false patterns"), Filter::Smooth),
];

/// The window that options describe, and what its taps begin with.
fn convolution(outputs: usize, given: &Given) -> Convolution {
    Convolution {
        outputs,
        kernel: given.count("kernel"),
        stride: given.count("stride"),
        dilation: given.count("dilation"),
        padding: given.chosen("padding", PADDINGS),
        bias: given.flag("bias"),
        gain: given.number("gain"),
    }
}

fn resampled(ctx: &NativeCallContext, h: &Signal, direction: Direction, options: Map) -> Outcome<Signal> {
    let filter = read(ctx, options, &[FILTER], |given| Ok(given.chosen("filter", FILTERS)))?;
    Signal::of(Resample { direction, filter }, &[h]).raise(ctx)
}

#[export_module(manifest)]
pub(super) mod functions {
    /// A convolution: an affine map of the window around each pixel of an image.
    ///
    /// # Shapes
    /// h [inputs, height, width] -> [channels, height / stride, width / stride], rounded up
    ///
    /// # Arguments
    /// - `h`: an image
    /// - `channels`: channels that it makes
    ///
    /// # Returns
    /// A `Signal`.
    ///
    /// # Errors
    /// When `h` is a vector, the kernel even, a window larger than the image, or a stride does not divide a periodic
    /// image.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::ising(#{ size: 8, count: 64, temperature: 2, sweeps: 10 });
    /// let m = score::network(process::passive(), d, |z, t| {
    ///     let h = layer::conv(z, 8, #{ padding: "periodic" }) + layer::dense(t, 8);
    ///     layer::answer(layer::silu(h), #{ padding: "periodic" })
    /// });
    /// train(m, d, #{ steps: 2, batch: 8 });
    /// assert(m.steps == 2);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn conv(ctx: NativeCallContext, h: Signal, channels: Dynamic, options: Map) -> Outcome<Signal> {
        let outputs = count_argument(&ctx, "channels", &channels)?;
        let layer = read(&ctx, options, &[WINDOWS, WEIGHTS], |given| Ok(convolution(outputs, given)))?;
        Signal::of(layer, &[&h]).raise(&ctx)
    }

    /// Attention between the pixels of an image, with learned maps to queries, keys and values, and one behind.
    ///
    /// # Shapes
    /// The same, [channels, height, width].
    ///
    /// # Returns
    /// A `Signal`.
    ///
    /// # Errors
    /// When `h` is a vector, or the number of heads does not divide that of channels.
    ///
    /// # Source
    /// Vaswani et al., arXiv 1706.03762.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::from_array(random_normal([8, 4, 4], 1));
    /// let m = score::network(process::passive(), d, |z, t| {
    ///     let h = layer::conv(z, 8) + layer::dense(t, 8);
    ///     layer::answer(h + layer::attention(layer::group_norm(h, 2), #{ heads: 2 }))
    /// });
    /// assert(m.to_string().contains("attention"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn attention(ctx: NativeCallContext, h: Signal, options: Map) -> Outcome<Signal> {
        let heads = read(&ctx, options, &[HEADS], |given| Ok(given.count("heads")))?;
        graph::attention(&h, heads).raise(&ctx)
    }

    /// Half as many pixels along each side.
    ///
    /// # Shapes
    /// h [channels, height, width] -> [channels, height/2, width/2]
    ///
    /// # Returns
    /// A `Signal`.
    ///
    /// # Errors
    /// When a side is odd.
    ///
    /// # Source
    /// Zhang, arXiv 1904.11486, for the smooth filter.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::from_array(random_normal([8, 4, 4], 1));
    /// let m = score::network(process::passive(), d, |z, t| {
    ///     let h = layer::downsample(layer::conv(z, 8), #{ filter: "smooth" });
    ///     assert_eq(h.shape, [8, 2, 2]);
    ///     layer::answer(layer::upsample(h) + layer::dense(t, 8))
    /// });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn downsample(ctx: NativeCallContext, h: Signal, options: Map) -> Outcome<Signal> {
        resampled(&ctx, &h, Direction::Down, options)
    }

    /// Twice as many pixels along each side.
    ///
    /// # Shapes
    /// h [channels, height, width] -> [channels, 2 height, 2 width]
    ///
    /// # Returns
    /// A `Signal`.
    ///
    /// # Source
    /// Zhang, arXiv 1904.11486, for the smooth filter.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::from_array(random_normal([8, 4, 4], 1));
    /// let m = score::network(process::passive(), d, |z, t| {
    ///     let h = layer::upsample(layer::conv(z, 8), #{ filter: "smooth" });
    ///     assert_eq(h.shape, [8, 8, 8]);
    ///     layer::answer(layer::downsample(h) + layer::dense(t, 8))
    /// });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn upsample(ctx: NativeCallContext, h: Signal, options: Map) -> Outcome<Signal> {
        resampled(&ctx, &h, Direction::Up, options)
    }
}
