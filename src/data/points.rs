//! Finite data.

use nalgebra::DMatrix;

use super::moments::{MOST_CORRELATED, Moments};
use super::uniforms::{choose, for_each_uniform};
use super::units::Units;
use crate::error::{Error, Result};
use crate::rng::Stream;
use crate::tensor::{Tensor, beyond};
use crate::vector::{single, singles};

/// Standard errors of a correlation, and of the equality of two variances, that more is needed of to count as one.
const CERTAIN: f64 = 4.0;

/// Correlations and differences of variances that are not put down to chance however few the points.
const LARGEST: f64 = 0.5;

/// Points that are drawn with equal probability, with replacement.
#[derive(Debug)]
pub(super) struct Points {
    /// [n, shape...], contiguous.
    tensor: Tensor,
    /// What the values have beyond single precision, [n, d], if anything.
    rest: Option<Vec<f32>>,
    mean: Vec<f64>,
}

impl Points {
    pub(super) fn new(points: &Tensor) -> Result<Self> {
        Self::with_rest(points, None)
    }

    /// Points of `shape` in double precision.
    pub(super) fn from_f64(shape: &[usize], values: &[f64]) -> Result<Self> {
        let tensor = Tensor::from_f64(shape, values)?;
        let narrow = tensor.values();
        if let (Some(at), [count, ..]) = (beyond(values), shape) {
            let row = at / (values.len() / count);
            let problem = format!("has {:e} in row {row}, beyond what single precision holds, 3.4e38", values[at]);
            return Err(Error::argument("points", problem).with_hint("divide the data by a unit of their size"));
        }
        let rest = singles(values.iter().zip(narrow.iter()).map(|(wide, narrow)| wide - f64::from(*narrow)));
        Self::with_rest(&tensor, rest.iter().any(|rest| *rest != 0.0).then_some(rest))
    }

    /// Points with what they have beyond single precision, if anything.
    pub(super) fn with_rest(points: &Tensor, rest: Option<Vec<f32>>) -> Result<Self> {
        let rows = points.rows("points")?;
        let shape = [&[rows.count], rows.shape].concat();
        let width = rows.width();
        let tensor = Tensor::new(&shape, rows.values.into_owned())?;
        let mut points = Self { tensor, rest, mean: vec![0.0; width] };
        // In two passes: a sum of squares would lose the digits of what is narrow and far from 0.
        let count = shape[0] as f64;
        points.mean = points.sums(width, |deviation, sum| sum.iter_mut().zip(deviation).for_each(|(s, v)| *s += v));
        points.mean.iter_mut().for_each(|sum| *sum /= count);
        Ok(points)
    }

    /// The points in other `units`.
    pub(super) fn scaled(&self, units: &Units) -> Result<Self> {
        let values = self.tensor.values();
        let width = self.mean.len();
        let scaled: Vec<_> = (0..values.len()).map(|at| units.normalise(at % width, self.value(&values, at))).collect();
        Self::from_f64(self.tensor.shape(), &scaled)
    }

    /// Sums of what `add` adds for the deviation of each point from the mean.
    fn sums(&self, size: usize, mut add: impl FnMut(&[f64], &mut [f64])) -> Vec<f64> {
        let (mut sums, mut deviation) = (vec![0.0; size], vec![0.0; self.mean.len()]);
        let values = self.tensor.values();
        for first in (0..values.len()).step_by(self.mean.len()) {
            for (c, slot) in deviation.iter_mut().enumerate() {
                *slot = self.value(&values, first + c) - self.mean[c];
            }
            add(&deviation, &mut sums);
        }
        sums
    }

    /// A value in double precision.
    fn value(&self, values: &[f32], at: usize) -> f64 {
        f64::from(values[at]) + self.rest.as_ref().map_or(0.0, |rest| f64::from(rest[at]))
    }

    pub(super) fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// What the values have beyond single precision, [n, d], if anything.
    pub(super) fn rest(&self) -> Option<&[f32]> {
        self.rest.as_deref()
    }

    pub(super) fn datum_shape(&self) -> &[usize] {
        &self.tensor.shape()[1..]
    }

    /// The deviations of all points from their mean, [n, d], in double precision.
    pub(super) fn deviations(&self) -> DMatrix<f64> {
        let (values, width) = (self.tensor.values(), self.mean.len());
        let entry = |row: usize, c: usize| self.value(&values, row * width + c) - self.mean[c];
        DMatrix::from_fn(values.len() / width, width, entry)
    }

