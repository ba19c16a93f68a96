//! Groups of channels of each sample brought to mean 0 and variance 1, then scaled and shifted channel by channel.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::{Declared, First, Layer, Pass, Recipe, Values, stored};
use crate::dispatched;
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;
use crate::nn::kernel::{sum_products, sum_rows, sum_squares};
use crate::vector::single;

/// Group normalisation (Wu and He, arXiv 1803.08494).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GroupNorm {
    /// Groups of channels.
    pub groups: usize,
}

#[derive(Debug)]
struct Built {
    groups: usize,
    extent: Extent,
}

/// Added to variances.
const EPSILON: f32 = 1e-5;

impl Recipe for GroupNorm {
    const KIND: &'static str = "group_norm";

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        let (extent, groups) = (inputs[0], self.groups);
        if groups == 0 || !extent.channels.is_multiple_of(groups) {
            let problem =
                format!("must divide the {} channels of a value of shape {extent}, got {groups}", extent.channels);
            return Err(Error::argument("groups", problem));
        }
        if extent.size() == groups {
            let problem = format!("of {groups} leave one number in each, which is its own mean");
            return Err(Error::argument("groups", problem));
        }
        Ok(Box::new(Built { groups, extent }))
    }
}

impl Built {
    /// Mean and inverse deviation of each channel's group, [channels] each, at the head of `scratch`.
    fn statistics<'a>(&self, sample: &[f32], scratch: &'a mut [f32]) -> (&'a [f32], &'a [f32], &'a mut [f32]) {
        let (mean, rest) = scratch.split_at_mut(self.extent.channels);
        let (inverse, rest) = rest.split_at_mut(self.extent.channels);
        let terms = single((self.extent.size() / self.groups) as f64);
        sum_rows(sample, mean);
        self.in_groups(mean, |sum| sum / terms);
        sum_squares(sample, mean, inverse);
        self.in_groups(inverse, |sum| 1.0 / (sum / terms + EPSILON).sqrt());
        (mean, inverse, rest)
    }

    /// Puts a function of the sum over each group in place of its channels' numbers.
    fn in_groups(&self, channels: &mut [f32], function: impl Fn(f32) -> f32) {
        for group in channels.chunks_exact_mut(self.extent.channels / self.groups) {
            let value = function(group.iter().sum());
            group.fill(value);
        }
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        GroupNorm::KIND
    }

    fn options(&self) -> Value {
        stored(&GroupNorm { groups: self.groups })
    }

    fn output(&self) -> Extent {
        self.extent
    }

    fn parameters(&self) -> Vec<Declared> {
        let declared =
            |name, value| Declared { name, shape: vec![self.extent.channels], first: First::Constant(value) };
        vec![declared("bias", 0.0), declared("weight", 1.0)]
    }

    fn candle(&self, inputs: &[Tensor], parameters: &[Tensor]) -> candle_core::Result<Tensor> {
        let (channels, [bias, weight]) = (self.extent.channels, [&parameters[0], &parameters[1]]);
        let norm = candle_nn::GroupNorm::new(weight.clone(), bias.clone(), channels, self.groups, EPSILON.into())?;
        match self.extent.is_vector() {
            true => candle_nn::Module::forward(&norm, &inputs[0].unsqueeze(2)?)?.squeeze(2),
            false => candle_nn::Module::forward(&norm, &inputs[0]),
        }
    }

    fn keeps_inputs(&self) -> bool {
        true
    }

    fn scratch(&self, _: usize) -> usize {
        4 * self.extent.channels
    }

    fn forward(&self, pass: Pass<'_>, inputs: &[&[f32]], scratch: &mut [f32], output: &mut [f32]) {
        let (size, bias, weight) = (self.extent.size(), pass.parameter(0), pass.parameter(1));
        for (sample, out) in inputs[0].chunks_exact(size).zip(output.chunks_exact_mut(size)) {
            let (mean, inverse, _) = self.statistics(sample, scratch);
            normalise(sample, mean, inverse, weight, bias, out);
        }
    }

    fn backward(&self, pass: Pass<'_>, values: Values<'_>, _: usize, scratch: &mut [f32], gradient: &mut [f32]) {
        let (size, weight) = (self.extent.size(), pass.parameter(1));
        let terms = single((size / self.groups) as f64);
        let samples = values.inputs[0].chunks_exact(size).zip(values.upstream.chunks_exact(size));
        for ((sample, upstream), gradient) in samples.zip(gradient.chunks_exact_mut(size)) {
            let (mean, inverse, rest) = self.statistics(sample, scratch);
            // Means over each group of the gradient by the normalised values, and of its product with them.
            let (by_mean, rest) = rest.split_at_mut(self.extent.channels);
            let (by_scale, _) = rest.split_at_mut(self.extent.channels);
            sum_products(sample, upstream, mean, inverse, by_mean, by_scale);
            for sums in [&mut *by_mean, &mut *by_scale] {
                sums.iter_mut().zip(weight).for_each(|(sum, weight)| *sum *= weight);
                self.in_groups(sums, |sum| sum / terms);
            }
            add_gradient(sample, upstream, [mean, inverse, weight, by_mean, by_scale], gradient);
        }
    }

    fn by_parameters(&self, _: Pass<'_>, values: Values<'_>, scratch: &mut [f32], gradient: &mut [f32]) {
        let (size, channels) = (self.extent.size(), self.extent.channels);
        gradient.fill(0.0);
        let (by_bias, by_weight) = gradient.split_at_mut(channels);
        for (sample, upstream) in values.inputs[0].chunks_exact(size).zip(values.upstream.chunks_exact(size)) {
            let (mean, inverse, rest) = self.statistics(sample, scratch);
            let (bias, rest) = rest.split_at_mut(channels);
            let (weight, _) = rest.split_at_mut(channels);
            sum_products(sample, upstream, mean, inverse, bias, weight);
            by_bias.iter_mut().zip(bias).for_each(|(sum, value)| *sum += *value);
            by_weight.iter_mut().zip(weight).for_each(|(sum, value)| *sum += *value);
        }
    }
}

dispatched! {
    fn normalise(values: &[f32], mean: &[f32], inverse: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
        let width = mean.len();
        let (inverse, weight, bias) = (&inverse[..width], &weight[..width], &bias[..width]);
        for (row, out) in values.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            for c in 0..width {
                out[c] = ((row[c] - mean[c]) * inverse[c]).mul_add(weight[c], bias[c]);
            }
        }
    }
}

dispatched! {
    fn add_gradient(values: &[f32], upstream: &[f32], channels: [&[f32]; 5], gradient: &mut [f32]) {
        let [mean, inverse, weight, by_mean, by_scale] = channels;
        let width = mean.len();
        let (inverse, weight) = (&inverse[..width], &weight[..width]);
        let (by_mean, by_scale) = (&by_mean[..width], &by_scale[..width]);
        let rows = values.chunks_exact(width).zip(upstream.chunks_exact(width));
        for ((row, upstream), gradient) in rows.zip(gradient.chunks_exact_mut(width)) {
            for c in 0..width {
                let normal = (row[c] - mean[c]) * inverse[c];
                let by_normal = upstream[c].mul_add(weight[c], -by_mean[c]);
                gradient[c] = inverse[c].mul_add((-normal).mul_add(by_scale[c], by_normal), gradient[c]);
            }
        }
    }
}
