//! Convolutions of 3×3 taps at every pixel with fewer multiplications, by Winograd's minimal filtering.
//!
//! Tiles go through in groups whose working memory stays in the second cache: from the image to 16 points of each tile,
//! 16 products of matrices with the points of the taps, and back to the image, a panel of channels at a time.

use std::ops::Range;

use candle_core::Tensor;
use serde_json::Value;

use super::recipe::{Declared, Layer, Pass, Recipe, Values, stored};
use super::taps::{Convolution, Padding};
use crate::nn::graph::extent::Extent;
use crate::nn::kernel::{
    Channels, Form, Left, Matrix, PANEL, POINTS, Right, Shape, Tiling, add_product, enter_tiles, leave_tiles, multiply,
    scatter_tiles, sum_rows, taps_of_points,
};

/// A convolution of 3×3 taps with neither stride nor dilation.
#[derive(Debug)]
pub(super) struct Filtered {
    options: Convolution,
    input: Extent,
    tiling: Tiling,
}

/// Numbers of the points of a group of tiles.
const GROUP: usize = 1 << 17;

/// Rows of a tile of registers, of which a group is a multiple.
const ROWS: usize = 12;

/// Numbers between the points of tiles, so that points at a distance of a power of two do not compete for a few lines
/// of the first cache.
const APART: usize = 16;

impl Filtered {
    /// With options that it can have.
    pub(super) fn new(options: Convolution, input: Extent) -> Self {
        let tiling = Tiling::new(input.height, input.width, options.padding == Padding::Periodic);
        Self { options, input, tiling }
    }

    /// Tiles of a group with `channels` before its products.
    fn group(&self, channels: usize) -> usize {
        (GROUP / (POINTS * (channels + PANEL)) / ROWS * ROWS).max(ROWS)
    }

    /// Numbers between the points of a group with `channels`.
    fn stride(&self, channels: usize) -> usize {
        self.group(channels) * channels + APART
    }

    /// Numbers between the points of a panel of a group with `channels` before its products.
    fn panel_stride(&self, channels: usize) -> usize {
        self.group(channels) * PANEL + APART
    }

    /// Groups of all tiles of `count` images, with `channels` before their products.
    fn groups(&self, count: usize, channels: usize) -> impl Iterator<Item = Range<usize>> {
        let (all, group) = (count * self.tiling.tiles(), self.group(channels));
        (0..all).step_by(group).map(move |first| first..all.min(first + group))
    }

    /// Convolves `values` of `channels` with `panels` of taps, of so many columns in all, and calls `leave` with the
    /// points of each panel of channels of each group of tiles.
    fn convolve<'a>(
        &self,
        count: usize,
        (channels, columns): (usize, usize),
        values: &[f32],
        panels: impl Iterator<Item = &'a [f32]> + Clone,
        scratch: &mut [f32],
        mut leave: impl FnMut(Range<usize>, Channels, &[f32]),
    ) {
        let (stride, panel_stride) = (self.stride(channels), self.panel_stride(channels));
        let (points, products) = scratch.split_at_mut(POINTS * stride);
        for tiles in self.groups(count, channels) {
            enter_tiles(&self.tiling, tiles.clone(), channels, values, points, stride);
            for (number, taps) in panels.clone().enumerate() {
                let channels_of_panel = panel(number, columns);
                let shape = Shape { rows: tiles.len(), depth: channels, columns: channels_of_panel.width };
                for (point, taps) in taps.chunks_exact(channels * PANEL).enumerate() {
                    let left = Left::Rows(&points[point * stride..]);
                    multiply(shape, left, Right::Panels(taps), &mut products[point * panel_stride..], &mut []);
                }
                leave(tiles.clone(), channels_of_panel, products);
            }
        }
    }
}

/// The channels of a panel.
fn panel(number: usize, all: usize) -> Channels {
    let first = number * PANEL;
    Channels { first, width: PANEL.min(all - first), all }
}

