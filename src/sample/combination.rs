//! Sums of weighted rows over a block of samples, in one pass of vector code.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use crate::dispatched;
use crate::vector::{single, singles};

/// Rows of output from rows of input: out_b = offset_b + Σ_r weight_br input_r, for a step with the old state added.
/// All copies have the same weights, or each those of its kind.
///
/// A step forms the increment first and adds it then: 1 − k dt in single precision would lose digits of k for small dt.
/// Where little of the old state is left, the increment would lose the digits of that.
#[derive(Debug, Clone)]
pub struct Combination {
    offset: Vec<f32>,
    /// Of each kind, what each output is made of.
    kinds: Vec<Vec<Output>>,
    /// The kind of each copy, where there are several.
    copies: Arc<[usize]>,
    inputs: usize,
}

/// A row of output.
#[derive(Debug, Clone)]
struct Output {
    /// The inputs, (row, weight); weights of 0 are left out.
    terms: Vec<(usize, f32)>,
    /// Whether the same row of the input, the old state, is added.
    is_step: bool,
}

impl Output {
    fn new<'a>(weights: impl IntoIterator<Item = &'a f64>, is_step: bool) -> Self {
        let terms = weights.into_iter().enumerate().filter(|(_, weight)| **weight != 0.0);
        Self { terms: terms.map(|(row, &weight)| (row, single(weight))).collect(), is_step }
    }
}

/// What less of the old state than this part is kept in a step is no increment of it.
const MOSTLY: f64 = 0.5;

impl Combination {
    /// z_b + offset_b + Σ_r weight_br input_r; `weights` is [m, inputs], rounded here.
    pub(super) fn step(offset: &DVector<f64>, weights: &DMatrix<f64>) -> Self {
        Self::step_by_kinds(offset, std::slice::from_ref(weights), &Arc::default())
    }

    /// The same with `weights` of each kind of copy; `copies` has the kind of each.
    pub(super) fn step_by_kinds(offset: &DVector<f64>, weights: &[DMatrix<f64>], copies: &Arc<[usize]>) -> Self {
        Self::by_kinds(offset, weights, copies, |_, row| Output::new(&row, true))
    }

    /// offset_b + Σ_r weight_br input_r with `weights` of each kind of copy, of which the first m multiply the old
    /// state: as an increment where most of it is kept.
    pub(super) fn carried_by_kinds(offset: &DVector<f64>, weights: &[DMatrix<f64>], copies: &Arc<[usize]>) -> Self {
        Self::by_kinds(offset, weights, copies, |own, mut row| {
            let is_step = row[own] >= MOSTLY;
            row[own] -= f64::from(u8::from(is_step));
            Output::new(&row, is_step)
        })
    }

    /// offset_b + Σ_r weight_br input_r with `weights` of each kind of copy.
    pub(super) fn map_by_kinds(offset: &DVector<f64>, weights: &[DMatrix<f64>], copies: &Arc<[usize]>) -> Self {
        Self::by_kinds(offset, weights, copies, |_, row| Output::new(&row, false))
    }

    /// offset_b + Σ_r weight_br input_r.
    pub(super) fn map(offset: &DVector<f64>, weights: &DMatrix<f64>) -> Self {
        Self::map_by_kinds(offset, std::slice::from_ref(weights), &Arc::default())
    }

    fn by_kinds(
        offset: &DVector<f64>,
        weights: &[DMatrix<f64>],
        copies: &Arc<[usize]>,
        output: impl Fn(usize, Vec<f64>) -> Output,
    ) -> Self {
        let rows = |weights: &DMatrix<f64>| {
            weights.row_iter().enumerate().map(|(b, w)| output(b, w.iter().copied().collect())).collect()
        };
        Self {
            offset: singles(offset),
            kinds: weights.iter().map(rows).collect(),
            copies: copies.clone(),
            inputs: weights[0].ncols(),
        }
    }

    /// Rows that it reads.
    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Writes [m, length] from `inputs`, [inputs, length]; in a step its first m rows are the old state. A row holds
    /// all copies, one behind the other.
    pub(super) fn apply(&self, length: usize, inputs: &[f32], out: &mut [f32]) {
        let parts = if let [_] = self.kinds[..] { 1 } else { self.copies.len() };
        let width = length / parts;
        for (b, out) in out.chunks_exact_mut(length).enumerate() {
            for (copy, out) in out.chunks_exact_mut(width).enumerate() {
                let kind = if parts == 1 { 0 } else { self.copies[copy] };
                let inputs = Inputs { values: inputs, stride: length, begin: copy * width };
                let Output { ref terms, is_step } = self.kinds[kind][b];
                match is_step {
                    true => advance(b, self.offset[b], terms, inputs, out),
                    false => combine(self.offset[b], terms, inputs, out),
                }
            }
        }
    }
}

