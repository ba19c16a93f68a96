//! The channels of several values behind each other.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::{Layer, Pass, Recipe, Values, stored};
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;

/// The channels of several values of the same pixels behind each other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Concatenate {}

#[derive(Debug)]
struct Built {
    inputs: Vec<Extent>,
}

impl Recipe for Concatenate {
    const KIND: &'static str = "concatenate";
    const INPUTS: Option<usize> = None;

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        let Some(first) = inputs.first() else {
            return Err(Error::argument("values", "must hold at least one value"));
        };
        let is_other = |other: &&Extent| (other.height, other.width) != (first.height, first.width);
        match inputs.iter().find(is_other) {
            Some(other) => {
                Err(Error::argument("values", format!("must have the same pixels, got shapes {first} and {other}")))
            }
            None => Ok(Box::new(Built { inputs: inputs.to_vec() })),
        }
    }
}

impl Built {
    /// Channels before those of the input of that number.
    fn begin(&self, input: usize) -> usize {
        self.inputs[..input].iter().map(|input| input.channels).sum()
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        Concatenate::KIND
    }

    fn options(&self) -> Value {
        stored(&Concatenate {})
    }

    fn output(&self) -> Extent {
        self.inputs[0].with_channels(self.begin(self.inputs.len()))
    }

    fn candle(&self, inputs: &[Tensor], _: &[Tensor]) -> candle_core::Result<Tensor> {
        Tensor::cat(inputs, 1)
    }

    fn keeps_inputs(&self) -> bool {
        false
    }

    fn forward(&self, _: Pass<'_>, inputs: &[&[f32]], _: &mut [f32], output: &mut [f32]) {
        let width = self.output().channels;
        for (number, values) in inputs.iter().enumerate() {
            let (begin, channels) = (self.begin(number), self.inputs[number].channels);
            for (out, row) in output.chunks_exact_mut(width).zip(values.chunks_exact(channels)) {
                out[begin..begin + channels].copy_from_slice(row);
            }
        }
    }

    fn backward(&self, _: Pass<'_>, values: Values<'_>, input: usize, _: &mut [f32], gradient: &mut [f32]) {
        let (begin, channels) = (self.begin(input), self.inputs[input].channels);
        for (sum, row) in gradient.chunks_exact_mut(channels).zip(values.upstream.chunks_exact(self.output().channels))
        {
            sum.iter_mut().zip(&row[begin..]).for_each(|(sum, value)| *sum += value);
        }
    }
}
