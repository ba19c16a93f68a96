//! A nonlinearity, number by number.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::{Layer, Pass, Recipe, Values, stored};
use crate::error::Result;
use crate::nn::Activation;
use crate::nn::graph::extent::Extent;
use crate::nn::kernel::{activate, add_through};

/// A nonlinearity of every number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Activate {
    /// Which.
    pub activation: Activation,
}

#[derive(Debug)]
struct Built {
    options: Activate,
    extent: Extent,
}

impl Recipe for Activate {
    const KIND: &'static str = "activation";

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        Ok(Box::new(Built { options: self, extent: inputs[0] }))
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        Activate::KIND
    }

    fn kind(&self) -> &'static str {
        self.options.activation.name()
    }

    fn options(&self) -> Value {
        stored(&self.options)
    }

    fn output(&self) -> Extent {
        self.extent
    }

    fn candle(&self, inputs: &[Tensor], _: &[Tensor]) -> candle_core::Result<Tensor> {
        self.options.activation.candle(&inputs[0])
    }

    fn keeps_inputs(&self) -> bool {
        true
    }

    fn forward(&self, _: Pass<'_>, inputs: &[&[f32]], _: &mut [f32], output: &mut [f32]) {
        activate(self.options.activation, inputs[0], output);
    }

    fn backward(&self, _: Pass<'_>, values: Values<'_>, _: usize, _: &mut [f32], gradient: &mut [f32]) {
        add_through(self.options.activation, values.inputs[0], values.upstream, gradient);
    }
}
