//! Lower-triangular factors of covariances.

use nalgebra::{DMatrix, DVector};

/// The lower-triangular L with L Lᵀ = M Mᵀ and a diagonal ≥ 0, for `columns` = M of shape [m, n ≥ m].
///
/// Plane (Givens) rotations act on two columns at a time and keep the relative accuracy of each entry, however
/// different the sizes of the rows are. A Householder reflection mixes all columns and keeps it only relative to the
/// largest: it loses the smallest diagonal entry of a chain of driven components, which shrinks as t^{5/2} and faster.
#[must_use]
pub fn triangularize(mut columns: DMatrix<f64>) -> DMatrix<f64> {
    let (rows, count) = columns.shape();
    assert!(count >= rows, "a factor of {rows} components needs at least {rows} columns, not {count}");
    let entries = columns.as_mut_slice();
    for i in 0..rows {
        let (head, tail) = entries.split_at_mut((i + 1) * rows);
        let pivot = &mut head[i * rows..];
        for other in tail.chunks_exact_mut(rows) {
            rotate(&mut pivot[i..], &mut other[i..]);
        }
        if pivot[i] < 0.0 {
            pivot[i..].iter_mut().for_each(|entry| *entry = -*entry);
        }
    }
    columns.resize_horizontally(rows, 0.0)
}

/// The lower-triangular factor of a covariance, which may be singular: then there are zeros on the diagonal.
///
/// # Errors
/// The first component that has a negative variance given those before it.
pub fn semidefinite_factor(covariance: &DMatrix<f64>) -> Result<DMatrix<f64>, usize> {
    let size = covariance.nrows();
    let mut factor = DMatrix::<f64>::zeros(size, size);
    // What a difference of numbers of this size can be off by.
    let rounding = |i: usize| 8.0 * f64::EPSILON * size as f64 * covariance[(i, i)];
    for j in 0..size {
        let rest = |i: usize, factor: &DMatrix<f64>| {
            covariance[(i, j)] - (0..j).map(|k| factor[(i, k)] * factor[(j, k)]).sum::<f64>()
        };
        let variance = rest(j, &factor);
        if covariance[(j, j)] < 0.0 || variance < -rounding(j) {
            return Err(j);
        }
        let is_determined = variance <= rounding(j);
        factor[(j, j)] = if is_determined { 0.0 } else { variance.sqrt() };
        for i in j + 1..size {
            let below = rest(i, &factor);
            if !is_determined {
                factor[(i, j)] = below / factor[(j, j)];
            } else if below.abs() > (rounding(j) * covariance[(i, i)]).sqrt() {
                return Err(i);
            }
        }
    }
    Ok(factor)
}

/// Below this numbers have lost digits, or soon will: the angles that they make are wrong.
const SMALLEST: f64 = f64::MIN_POSITIVE / f64::EPSILON;

/// Rotates two columns so that the first entry of `other` becomes 0.
fn rotate(pivot: &mut [f64], other: &mut [f64]) {
    if other[0].abs() < SMALLEST {
        other[0] = 0.0;
        return;
    }
    let radius = pivot[0].hypot(other[0]);
    let (cos, sin) = (pivot[0] / radius, other[0] / radius);
    pivot[0] = radius;
    other[0] = 0.0;
    for (a, b) in pivot[1..].iter_mut().zip(&mut other[1..]) {
        (*a, *b) = (cos * *a + sin * *b, cos * *b - sin * *a);
    }
}

/// The factor of the same law with its components in another `order` (`order[i]` is the old place of new component i).
#[must_use]
pub fn reorder(factor: &DMatrix<f64>, order: &[usize]) -> DMatrix<f64> {
    triangularize(DMatrix::from_fn(order.len(), factor.ncols(), |i, j| factor[(order[i], j)]))
}

/// L⁻¹ b. Entries are infinite or NaN where the factor is singular.
#[must_use]
pub fn solve_lower(factor: &DMatrix<f64>, right: &DVector<f64>) -> DVector<f64> {
    let mut solution = right.clone();
    solve_lower_mut(factor, solution.as_mut_slice());
    solution
}

/// L⁻¹ b in the place of b, \[m\], as [`solve_lower`].
pub fn solve_lower_mut(factor: &DMatrix<f64>, right: &mut [f64]) {
    for i in 0..right.len() {
        let known: f64 = (0..i).map(|j| factor[(i, j)] * right[j]).sum();
        right[i] = (right[i] - known) / factor[(i, i)];
    }
}

/// L⁻¹ B, column by column, as [`solve_lower`].
#[must_use]
pub fn solve_lower_matrix(factor: &DMatrix<f64>, right: &DMatrix<f64>) -> DMatrix<f64> {
    let columns: Vec<_> = right.column_iter().map(|column| solve_lower(factor, &column.into_owned())).collect();
    DMatrix::from_columns(&columns)
}

/// The inverse covariance (L Lᵀ)⁻¹.
#[must_use]
pub fn precision(factor: &DMatrix<f64>) -> DMatrix<f64> {
    let inverse = inverse_lower(factor);
    inverse.transpose() * inverse
}

/// The standard deviation of each component given all the others, \[m\]: one over the root of the diagonal of the
/// precision.
#[must_use]
pub fn conditional_std(factor: &DMatrix<f64>) -> DVector<f64> {
    let inverse = inverse_lower(factor);
    DVector::from_fn(factor.nrows(), |i, _| 1.0 / inverse.column(i).norm())
}

/// |L⁻¹ r|², the square of the Mahalanobis distance, of a residual r, \[m\].
#[must_use]
pub fn mahalanobis_squared(factor: &DMatrix<f64>, mut residual: DVector<f64>) -> f64 {
    solve_lower_mut(factor, residual.as_mut_slice());
    residual.norm_squared()
}

