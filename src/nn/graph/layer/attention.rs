//! Attention between the pixels of an image.

use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dense::Dense;
use super::recipe::{Layer, Pass, Recipe, Values, stored};
use crate::dispatched;
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;
use crate::nn::graph::signal::Signal;
use crate::nn::kernel::{Left, PANEL, Right, Shape, multiply};
use crate::vector::math::exp;
use crate::vector::single;

/// softmax(Q Kᵀ/√c) V (Vaswani et al., arXiv 1706.03762), where Q, K and V are thirds of the channels of the input, and
/// each head has a part of each.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attend {
    /// Parts of the channels that attend for themselves.
    pub heads: usize,
}

/// Attention between the pixels of `h`, with a learned map to queries, keys and values, and one behind.
///
/// # Errors
/// When `h` is a vector, or the number of heads does not divide that of channels.
pub fn attention(h: &Signal, heads: usize) -> Result<Signal> {
    let channels = h.extent().channels;
    let map = |outputs| Dense { outputs, bias: true, gain: 1.0 };
    let all = Signal::of(map(3 * channels), &[h])?;
    Signal::of(map(channels), &[&Signal::of(Attend { heads }, &[&all])?])
}

#[derive(Debug)]
struct Built {
    heads: usize,
    input: Extent,
}

impl Recipe for Attend {
    const KIND: &'static str = "attention";

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        let input = inputs[0];
        if input.is_vector() {
            return Err(Error::argument(
                "h",
                format!("of shape {input} is a vector: its one pixel attends to nothing"),
            ));
        }
        if self.heads == 0 || !input.channels.is_multiple_of(3 * self.heads) {
            let problem = format!("must divide the {} channels, got {}", input.channels / 3, self.heads);
            return Err(Error::argument("heads", problem));
        }
        Ok(Box::new(Built { heads: self.heads, input }))
    }
}

/// The matrices of one head of one sample, contiguous.
struct Head<'a> {
    /// [pixels, channels] each.
    query: &'a mut [f32],
    key: &'a mut [f32],
    value: &'a mut [f32],
    /// Another of that shape.
    answer: &'a mut [f32],
    /// The transpose of one, [channels, pixels].
    transpose: &'a mut [f32],
    /// What each pixel takes of each, [pixels, pixels].
    share: &'a mut [f32],
    /// The gradient by it.
    by_share: &'a mut [f32],
    edge: &'a mut [f32],
}

impl Built {
    /// Channels of a head.
    fn channels(&self) -> usize {
        self.input.channels / 3 / self.heads
    }

