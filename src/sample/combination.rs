//! Sums of weighted rows over a block of samples, in one pass of vector code.

use nalgebra::{DMatrix, DVector};

use crate::dispatched;
use crate::vector::{single, singles};

/// Rows of output from rows of input: out_b = offset_b + Σ_r weight_br input_r, for a step with the old state added.
///
/// A step forms the increment first and adds it then: 1 − k dt in single precision would lose digits of k for small dt.
#[derive(Debug, Clone)]
pub struct Combination {
    offset: Vec<f32>,
    /// The inputs of each output, (row, weight); weights of 0 are left out.
    terms: Vec<Vec<(usize, f32)>>,
    inputs: usize,
    /// Whether the first rows of the input, the old state, are added.
    is_step: bool,
}

impl Combination {
    /// z_b + offset_b + Σ_r weight_br input_r; `weights` is [m, inputs], rounded here.
    pub(super) fn step(offset: &DVector<f64>, weights: &DMatrix<f64>) -> Self {
        let terms = |row: usize| {
            let row = weights.row(row);
            row.iter().enumerate().filter(|(_, w)| **w != 0.0).map(|(r, &w)| (r, single(w))).collect()
        };
        Self {
            offset: singles(offset),
            terms: (0..weights.nrows()).map(terms).collect(),
            inputs: weights.ncols(),
            is_step: true,
        }
    }

    /// offset_b + Σ_r weight_br input_r.
    pub(super) fn map(offset: &DVector<f64>, weights: &DMatrix<f64>) -> Self {
        Self { is_step: false, ..Self::step(offset, weights) }
    }

    /// Rows that it reads.
    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Writes [m, length] from `inputs`, [inputs, length]; in a step its first m rows are the old state.
    pub(super) fn apply(&self, length: usize, inputs: &[f32], out: &mut [f32]) {
        for (b, (out, terms)) in out.chunks_exact_mut(length).zip(&self.terms).enumerate() {
            match self.is_step {
                true => advance(b, self.offset[b], terms, inputs, out),
                false => combine(self.offset[b], terms, inputs, out),
            }
        }
    }
}

/// Matrices of as many rows, side by side.
pub(super) fn joined(parts: &[&DMatrix<f64>]) -> DMatrix<f64> {
    let columns: Vec<_> = parts.iter().flat_map(|part| part.column_iter()).collect();
    DMatrix::from_columns(&columns)
}

const LANES: usize = 64;

/// offset + Σ weight · row, for the lanes from `start` on.
#[inline(always)]
fn sum_of_rows(offset: f32, terms: &[(usize, f32)], inputs: &[f32], length: usize, start: usize) -> [f32; LANES] {
    let mut sum = [offset; LANES];
    for &(row, weight) in terms {
        let input = &inputs[row * length + start..][..LANES];
        for i in 0..LANES {
            sum[i] = weight.mul_add(input[i], sum[i]);
        }
    }
    sum
}

/// The same for the one lane `at`.
#[inline(always)]
fn sum_at(offset: f32, terms: &[(usize, f32)], inputs: &[f32], length: usize, at: usize) -> f32 {
    terms.iter().fold(offset, |sum, &(row, weight)| weight.mul_add(inputs[row * length + at], sum))
}

dispatched! {
    fn combine(offset: f32, terms: &[(usize, f32)], inputs: &[f32], out: &mut [f32]) {
        let length = out.len();
        let mut chunks = out.chunks_exact_mut(LANES);
        let mut start = 0;
        for chunk in &mut chunks {
            chunk.copy_from_slice(&sum_of_rows(offset, terms, inputs, length, start));
            start += LANES;
        }
        for (i, out) in chunks.into_remainder().iter_mut().enumerate() {
            *out = sum_at(offset, terms, inputs, length, start + i);
        }
    }
}

dispatched! {
    fn advance(own: usize, offset: f32, terms: &[(usize, f32)], inputs: &[f32], out: &mut [f32]) {
        let length = out.len();
        let mut chunks = out.chunks_exact_mut(LANES);
        let mut start = 0;
        for chunk in &mut chunks {
            let sum = sum_of_rows(offset, terms, inputs, length, start);
            let old = &inputs[own * length + start..][..LANES];
            for i in 0..LANES {
                chunk[i] = old[i] + sum[i];
            }
            start += LANES;
        }
        for (i, out) in chunks.into_remainder().iter_mut().enumerate() {
            let at = start + i;
            *out = inputs[own * length + at] + sum_at(offset, terms, inputs, length, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn increments_are_added() {
        let offset = DVector::from_vec(vec![0.5, 0.0]);
        let weights = DMatrix::from_row_slice(2, 3, &[-0.25, 2.0, 0.0, 0.0, 0.0, 3.0]);
        // One full pass of lanes and a part of one.
        let length = LANES + 3;
        let inputs: Vec<f32> = (0..3 * length).map(|i| i as f32).collect();
        let mut state = vec![0.0; 2 * length];
        Combination::step(&offset, &weights).apply(length, &inputs, &mut state);
        let mut slope = state.clone();
        Combination::map(&offset, &weights).apply(length, &inputs, &mut slope);
        for i in 0..length {
            let [x, y, w] = [0, 1, 2].map(|row| inputs[row * length + i]);
            assert_eq!(state[i], x + 0.5 - 0.25 * x + 2.0 * y);
            assert_eq!(state[length + i], y + 3.0 * w);
            assert_eq!([slope[i], slope[length + i]], [0.5 - 0.25 * x + 2.0 * y, 3.0 * w]);
        }
    }
}
