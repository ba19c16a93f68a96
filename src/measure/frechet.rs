//! The distance of the Gaussians that have the moments of two samples.

use nalgebra::{DMatrix, DVector};

use super::pair;
use super::scales::warn_if_uneven;
use crate::error::{Error, Result};
use crate::task::Task;
use crate::tensor::{Rows, Tensor};

/// A squared Fréchet distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrechetDistance {
    /// The square, in the square of the data's unit.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

/// Parts of each sample that are left out one after the other, for the error.
const BLOCKS: usize = 10;

/// Coordinates beyond which the matrices take minutes.
const WIDEST: usize = 2048;

/// |m − m'|² + tr(S + S' − 2 (S S')^½), the squared distance of Fréchet between Gaussians with the means and
/// covariances of two samples (Dowson and Landau, J. Multivar. Anal. 12, 450 (1982); between features of images: Heusel
/// et al., arXiv 1706.08500).
///
/// It is above 0 for samples of one law, the more the fewer they are: compare samples of the same size, and with the
/// distance of two samples of the data. The error is a jackknife over ten parts of each, for
/// rows that are independent.
///
/// # Errors
/// When the samples differ in their coordinates, have fewer than twenty rows, or are not finite; or interrupted.
pub fn frechet_distance(a: &Tensor, b: &Tensor, task: &Task) -> Result<FrechetDistance> {
    warn_if_uneven("the Fréchet distance", a, task)?;
    let (a, b) = pair(a, b)?;
    let d = a.width();
    for (name, rows) in [("a", &a), ("b", &b)] {
        if rows.count < 2 * BLOCKS {
            return Err(Error::argument(name, format!("needs {} rows at least, got {}", 2 * BLOCKS, rows.count)));
        }
    }
    if d > WIDEST {
        return Err(Error::argument("a", format!("has {d} coordinates, more than {WIDEST}"))
            .with_hint("take features of the data, c.features(x) of a classifier"));
    }
    let parts = [&a, &b].map(sums);
    let wholes = parts.each_ref().map(|parts| parts.iter().fold(Sums::zero(d), |all, part| all.with(part, 1.0)));
    let laws = wholes.each_ref().map(Sums::law);
    let value = distance(&laws[0], &laws[1]);
    let mut variance = 0.0;
    for (side, other) in [(0, 1), (1, 0)] {
        let mut found = Vec::with_capacity(BLOCKS);
        for part in &parts[side] {
            task.check()?;
            found.push(distance(&wholes[side].with(part, -1.0).law(), &laws[other]));
        }
        let mean = found.iter().sum::<f64>() / BLOCKS as f64;
        variance += (BLOCKS - 1) as f64 / BLOCKS as f64 * found.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    }
    Ok(FrechetDistance { value, error: variance.sqrt() })
}

/// Sums over rows: their number, themselves, their products.
struct Sums {
    count: f64,
    first: DVector<f64>,
    second: DMatrix<f64>,
}

impl Sums {
    fn zero(d: usize) -> Self {
        Self { count: 0.0, first: DVector::zeros(d), second: DMatrix::zeros(d, d) }
    }

    fn with(&self, other: &Self, sign: f64) -> Self {
        Self {
            count: self.count + sign * other.count,
            first: &self.first + sign * &other.first,
            second: &self.second + sign * &other.second,
        }
    }

    /// Mean and covariance.
    fn law(&self) -> (DVector<f64>, DMatrix<f64>) {
        let mean = &self.first / self.count;
        let covariance = (&self.second - self.count * &mean * mean.transpose()) / (self.count - 1.0);
        (mean, covariance)
    }
}

/// Of each part of the rows.
fn sums(rows: &Rows<'_>) -> Vec<Sums> {
    let d = rows.width();
    // Every tenth row, so that rows in the order of their classes make parts that are alike.
    let part = |block: usize| {
        let own = (block..rows.count).step_by(BLOCKS);
        let numbers = own.clone().flat_map(|row| &rows.values[row * d..(row + 1) * d]).map(|&v| f64::from(v));
        let values = DMatrix::from_row_iterator(own.len(), d, numbers);
        Sums { count: own.len() as f64, first: values.row_sum().transpose(), second: values.transpose() * &values }
    };
    (0..BLOCKS).map(part).collect()
}

fn distance((mean, covariance): &(DVector<f64>, DMatrix<f64>), other: &(DVector<f64>, DMatrix<f64>)) -> f64 {
    let root = {
        let eigen = covariance.clone().symmetric_eigen();
        let roots = eigen.eigenvalues.map(|value| value.max(0.0).sqrt());
        &eigen.eigenvectors * DMatrix::from_diagonal(&roots) * eigen.eigenvectors.transpose()
    };
    let inner = &root * &other.1 * &root;
    let overlap: f64 = inner.symmetric_eigen().eigenvalues.iter().map(|value| value.max(0.0).sqrt()).sum();
    ((mean - &other.0).norm_squared() + covariance.trace() + other.1.trace() - 2.0 * overlap).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normals(count: usize, scale: [f64; 2], shift: f64, seed: u64) -> Tensor {
        let values = Tensor::normals(&[count, 2], seed, Task::default().host()).unwrap();
        let rows = values.values();
        let numbers: Vec<f64> = rows.iter().enumerate().map(|(i, v)| f64::from(*v) * scale[i % 2] + shift).collect();
        Tensor::from_f64(&[count, 2], &numbers).unwrap()
    }

    /// (1 − 3)² + (2 − 1)² between the deviations, and the squared distance 2 · 0.5² of the means. 40 seeds: their
    /// spread is the error within a third (the spread of 40 numbers is known to 11 %), the mean within 4 errors and its
    /// bias.
    #[test]
    fn of_known_gaussians() {
        let task = Task::default();
        let found: Vec<_> = (0..40)
            .map(|seed| {
                let (a, b) = (normals(2000, [1.0, 2.0], 0.0, 2 * seed), normals(2000, [3.0, 1.0], 0.5, 2 * seed + 1));
                frechet_distance(&a, &b, &task).unwrap()
            })
            .collect();
        let mean = found.iter().map(|f| f.value).sum::<f64>() / 40.0;
        let error = found.iter().map(|f| f.error).sum::<f64>() / 40.0;
        let spread = (found.iter().map(|f| (f.value - mean).powi(2)).sum::<f64>() / 39.0).sqrt();
        assert!((mean - 5.5).abs() < 4.0 * error / 40.0_f64.sqrt() + 0.02, "{mean}");
        assert!((error / spread - 1.0).abs() < 0.35, "{error} {spread}");
    }

    #[test]
    fn bad_samples_are_refused() {
        let task = Task::default();
        let few = normals(10, [1.0, 1.0], 0.0, 1);
        assert!(frechet_distance(&few, &few, &task).unwrap_err().to_string().contains("needs 20 rows"));
    }
}