impl Layer for Filtered {
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
        let place = places[usize::from(self.options.bias)].clone();
        let (rows, columns) = (POINTS * self.input.channels, self.options.outputs);
        vec![Matrix { rows, columns, place, form: Form::Points, is_transposed: true }]
    }

    fn candle(&self, inputs: &[Tensor], parameters: &[Tensor]) -> candle_core::Result<Tensor> {
        self.options.defined(&inputs[0], parameters)
    }

    fn keeps_inputs(&self) -> bool {
        true
    }

    fn scratch(&self, _: usize) -> usize {
        let (inputs, outputs) = (self.input.channels, self.options.outputs);
        let pass = |channels| POINTS * (self.stride(channels) + self.panel_stride(channels));
        pass(outputs).max(pass(inputs) + POINTS * inputs * outputs)
    }

    fn forward(&self, pass: Pass<'_>, inputs: &[&[f32]], scratch: &mut [f32], output: &mut [f32]) {
        let ((packed, number), channels) = (pass.packed, (self.input.channels, self.options.outputs));
        let bias = if self.options.bias { pass.parameter(0) } else { &[] };
        let panels = packed.panels(number, false);
        self.convolve(pass.count, channels, inputs[0], panels, scratch, |tiles, channels, products| {
            let bias = bias.get(channels.first..channels.first + channels.width).unwrap_or_default();
            let stride = self.panel_stride(self.input.channels);
            leave_tiles(&self.tiling, tiles, channels, products, stride, Some(bias), output);
        });
    }

    fn backward(&self, pass: Pass<'_>, values: Values<'_>, _: usize, scratch: &mut [f32], gradient: &mut [f32]) {
        let ((packed, number), channels) = (pass.packed, (self.options.outputs, self.input.channels));
        let panels = packed.panels(number, true);
        self.convolve(pass.count, channels, values.upstream, panels, scratch, |tiles, channels, products| {
            let stride = self.panel_stride(self.options.outputs);
            leave_tiles(&self.tiling, tiles, channels, products, stride, None, gradient);
        });
    }

    fn by_parameters(&self, pass: Pass<'_>, values: Values<'_>, scratch: &mut [f32], gradient: &mut [f32]) {
        let (inputs, outputs) = (self.input.channels, self.options.outputs);
        let (by_bias, by_weight) = gradient.split_at_mut(if self.options.bias { outputs } else { 0 });
        if self.options.bias {
            sum_rows(values.upstream, by_bias);
        }
        let (stride, panel_stride) = (self.stride(inputs), self.panel_stride(inputs));
        let (points, rest) = scratch.split_at_mut(POINTS * stride);
        let (scattered, sums) = rest.split_at_mut(POINTS * panel_stride);
        let sums = &mut sums[..POINTS * inputs * outputs];
        for tiles in self.groups(pass.count, inputs) {
            enter_tiles(&self.tiling, tiles.clone(), inputs, values.inputs[0], points, stride);
            for (number, sums) in sums.chunks_mut(POINTS * inputs * PANEL).enumerate() {
                let channels = panel(number, outputs);
                scatter_tiles(&self.tiling, tiles.clone(), channels, values.upstream, scattered, panel_stride);
                let shape = Shape { rows: inputs, depth: tiles.len(), columns: channels.width };
                for (point, sum) in sums.chunks_exact_mut(inputs * channels.width).enumerate() {
                    let left = Left::Columns(&points[point * stride..]);
                    let right = Right::Panels(&scattered[point * panel_stride..]);
                    match tiles.start {
                        0 => multiply(shape, left, right, sum, &mut []),
                        _ => add_product(shape, left, right, sum, &mut []),
                    }
                }
            }
        }
        for (number, sums) in sums.chunks(POINTS * inputs * PANEL).enumerate() {
            taps_of_points(sums, panel(number, outputs), by_weight);
        }
    }
}
