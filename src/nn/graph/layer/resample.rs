//! Twice or half as many pixels along each side.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::{Layer, Pass, Recipe, Values, stored};
use crate::dispatched;
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Half as many pixels along each side.
    Down,
    /// Twice as many.
    Up,
}

/// Of what pixels a new one is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// Down: the mean of four. Up: a copy of the nearest.
    Box,
    /// Smoother, by the taps (1, 3, 3, 1)/8 along each side, against false patterns (Zhang, arXiv 1904.11486; Song et
    /// al., arXiv 2011.13456).
    Smooth,
}

/// An image with other numbers of pixels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Resample {
    /// Which way.
    pub direction: Direction,
    /// How.
    pub filter: Filter,
}

/// The pixels along one side that a pixel of the answer is made of, and their weights.
type Taps = Vec<(usize, f32)>;

#[derive(Debug)]
struct Built {
    options: Resample,
    input: Extent,
    rows: Vec<Taps>,
    columns: Vec<Taps>,
}

impl Recipe for Resample {
    const KIND: &'static str = "resample";

    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
        let input = inputs[0];
        if input.is_vector() && self.direction == Direction::Down {
            return Err(Error::argument(
                "h",
                format!("of shape {input} is a vector: it has one pixel, not to be halved"),
            ));
        }
        if self.direction == Direction::Down && !(input.height.is_multiple_of(2) && input.width.is_multiple_of(2)) {
            let error = Error::argument("h", format!("of shape {input} has an odd side, which cannot be halved"));
            return Err(error.with_hint("a convolution with stride 2 takes any size"));
        }
        let (rows, columns) = (self.taps(input.height), self.taps(input.width));
        Ok(Box::new(Built { options: self, input, rows, columns }))
    }
}

impl Resample {
    /// What the pixels of the answer along a side of so many are made of.
    fn taps(&self, side: usize) -> Vec<Taps> {
        let inside = |taps: &[(isize, f32)]| -> Taps {
            let known = taps.iter().filter_map(|&(place, weight)| Some((usize::try_from(place).ok()?, weight)));
            known.filter(|(place, _)| *place < side).collect()
        };
        let new = |i: usize| {
            let half = (i / 2) as isize;
            let twice = 2 * i as isize;
            match (self.direction, self.filter) {
                (Direction::Up, Filter::Box) => inside(&[(half, 1.0)]),
                (Direction::Up, Filter::Smooth) => {
                    let other = if i.is_multiple_of(2) { half - 1 } else { half + 1 };
                    inside(&[(half, 0.75), (other, 0.25)])
                }
                (Direction::Down, Filter::Box) => inside(&[(twice, 0.5), (twice + 1, 0.5)]),
                (Direction::Down, Filter::Smooth) => {
                    inside(&[(twice - 1, 0.125), (twice, 0.375), (twice + 1, 0.375), (twice + 2, 0.125)])
                }
            }
        };
        (0..self.resized(side)).map(new).collect()
    }

    fn resized(&self, side: usize) -> usize {
        match self.direction {
            Direction::Up => 2 * side,
            Direction::Down => side / 2,
        }
    }
}

impl Built {
    /// Calls `each(pixel of the answer, pixel of the input, weight)`.
    fn each(&self, mut each: impl FnMut(usize, usize, f32)) {
        for (y, rows) in self.rows.iter().enumerate() {
            for (x, columns) in self.columns.iter().enumerate() {
                for (row, of_row) in rows {
                    for (column, of_column) in columns {
                        let out = y * self.columns.len() + x;
                        each(out, row * self.input.width + column, of_row * of_column);
                    }
                }
            }
        }
    }

    /// The taps along a side as a matrix, [side, new side].
    fn matrix(taps: &[Taps], side: usize, like: &Tensor) -> candle_core::Result<Tensor> {
        let count = taps.len();
        let mut matrix = vec![0.0_f32; side * count];
        for (new, taps) in taps.iter().enumerate() {
            taps.iter().for_each(|(old, weight)| matrix[old * count + new] = *weight);
        }
        Tensor::from_slice(&matrix, (side, count), like.device())
    }
}

impl Layer for Built {
    fn recipe(&self) -> &'static str {
        Resample::KIND
    }

    fn kind(&self) -> &'static str {
        match self.options.direction {
            Direction::Up => "upsample",
            Direction::Down => "downsample",
        }
    }

    fn options(&self) -> Value {
        stored(&self.options)
    }

    fn output(&self) -> Extent {
        Extent { channels: self.input.channels, height: self.rows.len(), width: self.columns.len() }
    }

    fn candle(&self, inputs: &[Tensor], _: &[Tensor]) -> candle_core::Result<Tensor> {
        let Extent { channels, height, width } = self.input;
        let columns = Self::matrix(&self.columns, width, &inputs[0])?;
        let rows = Self::matrix(&self.rows, height, &inputs[0])?;
        let wide = inputs[0].contiguous()?.reshape(((), width))?.matmul(&columns)?;
        let turned = wide.reshape(((), channels, height, self.columns.len()))?.transpose(2, 3)?.contiguous()?;
        let all = turned.reshape(((), height))?.matmul(&rows)?;
        all.reshape(((), channels, self.columns.len(), self.rows.len()))?.transpose(2, 3)?.contiguous()
    }

    fn keeps_inputs(&self) -> bool {
        false
    }

    fn forward(&self, _: Pass<'_>, inputs: &[&[f32]], _: &mut [f32], output: &mut [f32]) {
        let channels = self.input.channels;
        output.fill(0.0);
        for (sample, out) in
            inputs[0].chunks_exact(self.input.size()).zip(output.chunks_exact_mut(self.output().size()))
        {
            self.each(|new, old, weight| {
                add_multiple(weight, &sample[old * channels..][..channels], &mut out[new * channels..][..channels]);
            });
        }
    }

    fn backward(&self, _: Pass<'_>, values: Values<'_>, _: usize, _: &mut [f32], gradient: &mut [f32]) {
        let channels = self.input.channels;
        let samples = values.upstream.chunks_exact(self.output().size());
        for (upstream, sum) in samples.zip(gradient.chunks_exact_mut(self.input.size())) {
            self.each(|new, old, weight| {
                add_multiple(weight, &upstream[new * channels..][..channels], &mut sum[old * channels..][..channels]);
            });
        }
    }
}

dispatched! {
    fn add_multiple(factor: f32, values: &[f32], sum: &mut [f32]) {
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum = value.mul_add(factor, *sum);
        }
    }
}
