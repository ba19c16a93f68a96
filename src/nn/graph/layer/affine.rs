//! A number times the value, and one added: y = a x + b.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::{Layer, Pass, Recipe, Values, stored};
use crate::dispatched;
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;
use crate::vector::single;

/// A multiple of every number, and a constant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Affine {
    /// a.
    pub factor: f64,
    /// b.
    pub offset: f64,
}

#[derive(Debug)]
struct Built {
    options: Affine,
    extent: Extent,
}

impl Recipe for Affine {
    const KIND: &'static str = "affine";

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        let is_single = |x: f64| single(x).is_finite();
        match is_single(self.factor) && is_single(self.offset) {
            true => Ok(Box::new(Built { options: self, extent: inputs[0] })),
            false => Err(Error::argument("network", "multiplies by or adds a number that is not finite")),
        }
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        Affine::KIND
    }

    fn options(&self) -> Value {
        stored(&self.options)
    }

    fn output(&self) -> Extent {
        self.extent
    }

    fn candle(&self, inputs: &[Tensor], _: &[Tensor]) -> candle_core::Result<Tensor> {
        inputs[0].affine(self.options.factor, self.options.offset)
    }

    fn keeps_inputs(&self) -> bool {
        false
    }

    fn forward(&self, _: Pass<'_>, inputs: &[&[f32]], _: &mut [f32], output: &mut [f32]) {
        scale(single(self.options.factor), single(self.options.offset), inputs[0], output);
    }

    fn backward(&self, _: Pass<'_>, values: Values<'_>, _: usize, _: &mut [f32], gradient: &mut [f32]) {
        add_scaled(single(self.options.factor), values.upstream, gradient);
    }
}

dispatched! {
    fn scale(factor: f32, offset: f32, values: &[f32], out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(values) {
            *out = value.mul_add(factor, offset);
        }
    }
}

dispatched! {
    fn add_scaled(factor: f32, values: &[f32], out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(values) {
            *out = value.mul_add(factor, *out);
        }
    }
}
