//! Training by the kernel of a process: data, times and noise turned into what the network is shown and should answer.

use std::any::Any;

use super::feed::{Feed, Source};
use super::table::{Size, Table};
use crate::data::Dataset;
use crate::dispatched;
use crate::error::{Error, Result};
use crate::nn::Samples;
use crate::rng::{Purpose, Stream};
use crate::score::{Basis, KernelBasis};
use crate::task::Task;
use crate::train::{Objective, Options};
use crate::vector::singles;

/// Hybrid score matching, of a basis by the kernel.
pub(super) fn open<'a>(
    basis: &'a (dyn Basis + 'static),
    data: &'a Dataset,
    options: &Options,
    task: &Task,
) -> Option<Result<Box<dyn Source + 'a>>> {
    let basis = (basis as &dyn Any).downcast_ref()?;
    Some(Perturbations::new(basis, data, options, task).map(|source| Box::new(source) as _))
}

/// Refuses what only simulated paths have.
fn refuse_options_of_paths(options: &Options) -> Result<()> {
    let refuse = |name: &str| {
        Err(Error::argument(name, "belongs to scores that are learned from simulated paths; this one has a kernel")
            .with_hint("make the score with score::mlp(process, data, #{ simulated: true })"))
    };
    match (options.objective, options.window) {
        (Some(Objective::Sliced), _) => refuse("objective"),
        (_, Some(_)) => refuse("window"),
        _ => Ok(()),
    }
}

/// What all chunks of all batches share.
struct Perturbations<'a> {
    data: &'a Dataset,
    table: Table,
    /// Mean of the data that the table was made for, [d].
    mean: Vec<f32>,
    size: Size,
    /// Independent copies of the process that a datum takes.
    copies: usize,
    /// Samples in a batch.
    batch: usize,
    /// Of data; its parts serve the dataset.
    choice: Stream,
    times: Stream,
    noise: Stream,
}

impl<'a> Perturbations<'a> {
    fn new(basis: &KernelBasis, data: &'a Dataset, options: &Options, task: &Task) -> Result<Self> {
        refuse_options_of_paths(options)?;
        let (subject, choice) = (basis.subject(), Stream::new(options.seed, Purpose::Batch));
        let horizon = subject.process().horizon();
        let table = Table::new(basis, options.shortest(horizon), horizon, options.weighting, task)?;
        Ok(Self {
            data,
            mean: singles(&subject.moments().mean),
            size: table.size(),
            table,
            copies: subject.copies(),
            batch: options.batch,
            choice,
            // Far beyond the parts that a dataset takes.
            times: choice.part(1 << 20),
            noise: Stream::new(options.seed, Purpose::BatchNoise),
        })
    }
}

impl Source for Perturbations<'_> {
    fn feed(&self, first: usize, count: usize) -> Box<dyn Feed + '_> {
        Box::new(Batch::new(self, first, count))
    }
}

/// One chunk of a batch, component-major, on buffers allocated once.
struct Batch<'a> {
    source: &'a Perturbations<'a>,
    /// Place of the chunk's first sample in the batch.
    first: usize,
    count: usize,
    /// Centred data, [d, count], and below them ε, [m·copies, count], the undriven components first.
    sources: Vec<f32>,
    uniforms: Vec<f32>,
    /// Index of each sample's time in the table.
    index: Vec<usize>,
    /// Columns of the table's rows, [width, count].
    coefficients: Vec<f32>,
    /// [m·copies, count].
    state: Vec<f32>,
    clock: Vec<f32>,
    /// [driven·copies, count].
    target: Vec<f32>,
    weight: Vec<f32>,
}

impl<'a> Batch<'a> {
    fn new(source: &'a Perturbations<'a>, first: usize, count: usize) -> Self {
        let (size, copies) = (source.size, source.copies);
        let zeros = |rows: usize| vec![0.0; rows * count];
        Self {
            source,
            first,
            count,
            sources: zeros(size.columns() * copies),
            uniforms: zeros(1),
            index: vec![0; count],
            coefficients: zeros(source.table.width()),
            state: zeros(size.components * copies),
            clock: zeros(1),
            target: zeros(size.driven * copies),
            weight: zeros(size.driven * copies),
        }
    }

    fn perturb(&mut self) {
        let source = self.source;
        let (size, copies, count) = (source.size, source.copies, self.count);
        let state = size.components * size.columns() * count;
        let target = state + size.driven * size.columns() * count;
        let (coefficients, rest) = self.coefficients.split_at(target);
        let (weights, clock) = rest.split_at(size.driven * count);
        linear(&coefficients[..state], &self.sources, copies, count, &mut self.state);
        linear(&coefficients[state..], &self.sources, copies, count, &mut self.target);
        self.clock.copy_from_slice(clock);
        for (row, weight) in self.weight.chunks_exact_mut(count).enumerate() {
            weight.copy_from_slice(&weights[row / copies * count..][..count]);
        }
    }
}

impl Feed for Batch<'_> {
    fn fill(&mut self, step: u32, chunk: u32) {
        let source = self.source;
        let (data, noise) = self.sources.split_at_mut(source.mean.len() * self.count);
        source.data.draw(&source.choice, step, chunk, data);
        for (row, mean) in data.chunks_exact_mut(self.count).zip(&source.mean) {
            row.iter_mut().for_each(|x| *x -= mean);
        }
        source.noise.normals(step, chunk, noise);
        source.times.uniforms(step, chunk, &mut self.uniforms);
        for (i, (index, uniform)) in self.index.iter_mut().zip(&self.uniforms).enumerate() {
            *index = source.table.index(self.first + i, source.batch, *uniform);
            for (column, value) in source.table.row(*index).iter().enumerate() {
                self.coefficients[column * self.count + i] = *value;
            }
        }
        self.perturb();
    }

    fn samples(&self) -> Samples<'_> {
        let Self { count, state, clock, target, weight, .. } = self;
        Samples { count: *count, state, clock, target, weight }
    }

    fn time(&self, sample: usize) -> f64 {
        self.source.table.time(self.index[sample])
    }
}

dispatched! {
    /// out[(r, c), i] = Σ_j k[r, j, i] sources[(j, c), i] for coefficients k of [rows, columns, count].
    fn linear(coefficients: &[f32], sources: &[f32], copies: usize, count: usize, out: &mut [f32]) {
        let columns = sources.len() / (copies * count);
        for (row, out) in out.chunks_exact_mut(count).enumerate() {
            let (row, copy) = (row / copies, row % copies);
            out.fill(0.0);
            for (column, k) in coefficients[row * columns * count..][..columns * count].chunks_exact(count).enumerate() {
                let source = &sources[(column * copies + copy) * count..][..count];
                for ((out, k), e) in out.iter_mut().zip(k).zip(source) {
                    *out = k.mul_add(*e, *out);
                }
            }
        }
    }
}
