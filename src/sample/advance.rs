//! One step of a linear stochastic process over a block of samples, in one pass of vector code.

use crate::dispatched;

/// z_b ← z_b + offset_b + Σ_r weight_br input_r, where the inputs are the rows of z itself, of a score and of noise.
///
/// The increment is formed first and then added: 1 − k dt in single precision would lose digits of k for small steps.
#[derive(Debug, Clone)]
pub(super) struct Affine {
    offset: Vec<f32>,
    /// The inputs of each block, (row, weight); weights of 0 are left out.
    terms: Vec<Vec<(usize, f32)>>,
}

impl Affine {
    /// `weights` is [m, inputs], rounded here.
    pub(super) fn new(offset: &nalgebra::DVector<f64>, weights: &nalgebra::DMatrix<f64>) -> Self {
        let terms = |row: usize| {
            let row = weights.row(row);
            row.iter().enumerate().filter(|(_, w)| **w != 0.0).map(|(r, &w)| (r, w as f32)).collect()
        };
        Self { offset: offset.iter().map(|&o| o as f32).collect(), terms: (0..weights.nrows()).map(terms).collect() }
    }

    /// Writes the new state, [m, length], from `inputs`, [inputs, length], of which the first m rows are the old one.
    pub(super) fn apply(&self, length: usize, inputs: &[f32], state: &mut [f32]) {
        for (b, (out, terms)) in state.chunks_exact_mut(length).zip(&self.terms).enumerate() {
            combine(b, self.offset[b], terms, inputs, out);
        }
    }
}

const LANES: usize = 64;

dispatched! {
    fn combine(own: usize, offset: f32, terms: &[(usize, f32)], inputs: &[f32], out: &mut [f32]) {
        let length = out.len();
        let mut chunks = out.chunks_exact_mut(LANES);
        let mut start = 0;
        for chunk in &mut chunks {
            let mut sum = [offset; LANES];
            for &(row, weight) in terms {
                let input = &inputs[row * length + start..][..LANES];
                for i in 0..LANES {
                    sum[i] = weight.mul_add(input[i], sum[i]);
                }
            }
            let old = &inputs[own * length + start..][..LANES];
            for i in 0..LANES {
                chunk[i] = old[i] + sum[i];
            }
            start += LANES;
        }
        for (i, out) in chunks.into_remainder().iter_mut().enumerate() {
            let at = start + i;
            let sum = terms.iter().fold(offset, |sum, &(row, weight)| weight.mul_add(inputs[row * length + at], sum));
            *out = inputs[own * length + at] + sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};

    use super::*;

    #[test]
    fn increments_are_added() {
        let affine = Affine::new(
            &DVector::from_vec(vec![0.5, 0.0]),
            &DMatrix::from_row_slice(2, 3, &[-0.25, 2.0, 0.0, 0.0, 0.0, 3.0]),
        );
        // One full pass of lanes and a part of one.
        let length = LANES + 3;
        let inputs: Vec<f32> = (0..3 * length).map(|i| i as f32).collect();
        let mut state = vec![0.0; 2 * length];
        affine.apply(length, &inputs, &mut state);
        for i in 0..length {
            let [x, y, w] = [0, 1, 2].map(|row| inputs[row * length + i]);
            assert_eq!(state[i], x + 0.5 - 0.25 * x + 2.0 * y);
            assert_eq!(state[length + i], y + 3.0 * w);
        }
    }
}
