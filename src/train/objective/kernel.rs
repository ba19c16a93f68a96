//! Training by the kernel of a process: data, times and noise turned into what the network is shown and should answer.

use std::any::Any;
use std::sync::Arc;

use super::feed::{Feed, Source};
use super::table::{Size, Table};
use crate::data::Dataset;
use crate::dispatched;
use crate::error::{Error, Result};
use crate::nn::Samples;
use crate::rng::{Purpose, Stream};
use crate::score::{Basis, KernelBasis, turned};
use crate::task::Task;
use crate::train::{Objective, Options};
use crate::vector::{encircle, singles};

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
    /// What the mean of the data has beyond that of the data that the model was made for, [d].
    shift: Vec<f32>,
    /// Axes of the data that the model was made for, one a row, [d, d], if it has any.
    axes: Option<Vec<f32>>,
    size: Size,
    /// The kind of each independent copy of the process that a datum takes.
    kinds: Arc<[usize]>,
    /// Numbers of the state that are angles: see [`Frame`](crate::score::Frame).
    angles: usize,
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
        let (horizon, moments) = (subject.process().horizon(), subject.moments());
        let table = Table::new(basis, options.shortest(horizon), horizon, options.weighting, task)?;
        Ok(Self {
            data,
            shift: singles(data.moments().mean.iter().zip(&moments.mean).map(|(own, other)| own - other)),
            axes: turned(subject.process(), moments).and_then(|moments| moments.axes.as_ref()).map(singles),
            size: table.size(),
            table,
            kinds: basis.kinds().clone(),
            angles: subject.angles(),
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
    /// Centred data along their axes, [d, count], and below them ε, [m·copies, count], the undriven components first.
    sources: Vec<f32>,
    /// Centred data before they are turned, [d, count], where they are.
    unturned: Vec<f32>,
    uniforms: Vec<f32>,
    /// Index of each sample's time in the table.
    index: Vec<usize>,
    /// Columns of the table's rows, [width, count].
    coefficients: Vec<f32>,
    /// What the network is shown, [inputs, count].
    state: Vec<f32>,
    clock: Vec<f32>,
    /// [driven·copies, count].
    target: Vec<f32>,
    weight: Vec<f32>,
}

impl<'a> Batch<'a> {
    fn new(source: &'a Perturbations<'a>, first: usize, count: usize) -> Self {
        let (size, copies) = (source.size, source.kinds.len());
        let zeros = |rows: usize| vec![0.0; rows * count];
        Self {
            source,
            first,
            count,
            sources: zeros(size.columns() * copies),
            unturned: zeros(source.axes.as_ref().map_or(0, |axes| axes.len().isqrt())),
            uniforms: zeros(1),
            index: vec![0; count],
            coefficients: zeros(source.table.width()),
            state: zeros(size.components * copies + source.angles),
            clock: zeros(1),
            target: zeros(size.driven * copies),
            weight: zeros(size.driven * copies),
        }
    }

    /// Draws data, centred and along the axes that the model was made for.
    fn draw(&mut self, step: u32, chunk: u32) {
        let Perturbations { data, choice, shift, axes, .. } = self.source;
        let (own, _) = self.sources.split_at_mut(shift.len() * self.count);
        let drawn = if axes.is_some() { &mut self.unturned } else { &mut *own };
        data.draw_deviations(choice, step, chunk, drawn);
        for (row, shift) in drawn.chunks_exact_mut(self.count).zip(shift) {
            row.iter_mut().for_each(|x| *x += shift);
        }
        if let Some(axes) = axes {
            turn(axes, self.count, &self.unturned, own);
        }
    }

    fn perturb(&mut self) {
        let Perturbations { size, kinds, angles, .. } = self.source;
        let (count, copies) = (self.count, kinds.len());
        let (coefficients, rest) = self.coefficients.split_at((size.state() + size.target()) * count);
        let (weights, clock) = rest.split_at(size.driven * count);
        let (state, target) = coefficients.split_at(size.state() * count);
        let rows = size.components * copies * count;
        linear(state, &self.sources, kinds, count, &mut self.state[..rows]);
        encircle(angles * count, &mut self.state);
        linear(target, &self.sources, kinds, count, &mut self.target);
        self.clock.copy_from_slice(clock);
        for (row, weight) in self.weight.chunks_exact_mut(count).enumerate() {
            weight.copy_from_slice(&weights[row / copies * count..][..count]);
        }
    }
}

impl Feed for Batch<'_> {
    fn fill(&mut self, step: u32, chunk: u32) {
        let source = self.source;
        self.draw(step, chunk);
        source.noise.normals(step, chunk, &mut self.sources[source.shift.len() * self.count..]);
        source.times.uniforms(step, chunk, &mut self.uniforms);
        for (i, (index, uniform)) in self.index.iter_mut().zip(&self.uniforms).enumerate() {
            *index = source.table.index(self.first + i, source.batch, *uniform);
            for (column, value) in source.table.row(*index).iter().enumerate() {
                self.coefficients[column * self.count + i] = *value;
            }
        }
        self.perturb();
    }

    fn classes(&self, step: u32, chunk: u32, out: &mut [u32]) {
        let Perturbations { data, choice, .. } = self.source;
        data.draw_classes(choice, step, chunk, out);
    }

    fn samples(&self) -> Samples<'_> {
        let Self { count, state, clock, target, weight, .. } = self;
        Samples { count: *count, state, clock, class: &[], target, weight, chance: None }
    }

    fn time(&self, sample: usize) -> f64 {
        self.source.table.time(self.index[sample])
    }
}

dispatched! {
    /// out[(r, c), i] = Σ_j k[kind of c, r, j, i] sources[(j, c), i] for coefficients k of [kinds, rows, columns,
    /// count].
    fn linear(coefficients: &[f32], sources: &[f32], kinds: &[usize], count: usize, out: &mut [f32]) {
        let copies = kinds.len();
        let columns = sources.len() / (copies * count);
        let rows = out.len() / (copies * count);
        for (row, out) in out.chunks_exact_mut(count).enumerate() {
            let (row, copy) = (row / copies, row % copies);
            let coefficients = &coefficients[(kinds[copy] * rows + row) * columns * count..][..columns * count];
            out.fill(0.0);
            for (column, k) in coefficients.chunks_exact(count).enumerate() {
                let source = &sources[(column * copies + copy) * count..][..count];
                for ((out, k), e) in out.iter_mut().zip(k).zip(source) {
                    *out = k.mul_add(*e, *out);
                }
            }
        }
    }
}

dispatched! {
    /// Writes vectors, [d, count], along `axes`, [d, d] with one a row.
    fn turn(axes: &[f32], count: usize, vectors: &[f32], out: &mut [f32]) {
        let d = axes.len().isqrt();
        for (axis, out) in axes.chunks_exact(d).zip(out.chunks_exact_mut(count)) {
            out.fill(0.0);
            for (weight, row) in axis.iter().zip(vectors.chunks_exact(count)) {
                for (out, x) in out.iter_mut().zip(row) {
                    *out = weight.mul_add(*x, *out);
                }
            }
        }
    }
}
