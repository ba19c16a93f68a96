//! Numbers left out by chance in training, so that no one of them is relied on.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::{Layer, Pass, Recipe, Values, stored};
use crate::error::{Error, Result};
use crate::nn::Chance;
use crate::nn::graph::extent::Extent;
use crate::vector::single;

/// Dropout (Srivastava et al., J. Mach. Learn. Res. 15, 1929 (2014)): zeros by chance in training, all others made
/// larger, so that the mean stays; nothing is done afterwards.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dropout {
    /// The part that is left out.
    pub part: f64,
}

#[derive(Debug)]
struct Built {
    options: Dropout,
    extent: Extent,
}

impl Recipe for Dropout {
    const KIND: &'static str = "dropout";

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        if !(0.0..1.0).contains(&self.part) {
            return Err(Error::argument("part", format!("must be at least 0 and below 1, got {}", self.part)));
        }
        Ok(Box::new(Built { options: self, extent: inputs[0] }))
    }
}

impl Built {
    /// Writes what each number is multiplied by, drawn again for every pass: it is cheaper than to be kept.
    fn draw(&self, chance: Chance, mask: &mut [f32]) {
        let (part, factor) = (single(self.options.part), single(1.0 / (1.0 - self.options.part)));
        chance.stream.uniforms(chance.step, chance.chunk, mask);
        mask.iter_mut().for_each(|u| *u = if *u < part { 0.0 } else { factor });
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        Dropout::KIND
    }

    fn options(&self) -> Value {
        stored(&self.options)
    }

    fn output(&self) -> Extent {
        self.extent
    }

    fn mask(&self, count: usize, chance: Chance) -> Option<Vec<f32>> {
        let mut mask = vec![0.0; count * self.extent.size()];
        self.draw(chance, &mut mask);
        Some(mask)
    }

    fn candle(&self, inputs: &[Tensor], _: &[Tensor]) -> candle_core::Result<Tensor> {
        Ok(inputs[0].clone())
    }

    fn keeps_inputs(&self) -> bool {
        false
    }

    fn scratch(&self, count: usize) -> usize {
        count * self.extent.size()
    }

    fn forward(&self, pass: Pass<'_>, inputs: &[&[f32]], _: &mut [f32], output: &mut [f32]) {
        match pass.chance {
            None => output.copy_from_slice(inputs[0]),
            Some(chance) => {
                self.draw(chance, output);
                output.iter_mut().zip(inputs[0]).for_each(|(out, value)| *out *= value);
            }
        }
    }

    fn backward(&self, pass: Pass<'_>, values: Values<'_>, _: usize, scratch: &mut [f32], gradient: &mut [f32]) {
        let mask = &mut scratch[..gradient.len()];
        match pass.chance {
            None => mask.fill(1.0),
            Some(chance) => self.draw(chance, mask),
        }
        for ((sum, upstream), factor) in gradient.iter_mut().zip(values.upstream).zip(mask) {
            *sum = upstream.mul_add(*factor, *sum);
        }
    }
}
