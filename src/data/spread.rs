//! How wide data are along their widest direction, which need not be an axis.

use nalgebra::DVector;

use super::Dataset;
use crate::error::Result;
use crate::rng::{Purpose, Stream};
use crate::task::Task;

/// Products with the covariance after which the widest direction is as good as found.
const MOST_PRODUCTS: usize = 10_000;

impl Dataset {
    /// The largest eigenvalue of the covariance of what is drawn.
    ///
    /// Where the moments know no correlations, since coordinates are many, by repeated products with the covariance:
    /// the value, whose error is the square of the direction's, converges within 1e-13.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn largest_variance(&self, task: &Task) -> Result<f64> {
        let moments = self.moments();
        let widest = moments.variances.iter().copied().fold(0.0, f64::max);
        if moments.axes.is_some() || self.dimension() <= super::moments::MOST_CORRELATED {
            return Ok(widest);
        }
        if let Some(deviations) = self.deviations() {
            let count = deviations.nrows() as f64;
            return self.largest(|v| deviations.tr_mul(&(&deviations * v)) / count, task);
        }
        if let Some(mixture) = self.mixture() {
            let d = self.dimension();
            let mean = DVector::from_column_slice(&moments.mean);
            let product = |v: &DVector<f64>| {
                let mut sum = DVector::zeros(d);
                for (k, (weight, centre)) in mixture.weights.iter().zip(mixture.means.chunks_exact(d)).enumerate() {
                    let centre = DVector::from_column_slice(centre) - &mean;
                    sum += &centre * (weight * centre.dot(v));
                    sum += mixture.times(k, v) * *weight;
                }
                sum
            };
            return self.largest(product, task);
        }
        Ok(widest)
    }

    fn largest(&self, product: impl Fn(&DVector<f64>) -> DVector<f64>, task: &Task) -> Result<f64> {
        let mut start = vec![0.0; self.dimension()];
        Stream::new(0, Purpose::Projection).normals(0, 0, &mut start);
        let mut direction = DVector::from_iterator(start.len(), start.iter().map(|v| f64::from(*v))).normalize();
        let mut value = 0.0;
        for _ in 0..MOST_PRODUCTS {
            task.check()?;
            let next = product(&direction);
            let found = next.norm();
            if found == 0.0 || (found - value).abs() <= 1e-13 * found {
                return Ok(found);
            }
            (value, direction) = (found, next / found);
        }
        Ok(value)
    }
}
