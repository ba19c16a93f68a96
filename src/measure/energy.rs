//! The energy distance.

use ndarray::ArrayView2;

use super::pair;
use crate::dispatched;
use crate::error::Result;
use crate::task::Task;
use crate::tensor::Tensor;

/// Rows that one piece of parallel work takes.
const BLOCK: usize = 64;
/// Distances that are computed together, on the stack.
const WIDTH: usize = 256;

/// The energy distance 2⟨|x − y|⟩ − ⟨|x − x'|⟩ − ⟨|y − y'|⟩ of two samples, with means over all pairs: 0 if and only
/// if they are the same, never below (Székely, Rizzo 2013; the square of what some programs return).
///
/// Takes time in proportion to the square of the counts.
///
/// # Errors
/// When the data differ in their coordinates, a sample is empty or not finite, or on interruption.
pub fn energy_distance(a: &Tensor, b: &Tensor, task: &Task) -> Result<f64> {
    let (x, y) = pair(a, b)?;
    let (x, y) = (x.matrix(), y.matrix());
    let between = mean_distance(x, &columns(y), task)?;
    let within = mean_distance(x, &columns(x), task)? + mean_distance(y, &columns(y), task)?;
    Ok((2.0 * between - within).max(0.0))
}

/// The same values with each coordinate contiguous, [d, n].
fn columns(rows: ArrayView2<'_, f32>) -> Vec<f32> {
    rows.t().iter().copied().collect()
}

/// Mean distance between the rows of `x` and those of y, given by its `columns`.
fn mean_distance(x: ArrayView2<'_, f32>, columns: &[f32], task: &Task) -> Result<f64> {
    let sums = task.blocks(x.nrows().div_ceil(BLOCK), |block| {
        let rows = x.outer_iter().skip(block * BLOCK).take(BLOCK);
        rows.map(|row| {
            task.check()?;
            Ok(sum_of_distances(&row.to_vec(), columns))
        })
        .sum::<Result<f64>>()
    })?;
    let count = columns.len() / x.ncols();
    Ok(sums.iter().sum::<f64>() / (x.nrows() as f64 * count as f64))
}

dispatched! {
    fn sum_of_distances(point: &[f32], columns: &[f32]) -> f64 {
        let count = columns.len() / point.len();
        let mut sum = 0.0;
        for first in (0..count).step_by(WIDTH) {
            let width = WIDTH.min(count - first);
            let mut squares = [0.0_f32; WIDTH];
            for (c, value) in point.iter().enumerate() {
                let others = &columns[c * count + first..c * count + first + width];
                for (square, other) in squares.iter_mut().zip(others) {
                    *square += (value - other) * (value - other);
                }
            }
            sum += squares[..width].iter().map(|square| f64::from(square.sqrt())).sum::<f64>();
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    #[test]
    fn by_hand() {
        let task = Task::default();
        let a = Tensor::new(&[2, 2], vec![0.0, 0.0, 3.0, 4.0]).unwrap();
        let b = Tensor::new(&[1, 2], vec![0.0, 0.0]).unwrap();
        // 2·(5/2) − (2·5)/4 − 0
        assert_eq!(energy_distance(&a, &b, &task).unwrap(), 2.5);
        assert_eq!(energy_distance(&a, &a, &task).unwrap(), 0.0);
    }

    /// Two points at distance s, each repeated beyond all block sizes: 2s.
    #[test]
    fn pieces_join() {
        let [a, b] = [0.0, 3.0].map(|value| Tensor::full(&[700, 1], value, &Host::default()).unwrap());
        assert_eq!(energy_distance(&a, &b, &Task::default()).unwrap(), 6.0);
    }
}