/// log N(r; 0, L Lᵀ) of a residual r, \[m\].
#[must_use]
pub fn log_density(factor: &DMatrix<f64>, residual: DVector<f64>) -> f64 {
    let size = residual.len() as f64;
    let log_root: f64 = factor.diagonal().iter().map(|d| d.ln()).sum();
    -0.5 * mahalanobis_squared(factor, residual) - log_root - 0.5 * size * std::f64::consts::TAU.ln()
}

fn inverse_lower(factor: &DMatrix<f64>) -> DMatrix<f64> {
    let size = factor.nrows();
    let mut inverse = DMatrix::zeros(size, size);
    for j in 0..size {
        let mut unit = DVector::zeros(size);
        unit[j] = 1.0;
        inverse.set_column(j, &solve_lower(factor, &unit));
    }
    inverse
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Seen to fail without the floor for rounding: the second pivot then is the root of 1e-17 instead of 0.
    #[test]
    fn singular_covariances_have_factors() {
        let columns = DMatrix::from_row_slice(3, 2, &[1e-3, 0.0, 0.3, 0.0, -2.0, 700.0]);
        let covariance = &columns * columns.transpose();
        let factor = semidefinite_factor(&covariance).unwrap();
        assert_eq!((factor[(1, 1)], factor[(0, 1)], factor[(0, 2)]), (0.0, 0.0, 0.0));
        let back = &factor * factor.transpose();
        for (found, truth) in back.iter().zip(covariance.iter()) {
            assert!((found - truth).abs() <= 1e-14 * truth.abs(), "{found} against {truth}");
        }
        assert_eq!(semidefinite_factor(&DMatrix::zeros(2, 2)).unwrap(), DMatrix::zeros(2, 2));
        let impossible = DMatrix::from_row_slice(2, 2, &[1.0, 1.1, 1.1, 1.0]);
        assert_eq!(semidefinite_factor(&impossible), Err(1));
        assert_eq!(semidefinite_factor(&DMatrix::from_row_slice(2, 2, &[0.0, 0.1, 0.1, 1.0])), Err(1));
        assert_eq!(semidefinite_factor(&DMatrix::from_row_slice(1, 1, &[-1.0])), Err(0));
        // The second is determined by the first, yet goes with the small third, with which the first does not.
        let torn = DMatrix::from_row_slice(3, 3, &[1.0, 1.0, 0.0, 1.0, 1.0, 1e-8, 0.0, 1e-8, 1e-12]);
        assert_eq!(semidefinite_factor(&torn), Err(2));
    }

    /// The smallest numbers there are have one digit, so that a hypotenuse is as long as its legs: turned by that
    /// angle, the rows below would grow by a half.
    #[test]
    fn numbers_without_digits_turn_nothing() {
        let tiny = f64::from_bits(1);
        let lower = triangularize(DMatrix::from_row_slice(2, 2, &[tiny, tiny, 1.0, 2.0]));
        let variance = (&lower * lower.transpose())[(1, 1)];
        assert!((variance - 5.0).abs() < 1e-14, "{variance}");
    }

    use crate::property::cases;

    fn columns() -> impl Strategy<Value = DMatrix<f64>> {
        (1..5_usize, 0..6_usize).prop_flat_map(|(rows, more)| {
            proptest::collection::vec(-3.0..3.0, rows * (rows + more))
                .prop_map(move |v| DMatrix::from_vec(rows, rows + more, v))
        })
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn triangles_keep_the_covariance(m in columns()) {
            let lower = triangularize(m.clone());
            let error = (&lower * lower.transpose() - &m * m.transpose()).abs().max();
            prop_assert!(error < 1e-13);
            prop_assert!((0..m.nrows()).all(|i| lower[(i, i)] >= 0.0));
            prop_assert!((0..m.nrows()).all(|i| (i + 1..m.nrows()).all(|j| lower[(i, j)] == 0.0)));
        }

        #[test]
        fn conditional_deviation_is_the_last_pivot(m in columns()) {
            let lower = triangularize(m);
            prop_assume!(lower.diagonal().min() > 0.05);
            let size = lower.nrows();
            let each = conditional_std(&lower);
            for component in 0..size {
                let order: Vec<_> = (0..size).filter(|&i| i != component).chain([component]).collect();
                let last = reorder(&lower, &order)[(size - 1, size - 1)];
                prop_assert!((last / each[component] - 1.0).abs() < 1e-9);
            }
        }
    }

    /// Rows of 1e0, 1e-8 and 1e-16: the last pivot is known in closed form.
    #[test]
    fn small_rows_keep_their_digits() {
        let h = 1e-8;
        let m = DMatrix::from_row_slice(2, 3, &[h, h * h, 0.0, 1.0, 2.0 * h, 0.0]);
        let lower = triangularize(m);
        // |det| / first pivot
        let truth = (h * 2.0 * h - h * h) / h.hypot(h * h);
        assert!((lower[(1, 1)] / truth - 1.0).abs() < 1e-14);
    }

    #[test]
    fn density_of_a_known_law() {
        let lower = DMatrix::from_row_slice(2, 2, &[2.0, 0.0, 1.0, 0.7]);
        let residual = DVector::from_vec(vec![1.0, -1.0]);
        let covariance = &lower * lower.transpose();
        let inverse = covariance.clone().try_inverse().unwrap();
        let truth: f64 = -0.5 * (residual.transpose() * &inverse * &residual)[0]
            - 0.5 * f64::ln(covariance.determinant())
            - std::f64::consts::TAU.ln();
        assert!((log_density(&lower, residual) - truth).abs() < 1e-13);
        assert!((precision(&lower) - inverse).abs().max() < 1e-13);
    }
}
