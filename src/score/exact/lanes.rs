//! Samples side by side.

/// Samples that one pass of the evaluators' inner loops holds in registers.
pub(super) const LANES: usize = 64;

/// Writes the lanes of `values`, \[rows\], to the samples from `start` on of `score`, [rows, count].
pub(super) fn store(values: &[[f32; LANES]], count: usize, start: usize, score: &mut [f32]) {
    let used = LANES.min(count - start);
    for (row, values) in values.iter().enumerate() {
        score[row * count + start..][..used].copy_from_slice(&values[..used]);
    }
}
