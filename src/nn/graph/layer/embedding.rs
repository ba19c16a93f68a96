//! A number as waves of several frequencies.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dense::check_width;
use super::recipe::{Layer, Pass, Recipe, Values, stored};
use crate::dispatched;
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;
use crate::rng::{Purpose, Stream};
use crate::vector::math::sin_cos_turns;
use crate::vector::{single, singles};

/// sin 2πft for all frequencies f, then the cosines (Tancik et al., arXiv 2006.10739).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Embedding {
    /// f, in turns per unit of the number.
    pub frequencies: Vec<f32>,
}

impl Embedding {
    /// As many frequencies as make `width` numbers: these, or normals of standard deviation `scale`.
    ///
    /// # Errors
    /// When `width` is odd, or there are other than half as many frequencies.
    pub fn new(width: usize, scale: f64, seed: u64, frequencies: Option<&[f64]>) -> Result<Self> {
        if !width.is_multiple_of(2) {
            let problem = format!("must be even, for as many sines as cosines, got {width}");
            return Err(Error::argument("width", problem));
        }
        check_width("width", width)?;
        let Some(given) = frequencies else {
            let mut drawn = vec![0.0; width / 2];
            Stream::new(seed, Purpose::Weights).part(1).normals(0, 0, &mut drawn);
            return Ok(Self { frequencies: drawn.iter().map(|f| f * single(scale)).collect() });
        };
        if given.len() != width / 2 {
            let problem = format!("must hold {} numbers for a width of {width}, got {}", width / 2, given.len());
            return Err(Error::argument("frequencies", problem));
        }
        Ok(Self { frequencies: singles(given.iter().copied()) })
    }
}

impl Recipe for Embedding {
    const KIND: &'static str = "embedding";

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        if inputs[0] != Extent::vector(1) {
            return Err(Error::argument("t", format!("must be one number, got a value of shape {}", inputs[0])));
        }
        if self.frequencies.is_empty() {
            return Err(Error::argument("width", "must be 2 at least"));
        }
        Ok(Box::new(self))
    }
}

impl Layer for Embedding {
    fn recipe(&self) -> &'static str {
        Self::KIND
    }

    fn options(&self) -> Value {
        stored(self)
    }

    fn output(&self) -> Extent {
        Extent::vector(2 * self.frequencies.len())
    }

    fn candle(&self, inputs: &[Tensor], _: &[Tensor]) -> candle_core::Result<Tensor> {
        let frequencies = Tensor::from_slice(&self.frequencies, (1, self.frequencies.len()), inputs[0].device())?;
        let angle = (inputs[0].broadcast_mul(&frequencies)? * std::f64::consts::TAU)?;
        Tensor::cat(&[angle.sin()?, angle.cos()?], 1)
    }

    fn keeps_inputs(&self) -> bool {
        true
    }

    fn forward(&self, _: Pass<'_>, inputs: &[&[f32]], _: &mut [f32], output: &mut [f32]) {
        let count = self.frequencies.len();
        for (row, value) in output.chunks_exact_mut(2 * count).zip(inputs[0]) {
            let (sin, cos) = row.split_at_mut(count);
            waves(*value, &self.frequencies, sin, cos);
        }
    }

    fn backward(&self, _: Pass<'_>, values: Values<'_>, _: usize, _: &mut [f32], gradient: &mut [f32]) {
        let count = self.frequencies.len();
        let rows = values.upstream.chunks_exact(2 * count).zip(values.inputs[0]);
        for (sum, (upstream, value)) in gradient.iter_mut().zip(rows) {
            for (i, f) in self.frequencies.iter().enumerate() {
                let (sin, cos) = sin_cos_turns(value * f);
                *sum += std::f32::consts::TAU * f * (upstream[i] * cos - upstream[count + i] * sin);
            }
        }
    }
}

dispatched! {
    fn waves(value: f32, frequencies: &[f32], sin: &mut [f32], cos: &mut [f32]) {
        for ((f, sin), cos) in frequencies.iter().zip(sin).zip(cos) {
            (*sin, *cos) = sin_cos_turns(value * f);
        }
    }
}
