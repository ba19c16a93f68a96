//! Matrix products on slices.

/// A matrix that is read: `rows` × `columns` entries of a slice at two strides.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// The first `rows` × `columns` values in row-major order.
    pub(super) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { values: &values[..rows * columns], rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same memory as columns × rows.
    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Writes `left` · `right` to `out`, [left.rows, right.columns] in row-major order, on the calling thread.
pub(super) fn multiply(out: &mut [f32], left: View<'_>, right: View<'_>) {
    assert_eq!(left.columns, right.rows, "inner dimensions");
    let (rows, columns) = (left.rows, right.columns);
    assert!(out.len() >= rows * columns, "room for the product");
    // SAFETY: every view lies inside its slice (`View::new` cut it to size and transposing keeps the set of entries),
    // `out` holds rows · columns values and cannot overlap a view, since it is borrowed exclusively.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            left.columns,
            out.as_mut_ptr(),
            1,
            columns as isize,
            false,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_all_orientations() {
        let (m, n, k) = (5, 3, 70);
        let a: Vec<f32> = (0..m * k).map(|i| (i % 7) as f32 - 3.0).collect();
        let b: Vec<f32> = (0..k * n).map(|i| (i % 5) as f32 - 2.0).collect();
        let transpose = |values: &[f32], rows: usize, columns: usize| -> Vec<f32> {
            (0..rows * columns).map(|i| values[(i % rows) * columns + i / rows]).collect()
        };
        let expected: Vec<f32> =
            (0..m * n).map(|i| (0..k).map(|l| a[(i / n) * k + l] * b[l * n + i % n]).sum()).collect();
        let (at, bt) = (transpose(&a, m, k), transpose(&b, k, n));
        for left in [View::new(&a, m, k), View::new(&at, k, m).transposed()] {
            for right in [View::new(&b, k, n), View::new(&bt, n, k).transposed()] {
                let mut out = vec![f32::NAN; m * n];
                multiply(&mut out, left, right);
                // Small integers: every order of summation is exact.
                assert_eq!(out, expected);
            }
        }
    }
}
