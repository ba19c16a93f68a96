//! Taps as points, and points as taps.

use super::super::product::PANEL;
use super::tiles::{Channels, POINTS};
use super::vectors::{both_sides, combine, in_vectors, load, plus};
use crate::dispatched;

/// Taps of a window.
pub(super) const TAPS: usize = 9;

/// G v.
#[inline(always)]
fn spread_taps<const LANES: usize>(v: [[f32; LANES]; 3]) -> [[f32; LANES]; 4] {
    let outer = plus(v[0], v[2]);
    [v[0], combine(outer, v[1], |a, b| 0.5 * (a + b)), combine(outer, v[1], |a, b| 0.5 * (a - b)), v[2]]
}

/// Gᵀ v.
#[inline(always)]
fn collect_taps<const LANES: usize>(v: [[f32; LANES]; 4]) -> [[f32; LANES]; 3] {
    let sum = combine(v[1], v[2], |a, b| 0.5 * (a + b));
    [plus(v[0], sum), combine(v[1], v[2], |a, b| 0.5 * (a - b)), plus(sum, v[3])]
}

/// G g Gᵀ of the taps that begin at `place`, `stride` apart and in order or in the opposite one.
#[inline(always)]
fn points_of_taps<const LANES: usize>(
    weight: &[f32],
    place: usize,
    stride: usize,
    is_reversed: bool,
) -> [[[f32; LANES]; 4]; 4] {
    let tap = |i: usize, j: usize| if is_reversed { TAPS - 1 - (3 * i + j) } else { 3 * i + j };
    both_sides(|i, j| load(weight, tap(i, j) * stride + place), spread_taps)
}

#[inline(always)]
fn pack_vector<const LANES: usize>(weight: &[f32], place: usize, stride: usize, out: &mut [f32], step: usize) {
    for (p, point) in points_of_taps::<LANES>(weight, place, stride, false).as_flattened().iter().enumerate() {
        out[p * step..][..LANES].copy_from_slice(point);
    }
}

#[inline(always)]
fn pack_vector_transposed<const LANES: usize>(
    weight: &[f32],
    place: usize,
    stride: usize,
    out: &mut [f32],
    step: usize,
) {
    for (p, point) in points_of_taps::<LANES>(weight, place, stride, true).as_flattened().iter().enumerate() {
        for (out, value) in out[p * step..].iter_mut().step_by(PANEL).zip(point) {
            *out = *value;
        }
    }
}

dispatched! {
    /// Writes panel `number` of the points of `weight`, [3, 3, inputs, outputs], to `out`, [POINTS, inputs, PANEL];
    /// columns beyond the last keep their zeros.
    pub(in crate::nn::kernel) fn pack_points<LANES>(weight: &[f32], outputs: usize, number: usize, out: &mut [f32]) {
        let inputs = out.len() / (POINTS * PANEL);
        let start = number * PANEL;
        let width = PANEL.min(outputs - start);
        let (stride, step) = (inputs * outputs, inputs * PANEL);
        for input in 0..inputs {
            let place = input * outputs + start;
            let out = &mut out[input * PANEL..];
            in_vectors!(LANES, width, |k| pack_vector(weight, place + k, stride, &mut out[k..], step));
        }
    }
}

dispatched! {
    /// The same of the taps in the opposite order with inputs and outputs exchanged: `out` is [POINTS, outputs, PANEL].
    pub(in crate::nn::kernel) fn pack_points_transposed<LANES>(weight: &[f32], inputs: usize, number: usize, out: &mut [f32]) {
        let outputs = out.len() / (POINTS * PANEL);
        let start = number * PANEL;
        let (stride, step) = (inputs * outputs, outputs * PANEL);
        for column in 0..PANEL.min(inputs - start) {
            let place = (start + column) * outputs;
            let out = &mut out[column..];
            in_vectors!(LANES, outputs, |k| pack_vector_transposed(weight, place + k, stride, &mut out[k * PANEL..], step));
        }
    }
}

#[inline(always)]
fn taps_vector<const LANES: usize>(points: &[f32], step: usize, out: &mut [f32], stride: usize) {
    let taps = both_sides(|i, j| load::<LANES>(points, (4 * i + j) * step), collect_taps);
    for (tap, numbers) in taps.as_flattened().iter().enumerate() {
        out[tap * stride..][..LANES].copy_from_slice(numbers);
    }
}

dispatched! {
    /// Writes Gᵀ m G to some outputs of `weight`, [3, 3, inputs, outputs], for `points` [POINTS, inputs, width].
    pub(in crate::nn) fn taps_of_points<LANES>(points: &[f32], channels: Channels, weight: &mut [f32]) {
        let Channels { first, width, all } = channels;
        let stride = weight.len() / TAPS;
        let inputs = stride / all;
        for input in 0..inputs {
            let (points, out) = (&points[input * width..], &mut weight[input * all + first..]);
            in_vectors!(LANES, width, |k| taps_vector(&points[k..], inputs * width, &mut out[k..], stride));
        }
    }
}