    fn head<'a>(&self, scratch: &'a mut [f32]) -> Head<'a> {
        let (values, pairs) = (self.input.pixels() * self.channels(), self.input.pixels().pow(2));
        let (query, rest) = scratch.split_at_mut(values);
        let (key, rest) = rest.split_at_mut(values);
        let (value, rest) = rest.split_at_mut(values);
        let (answer, rest) = rest.split_at_mut(values);
        let (transpose, rest) = rest.split_at_mut(values);
        let (share, rest) = rest.split_at_mut(pairs);
        let (by_share, edge) = rest.split_at_mut(pairs);
        Head { query, key, value, answer, transpose, share, by_share, edge }
    }

    /// Copies of the rows of [pixels, width] the channels from `first` on.
    fn gather(&self, values: &[f32], width: usize, first: usize, out: &mut [f32]) {
        let channels = self.channels();
        for (out, row) in out.chunks_exact_mut(channels).zip(values.chunks_exact(width)) {
            out.copy_from_slice(&row[first..first + channels]);
        }
    }

    /// Fills query, key, value and shares of one head of a sample.
    fn attend(&self, sample: &[f32], number: usize, head: &mut Head<'_>) {
        let (width, channels, pixels) = (self.input.channels, self.channels(), self.input.pixels());
        self.gather(sample, width, number * channels, head.query);
        self.gather(sample, width, width / 3 + number * channels, head.key);
        self.gather(sample, width, 2 * width / 3 + number * channels, head.value);
        transpose(head.key, channels, head.transpose);
        let shape = Shape { rows: pixels, depth: channels, columns: pixels };
        multiply(shape, Left::Rows(head.query), Right::Rows(head.transpose), head.share, head.edge);
        softmax(pixels, 1.0 / single(channels as f64).sqrt(), head.share);
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        Attend::KIND
    }

    fn options(&self) -> Value {
        stored(&Attend { heads: self.heads })
    }

    fn output(&self) -> Extent {
        self.input.with_channels(self.input.channels / 3)
    }

    fn multiplications(&self) -> usize {
        2 * self.input.pixels().pow(2) * self.input.channels / 3
    }

    fn candle(&self, inputs: &[Tensor], _: &[Tensor]) -> candle_core::Result<Tensor> {
        let (pixels, channels) = (self.input.pixels(), self.channels());
        // [count, 3, heads, channels, pixels]
        let parts = inputs[0].reshape(((), 3, self.heads, channels, pixels))?;
        let part = |i: usize| parts.narrow(1, i, 1)?.squeeze(1)?.transpose(2, 3)?.contiguous();
        let (query, key, value) = (part(0)?, part(1)?, part(2)?);
        let affinity = (query.matmul(&key.transpose(2, 3)?.contiguous()?)? / (channels as f64).sqrt())?;
        let answer = candle_nn::ops::softmax(&affinity, D::Minus1)?.matmul(&value)?;
        answer.transpose(2, 3)?.contiguous()?.reshape(((), self.output().channels, self.input.height, self.input.width))
    }

    fn keeps_inputs(&self) -> bool {
        true
    }

    fn scratch(&self, _: usize) -> usize {
        let (pixels, channels) = (self.input.pixels(), self.channels());
        5 * pixels * channels + 2 * pixels * pixels + pixels.max(channels) * PANEL
    }

    fn forward(&self, _: Pass<'_>, inputs: &[&[f32]], scratch: &mut [f32], output: &mut [f32]) {
        let (pixels, channels, width) = (self.input.pixels(), self.channels(), self.output().channels);
        let mut head = self.head(scratch);
        let samples = inputs[0].chunks_exact(self.input.size()).zip(output.chunks_exact_mut(self.output().size()));
        for (sample, output) in samples {
            for number in 0..self.heads {
                self.attend(sample, number, &mut head);
                let shape = Shape { rows: pixels, depth: pixels, columns: channels };
                multiply(shape, Left::Rows(head.share), Right::Rows(head.value), head.answer, head.edge);
                for (out, row) in output.chunks_exact_mut(width).zip(head.answer.chunks_exact(channels)) {
                    out[number * channels..][..channels].copy_from_slice(row);
                }
            }
        }
    }

    fn backward(&self, _: Pass<'_>, values: Values<'_>, _: usize, scratch: &mut [f32], gradient: &mut [f32]) {
        let (pixels, channels, width) = (self.input.pixels(), self.channels(), self.input.channels);
        let mut head = self.head(scratch);
        let samples = values.inputs[0].chunks_exact(self.input.size());
        let samples = samples.zip(values.upstream.chunks_exact(self.output().size()));
        let back = Shape { rows: pixels, depth: pixels, columns: channels };
        for ((sample, upstream), gradient) in samples.zip(gradient.chunks_exact_mut(self.input.size())) {
            for number in 0..self.heads {
                self.attend(sample, number, &mut head);
                let mut add = |third: usize, part: &[f32]| {
                    let first = third * width / 3 + number * channels;
                    for (sum, row) in gradient.chunks_exact_mut(width).zip(part.chunks_exact(channels)) {
                        sum[first..].iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                    }
                };
                let Head { query, key, value, answer, transpose: turned, share, by_share, edge } = &mut head;
                transpose(value, channels, turned);
                // No other reads the values now.
                let by_answer = &mut **value;
                self.gather(upstream, width / 3, number * channels, by_answer);
                multiply(back, Left::Columns(share), Right::Rows(by_answer), answer, edge);
                add(2, answer);
                let shape = Shape { rows: pixels, depth: channels, columns: pixels };
                multiply(shape, Left::Rows(by_answer), Right::Rows(turned), by_share, edge);
                through_softmax(pixels, 1.0 / single(channels as f64).sqrt(), share, by_share);
                multiply(back, Left::Rows(by_share), Right::Rows(key), answer, edge);
                add(0, answer);
                multiply(back, Left::Columns(by_share), Right::Rows(query), answer, edge);
                add(1, answer);
            }
        }
    }
}

/// [columns, rows] of `values`, [rows, columns].
fn transpose(values: &[f32], columns: usize, out: &mut [f32]) {
    let rows = values.len() / columns;
    for (column, out) in out.chunks_exact_mut(rows).enumerate() {
        out.iter_mut().zip(values[column..].iter().step_by(columns)).for_each(|(out, value)| *out = *value);
    }
}

/// Sums and maxima are taken in so many lanes, at every instruction set.
const LANES: usize = 16;

dispatched! {
    /// Turns each row of `values`, [.., width], into the softmax of its multiples.
    fn softmax(width: usize, scale: f32, values: &mut [f32]) {
        for row in values.chunks_exact_mut(width) {
            let mut most = [f32::NEG_INFINITY; LANES];
            for part in row.chunks(LANES) {
                for (most, value) in most.iter_mut().zip(part) {
                    *most = if *value > *most { *value } else { *most };
                }
            }
            let most = most.iter().fold(f32::NEG_INFINITY, |most, value| if *value > most { *value } else { most });
            let mut total = [0.0; LANES];
            for part in row.chunks_mut(LANES) {
                for (total, value) in total.iter_mut().zip(part) {
                    *value = exp((*value - most) * scale);
                    *total += *value;
                }
            }
            let part = 1.0 / total.iter().sum::<f32>();
            for value in row.iter_mut() {
                *value *= part;
            }
        }
    }
}

dispatched! {
    /// Turns the gradient by each row of a softmax into that by what it was made of.
    fn through_softmax(width: usize, scale: f32, share: &[f32], gradient: &mut [f32]) {
        for (share, row) in share.chunks_exact(width).zip(gradient.chunks_exact_mut(width)) {
            let mut means = [0.0_f32; LANES];
            for (share, part) in share.chunks(LANES).zip(row.chunks(LANES)) {
                for ((mean, share), value) in means.iter_mut().zip(share).zip(part) {
                    *mean = share.mul_add(*value, *mean);
                }
            }
            let mean: f32 = means.iter().sum();
            for (value, share) in row.iter_mut().zip(share) {
                *value = scale * share * (*value - mean);
            }
        }
    }
}
