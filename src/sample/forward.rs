//! The forward process: by its kernel, and step by step.

use nalgebra::{DMatrix, DVector};

use super::State;
use super::advance::Affine;
use super::blocks::{BLOCK, Meter, in_blocks, transpose};
use crate::dispatched;
use crate::error::{Error, Result};
use crate::process::{Linear, Process, correlate};
use crate::rng::{Purpose, Stream};
use crate::task::Task;
use crate::tensor::Tensor;

/// z_t for each datum of `x0`, [count, shape...] or \[count\], drawn from the perturbation kernel at `time` ≥ 0 in one step.
///
/// # Errors
/// When `x0` is not a tensor of finite data or `time` is negative, or interrupted.
pub fn perturb(process: &Process, x0: &Tensor, time: f64, seed: u64, task: &Task) -> Result<State> {
    let data = Data::new(x0)?;
    let kernel = process.kernel(time)?;
    let copies = process.copies(data.dimension())?;
    let response: Vec<f32> = kernel.response().transpose().iter().map(|&r| r as f32).collect();
    let offset: Vec<f32> = kernel.offset.iter().map(|&c| c as f32).collect();
    let factor: Vec<f32> = kernel.cholesky.transpose().iter().map(|&l| l as f32).collect();
    let stream = Stream::new(seed, Purpose::Perturbation);
    in_blocks(task, process, data.shape, data.count, |block, samples| {
        let x = data.block(block, samples);
        let length = copies * samples;
        let mut state = vec![0.0; offset.len() * length];
        stream.normals(0, block, &mut state);
        correlate(&factor, offset.len(), &mut state);
        for ((z, response), &offset) in
            state.chunks_exact_mut(length).zip(response.chunks_exact(kernel.data)).zip(&offset)
        {
            add_mean(response, offset, &x, z);
        }
        Ok(state)
    })
}

/// The end states of forward paths from `x0`, [count, shape...] or \[count\], at the horizon after `steps` Euler–Maruyama steps.
///
/// # Errors
/// When `x0` is not a tensor of finite data or `steps` is 0, the states become infinite, or interrupted.
pub fn simulate(process: &Process, x0: &Tensor, steps: usize, seed: u64, task: &Task) -> Result<State> {
    let data = Data::new(x0)?;
    let count = u32::try_from(steps).ok().filter(|&n| n > 0);
    let count = count.ok_or_else(|| Error::argument("steps", format!("must be from 1 to 4·10⁹, got {steps}")))?;
    let copies = process.copies(data.dimension())?;
    let linear = process.linear_at(0.0)?;
    let step = process.horizon() / f64::from(count);
    let noise = linear.noise.select_columns(process.sources());
    let weights = joined(&[&(&linear.drift * step), &(&noise * step.sqrt())]);
    let affine = Affine::new(&(&linear.offset * step), &weights);
    let increments = Stream::new(seed, Purpose::Increment);
    let start = Stream::new(seed, Purpose::Start);
    let meter = Meter::new(task, "simulate", data.count, count as usize);
    let state = in_blocks(task, process, data.shape, data.count, |block, samples| {
        let x = data.block(block, samples);
        let length = copies * samples;
        let size = linear.size() * length;
        let mut inputs = vec![0.0; size + noise.ncols() * length];
        let mut state = vec![0.0; size];
        start.normals(0, block, &mut inputs[x.len()..size]);
        spread(&linear.start_mean, &linear.start_std, &mut inputs[..size]);
        inputs[..x.len()].copy_from_slice(&x);
        for number in 0..count {
            increments.normals(number, block, &mut inputs[size..]);
            affine.apply(length, &inputs, &mut state);
            inputs[..size].copy_from_slice(&state);
            meter.count(samples)?;
        }
        finite(state, step, &linear)
    });
    meter.finish();
    state
}

/// Matrices of as many rows, side by side.
pub(super) fn joined(parts: &[&DMatrix<f64>]) -> DMatrix<f64> {
    let columns: Vec<_> = parts.iter().flat_map(|part| part.column_iter()).collect();
    DMatrix::from_columns(&columns)
}

/// Turns normals into independent draws of the start law, block by block.
fn spread(mean: &DVector<f64>, std: &DVector<f64>, state: &mut [f32]) {
    let length = state.len() / mean.len();
    for (b, row) in state.chunks_exact_mut(length).enumerate() {
        rescale(std[b] as f32, mean[b] as f32, row);
    }
}

dispatched! {
    /// z ← z + (Σ_j response_j x_j + offset), for x of as many rows as z is long.
    fn add_mean(response: &[f32], offset: f32, x: &[f32], z: &mut [f32]) {
        for (i, z) in z.iter_mut().enumerate() {
            let rows = x[i..].iter().step_by(x.len() / response.len());
            *z += response.iter().zip(rows).fold(offset, |mean, (response, x)| response.mul_add(*x, mean));
        }
    }
}

dispatched! {
    /// z ← std z + mean.
    fn rescale(std: f32, mean: f32, row: &mut [f32]) {
        for z in row {
            *z = std.mul_add(*z, mean);
        }
    }
}

/// The end state of a block, refused where Euler–Maruyama steps, the longest of length `step`, ran away.
pub(super) fn finite(state: Vec<f32>, step: f64, linear: &Linear) -> Result<Vec<f32>> {
    if state.iter().all(|z| z.is_finite()) {
        return Ok(state);
    }
    // The largest row sum bounds the modulus of every eigenvalue.
    let rate = linear.drift.row_iter().map(|row| row.abs().sum()).fold(0.0, f64::max);
    Err(Error::numerical("the samples left the range of floating point").with_hint(format!(
        "take more steps: Euler–Maruyama runs away when a step is too long for the process; the longest is {step:.3e}, \
         and the drift has rates of up to {rate:.3e}"
    )))
}

/// Data to start from.
struct Data<'a> {
    count: usize,
    /// Shape of one datum.
    shape: &'a [usize],
    values: std::borrow::Cow<'a, [f32]>,
}

impl<'a> Data<'a> {
    fn new(x0: &'a Tensor) -> Result<Self> {
        let shape = x0.shape();
        if shape.is_empty() || shape.contains(&0) {
            return Err(Error::argument("x0", format!("must have the shape [count, shape...], got {shape:?}")));
        }
        let values = x0.values();
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(Error::argument("x0", format!("has {} at flat index {at}", values[at])));
        }
        let datum = if shape.len() > 1 { &shape[1..] } else { &[1] };
        Ok(Self { count: shape[0], shape: datum, values })
    }

    /// Number of coordinates of one datum.
    fn dimension(&self) -> usize {
        self.values.len() / self.count
    }

    /// The data of one block, component-major [d, samples].
    fn block(&self, block: u32, samples: usize) -> Vec<f32> {
        let dimension = self.dimension();
        let rows = &self.values[block as usize * BLOCK * dimension..][..samples * dimension];
        let mut x = vec![0.0; rows.len()];
        transpose(rows, dimension, &mut x);
        x
    }
}
