//! An affine map of the numbers at each pixel: y = x W + b.

use std::ops::Range;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::{Declared, First, Layer, Pass, Recipe, Values, stored};
use crate::dispatched;
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;
use crate::nn::kernel::{Form, Left, Matrix, PANEL, Right, Shape, add_product, multiply, sum_rows};
use crate::vector::single;

/// An affine map of the numbers of a vector, or of those at each pixel of an image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dense {
    /// Numbers that it makes.
    pub outputs: usize,
    /// Whether it adds a vector.
    pub bias: bool,
    /// First weights are normals of this standard deviation over the square root of their fan-in; 0 for zeros.
    pub gain: f64,
}

#[derive(Debug)]
struct Built {
    options: Dense,
    input: Extent,
}

/// Wider is a mistyped number rather than a network.
pub(super) const WIDEST: usize = 1 << 16;

/// Refuses impossible numbers of channels.
pub(super) fn check_width(name: &str, width: usize) -> Result<()> {
    match (1..=WIDEST).contains(&width) {
        true => Ok(()),
        false => Err(Error::argument(name, format!("must be from 1 to {WIDEST}, got {width}"))),
    }
}

impl Recipe for Dense {
    const KIND: &'static str = "dense";

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        check_width("width", self.outputs)?;
        Ok(Box::new(Built { options: self, input: inputs[0] }))
    }
}

/// First weights of `gain` for that many terms of a sum.
pub(super) fn first_weights(gain: f64, terms: usize) -> First {
    match gain {
        0.0 => First::Constant(0.0),
        gain => First::Normal(single(gain / (terms as f64).sqrt())),
    }
}

impl Built {
    /// Of products with all pixels of `count` samples as rows.
    fn shape(&self, count: usize) -> Shape {
        Shape { rows: count * self.input.pixels(), depth: self.input.channels, columns: self.options.outputs }
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        Dense::KIND
    }

    fn options(&self) -> Value {
        stored(&self.options)
    }

    fn output(&self) -> Extent {
        self.input.with_channels(self.options.outputs)
    }

    fn parameters(&self) -> Vec<Declared> {
        let (inputs, outputs) = (self.input.channels, self.options.outputs);
        let bias = Declared { name: "bias", shape: vec![outputs], first: First::Constant(0.0) };
        let first = first_weights(self.options.gain, inputs);
        let weight = Declared { name: "weight", shape: vec![inputs, outputs], first };
        if self.options.bias { vec![bias, weight] } else { vec![weight] }
    }

    fn multiplications(&self) -> usize {
        self.input.size() * self.options.outputs
    }

    fn matrices(&self, places: &[Range<usize>]) -> Vec<Matrix> {
        let place = places[usize::from(self.options.bias)].clone();
        let (rows, columns) = (self.input.channels, self.options.outputs);
        vec![Matrix { rows, columns, place, form: Form::Parts(1), is_transposed: true }]
    }

    fn candle(&self, inputs: &[Tensor], parameters: &[Tensor]) -> candle_core::Result<Tensor> {
        let pixels = if self.input.is_vector() { inputs[0].clone() } else { inputs[0].permute((0, 2, 3, 1))? };
        let rows = pixels.contiguous()?.reshape(((), self.input.channels))?;
        let mut answer = rows.matmul(&parameters[parameters.len() - 1])?;
        if self.options.bias {
            answer = answer.broadcast_add(&parameters[0])?;
        }
        if self.input.is_vector() {
            return Ok(answer);
        }
        answer.reshape(((), self.input.height, self.input.width, self.options.outputs))?.permute((0, 3, 1, 2))
    }

    fn keeps_inputs(&self) -> bool {
        true
    }

    fn scratch(&self, count: usize) -> usize {
        count * self.input.pixels() * PANEL
    }

    fn forward(&self, pass: Pass<'_>, inputs: &[&[f32]], scratch: &mut [f32], output: &mut [f32]) {
        let (packed, number) = pass.packed;
        multiply(self.shape(pass.count), Left::Rows(inputs[0]), packed.forward(number), output, scratch);
        if self.options.bias {
            add_bias(pass.parameter(0), output);
        }
    }

    fn backward(&self, pass: Pass<'_>, values: Values<'_>, _: usize, scratch: &mut [f32], gradient: &mut [f32]) {
        let (packed, number) = pass.packed;
        let Shape { rows, depth, columns } = self.shape(pass.count);
        let shape = Shape { rows, depth: columns, columns: depth };
        add_product(shape, Left::Rows(values.upstream), packed.backward(number), gradient, scratch);
    }

    fn by_parameters(&self, pass: Pass<'_>, values: Values<'_>, scratch: &mut [f32], gradient: &mut [f32]) {
        let (by_bias, by_weight) = gradient.split_at_mut(if self.options.bias { self.options.outputs } else { 0 });
        if self.options.bias {
            sum_rows(values.upstream, by_bias);
        }
        let Shape { rows, depth, columns } = self.shape(pass.count);
        let shape = Shape { rows: depth, depth: rows, columns };
        multiply(shape, Left::Columns(values.inputs[0]), Right::Rows(values.upstream), by_weight, scratch);
    }
}

dispatched! {
    /// Adds `bias` to each row of `values`.
    pub(super) fn add_bias(bias: &[f32], values: &mut [f32]) {
        for row in values.chunks_exact_mut(bias.len()) {
            for (value, b) in row.iter_mut().zip(bias) {
                *value += b;
            }
        }
    }
}
