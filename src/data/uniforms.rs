//! Fine-grained uniforms for choosing components and rows.

use crate::rng::Stream;

/// Samples whose uniforms are drawn together, on the stack.
const CHUNK: usize = 256;

/// Calls `with(i, u)` for `i` in `0..count`, with u uniform in [0, 1) to 48 bits.
///
/// Single-precision uniforms have 24 bits: too few to choose evenly among many rows.
/// The uniforms come from parts 1, 2, ... of `stream`, so they are independent of its normals.
#[inline(always)]
pub(super) fn for_each_uniform(stream: &Stream, step: u32, block: u32, count: usize, mut with: impl FnMut(usize, f64)) {
    let mut uniforms = [0.0; 2 * CHUNK];
    for (chunk, first) in (0..count).step_by(CHUNK).enumerate() {
        stream.part(1 + chunk as u32).uniforms(step, block, &mut uniforms);
        let (coarse, fine) = uniforms.split_at(CHUNK);
        for (i, (&coarse, &fine)) in (first..count.min(first + CHUNK)).zip(coarse.iter().zip(fine)) {
            with(i, f64::from(coarse) + f64::from(fine) * 2_f64.powi(-24));
        }
    }
}

/// One of `parts` of equal probability, and a uniform in [0, 1) of what the choice leaves of `u`.
#[inline(always)]
pub(super) fn choose(u: f64, parts: usize) -> (usize, f64) {
    let choice = parts as f64 * u;
    (choice as usize, choice.fract())
}
