//! Sums over the rows of a matrix, column by column.

use crate::dispatched;

/// Rows that are summed for themselves: long sums in single precision lose digits.
const BAND: usize = 32;

/// Columns that are summed together.
const COLUMNS: usize = 64;

/// Writes the sums over the rows of `values`, [.., columns], to `sums`; `add(column, value, total)` takes a value in.
#[inline(always)]
fn banded(values: &[f32], sums: &mut [f32], add: impl Fn(usize, f32, f32) -> f32) {
    let width = sums.len();
    sums.fill(0.0);
    let mut band = [0.0_f32; COLUMNS];
    for (first, sums) in (0..width).step_by(COLUMNS).zip(sums.chunks_mut(COLUMNS)) {
        let band = &mut band[..sums.len()];
        for rows in values.chunks(BAND * width) {
            band.fill(0.0);
            for row in rows.chunks_exact(width) {
                let row = &row[first..][..band.len()];
                for (i, (total, value)) in band.iter_mut().zip(row).enumerate() {
                    *total = add(first + i, *value, *total);
                }
            }
            for (sum, total) in sums.iter_mut().zip(&*band) {
                *sum += total;
            }
        }
    }
}

dispatched! {
    /// Writes the sum of the rows of `values` to `sums`.
    pub(in crate::nn) fn sum_rows(values: &[f32], sums: &mut [f32]) {
        banded(values, sums, |_, value, total| total + value);
    }
}

dispatched! {
    /// Writes the sums of the squared distances of the rows of `values` from the row `mean` to `sums`.
    pub(in crate::nn) fn sum_squares(values: &[f32], mean: &[f32], sums: &mut [f32]) {
        let mean = &mean[..sums.len()];
        banded(values, sums, |column, value, total| {
            let distance = value - mean[column];
            distance.mul_add(distance, total)
        });
    }
}
