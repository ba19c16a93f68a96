//! Two values, number by number; a vector stands for an image that is the same at every pixel.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::{Layer, Pass, Recipe, Values, stored};
use crate::dispatched;
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;

/// How two numbers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Combination {
    /// Their sum.
    Sum,
    /// Their product.
    Product,
}

impl Combination {
    fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Product => "product",
        }
    }
}

/// The sum or the product of two values.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Combine {
    /// Which.
    pub combination: Combination,
}

#[derive(Debug)]
struct Built {
    options: Combine,
    inputs: [Extent; 2],
}

impl Recipe for Combine {
    const KIND: &'static str = "combine";
    const INPUTS: Option<usize> = Some(2);

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        let (a, b) = (inputs[0], inputs[1]);
        let fits = a == b || (a.channels == b.channels && (a.is_vector() || b.is_vector()));
        if fits {
            return Ok(Box::new(Built { options: self, inputs: [a, b] }));
        }
        let error =
            Error::argument("network", format!("has no {} of values of shapes {a} and {b}", self.combination.name()));
        Err(error.with_hint("shapes must be equal, but that a vector of as many channels fits every pixel of an image"))
    }
}

impl Built {
    /// The input of that number, in shape of the answer where it is a vector among images.
    fn is_repeated(&self, input: usize) -> bool {
        self.inputs[input] != self.output()
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        Combine::KIND
    }

    fn kind(&self) -> &'static str {
        self.options.combination.name()
    }

    fn options(&self) -> Value {
        stored(&self.options)
    }

    fn output(&self) -> Extent {
        if self.inputs[0].is_vector() { self.inputs[1] } else { self.inputs[0] }
    }

    fn candle(&self, inputs: &[Tensor], _: &[Tensor]) -> candle_core::Result<Tensor> {
        let shaped = |input: usize| match self.is_repeated(input) {
            true => inputs[input].unsqueeze(2)?.unsqueeze(3),
            false => Ok(inputs[input].clone()),
        };
        let (a, b) = (shaped(0)?, shaped(1)?);
        match self.options.combination {
            Combination::Sum => a.broadcast_add(&b),
            Combination::Product => a.broadcast_mul(&b),
        }
    }

    fn keeps_inputs(&self) -> bool {
        self.options.combination == Combination::Product
    }

    fn forward(&self, _: Pass<'_>, inputs: &[&[f32]], _: &mut [f32], output: &mut [f32]) {
        let row = self.output().channels;
        let part = |input: usize| if self.is_repeated(input) { row } else { self.output().size() };
        for (sample, output) in output.chunks_exact_mut(self.output().size()).enumerate() {
            let [a, b] = [0, 1].map(|input| &inputs[input][sample * part(input)..][..part(input)]);
            // The shorter second: both are commutative.
            let (a, b) = if a.len() < b.len() { (b, a) } else { (a, b) };
            match self.options.combination {
                Combination::Sum => add_rows(a, b, output),
                Combination::Product => multiply_rows(a, b, output),
            }
        }
    }

    fn backward(&self, _: Pass<'_>, values: Values<'_>, input: usize, _: &mut [f32], gradient: &mut [f32]) {
        let size = self.output().size();
        let own = self.inputs[input].size();
        for (sample, upstream) in values.upstream.chunks_exact(size).enumerate() {
            let gradient = &mut gradient[sample * own..][..own];
            match self.options.combination {
                Combination::Sum => accumulate(upstream, &[1.0], gradient),
                Combination::Product => {
                    let other = self.inputs[1 - input].size();
                    accumulate(upstream, &values.inputs[1 - input][sample * other..][..other], gradient);
                }
            }
        }
    }
}

dispatched! {
    /// a + b, with b repeated.
    fn add_rows(a: &[f32], b: &[f32], out: &mut [f32]) {
        for (a, out) in a.chunks_exact(b.len()).zip(out.chunks_exact_mut(b.len())) {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = a + b;
            }
        }
    }
}

dispatched! {
    /// a b, with b repeated.
    fn multiply_rows(a: &[f32], b: &[f32], out: &mut [f32]) {
        for (a, out) in a.chunks_exact(b.len()).zip(out.chunks_exact_mut(b.len())) {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = a * b;
            }
        }
    }
}

dispatched! {
    /// Adds `upstream` times `other` to `sum`, where both that are shorter stand for repeated ones.
    fn accumulate(upstream: &[f32], other: &[f32], sum: &mut [f32]) {
        let size = sum.len();
        for (number, upstream) in upstream.chunks_exact(size).enumerate() {
            if other.len() == 1 {
                for (sum, upstream) in sum.iter_mut().zip(upstream) {
                    *sum = upstream.mul_add(other[0], *sum);
                }
            } else if other.len() < size {
                for (sum, upstream) in sum.chunks_exact_mut(other.len()).zip(upstream.chunks_exact(other.len())) {
                    for ((sum, upstream), other) in sum.iter_mut().zip(upstream).zip(other) {
                        *sum = upstream.mul_add(*other, *sum);
                    }
                }
            } else {
                for ((sum, upstream), other) in sum.iter_mut().zip(upstream).zip(&other[number * size..]) {
                    *sum = upstream.mul_add(*other, *sum);
                }
            }
        }
    }
}
