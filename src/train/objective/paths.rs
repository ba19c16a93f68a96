//! Simulated forward paths, from data to times that are stratified over the batch.

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::process::Walk;
use crate::rng::{Purpose, Stream};
use crate::score::{Basis, Rounded, SimulatedBasis};
use crate::train::{Options, Weighting};

/// What all chunks of all batches share.
pub(super) struct Paths<'a> {
    pub(super) basis: &'a SimulatedBasis,
    data: &'a Dataset,
    /// The frame after each step of the chain, [J + 1]; the first is not used.
    frames: Vec<Rounded>,
    /// The step after which a window begins that ends after each step, [J + 1].
    begins: Vec<u32>,
    shortest: f64,
    pub(super) batch: usize,
    choice: Stream,
    times: Stream,
    start: Stream,
    pub(super) noise: Stream,
}

impl<'a> Paths<'a> {
    /// Paths that end in windows of length `window`.
    ///
    /// # Errors
    /// When the weighting is not supported.
    pub(super) fn new(basis: &'a SimulatedBasis, data: &'a Dataset, window: f64, options: &Options) -> Result<Self> {
        if options.weighting == Weighting::Likelihood {
            return Err(Error::argument("weighting", "\"likelihood\" is not supported for simulated paths")
                .with_hint("use \"whitened\""));
        }
        let chain = basis.chain();
        let frame = |&t: &f64| basis.at(t).map(|frame| Rounded::new(&frame));
        let choice = Stream::new(options.seed, Purpose::Batch);
        Ok(Self {
            basis,
            data,
            frames: chain.times().iter().map(|t| frame(&t.max(chain.times()[1]))).collect::<Result<_>>()?,
            begins: (0..=chain.steps()).map(|end| basis.window_begin(end, window) as u32).collect(),
            shortest: options.shortest(basis.subject().process().horizon()),
            batch: options.batch,
            choice,
            // Far beyond the parts that a dataset takes.
            times: choice.part(1 << 20),
            start: Stream::new(options.seed, Purpose::BatchStart),
            noise: Stream::new(options.seed, Purpose::BatchNoise),
        })
    }

    /// Draws the noise of each step of the chain for a chunk of a batch.
    pub(super) fn noise(&self, step: u32, chunk: u32) -> impl Fn(usize, &mut [f32]) {
        let noise = self.noise;
        move |k, normals| noise.part(k as u32 + 1).normals(step, chunk, normals)
    }
}

/// The paths of one chunk of each batch.
pub(super) struct Walked<'a> {
    pub(super) paths: &'a Paths<'a>,
    pub(super) copies: usize,
    /// Strata of the whole batch, and the first one that falls to this chunk.
    strata: f64,
    first: f64,
    pub(super) walk: Walk<'a>,
    data: Vec<f32>,
    uniforms: Vec<f32>,
    /// The step after which the window of each path begins, and the one after which it ends.
    pub(super) begin: Vec<u32>,
    pub(super) end: Vec<u32>,
    /// Where the paths end, [m·copies, paths].
    pub(super) states: Vec<f32>,
}

impl<'a> Walked<'a> {
    /// So many `paths` for a chunk of `count` samples that begins with sample `first` of each batch.
    pub(super) fn new(source: &'a Paths<'a>, first: usize, count: usize, paths: usize) -> Self {
        let subject = source.basis.subject();
        Self {
            paths: source,
            copies: subject.copies(),
            strata: (source.batch * paths / count) as f64,
            first: (first * paths / count) as f64,
            walk: source.basis.chain().walk(subject.copies(), paths),
            data: vec![0.0; source.data.dimension() * paths],
            uniforms: vec![0.0; paths],
            begin: vec![0; paths],
            end: vec![0; paths],
            states: vec![0.0; subject.inputs() * paths],
        }
    }

    /// Draws data, from which the walk starts, and times stratified over the batch, where it ends.
    pub(super) fn start(&mut self, step: u32, chunk: u32) {
        let Paths { basis, data, begins, shortest, choice, times, start, .. } = self.paths;
        let chain = basis.chain();
        data.draw(choice, step, chunk, &mut self.data);
        self.walk.start(&self.data, |normals| start.normals(step, chunk, normals));
        times.uniforms(step, chunk, &mut self.uniforms);
        let horizon = chain.times()[chain.steps()];
        for (i, uniform) in self.uniforms.iter().enumerate() {
            let part = (self.first + i as f64 + f64::from(*uniform)) / self.strata;
            let end = chain.step_at(shortest + (horizon - shortest) * part.min(1.0));
            self.end[i] = end as u32;
            self.begin[i] = begins[end];
        }
    }

    /// Fills `out` with the place of the class of each sample; so many samples in a row share a path.
    pub(super) fn classes(&self, step: u32, chunk: u32, out: &mut [u32]) {
        let Paths { data, choice, .. } = self.paths;
        let (paths, together) = (self.end.len(), out.len().div_ceil(self.end.len()));
        data.draw_classes(choice, step, chunk, &mut out[..paths]);
        (0..out.len()).rev().for_each(|sample| out[sample] = out[sample / together]);
    }

    /// The frame where a path ends.
    pub(super) fn frame(&self, path: usize) -> &'a Rounded {
        &self.paths.frames[self.end[path] as usize]
    }

    /// The time at which a path ends.
    pub(super) fn time(&self, path: usize) -> f64 {
        self.paths.basis.chain().times()[self.end[path] as usize]
    }
}
