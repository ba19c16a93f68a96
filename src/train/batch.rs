//! Training batches: data, times and noise turned into inputs and targets.

use super::Options;
use super::table::Table;
use crate::data::{Dataset, Moments};
use crate::dispatched;
use crate::nn::kernel::Samples;
use crate::rng::{Purpose, Stream};

/// What all chunks of all batches share.
pub(super) struct Source<'a> {
    pub(super) data: &'a Dataset,
    pub(super) table: &'a Table,
    /// Mean of the data, [d].
    pub(super) mean: Vec<f32>,
    pub(super) blocks: usize,
    pub(super) driven: usize,
    /// Samples in a batch.
    pub(super) batch: usize,
    /// Of data; its parts serve the dataset.
    pub(super) choice: Stream,
    pub(super) times: Stream,
    pub(super) noise: Stream,
}

impl<'a> Source<'a> {
    /// `moments` are the model's, which the table was made with; `blocks` counts all blocks and the driven ones.
    pub(super) fn new(
        data: &'a Dataset,
        moments: &Moments,
        table: &'a Table,
        [blocks, driven]: [usize; 2],
        options: &Options,
    ) -> Self {
        let choice = Stream::new(options.seed, Purpose::Batch);
        Self {
            data,
            table,
            mean: moments.mean.iter().map(|&m| m as f32).collect(),
            blocks,
            driven,
            batch: options.batch,
            choice,
            // Far beyond the parts that a dataset takes.
            times: choice.part(1 << 20),
            noise: Stream::new(options.seed, Purpose::Perturbation),
        }
    }
}

/// One chunk of a batch, component-major, on buffers allocated once.
pub(super) struct Batch {
    /// Place of the chunk's first sample in the batch.
    first: usize,
    count: usize,
    /// Centred data, [d, count].
    data: Vec<f32>,
    /// ε, [m·d, count], the undriven blocks first.
    noise: Vec<f32>,
    uniforms: Vec<f32>,
    /// Index of each sample's time in the table.
    index: Vec<usize>,
    /// Columns of the table's rows, [width, count].
    coefficients: Vec<f32>,
    /// [m·d + 1, count].
    input: Vec<f32>,
    /// [driven·d, count].
    target: Vec<f32>,
    weight: Vec<f32>,
}

impl Batch {
    pub(super) fn new(source: &Source<'_>, first: usize, count: usize) -> Self {
        let dimension = source.mean.len();
        let zeros = |rows: usize| vec![0.0; rows * count];
        Self {
            first,
            count,
            data: zeros(dimension),
            noise: zeros(source.blocks * dimension),
            uniforms: zeros(1),
            index: vec![0; count],
            coefficients: zeros(source.table.width()),
            input: zeros(source.blocks * dimension + 1),
            target: zeros(source.driven * dimension),
            weight: zeros(source.driven * dimension),
        }
    }

    /// What the network is shown and should answer.
    pub(super) fn samples(&self) -> Samples<'_> {
        Samples { count: self.count, input: &self.input, target: &self.target, weight: &self.weight }
    }

    /// The time of the first sample whose input or target is not finite.
    pub(super) fn broken_time(&self, source: &Source<'_>) -> Option<f64> {
        let broken = |values: &[f32], i: usize| values.iter().skip(i).step_by(self.count).any(|v| !v.is_finite());
        let sample = (0..self.count).find(|&i| broken(&self.input, i) || broken(&self.target, i))?;
        Some(source.table.time(self.index[sample]))
    }

    /// Draws the chunk number `chunk` of the batch of `step`.
    pub(super) fn fill(&mut self, source: &Source<'_>, step: u32, chunk: u32) {
        source.data.draw(&source.choice, step, chunk, &mut self.data);
        for (row, mean) in self.data.chunks_exact_mut(self.count).zip(&source.mean) {
            row.iter_mut().for_each(|x| *x -= mean);
        }
        source.noise.normals(step, chunk, &mut self.noise);
        source.times.uniforms(step, chunk, &mut self.uniforms);
        for (i, (index, uniform)) in self.index.iter_mut().zip(&self.uniforms).enumerate() {
            *index = source.table.index(self.first + i, source.batch, *uniform);
            for (column, value) in source.table.row(*index).iter().enumerate() {
                self.coefficients[column * self.count + i] = *value;
            }
        }
        self.perturb(source);
    }

    fn perturb(&mut self, source: &Source<'_>) {
        let (blocks, count, dimension) = (source.blocks, self.count, source.mean.len());
        let state = blocks * (1 + blocks) * count;
        let target = state + source.driven * (1 + blocks) * count;
        let (coefficients, rest) = self.coefficients.split_at(target);
        let (weights, clock) = rest.split_at(source.driven * count);
        let (input, time) = self.input.split_at_mut(blocks * dimension * count);
        linear(&coefficients[..state], &self.data, &self.noise, count, input);
        linear(&coefficients[state..], &self.data, &self.noise, count, &mut self.target);
        time.copy_from_slice(clock);
        for (row, weight) in self.weight.chunks_exact_mut(count).enumerate() {
            weight.copy_from_slice(&weights[row / dimension * count..][..count]);
        }
    }
}

dispatched! {
    /// out[(r, c), i] = k[r, 0, i] data[c, i] + Σ_b k[r, 1 + b, i] noise[(b, c), i] for coefficients k of [rows, 1 + m, count].
    fn linear(coefficients: &[f32], data: &[f32], noise: &[f32], count: usize, out: &mut [f32]) {
        let (dimension, blocks) = (data.len() / count, noise.len() / data.len());
        for (row, out) in out.chunks_exact_mut(count).enumerate() {
            let (row, coordinate) = (row / dimension, row % dimension);
            let coefficients = &coefficients[row * (1 + blocks) * count..][..(1 + blocks) * count];
            let (first, others) = coefficients.split_at(count);
            let data = &data[coordinate * count..][..count];
            for ((out, k), x) in out.iter_mut().zip(first).zip(data) {
                *out = k * x;
            }
            for (block, coefficients) in others.chunks_exact(count).enumerate() {
                let noise = &noise[(block * dimension + coordinate) * count..][..count];
                for ((out, k), e) in out.iter_mut().zip(coefficients).zip(noise) {
                    *out = k.mul_add(*e, *out);
                }
            }
        }
    }
}
