//! A convolution: at each pixel, an affine map of the window around it.
//!
//! On the processor an image is copied once with its margin. The rows of a window are then contiguous, and windows of
//! neighbours overlap: so each row of taps is one product of matrices on the copy as it lies, without the copies of
//! all windows that a product usually asks for. Gradients by the input are the convolution of the gradients by the
//! output, spread out by the stride, with the taps in reversed order.

use std::ops::Range;

use candle_core::Tensor;
use serde_json::Value;

use super::dense::{add_bias, check_width};
use super::recipe::{Declared, Layer, Pass, Recipe, Values, stored};
use super::taps::{Convolution, Padding};
use super::winograd::Filtered;
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;
use crate::nn::kernel::{Form, Left, Matrix, PANEL, Right, Shape, add_product, multiply, sum_rows};

#[derive(Debug)]
struct Built {
    options: Convolution,
    input: Extent,
    /// Where the window of each pixel of the answer begins in the padded images, for [`TOGETHER`] pixels at least.
    windows: Vec<u32>,
    /// Where the window of each pixel of the input begins in the padded gradients by the answer.
    back: Vec<u32>,
    /// Images whose pixels go into one product.
    together: usize,
}

/// Rows of a product, so that a panel of weights is read for many.
const TOGETHER: usize = 512;

impl Recipe for Convolution {
    const KIND: &'static str = "convolution";

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        let input = inputs[0];
        check_width("channels", self.outputs)?;
        if input.is_vector() {
            let error = Error::argument("h", format!("of shape {input} is a vector: it has no neighbours to convolve"));
            return Err(error.with_hint("data of two or three axes are images; `dense` is for vectors"));
        }
        if self.stride == 0 || self.dilation == 0 {
            return Err(Error::argument("stride", "and `dilation` must be above 0"));
        }
        if self.kernel.is_multiple_of(2) {
            let problem = format!("must be odd, so that windows have a middle, got {}", self.kernel);
            return Err(Error::argument("kernel", problem));
        }
        if self.reach() >= input.height.min(input.width) {
            let problem = format!("reaches {} pixels to each side, beyond an image of shape {input}", self.reach());
            return Err(Error::argument("kernel", problem));
        }
        let is_even = |side: usize| side.is_multiple_of(self.stride);
        if self.padding == Padding::Periodic && !(is_even(input.height) && is_even(input.width)) {
            let problem = format!("of {} does not divide a periodic image of shape {input}", self.stride);
            return Err(Error::argument("stride", problem));
        }
        match self.is_filtered(input) {
            true => Ok(Box::new(Filtered::new(self, input))),
            false => Ok(Box::new(Built::new(self, input))),
        }
    }
}

impl Built {
    fn new(options: Convolution, input: Extent) -> Self {
        let mut built = Self { options, input, windows: Vec::new(), back: Vec::new(), together: 1 };
        let answer = built.output();
        built.together = TOGETHER.div_ceil(answer.pixels());
        built.windows = built.starts(answer, built.options.stride, input.channels);
        built.back = built.starts(input, 1, answer.channels);
        built
    }

    /// Where windows of `extent`'s pixels begin in padded images of `channels`.
    fn starts(&self, extent: Extent, stride: usize, channels: usize) -> Vec<u32> {
        let (height, width) = self.padded();
        let start = |image: usize, y: usize, x: usize| ((image * height + y * stride) * width + x * stride) * channels;
        let pixels = (0..self.together).flat_map(|image| (0..extent.height).map(move |y| (image, y)));
        let all = pixels.flat_map(|(image, y)| (0..extent.width).map(move |x| start(image, y, x) as u32));
        all.collect()
    }

    /// Rows and columns of an image with its margin.
    fn padded(&self) -> (usize, usize) {
        let margin = 2 * self.options.reach();
        (self.input.height + margin, self.input.width + margin)
    }

    /// Products that make a convolution, and the taps that each takes in: a row of neighbours, or each for itself.
    fn products(&self) -> (usize, usize) {
        let kernel = self.options.kernel;
        if self.options.dilation == 1 { (kernel, kernel) } else { (kernel * kernel, 1) }
    }

    /// Where the taps of a product begin, from the beginning of a window with `channels` on.
    fn offset(&self, product: usize, channels: usize) -> usize {
        let (_, width) = self.padded();
        let Convolution { kernel, dilation, .. } = self.options;
        let (row, column) = if dilation == 1 { (product, 0) } else { (product / kernel, product % kernel) };
        (row * width + column) * dilation * channels
    }

