//! Sums over the rows of matrices, column by column.

use std::array::from_fn;

use crate::dispatched;

/// Rows that are summed for themselves: long sums in single precision lose digits.
const BAND: usize = 32;

/// Columns whose sums stay in registers.
const COLUMNS: usize = 32;

/// Sums that go side by side, so that none waits for itself.
const CHAINS: usize = 2;

/// Writes sums over the rows of `arrays`, [.., columns] each; `add(values, constants, totals)` takes the numbers of a
/// place in, where `constants` are those of the column.
#[inline(always)]
fn banded<const ARRAYS: usize, const CONSTANTS: usize, const SUMS: usize>(
    arrays: [&[f32]; ARRAYS],
    constants: [&[f32]; CONSTANTS],
    mut sums: [&mut [f32]; SUMS],
    add: impl Fn([f32; ARRAYS], [f32; CONSTANTS], [f32; SUMS]) -> [f32; SUMS],
) {
    let width = sums[0].len();
    let whole = width / COLUMNS * COLUMNS;
    for first in (0..whole).step_by(COLUMNS) {
        columns::<COLUMNS, ARRAYS, CONSTANTS, SUMS>(width, first, arrays, constants, &mut sums, &add);
    }
    for first in whole..width {
        columns::<1, ARRAYS, CONSTANTS, SUMS>(width, first, arrays, constants, &mut sums, &add);
    }
}

/// The same of some columns.
#[inline(always)]
fn columns<const COUNT: usize, const ARRAYS: usize, const CONSTANTS: usize, const SUMS: usize>(
    width: usize,
    first: usize,
    arrays: [&[f32]; ARRAYS],
    constants: [&[f32]; CONSTANTS],
    sums: &mut [&mut [f32]; SUMS],
    add: &impl Fn([f32; ARRAYS], [f32; CONSTANTS], [f32; SUMS]) -> [f32; SUMS],
) {
    let mut fixed = [[0.0; COUNT]; CONSTANTS];
    for (fixed, constants) in fixed.iter_mut().zip(constants) {
        fixed.copy_from_slice(&constants[first..][..COUNT]);
    }
    let mut totals = [[0.0_f32; COUNT]; SUMS];
    let rows = arrays[0].len() / width;
    for begin in (0..rows).step_by(BAND) {
        let end = rows.min(begin + BAND);
        let mut band = [[[0.0_f32; COUNT]; SUMS]; CHAINS];
        let whole = begin + (end - begin) / CHAINS * CHAINS;
        for row in (begin..whole).step_by(CHAINS) {
            for chain in 0..CHAINS {
                add_row(&mut band[chain], (row + chain) * width + first, arrays, &fixed, add);
            }
        }
        for row in whole..end {
            add_row(&mut band[0], row * width + first, arrays, &fixed, add);
        }
        for s in 0..SUMS {
            for i in 0..COUNT {
                totals[s][i] += band[0][s][i] + band[1][s][i];
            }
        }
    }
    for (sums, totals) in sums.iter_mut().zip(&totals) {
        sums[first..][..COUNT].copy_from_slice(totals);
    }
}

/// Takes in a part of a row, from `place` on.
#[inline(always)]
fn add_row<const COUNT: usize, const ARRAYS: usize, const CONSTANTS: usize, const SUMS: usize>(
    band: &mut [[f32; COUNT]; SUMS],
    place: usize,
    arrays: [&[f32]; ARRAYS],
    fixed: &[[f32; COUNT]; CONSTANTS],
    add: &impl Fn([f32; ARRAYS], [f32; CONSTANTS], [f32; SUMS]) -> [f32; SUMS],
) {
    let mut rows = [[0.0; COUNT]; ARRAYS];
    for (row, array) in rows.iter_mut().zip(arrays) {
        row.copy_from_slice(&array[place..][..COUNT]);
    }
    for i in 0..COUNT {
        let totals = add(from_fn(|a| rows[a][i]), from_fn(|c| fixed[c][i]), from_fn(|s| band[s][i]));
        for s in 0..SUMS {
            band[s][i] = totals[s];
        }
    }
}

dispatched! {
    /// Writes the sum of the rows of `values` to `sums`.
    pub(in crate::nn) fn sum_rows(values: &[f32], sums: &mut [f32]) {
        banded([values], [], [sums], |[value], [], [total]| [total + value]);
    }
}

dispatched! {
    /// Writes the sums of the squared distances of the rows of `values` from the row `mean` to `sums`.
    pub(in crate::nn) fn sum_squares(values: &[f32], mean: &[f32], sums: &mut [f32]) {
        banded([values], [mean], [sums], |[value], [mean], [total]| {
            let distance = value - mean;
            [distance.mul_add(distance, total)]
        });
    }
}

dispatched! {
    /// Writes the sums of the rows of `upstream` to `sums`, and those of their products with the rows of `values`, less
    /// `mean` and times `inverse`, to `products`.
    pub(in crate::nn) fn sum_products(
        values: &[f32], upstream: &[f32], mean: &[f32], inverse: &[f32], sums: &mut [f32], products: &mut [f32],
    ) {
        banded([values, upstream], [mean, inverse], [sums, products], |[value, by], [mean, inverse], [sum, product]| {
            [sum + by, ((value - mean) * inverse).mul_add(by, product)]
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Widths and rows of all remainders, with small integers, whose sums are exact. Seen to fail with the last row of
    /// an odd band left out.
    #[test]
    fn sums_are_those_of_all_rows() {
        for (rows, width) in [(1, 1), (5, 7), (32, 32), (33, 40), (64, 64), (67, 97)] {
            let number = |i: usize, period: usize| (i % period) as f32 - 2.0;
            let [values, upstream] =
                [5, 7].map(|period| (0..rows * width).map(|i| number(i, period)).collect::<Vec<_>>());
            let (mean, inverse): (Vec<_>, Vec<_>) = (0..width).map(|c| (number(c, 3), number(c, 4))).unzip();
            let sum = |term: &dyn Fn(usize, usize) -> f32| -> Vec<f32> {
                (0..width).map(|c| (0..rows).map(|r| term(r * width + c, c)).sum()).collect()
            };
            let [mut sums, mut products] = [0, 1].map(|_| vec![f32::NAN; width]);
            sum_rows(&values, &mut sums);
            assert_eq!(sums, sum(&|i, _| values[i]), "{rows} x {width}");
            sum_squares(&values, &mean, &mut sums);
            assert_eq!(sums, sum(&|i, c| (values[i] - mean[c]).powi(2)), "{rows} x {width}");
            sum_products(&values, &upstream, &mean, &inverse, &mut sums, &mut products);
            assert_eq!(sums, sum(&|i, _| upstream[i]), "{rows} x {width}");
            assert_eq!(products, sum(&|i, c| (values[i] - mean[c]) * inverse[c] * upstream[i]), "{rows} x {width}");
        }
    }
}