/// Rows that lie `stride` apart, from the place `begin` in each.
#[derive(Clone, Copy)]
struct Inputs<'a> {
    values: &'a [f32],
    stride: usize,
    begin: usize,
}

impl Inputs<'_> {
    #[inline(always)]
    fn from(&self, row: usize, at: usize) -> &[f32] {
        &self.values[row * self.stride + self.begin + at..]
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
fn sum_of_rows(offset: f32, terms: &[(usize, f32)], inputs: Inputs<'_>, start: usize) -> [f32; LANES] {
    let mut sum = [offset; LANES];
    for &(row, weight) in terms {
        let input = &inputs.from(row, start)[..LANES];
        for i in 0..LANES {
            sum[i] = weight.mul_add(input[i], sum[i]);
        }
    }
    sum
}

/// The same for the one lane `at`.
#[inline(always)]
fn sum_at(offset: f32, terms: &[(usize, f32)], inputs: Inputs<'_>, at: usize) -> f32 {
    terms.iter().fold(offset, |sum, &(row, weight)| weight.mul_add(inputs.from(row, at)[0], sum))
}

dispatched! {
    fn combine(offset: f32, terms: &[(usize, f32)], inputs: Inputs<'_>, out: &mut [f32]) {
        let mut chunks = out.chunks_exact_mut(LANES);
        let mut start = 0;
        for chunk in &mut chunks {
            chunk.copy_from_slice(&sum_of_rows(offset, terms, inputs, start));
            start += LANES;
        }
        for (i, out) in chunks.into_remainder().iter_mut().enumerate() {
            *out = sum_at(offset, terms, inputs, start + i);
        }
    }
}

dispatched! {
    fn advance(own: usize, offset: f32, terms: &[(usize, f32)], inputs: Inputs<'_>, out: &mut [f32]) {
        let mut chunks = out.chunks_exact_mut(LANES);
        let mut start = 0;
        for chunk in &mut chunks {
            let sum = sum_of_rows(offset, terms, inputs, start);
            let old = &inputs.from(own, start)[..LANES];
            for i in 0..LANES {
                chunk[i] = old[i] + sum[i];
            }
            start += LANES;
        }
        for (i, out) in chunks.into_remainder().iter_mut().enumerate() {
            let at = start + i;
            *out = inputs.from(own, at)[0] + sum_at(offset, terms, inputs, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three copies of two kinds, each as if it were alone. Seen to fail with the kind of the next copy.
    #[test]
    fn copies_have_the_weights_of_their_kind() {
        let offset = DVector::from_vec(vec![0.5, -0.5]);
        let weights = [1.0, 3.0].map(|scale| DMatrix::from_row_slice(2, 3, &[-0.25, 2.0, 0.0, 0.0, 0.5, 3.0]) * scale);
        let (copies, width) = (Arc::from([1, 0, 1]), LANES + 3);
        let inputs: Vec<f32> = (0..3 * 3 * width).map(|i| (i % 1000) as f32).collect();
        let mut all = vec![0.0; 2 * 3 * width];
        Combination::step_by_kinds(&offset, &weights, &copies).apply(3 * width, &inputs, &mut all);
        for (copy, &kind) in copies.iter().enumerate() {
            let own: Vec<f32> = (0..3).flat_map(|row| &inputs[(row * 3 + copy) * width..][..width]).copied().collect();
            let mut alone = vec![0.0; 2 * width];
            Combination::step(&offset, &weights[kind]).apply(width, &own, &mut alone);
            (0..2).for_each(|b| assert_eq!(all[(b * 3 + copy) * width..][..width], alone[b * width..][..width]));
        }
    }

    /// Seen to fail with increments alone: −1 + 1e-9 is −1 in single precision.
    #[test]
    fn what_is_left_of_a_state_has_all_digits() {
        let weights = DMatrix::from_row_slice(2, 2, &[1e-9, 0.0, 0.0, 1.0 - 1e-6]);
        let mut state = [0.0; 2];
        Combination::carried_by_kinds(&DVector::zeros(2), &[weights], &Arc::default()).apply(
            1,
            &[3.0, 1.0],
            &mut state,
        );
        assert!((state[0] / 3e-9 - 1.0).abs() < 1e-6 && state[1] == 1.0 - 1e-6, "{state:?}");
    }

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
