//! Finite data.

use super::Moments;
use super::uniforms::for_each_uniform;
use crate::error::Result;
use crate::rng::Stream;
use crate::tensor::Tensor;

/// Points that are drawn with equal probability, with replacement.
#[derive(Debug)]
pub(super) struct Points {
    /// [n, shape...], contiguous.
    tensor: Tensor,
}

impl Points {
    pub(super) fn new(points: Tensor) -> Result<Self> {
        let rows = points.rows("points")?;
        let shape = [&[rows.count], rows.shape].concat();
        Ok(Self { tensor: Tensor::new(&shape, rows.values.into_owned())? })
    }

    pub(super) fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    pub(super) fn datum_shape(&self) -> &[usize] {
        &self.tensor.shape()[1..]
    }

    /// Two passes in double precision, divided by n: the points are the whole distribution, not a sample of it.
    pub(super) fn moments(&self) -> Moments {
        let values = self.tensor.values();
        let count = self.tensor.shape()[0];
        let width = values.len() / count;
        let mut mean = vec![0.0; width];
        for row in values.chunks_exact(width) {
            for (sum, value) in mean.iter_mut().zip(row) {
                *sum += f64::from(*value);
            }
        }
        for sum in &mut mean {
            *sum /= count as f64;
        }
        let squares: f64 = values
            .chunks_exact(width)
            .map(|row| row.iter().zip(&mean).map(|(v, m)| (f64::from(*v) - m).powi(2)).sum::<f64>())
            .sum();
        Moments { mean, variance: squares / values.len() as f64 }
    }

    /// Fills `out`, [d, count] component-major.
    pub(super) fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        // Borrowed: `new` made the points contiguous.
        let values = self.tensor.values();
        let rows = self.tensor.shape()[0];
        let width = values.len() / rows;
        let count = out.len() / width;
        for_each_uniform(stream, step, block, count, |i, u| {
            let row = (u * rows as f64) as usize;
            for (c, value) in values[row * width..(row + 1) * width].iter().enumerate() {
                out[c * count + i] = *value;
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
        Dataset::from_points("points", Tensor::new(shape, values.to_vec()).unwrap())
    }

    #[test]
    fn moments_are_exact() {
        let data = points(&[2, 2], &[1.0, 10.0, 3.0, 30.0]).unwrap();
        assert_eq!(data.moments(), &Moments { mean: vec![2.0, 20.0], variance: 50.5 });
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

    #[test]
    fn bad_points_are_refused() {
        let problem = |shape: &[usize], values: &[f32]| points(shape, values).expect_err("bad").to_string();
        assert!(problem(&[0, 2], &[]).contains("is empty (shape [0, 2])"));
        assert!(problem(&[2, 0], &[]).contains("is empty"));
        assert!(problem(&[], &[1.0]).contains("single number"));
        let nan = problem(&[3, 2], &[0.0, 1.0, 2.0, f32::NAN, f32::INFINITY, 0.0]);
        assert_eq!(nan, "`points` has 2 of 6 values not finite, the first (NaN) in row 1");
    }
}
