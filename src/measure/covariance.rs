//! Means and covariances, in double precision.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use crate::error::{Error, Result};
use crate::task::Task;
use crate::tensor::Tensor;

/// Rows of a covariance that are computed together.
const BLOCK: usize = 64;

/// Mean of each coordinate of a sample, \[d\].
///
/// # Errors
/// When the sample is empty or not finite.
pub fn mean(a: &Tensor) -> Result<Vec<f64>> {
    Ok(mean_of(a.rows("a")?.matrix()).to_vec())
}

/// Covariance of the coordinates of a sample, [d, d], divided by n.
///
/// # Errors
/// When the sample is empty or not finite, the result does not fit into memory, or on interruption.
pub fn covariance(a: &Tensor, task: &Task) -> Result<Array2<f64>> {
    cross_covariance(a, a, task)
}

/// Covariance ⟨(a − ⟨a⟩)(b − ⟨b⟩)ᵀ⟩ between the coordinates of two samples with matching rows, such as the x and η of
/// the same states: [d of a, d of b], divided by n.
///
/// # Errors
/// As [`covariance`], and when the numbers of rows differ.
pub fn cross_covariance(a: &Tensor, b: &Tensor, task: &Task) -> Result<Array2<f64>> {
    let (x, y) = (a.rows("a")?, b.rows("b")?);
    if x.count != y.count {
        return Err(Error::argument("b", format!("has {} rows, `a` has {}", y.count, x.count))
            .with_hint("row i of both must belong to the same sample"));
    }
    // In double precision, in parts and joined, then in single precision; and both samples centred.
    let bytes = 20.0 * x.width() as f64 * y.width() as f64 + 8.0 * (x.values.len() + y.values.len()) as f64;
    task.host().afford(bytes, |problem| {
        let problem = format!("of {} coordinates with {} of the other {problem}", x.width(), y.width());
        Error::argument("a", problem).with_hint("take fewer coordinates or rows")
    })?;
    let (x, y) = (centred(x.matrix()), centred(y.matrix()));
    let blocks = task.blocks(x.ncols().div_ceil(BLOCK), |block| {
        let columns = block * BLOCK..x.ncols().min((block + 1) * BLOCK);
        Ok(x.slice(s![.., columns]).t().dot(&y) / x.nrows() as f64)
    })?;
    let views: Vec<_> = blocks.iter().map(|block| block.view()).collect();
    ndarray::concatenate(Axis(0), &views).map_err(|e| Error::numerical(format!("covariance: {e}")))
}

fn mean_of(rows: ArrayView2<'_, f32>) -> Array1<f64> {
    let mut sum = Array1::zeros(rows.ncols());
    for row in rows.rows() {
        sum.zip_mut_with(&row, |sum: &mut f64, value| *sum += f64::from(*value));
    }
    sum / rows.nrows() as f64
}

fn centred(rows: ArrayView2<'_, f32>) -> Array2<f64> {
    rows.mapv(f64::from) - mean_of(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let a = Tensor::new(&[2, 2], vec![1.0, 10.0, 3.0, 6.0]).unwrap();
        let b = Tensor::new(&[2], vec![5.0, 9.0]).unwrap();
        let task = Task::default();
        assert_eq!(mean(&a).unwrap(), [2.0, 8.0]);
        assert_eq!(covariance(&a, &task).unwrap(), ndarray::array![[1.0, -2.0], [-2.0, 4.0]]);
        assert_eq!(cross_covariance(&a, &b, &task).unwrap(), ndarray::array![[2.0], [-4.0]]);
        let problem =
            cross_covariance(&a, &Tensor::normals(&[3, 2], 0, task.host()).unwrap(), &task).unwrap_err().to_string();
        assert_eq!(problem, "`b` has 3 rows, `a` has 2");
    }

    /// A mean of 10⁴ and a spread of 1: centring first keeps the digits that Σx² − n⟨x⟩² loses in single precision.
    #[test]
    fn far_from_the_origin() {
        let values: Vec<f32> = (0..1000).map(|i| 1e4 + (i % 2) as f32 * 2.0).collect();
        let a = Tensor::new(&[1000], values).unwrap();
        assert_eq!(covariance(&a, &Task::default()).unwrap()[[0, 0]], 1.0);
    }

    #[test]
    fn blocks_join_in_order() {
        let task = Task::default();
        let a = Tensor::normals(&[50, 150], 3, task.host()).unwrap();
        let whole = covariance(&a, &task).unwrap();
        assert_eq!(whole.dim(), (150, 150));
        let column = a.select(1, &[149], task.host()).unwrap();
        let alone = cross_covariance(&column, &a, &task).unwrap();
        for j in 0..150 {
            assert!((whole[[149, j]] - alone[[0, j]]).abs() < 1e-14);
        }
    }
}
