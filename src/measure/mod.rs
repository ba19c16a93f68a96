//! Distances between samples, and their moments.
//!
//! A sample is a tensor [n, shape...] with one datum per row; a vector \[n\] has one coordinate per datum.

mod energy;
mod histogram;
mod moments;
mod transport;

use ndarray::ArrayView2;

pub use energy::energy_distance;
pub use histogram::{Bins, js_histogram, kl_histogram};
pub use moments::{covariance, cross_covariance, mean};
pub use transport::sliced_wasserstein;

use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// The rows of a sample, [n, d], d the product of the shape of a datum.
///
/// # Errors
/// When there is no datum, or a value is not finite; the error names the argument.
fn rows<'a>(name: &str, sample: &'a Tensor) -> Result<ArrayView2<'a, f32>> {
    let (count, width) = match sample.shape() {
        [] => return Err(Error::argument(name, "is a single number, not a sample of shape [n, d]")),
        [count, datum @ ..] => (*count, datum.iter().product::<usize>()),
    };
    if sample.is_empty() {
        return Err(Error::argument(name, format!("is an empty sample (shape {:?})", sample.shape())));
    }
    let values = sample.values();
    let bad = values.iter().filter(|v| !v.is_finite()).count();
    if let Some(at) = values.iter().position(|v| !v.is_finite()) {
        return Err(Error::argument(
            name,
            format!(
                "has {bad} of {} values not finite, the first ({}) in row {}",
                values.len(),
                values[at],
                at / width
            ),
        )
        .with_hint("a diverged sampler leaves such values: use more steps, or look at the rows"));
    }
    let view = sample.array().view().into_shape_with_order((count, width));
    view.map_err(|e| Error::argument(name, format!("cannot be read as rows: {e}")))
}

/// Two samples of the same kind of datum.
fn pair<'a>(a: &'a Tensor, b: &'a Tensor) -> Result<(ArrayView2<'a, f32>, ArrayView2<'a, f32>)> {
    let (x, y) = (rows("a", a)?, rows("b", b)?);
    if x.ncols() != y.ncols() {
        return Err(Error::argument(
            "b",
            format!(
                "has data of {} coordinates, `a` of {} (shapes {:?} and {:?})",
                y.ncols(),
                x.ncols(),
                b.shape(),
                a.shape()
            ),
        )
        .with_hint("compare samples of the same data"));
    }
    Ok((x, y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    #[test]
    fn bad_samples_are_refused_by_every_measure() {
        let task = Task::default();
        let good = Tensor::normals(&[4, 2], 1, task.host()).unwrap();
        let mut nan = good.clone();
        nan.set(&[crate::tensor::Index::At(2)], &Tensor::scalar(f64::NAN)).unwrap();
        let cases = [
            (Tensor::scalar(1.0), "`b` is a single number"),
            (Tensor::full(&[0, 2], 0.0, task.host()).unwrap(), "`b` is an empty sample (shape [0, 2])"),
            (nan, "`b` has 2 of 8 values not finite, the first (NaN) in row 2"),
            (
                Tensor::normals(&[4, 3], 1, task.host()).unwrap(),
                "`b` has data of 3 coordinates, `a` of 2 (shapes [4, 3] and [4, 2])",
            ),
        ];
        for (bad, text) in cases {
            for result in [
                sliced_wasserstein(&good, &bad, 8, 0, &task),
                energy_distance(&good, &bad, &task),
                kl_histogram(&good, &bad, &Bins::default()),
                js_histogram(&good, &bad, &Bins::default()),
            ] {
                let problem = result.expect_err("must be refused").to_string();
                assert!(problem.starts_with(text), "{problem}");
            }
        }
    }
}
