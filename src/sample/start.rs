//! What processes start from: given states, or data and auxiliaries by their laws.

use super::State;
use super::layout::BLOCK;
use super::output::{Request, transpose};
use crate::data::Moments;
use crate::error::{Error, Result};
use crate::process::{Process, StartNumbers};
use crate::rng::Stream;
use crate::score::unlike_angles;
use crate::tensor::{Rows, Tensor};

/// Writes the states at the beginning of (block, samples), component-major.
pub(super) type Beginning<'a> = dyn Fn(u32, usize, &mut [f32]) -> Result<()> + Sync + Send + 'a;

/// The states of the samples from `first` on, [m·d, samples], which `start` gives in blocks, side by side.
pub(super) fn gather(start: &Beginning<'_>, state: usize, first: usize, samples: usize) -> Result<Vec<f32>> {
    let mut rows = vec![0.0; state * samples];
    for begin in (0..samples).step_by(BLOCK) {
        let width = BLOCK.min(samples - begin);
        let mut part = vec![0.0; state * width];
        start(((first + begin) / BLOCK) as u32, width, &mut part)?;
        for (row, part) in rows.chunks_exact_mut(samples).zip(part.chunks_exact(width)) {
            row[begin..begin + width].copy_from_slice(part);
        }
    }
    Ok(rows)
}

/// The laws of the components at t = 0.
pub(super) struct Start {
    law: StartNumbers,
    stream: Stream,
}

impl Start {
    pub(super) fn new(process: &Process, stream: Stream) -> Result<Self> {
        Ok(Self { law: process.start()?, stream })
    }

    /// Independent draws from the same laws.
    pub(super) fn part(&self, index: u32) -> Self {
        Self { law: self.law.clone(), stream: self.stream.part(index) }
    }

    /// The first component behind the first `data` ones that has no density given those before it, and whether it
    /// follows them.
    pub(super) fn fixed(&self, data: usize) -> Option<(usize, bool)> {
        let factor = &self.law.factor;
        let fixed = (data..factor.nrows()).find(|&i| factor[(i, i)] == 0.0)?;
        Some((fixed, (data..fixed).any(|j| factor[(fixed, j)] != 0.0)))
    }

    /// Takes the log density of the auxiliaries in `state`, [m·copies, samples], off `values`, \[samples\].
    pub(super) fn subtract_log_density(&self, state: &[f32], copies: usize, values: &mut [f64]) {
        let (samples, StartNumbers { mean, factor }) = (values.len(), &self.law);
        // The deviations in units in which they are independent, found component by component.
        let mut white = vec![0.0; state.len()];
        let spread = (0..mean.len()).filter(|&i| factor[(i, i)] != 0.0);
        for (i, copy) in spread.flat_map(|i| (0..copies).map(move |copy| (i, copy))) {
            let (std, place) = (factor[(i, i)], |component: usize| (component * copies + copy) * samples);
            for (sample, value) in values.iter_mut().enumerate() {
                let known: f64 = (0..i).map(|j| factor[(i, j)] * white[place(j) + sample]).sum();
                let own = (f64::from(state[place(i) + sample]) - mean[i] - known) / std;
                white[place(i) + sample] = own;
                *value += 0.5 * own * own + std.ln() + 0.5 * std::f64::consts::TAU.ln();
            }
        }
    }

    /// Draws all components behind the first `data` values.
    pub(super) fn draw(&self, block: u32, state: &mut [f32], data: usize) {
        self.stream.normals(0, block, &mut state[data..]);
        self.law.spread(state);
    }
}

/// Data to start from.
pub(super) struct Data<'a>(Rows<'a>);

impl<'a> Data<'a> {
    pub(super) fn new(x0: &'a Tensor) -> Result<Self> {
        x0.rows("x0").map(Self)
    }

    pub(super) fn count(&self) -> usize {
        self.0.count
    }

    /// Shape of one datum.
    pub(super) fn shape(&self) -> &[usize] {
        self.0.shape
    }

    pub(super) fn request<'p>(&self, process: &'p Process, kept: Vec<f64>) -> Request<'p>
    where
        'a: 'p,
    {
        Request { process, first_block: 0, count: self.0.count, shape: self.0.shape, kept }
    }

    /// All data, [count, shape...].
    pub(super) fn values(&self) -> &[f32] {
        &self.0.values
    }

    /// Number of coordinates of one datum.
    pub(super) fn dimension(&self) -> usize {
        self.0.width()
    }

    /// That they are angles in another unit than those of `process`.
    pub(super) fn unlike_angles(&self, process: &Process) -> Option<String> {
        let square = self.0.values.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / self.0.values.len() as f64;
        unlike_angles(process, &Moments::isotropic(vec![0.0], square))
    }

    /// The data of one block, component-major [d, samples].
    pub(super) fn block(&self, block: u32, samples: usize) -> Vec<f32> {
        let dimension = self.dimension();
        let rows = &self.0.values[block as usize * BLOCK * dimension..][..samples * dimension];
        let mut x = vec![0.0; rows.len()];
        transpose(rows, dimension, &mut x);
        x
    }
}

/// The blocks of a state in the order of a process.
pub(super) struct Values<'a> {
    pub(super) count: usize,
    dimension: usize,
    blocks: Vec<std::borrow::Cow<'a, [f32]>>,
}

impl<'a> Values<'a> {
    /// # Errors
    /// When a block is missing, has another shape than [count, `shape`...], or is not finite.
    pub(super) fn new(process: &Process, shape: &[usize], state: &'a State) -> Result<Self> {
        let count = state.blocks.first().map_or(0, |block| block.shape().first().copied().unwrap_or(0));
        let wanted = [&[count], shape].concat();
        let block = |name: &String| {
            if !state.names.contains(name) {
                let problem = format!("has no block `{name}`, which the process `{}` has", process.name());
                let hint = "take a state of this process, from `perturb`, `simulate` or `sample`";
                return Err(Error::argument("state", problem).with_hint(hint));
            }
            let tensor = state.block(name)?;
            if tensor.shape() != wanted {
                let problem = format!("has {:?} in the block `{name}`, the score is for {wanted:?}", tensor.shape());
                return Err(Error::argument("state", problem));
            }
            Ok(tensor.rows(&format!("state.{name}"))?.values)
        };
        let blocks = process.blocks().iter().map(block).collect::<Result<Vec<_>>>()?;
        Ok(Self { count, dimension: shape.iter().product(), blocks })
    }

    /// `stream` for what begins from these values.
    pub(super) fn key(&self, stream: Stream) -> Stream {
        self.blocks.iter().fold(stream, |stream, block| stream.of(block))
    }

    /// Writes the samples of a block, component-major [m·d, samples].
    pub(super) fn copy(&self, block: u32, samples: usize, rows: &mut [f32]) {
        let size = self.dimension * samples;
        for (values, rows) in self.blocks.iter().zip(rows.chunks_exact_mut(size)) {
            transpose(&values[block as usize * BLOCK * self.dimension..][..size], self.dimension, rows);
        }
    }
}
