//! Matrix products on slices, for the shapes of a network: a few hundred rows, columns and terms, all in cache.
//!
//! The product is formed in tiles that stay in registers. Every entry is one chain of fused multiply-adds in the order
//! of the terms, so its bits depend neither on the tile that it falls into nor on the instruction set.

use crate::dispatched;

/// The left factor of a product, [rows, depth].
#[derive(Clone, Copy)]
pub(in crate::nn) enum Left<'a> {
    /// Row-major.
    Rows(&'a [f32]),
    /// Stored as its transpose, [depth, rows] in row-major order.
    Columns(&'a [f32]),
    /// Row r is the `depth` numbers from `starts[r]` on; rows may overlap. The windows of a convolution.
    Windows { values: &'a [f32], starts: &'a [u32] },
    /// The transpose of windows: column k is the `rows` numbers from `starts[k]` on.
    WindowColumns { values: &'a [f32], starts: &'a [u32] },
}

/// What a product does with what stands where it goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::nn) enum Writing {
    /// Writes over it.
    Fresh,
    /// Adds to it.
    Sum,
}

/// The right factor of a product, [depth, columns].
#[derive(Clone, Copy)]
pub(in crate::nn) enum Right<'a> {
    /// Row-major.
    Rows(&'a [f32]),
    /// In panels of [`PANEL`] columns, each [depth, PANEL] in row-major order, the last filled up with zeros. Worth the
    /// packing where a factor is used often: rows at a distance of a power of two compete for a few lines of the first
    /// cache, and cross its lines (measured: 166 against 150 GFLOP/s).
    Panels(&'a [f32]),
}

/// Columns of a panel: two of the widest vectors.
pub(in crate::nn) const PANEL: usize = 32;

/// The shape of a product [rows, depth] · [depth, columns].
#[derive(Clone, Copy)]
pub(in crate::nn) struct Shape {
    pub(in crate::nn) rows: usize,
    pub(in crate::nn) depth: usize,
    pub(in crate::nn) columns: usize,
}

/// Writes `left` · `right` to the head of `out`, row-major. `edge` is working memory, of [depth, PANEL] where `right`
/// is in rows.
pub(in crate::nn) fn multiply(shape: Shape, left: Left<'_>, right: Right<'_>, out: &mut [f32], edge: &mut [f32]) {
    product(shape, left, right, Writing::Fresh, out, edge);
}

/// Adds `left` · `right` to the head of `out`, as [`multiply`] writes it.
pub(in crate::nn) fn add_product(shape: Shape, left: Left<'_>, right: Right<'_>, out: &mut [f32], edge: &mut [f32]) {
    product(shape, left, right, Writing::Sum, out, edge);
}

dispatched! {
    fn product<LANES>(shape: Shape, left: Left<'_>, right: Right<'_>, writing: Writing, out: &mut [f32], edge: &mut [f32]) {
        let Shape { depth, columns, .. } = shape;
        for start in (0..columns).step_by(2 * LANES) {
            let width = (columns - start).min(2 * LANES);
            let (right, stride) = match right {
                Right::Panels(values) => (&values[start / PANEL * PANEL * depth + start % PANEL..], PANEL),
                Right::Rows(values) if width == 2 * LANES => (&values[start..], columns),
                Right::Rows(values) => (pad(values, columns, start, 2 * LANES, edge), 2 * LANES),
            };
            let tiles = Panel { shape, right, stride, writing, out: &mut out[start..], width };
            // A width that the compiler knows: with a variable one it keeps the tile in memory (measured: half the
            // speed).
            if width == 2 * LANES {
                panel::<LANES, 2>(Panel { width: 2 * LANES, ..tiles }, left);
            } else if width <= LANES {
                panel::<LANES, 1>(tiles, left);
            } else {
                panel::<LANES, 2>(tiles, left);
            }
        }
    }
}

/// Writes `weight`ᵀ · `panel` to `out`, [outputs, PANEL], for a `weight` [inputs, outputs] and a `panel` of samples
/// [inputs, PANEL], all row-major: nothing is packed, and a panel stays in the first cache.
pub(in crate::nn) fn transform(weight: &[f32], panel: &[f32], out: &mut [f32]) {
    transformed(Left::Columns(weight), panel, out);
}

/// Writes `weight` · `panel` to `out`, [inputs, PANEL], for a `panel` [outputs, PANEL]: the way back of [`transform`].
pub(in crate::nn) fn transform_back(weight: &[f32], panel: &[f32], out: &mut [f32]) {
    transformed(Left::Rows(weight), panel, out);
}

dispatched! {
    fn transformed<LANES>(weight: Left<'_>, samples: &[f32], out: &mut [f32]) {
        let shape = Shape { rows: out.len() / PANEL, depth: samples.len() / PANEL, columns: PANEL };
        for start in (0..PANEL).step_by(2 * LANES) {
            let (right, out) = (&samples[start..], &mut out[start..]);
            let tiles = Panel { shape, right, stride: PANEL, writing: Writing::Fresh, out, width: 2 * LANES };
            panel::<LANES, 2>(tiles, weight);
        }
    }
}

/// The columns from `start` on, filled up with zeros to `stride`, in `edge`.
// Inlined, it leaves the tiles fewer registers (measured: 3 % more instructions for all products).
#[inline(never)]
fn pad<'a>(values: &[f32], columns: usize, start: usize, stride: usize, edge: &'a mut [f32]) -> &'a [f32] {
    let edge = &mut edge[..values.len() / columns * stride];
    edge.fill(0.0);
    for (copy, row) in edge.chunks_exact_mut(stride).zip(values.chunks_exact(columns)) {
        copy[..columns - start].copy_from_slice(&row[start..]);
    }
    edge
}

