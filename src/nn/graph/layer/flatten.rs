//! An image as one vector.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::{Layer, Pass, Recipe, Values, stored};
use crate::error::Result;
use crate::nn::graph::extent::Extent;

/// All numbers of an image as one vector, pixel by pixel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flatten {}

#[derive(Debug)]
struct Built {
    input: Extent,
}

impl Recipe for Flatten {
    const KIND: &'static str = "flatten";

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        Ok(Box::new(Built { input: inputs[0] }))
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        Flatten::KIND
    }

    fn options(&self) -> Value {
        stored(&Flatten {})
    }

    fn output(&self) -> Extent {
        Extent::vector(self.input.size())
    }

    fn candle(&self, inputs: &[Tensor], _: &[Tensor]) -> candle_core::Result<Tensor> {
        match self.input.is_vector() {
            true => Ok(inputs[0].clone()),
            false => inputs[0].permute((0, 2, 3, 1))?.contiguous()?.flatten_from(1),
        }
    }

    fn keeps_inputs(&self) -> bool {
        false
    }

    fn forward(&self, _: Pass<'_>, inputs: &[&[f32]], _: &mut [f32], output: &mut [f32]) {
        output.copy_from_slice(inputs[0]);
    }

    fn backward(&self, _: Pass<'_>, values: Values<'_>, _: usize, _: &mut [f32], gradient: &mut [f32]) {
        gradient.iter_mut().zip(values.upstream).for_each(|(sum, value)| *sum += value);
    }
}