    /// Copies images of `extent` with a margin, their pixels `stride` apart and zeros between them.
    fn pad(&self, extent: Extent, stride: usize, values: &[f32], out: &mut [f32]) {
        let (height, width) = self.padded();
        let (channels, margin) = (extent.channels, self.options.reach());
        let images = values.chunks_exact(extent.size()).zip(out.chunks_exact_mut(height * width * channels));
        for (image, out) in images {
            out.fill(0.0);
            for (y, row) in image.chunks_exact(extent.width * channels).enumerate() {
                for y in self.places(y * stride, self.input.height) {
                    let out = &mut out[y * width * channels..][..width * channels];
                    if stride == 1 {
                        out[margin * channels..][..row.len()].copy_from_slice(row);
                        self.wrap(channels, out);
                    } else {
                        for (x, pixel) in row.chunks_exact(channels).enumerate() {
                            for x in self.places(x * stride, self.input.width) {
                                out[x * channels..][..channels].copy_from_slice(pixel);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Fills the margins of a padded row of a periodic image.
    fn wrap(&self, channels: usize, row: &mut [f32]) {
        if self.options.padding == Padding::Periodic {
            let (margin, size) = (self.options.reach() * channels, self.input.width * channels);
            row.copy_within(size..size + margin, 0);
            row.copy_within(margin..2 * margin, margin + size);
        }
    }

    /// The places in a padded side of the pixel at `place` of `side`: one, and its copies in the margins of a periodic
    /// image.
    fn places(&self, place: usize, side: usize) -> impl Iterator<Item = usize> + use<> {
        let margin = self.options.reach();
        let is_periodic = self.options.padding == Padding::Periodic;
        let inside = place + margin;
        let before = (is_periodic && inside >= side).then(|| inside - side);
        let behind = (is_periodic && inside < 2 * margin).then_some(inside + side);
        [Some(inside), before, behind].into_iter().flatten()
    }

    /// Numbers of `count` padded images of so many channels.
    fn room(&self, count: usize, channels: usize) -> usize {
        let (height, width) = self.padded();
        count * height * width * channels
    }

    /// Calls `product` for each group of images that go together, with the number of the first and their count.
    fn groups(&self, count: usize, mut product: impl FnMut(usize, usize)) {
        for first in (0..count).step_by(self.together) {
            product(first, self.together.min(count - first));
        }
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        Convolution::KIND
    }

    fn options(&self) -> Value {
        stored(&self.options)
    }

    fn output(&self) -> Extent {
        self.options.answer(self.input)
    }

    fn parameters(&self) -> Vec<Declared> {
        self.options.declared(self.input.channels)
    }

    fn multiplications(&self) -> usize {
        self.options.products_of_numbers(self.input)
    }

    fn matrices(&self, places: &[Range<usize>]) -> Vec<Matrix> {
        let all = places[usize::from(self.options.bias)].clone();
        let (products, parts) = self.products();
        let (rows, columns) = (parts * self.input.channels, self.options.outputs);
        let matrix = |product: usize| {
            let begin = all.start + product * rows * columns;
            Matrix {
                rows,
                columns,
                place: begin..begin + rows * columns,
                form: Form::Parts(parts),
                is_transposed: true,
            }
        };
        (0..products).map(matrix).collect()
    }

    fn candle(&self, inputs: &[Tensor], parameters: &[Tensor]) -> candle_core::Result<Tensor> {
        self.options.defined(&inputs[0], parameters)
    }

    fn keeps_inputs(&self) -> bool {
        true
    }

    fn scratch(&self, count: usize) -> usize {
        let answer = self.output();
        let edge = self.together * answer.pixels().max(self.input.pixels()) * PANEL;
        self.room(count, self.input.channels.max(answer.channels)) + edge
    }

    fn forward(&self, pass: Pass<'_>, inputs: &[&[f32]], scratch: &mut [f32], output: &mut [f32]) {
        let (count, answer, channels) = (pass.count, self.output(), self.input.channels);
        let (padded, edge) = scratch.split_at_mut(self.room(count, channels));
        self.pad(self.input, 1, inputs[0], padded);
        let ((packed, number), (products, taps)) = (pass.packed, self.products());
        self.groups(count, |first, count| {
            let out = &mut output[first * answer.size()..][..count * answer.size()];
            let shape = Shape { rows: count * answer.pixels(), depth: taps * channels, columns: answer.channels };
            for product in 0..products {
                let values = &padded[self.room(first, channels) + self.offset(product, channels)..];
                let left = Left::Windows { values, starts: &self.windows[..shape.rows] };
                match product {
                    0 => multiply(shape, left, packed.forward(number), out, edge),
                    _ => add_product(shape, left, packed.forward(number + product), out, edge),
                }
            }
        });
        if self.options.bias {
            add_bias(pass.parameter(0), output);
        }
    }

    fn backward(&self, pass: Pass<'_>, values: Values<'_>, _: usize, scratch: &mut [f32], gradient: &mut [f32]) {
        let (count, channels) = (pass.count, self.options.outputs);
        let (padded, edge) = scratch.split_at_mut(self.room(count, channels));
        self.pad(self.output(), self.options.stride, values.upstream, padded);
        let ((packed, number), (products, taps)) = (pass.packed, self.products());
        self.groups(count, |first, count| {
            let out = &mut gradient[first * self.input.size()..][..count * self.input.size()];
            let rows = count * self.input.pixels();
            let shape = Shape { rows, depth: taps * channels, columns: self.input.channels };
            for product in 0..products {
                let values = &padded[self.room(first, channels) + self.offset(product, channels)..];
                let left = Left::Windows { values, starts: &self.back[..rows] };
                add_product(shape, left, packed.backward(number + products - 1 - product), out, edge);
            }
        });
    }

    fn by_parameters(&self, pass: Pass<'_>, values: Values<'_>, scratch: &mut [f32], gradient: &mut [f32]) {
        let (count, answer, channels) = (pass.count, self.output(), self.input.channels);
        let (by_bias, by_weight) = gradient.split_at_mut(if self.options.bias { self.options.outputs } else { 0 });
        if self.options.bias {
            sum_rows(values.upstream, by_bias);
        }
        let (padded, edge) = scratch.split_at_mut(self.room(count, channels));
        self.pad(self.input, 1, values.inputs[0], padded);
        let (products, taps) = self.products();
        self.groups(count, |first, count| {
            let upstream = Right::Rows(&values.upstream[first * answer.size()..][..count * answer.size()]);
            let shape = Shape { rows: taps * channels, depth: count * answer.pixels(), columns: answer.channels };
            for (product, out) in by_weight.chunks_exact_mut(by_weight.len() / products).enumerate() {
                let values = &padded[self.room(first, channels) + self.offset(product, channels)..];
                let left = Left::WindowColumns { values, starts: &self.windows[..shape.depth] };
                match first {
                    0 => multiply(shape, left, upstream, out, edge),
                    _ => add_product(shape, left, upstream, out, edge),
                }
            }
        });
    }
}