/// A few columns of a product and of its right factor, whose rows are `stride` apart.
struct Panel<'a> {
    shape: Shape,
    right: &'a [f32],
    stride: usize,
    writing: Writing,
    /// From the first of the columns on.
    out: &'a mut [f32],
    /// Columns to write.
    width: usize,
}

/// All rows of a panel of `VECTORS` · `LANES` columns, in tiles as tall as the registers allow.
#[inline(always)]
fn panel<const LANES: usize, const VECTORS: usize>(mut panel: Panel<'_>, left: Left<'_>) {
    // Registers hold 12 rows of two vectors at 16 lanes (there are 32), 6 at 8 lanes, and at least 4 elsewhere. Of one
    // vector it takes as many rows to hide the time that each sum takes; not at 16 lanes, where few products are that
    // narrow and the code of such tiles slows the others down (measured: a U-Net by a tenth).
    let start = match (LANES, VECTORS) {
        (16, 2) | (8, 1) => tiles::<LANES, VECTORS, 12>(&mut panel, left, 0),
        (8, 2) => tiles::<LANES, VECTORS, 6>(&mut panel, left, 0),
        _ => 0,
    };
    let start = tiles::<LANES, VECTORS, 4>(&mut panel, left, start);
    tiles::<LANES, VECTORS, 1>(&mut panel, left, start);
}

/// As many tiles of `ROWS` rows as fit from the row `start` on; returns the first row that is left.
#[inline(always)]
fn tiles<const LANES: usize, const VECTORS: usize, const ROWS: usize>(
    panel: &mut Panel<'_>,
    left: Left<'_>,
    mut start: usize,
) -> usize {
    let Shape { rows, depth, columns } = panel.shape;
    while start + ROWS <= rows {
        let mut sum = [[[0.0; LANES]; VECTORS]; ROWS];
        if panel.writing == Writing::Sum {
            for (r, row) in sum.iter_mut().enumerate() {
                let out = &panel.out[(start + r) * columns..][..panel.width];
                row.as_flattened_mut()[..panel.width].copy_from_slice(out);
            }
        }
        match left {
            Left::Rows(values) => by_rows(panel, |r| &values[(start + r) * depth..][..depth], &mut sum),
            Left::Windows { values, starts } => {
                by_rows(panel, |r| &values[starts[start + r] as usize..][..depth], &mut sum);
            }
            Left::Columns(values) => by_columns(panel, |k| &values[k * rows + start..][..ROWS], &mut sum),
            Left::WindowColumns { values, starts } => {
                by_columns(panel, |k| &values[starts[k] as usize + start..][..ROWS], &mut sum);
            }
        }
        for (r, row) in sum.iter().enumerate() {
            let out = &mut panel.out[(start + r) * columns..][..panel.width];
            if panel.width == VECTORS * LANES {
                out.copy_from_slice(row.as_flattened());
            } else {
                out.copy_from_slice(&row.as_flattened()[..panel.width]);
            }
        }
        start += ROWS;
    }
    start
}

/// The vectors of one row of the right factor.
#[inline(always)]
fn right_row<const LANES: usize, const VECTORS: usize>(panel: &Panel<'_>, k: usize) -> [[f32; LANES]; VECTORS] {
    let row = &panel.right[k * panel.stride..][..VECTORS * LANES];
    let mut vectors = [[0.0; LANES]; VECTORS];
    for v in 0..VECTORS {
        for i in 0..LANES {
            vectors[v][i] = row[v * LANES + i];
        }
    }
    vectors
}

