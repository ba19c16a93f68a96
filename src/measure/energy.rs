//! The energy distance.

use ndarray::ArrayView2;

use super::long::warn_if_long;
use super::pair;
use super::scales::warn_if_uneven;
use crate::dispatched;
use crate::error::{Error, Result};
use crate::task::{Meter, Task};
use crate::tensor::Tensor;

/// Rows that one piece of parallel work takes.
const BLOCK: usize = 64;
/// Distances that are computed together, on the stack.
const WIDTH: usize = 256;
/// Sums of distances that are kept apart.
const LANES: usize = 16;

/// The energy distance 2⟨|x − y|⟩ − ⟨|x − x'|⟩ − ⟨|y − y'|⟩ of two samples, with means over all pairs: 0 if and only
/// if they are the same, never below (Székely, Rizzo 2013; the square of what some programs return).
///
/// One coordinate is sorted: 2∫(F − G)², with F and G the distribution functions. Several take time in proportion to
/// the square of the counts; more than a minute of it is warned of.
///
/// # Errors
/// When the data differ in their coordinates, a sample is empty or not finite, the memory does not suffice, or on
/// interruption.
pub fn energy_distance(a: &Tensor, b: &Tensor, task: &Task) -> Result<f64> {
    let (x, y) = pair(a, b)?;
    let values = (x.values.len() + y.values.len()) as f64;
    task.host().afford(8.0 * values, |problem| Error::argument("a", format!("and `b` {problem} to be compared")))?;
    let (x, y) = (x.matrix(), y.matrix());
    if x.ncols() == 1 {
        return Ok(of_sorted(&sorted(x), &sorted(y)));
    }
    warn_if_uneven("the energy distance", a, task)?;
    let (n, m) = (x.nrows() as f64, y.nrows() as f64);
    let pairs = n * m + 0.5 * (n * n + m * m);
    warn_if_long("the energy distance", pairs, x.ncols(), task);
    let (columns_x, columns_y) = (columns(x), columns(y));
    let blocks = 2 * x.nrows().div_ceil(BLOCK) + y.nrows().div_ceil(BLOCK);
    let meter = Meter::new(task, "energy distance", 1, blocks);
    let all = || {
        let between = mean_distance(x, &columns_y, Pairs::All, &meter, task)?;
        let within = mean_distance(x, &columns_x, Pairs::Later, &meter, task)?;
        Ok(2.0 * between - within - mean_distance(y, &columns_y, Pairs::Later, &meter, task)?)
    };
    let distance = all();
    meter.finish();
    distance.map(|distance: f64| distance.max(0.0))
}

fn sorted(column: ArrayView2<'_, f32>) -> Vec<f32> {
    let mut values: Vec<f32> = column.iter().copied().collect();
    values.sort_unstable_by(f32::total_cmp);
    values
}

/// 2∫(F − G)² of two sorted samples of one coordinate: a sum of squares, so that nothing cancels.
fn of_sorted(x: &[f32], y: &[f32]) -> f64 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    let mut last = f64::from(x[0].min(y[0]));
    while i < x.len() || j < y.len() {
        let is_x = i < x.len() && (j == y.len() || x[i] <= y[j]);
        let next = f64::from(if is_x { x[i] } else { y[j] });
        let difference = i as f64 / x.len() as f64 - j as f64 / y.len() as f64;
        sum += difference * difference * (next - last);
        last = next;
        if is_x { i += 1 } else { j += 1 }
    }
    2.0 * sum
}

/// The same values with each coordinate contiguous, [d, n].
fn columns(rows: ArrayView2<'_, f32>) -> Vec<f32> {
    rows.t().iter().copied().collect()
}

/// Which pairs of rows are compared.
#[derive(Clone, Copy, PartialEq)]
enum Pairs {
    /// Each of one sample with each of the other.
    All,
    /// Each with those behind it in the same sample: half of the mean over all pairs.
    Later,
}

/// Mean distance between the rows of `x` and those of y, given by its `columns`.
fn mean_distance(x: ArrayView2<'_, f32>, columns: &[f32], pairs: Pairs, meter: &Meter, task: &Task) -> Result<f64> {
    let sums = task.blocks(x.nrows().div_ceil(BLOCK), |block| {
        let mut sum = 0.0;
        for (row, point) in x.outer_iter().enumerate().skip(block * BLOCK).take(BLOCK) {
            task.check()?;
            let first = if pairs == Pairs::Later { row + 1 } else { 0 };
            sum += sum_of_distances(&point.to_vec(), first, columns);
        }
        meter.count(1)?;
        Ok(sum)
    })?;
    let count = columns.len() / x.ncols();
    let all = x.nrows() as f64 * count as f64;
    Ok(sums.iter().sum::<f64>() * if pairs == Pairs::Later { 2.0 } else { 1.0 } / all)
}

dispatched! {
    /// Sum of the distances of `point` to all rows from `begin` on.
    fn sum_of_distances(point: &[f32], begin: usize, columns: &[f32]) -> f64 {
        let count = columns.len() / point.len();
        // Sums side by side, since one alone would wait for each addition.
        let mut sums = [0.0_f64; LANES];
        for first in (begin..count).step_by(WIDTH) {
            let width = WIDTH.min(count - first);
            let mut squares = [0.0_f32; WIDTH];
            for (c, value) in point.iter().enumerate() {
                let others = &columns[c * count + first..c * count + first + width];
                for (square, other) in squares.iter_mut().zip(others) {
                    *square += (value - other) * (value - other);
                }
            }
            // Those behind the last are 0.
            for squares in squares.as_chunks::<LANES>().0 {
                for (sum, square) in sums.iter_mut().zip(squares) {
                    *sum += f64::from(square.sqrt());
                }
            }
        }
        sums.iter().sum()
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

    /// Two points at distance s, each repeated beyond all block sizes: 2s, in one coordinate and in two.
    #[test]
    fn pieces_join() {
        for width in [1, 2] {
            let [a, b] = [0.0, 3.0].map(|value| Tensor::full(&[700, width], value, &Host::default()).unwrap());
            let distance = energy_distance(&a, &b, &Task::default()).unwrap();
            assert!((distance - 6.0 * (width as f64).sqrt()).abs() < 1e-6, "{distance}");
        }
    }

    /// A second coordinate that is 0 everywhere changes no distance, but takes the other way. Seen to fail without the
    /// factor 2 of the pairs within a sample.
    #[test]
    fn sorting_agrees_with_all_pairs() {
        let task = Task::default();
        for (n, m) in [(1, 1), (1, 500), (333, 77)] {
            let of =
                |count: usize, seed| Tensor::normals(&[count], seed, task.host()).unwrap().map(|v| (4.0 * v).round());
            let flat = |x: &Tensor| {
                let values = x.values().iter().flat_map(|&v| [v, 0.0]).collect();
                Tensor::new(&[x.len(), 2], values).unwrap()
            };
            let (a, b) = (of(n, 1), of(m, 2));
            let by_sorting = energy_distance(&a, &b, &task).unwrap();
            let by_pairs = energy_distance(&flat(&a), &flat(&b), &task).unwrap();
            assert!((by_sorting - by_pairs).abs() < 1e-9 * (1.0 + by_pairs), "{n} {m}: {by_sorting} {by_pairs}");
        }
    }
}
