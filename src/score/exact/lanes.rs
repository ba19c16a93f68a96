//! Samples side by side.

/// Samples that one pass of the evaluators' inner loops holds in registers.
pub(super) const LANES: usize = 64;

/// Copies the samples from `start` on of `rows`, [rows, count], to lanes, \[rows\]; those beyond the last are 0.
pub(super) fn load<'a>(rows: impl Iterator<Item = &'a [f32]>, start: usize, lanes: &mut [[f32; LANES]]) {
    for (row, lanes) in rows.zip(lanes) {
        let used = LANES.min(row.len() - start);
        lanes.fill(0.0);
        lanes[..used].copy_from_slice(&row[start..][..used]);
    }
}

/// Writes the lanes of `values`, \[rows\], to the samples from `start` on of `score`, [rows, count].
pub(super) fn store(values: &[[f32; LANES]], count: usize, start: usize, score: &mut [f32]) {
    let used = LANES.min(count - start);
    for (row, values) in values.iter().enumerate() {
        score[row * count + start..][..used].copy_from_slice(&values[..used]);
    }
}