#[inline(always)]
fn by_rows<'a, const LANES: usize, const VECTORS: usize, const ROWS: usize>(
    panel: &Panel<'_>,
    left: impl Fn(usize) -> &'a [f32],
    sum: &mut [[[f32; LANES]; VECTORS]; ROWS],
) {
    let mut rows = [&[][..]; ROWS];
    for r in 0..ROWS {
        rows[r] = left(r);
    }
    for k in 0..panel.shape.depth {
        let right = right_row::<LANES, VECTORS>(panel, k);
        for r in 0..ROWS {
            let factor = rows[r][k];
            for v in 0..VECTORS {
                for i in 0..LANES {
                    sum[r][v][i] = factor.mul_add(right[v][i], sum[r][v][i]);
                }
            }
        }
    }
}

#[inline(always)]
fn by_columns<'a, const LANES: usize, const VECTORS: usize, const ROWS: usize>(
    panel: &Panel<'_>,
    left: impl Fn(usize) -> &'a [f32],
    sum: &mut [[[f32; LANES]; VECTORS]; ROWS],
) {
    for k in 0..panel.shape.depth {
        let right = right_row::<LANES, VECTORS>(panel, k);
        let factors = left(k);
        for r in 0..ROWS {
            for v in 0..VECTORS {
                for i in 0..LANES {
                    sum[r][v][i] = factors[r].mul_add(right[v][i], sum[r][v][i]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::packed::pack;
    use super::*;
    use crate::property::cases;

    /// Small integers in a pattern: every order of summation is exact.
    fn pattern(count: usize, period: usize) -> Vec<f32> {
        (0..count).map(|i| (i % period) as f32 - 2.0).collect()
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn panels_are_transformed(inputs in 1..40_usize, outputs in 1..70_usize) {
            let (weight, panel) = (pattern(inputs * outputs, 7), pattern(inputs * PANEL, 5));
            let entry = |i: usize| (0..inputs).map(|k| weight[k * outputs + i / PANEL] * panel[k * PANEL + i % PANEL]).sum();
            let expected: Vec<f32> = (0..outputs * PANEL).map(entry).collect();
            let mut out = vec![f32::NAN; outputs * PANEL];
            transform(&weight, &panel, &mut out);
            prop_assert_eq!(&out, &expected);
        }

        /// Windows that overlap, and sums with what was there.
        #[test]
        fn products_of_windows_are_added(
            rows in 1..40_usize, depth in 1..20_usize, columns in 1..80_usize, step in 1..5_usize,
        ) {
            let values = pattern(rows.max(depth) * step + rows.max(depth), 7);
            let b = pattern(depth * columns, 5);
            let starts: Vec<u32> = (0..rows.max(depth)).map(|r| (r * step) as u32).collect();
            let expected = |left: &dyn Fn(usize, usize) -> f32| -> Vec<f32> {
                let entry = |i: usize| (0..depth).map(|k| left(i / columns, k) * b[k * columns + i % columns]).sum::<f32>();
                (0..rows * columns).map(|i| 3.0 + entry(i)).collect()
            };
            let shape = Shape { rows, depth, columns };
            let added = |left: Left<'_>| {
                let mut out = vec![3.0; rows * columns];
                add_product(shape, left, Right::Rows(&b), &mut out, &mut vec![f32::NAN; depth * PANEL]);
                out
            };
            let (values, starts) = (&values[..], &starts[..]);
            prop_assert_eq!(added(Left::Windows { values, starts }), expected(&|r, k| values[r * step + k]));
            prop_assert_eq!(added(Left::WindowColumns { values, starts }), expected(&|r, k| values[k * step + r]));
        }

        #[test]
        fn products_of_all_shapes(rows in 1..60_usize, depth in 1..20_usize, columns in 1..80_usize) {
            let (a, b) = (pattern(rows * depth, 7), pattern(depth * columns, 5));
            let entry = |i: usize| (0..depth).map(|k| a[i / columns * depth + k] * b[k * columns + i % columns]).sum();
            let expected: Vec<f32> = (0..rows * columns).map(entry).collect();
            let transposed: Vec<f32> = (0..rows * depth).map(|i| a[i % rows * depth + i / rows]).collect();
            let mut panels = vec![0.0; depth * columns.next_multiple_of(PANEL)];
            for (number, out) in panels.chunks_exact_mut(PANEL * depth).enumerate() {
                pack(&b, columns, number, out);
            }
            for left in [Left::Rows(&a), Left::Columns(&transposed)] {
                for right in [Right::Rows(&b), Right::Panels(&panels)] {
                    let mut out = vec![f32::NAN; rows * columns];
                    multiply(Shape { rows, depth, columns }, left, right, &mut out, &mut vec![f32::NAN; depth * PANEL]);
                    prop_assert_eq!(&out, &expected);
                }
            }
        }
    }
}