    /// Variance of each coordinate, \[d\], with all digits where others are much wider and correlated with it.
    pub(super) fn variances(&self) -> Vec<f64> {
        let add = |x: &[f64], sums: &mut [f64]| sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += x * x);
        let count = self.tensor.shape()[0] as f64;
        self.sums(self.mean.len(), add).iter().map(|sum| sum / count).collect()
    }

    /// Those of the points, which are the whole distribution and not a sample of it: divided by n.
    pub(super) fn moments(&self) -> Moments {
        let (d, count) = (self.mean.len(), self.tensor.shape()[0] as f64);
        let resolution = (CERTAIN / count.sqrt()).min(LARGEST);
        if d > MOST_CORRELATED {
            return Moments::uncorrelated(self.mean.clone(), self.variances(), resolution);
        }
        let sums = self.sums(d * d, |x, sums| {
            for (row, a) in sums.chunks_exact_mut(d).zip(x) {
                row.iter_mut().zip(x).for_each(|(sum, b)| *sum += a * b);
            }
        });
        let covariance = DMatrix::from_row_slice(d, d, &sums) / count;
        Moments::correlated(self.mean.clone(), &covariance, resolution)
    }

    /// Fills `out`, [d, count] component-major, with data, or with their deviations from the mean.
    pub(super) fn draw(&self, is_deviation: bool, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        // Borrowed: `new` made the points contiguous.
        let values = self.tensor.values();
        let width = self.mean.len();
        let (rows, count) = (values.len() / width, out.len() / width);
        for_each_uniform(stream, step, block, count, |i, u| {
            let first = choose(u, rows).0 * width;
            for (c, mean) in self.mean.iter().enumerate() {
                out[c * count + i] = match is_deviation {
                    true => single(self.value(&values, first + c) - mean),
                    false => values[first + c],
                };
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::task::Task;

    fn points(shape: &[usize], values: &[f32]) -> Result<Dataset> {
        Dataset::from_points("points", &Tensor::new(shape, values.to_vec()).unwrap())
    }

    #[test]
    fn moments_are_exact() {
        let data = points(&[2, 2], &[1.0, 10.0, 3.0, 30.0]).unwrap();
        let moments = data.moments();
        assert_eq!(moments.mean, [2.0, 20.0]);
        let variances = moments.coordinate_variances();
        assert!((variances[0] - 1.0).abs() < 1e-13 && (variances[1] - 100.0).abs() < 1e-12, "{variances:?}");
        // Both coordinates rise together: all of the spread is along one axis.
        assert!(moments.variances.iter().any(|variance| *variance < 1e-13), "{moments:?}");
        assert_eq!(data.shape(), [2]);
        assert_eq!(points(&[3], &[1.0, 2.0, 3.0]).unwrap().shape(), [1]);
    }

    #[test]
    fn rows_stay_together_and_come_evenly() {
        let data = points(&[3, 1, 2], &[0.0, 10.0, 1.0, 11.0, 2.0, 12.0]).unwrap();
        let sample = data.sample(30_000, 1, &Task::default()).unwrap();
        assert_eq!(sample.shape(), [30_000, 1, 2]);
        let mut seen = [0_i32; 3];
        for row in sample.values().chunks(2) {
            assert_eq!(row[1], row[0] + 10.0);
            seen[row[0] as usize] += 1;
        }
        // 5 standard errors.
        assert!(seen.iter().all(|s| (s - 10_000).abs() < 410), "{seen:?}");
    }

    /// Seen to lose the narrow one, by the eigenvalues of their covariance.
    #[test]
    fn correlated_columns_of_far_units_have_their_own_widths() {
        let rows = [[1.0, 1e3], [2.0, 2e3], [4.0, 4.1e3], [1.5, 1.1e3]];
        let width = |unit: f64| {
            let values: Vec<f64> = rows.iter().flat_map(|[a, b]| [unit * a, *b]).collect();
            Points::from_f64(&[4, 2], &values).unwrap().variances()[0].sqrt() / unit
        };
        assert!((width(1e-6) / width(1.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn bad_points_are_refused() {
        let problem = |shape: &[usize], values: &[f32]| points(shape, values).expect_err("bad").to_string();
        assert!(problem(&[0, 2], &[]).contains("is empty (shape [0, 2])"));
        assert!(problem(&[2, 0], &[]).contains("is empty"));
        assert!(problem(&[], &[1.0]).contains("single number"));
        // Seen to panic, which fuzzing found.
        assert!(Points::from_f64(&[], &[1e300]).unwrap_err().to_string().contains("single number"));
        let nan = problem(&[3, 2], &[0.0, 1.0, 2.0, f32::NAN, f32::INFINITY, 0.0]);
        assert_eq!(nan, "`points` has 2 of 6 values not finite, the first (NaN) in row 1");
    }
}
