//! The maximum mean discrepancy.

use ndarray::ArrayView2;

use super::long::warn_if_long;
use super::pair;
use super::scales::warn_if_uneven;
use crate::dispatched;
use crate::error::{Error, Result};
use crate::settings::Setting;
use crate::task::{Meter, Task};
use crate::tensor::Tensor;
use crate::vector::math::exp;
use crate::vector::single;

/// Rows that one piece of parallel work takes.
const BLOCK: usize = 64;
/// Pairs that are computed together, on the stack.
const WIDTH: usize = 256;
/// Sums that are kept apart.
const LANES: usize = 16;
/// Rows of both samples, evenly spread, whose distances give the median.
const JUDGED: usize = 1000;

/// Length over which the kernel of [`mmd`] falls.
pub const BANDWIDTH: Setting = Setting::number("bandwidth", "length σ of the kernel exp(−|x − y|²/2σ²)")
    .above(0.0)
    .or_else("the median distance of the data of both samples");

/// A maximum mean discrepancy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discrepancy {
    /// Its square, without bias: below 0 by chance where the samples are of one law.
    pub value: f64,
    /// Standard error of the square.
    pub error: f64,
    /// The length over which the kernel falls.
    pub bandwidth: f64,
}

/// The squared maximum mean discrepancy ⟨k(x, x')⟩ + ⟨k(y, y')⟩ − 2⟨k(x, y)⟩ of two samples, with k = exp(−|x −
/// y|²/2σ²) and means over pairs of different rows, so that it is 0 on average for samples of one law (Gretton,
/// Borgwardt, Rasch, Schölkopf, Smola, J. Mach. Learn. Res. 13, 2012). Its error is that of the first and the second
/// term of Hoeffding's decomposition, so it holds for different laws, and for equal ones, where it is too large by a
/// fifth.
///
/// σ is `bandwidth`, or the median distance between a thousand rows of both samples together. The time goes with the
/// square of the counts; more than a minute of it is warned of.
///
/// # Errors
/// When the data differ in their coordinates, a sample has fewer than two rows or is not finite, `bandwidth` is not
/// above 0, all rows are the same and none is given, the memory does not suffice, or on interruption.
pub fn mmd(a: &Tensor, b: &Tensor, bandwidth: Option<f64>, task: &Task) -> Result<Discrepancy> {
    let (x, y) = pair(a, b)?;
    for (name, rows) in [("a", &x), ("b", &y)] {
        if rows.count < 2 {
            return Err(Error::argument(name, "has one row, and two are needed for a pair"));
        }
    }
    let values = (x.values.len() + y.values.len()) as f64;
    task.host().afford(8.0 * values, |problem| Error::argument("a", format!("and `b` {problem} to be compared")))?;
    let (n, m) = (x.count, y.count);
    let rows = ndarray::concatenate![ndarray::Axis(0), x.matrix(), y.matrix()];
    let bandwidth = match bandwidth {
        Some(bandwidth) => BANDWIDTH.check_value(bandwidth).map(|()| bandwidth),
        None => median_distance(rows.view()),
    }?;
    let all = rows.nrows();
    warn_if_uneven("the discrepancy", a, task)?;
    warn_if_long("the discrepancy", (all * all) as f64, rows.ncols(), task);
    // In units of the bandwidth, so that the kernel is that of length 1.
    let scaled = rows.mapv(|value| single(f64::from(value) / bandwidth));
    let columns: Vec<f32> = scaled.t().iter().copied().collect();
    let meter = Meter::new(task, "discrepancy", 1, all.div_ceil(BLOCK));
    let blocks = task.blocks(all.div_ceil(BLOCK), |block| {
        let of_row = |row: usize| {
            task.check()?;
            Ok(sums_of_kernels(&scaled.row(row).to_vec(), n, &columns))
        };
        let sums = (block * BLOCK..all.min((block + 1) * BLOCK)).map(of_row).collect::<Result<Vec<_>>>()?;
        meter.count(1)?;
        Ok(sums)
    });
    meter.finish();
    let (value, error) = of_sums(&blocks?.concat(), n, m);
    Ok(Discrepancy { value, error, bandwidth })
}

/// Value and error from the sums of each row: of its kernels with all rows of the first and of the second sample, and
/// of the squares of both.
fn of_sums(sums: &[[f64; 4]], n: usize, m: usize) -> (f64, f64) {
    let (first, second) = sums.split_at(n);
    let (n, m) = (n as f64, m as f64);
    // A row with itself has the kernel 1.
    let own = |sum: f64, count: f64| (sum - 1.0) / (count - 1.0);
    let mean =
        |values: &dyn Fn(&[f64; 4]) -> f64, rows: &[[f64; 4]]| rows.iter().map(values).sum::<f64>() / rows.len() as f64;
    let a = |row: &[f64; 4]| own(row[0], n) - row[1] / m;
    let b = |row: &[f64; 4]| own(row[1], m) - row[0] / n;
    let value = mean(&a, first) + mean(&b, second);
    // Mean squares of the kernel less what depends on one of its two data alone: in a sample, and between both.
    let pure =
        |squares: f64, of_rows: [f64; 2], centre: f64| (squares - of_rows[0] - of_rows[1] + centre * centre).max(0.0);
    let within = |rows: &[[f64; 4]], at: usize, count: f64| {
        let of_rows = mean(&|row| own(row[at], count).powi(2), rows);
        pure(mean(&|row| own(row[at + 2], count), rows), [of_rows; 2], mean(&|row| own(row[at], count), rows))
    };
    let (of_a, of_b) = (within(first, 0, n), within(second, 1, m));
    let of_rows = [mean(&|row| (row[1] / m).powi(2), first), mean(&|row| (row[0] / n).powi(2), second)];
    let between = pure(mean(&|row| row[3] / m, first), of_rows, mean(&|row| row[1] / m, first));
    // What the means over the other rows add by chance is not of one datum.
    let spread = |of: &dyn Fn(&[f64; 4]) -> f64, rows: &[[f64; 4]], chance: f64| {
        let centre = mean(of, rows);
        let sum = rows.iter().map(|row| (of(row) - centre).powi(2)).sum::<f64>();
        sum / (rows.len() as f64 - 1.0) - chance
    };
    let of_one =
        spread(&a, first, of_a / (n - 1.0) + between / m) / n + spread(&b, second, of_b / (m - 1.0) + between / n) / m;
    let of_two = of_a / (n * (n - 1.0)) + of_b / (m * (m - 1.0)) + 2.0 * between / (n * m);
    // The first term is below 0 by chance where the laws are the same; what is left is half of the second at least.
    (value, (4.0 * of_one + 2.0 * of_two).max(of_two).sqrt())
}

fn median_distance(rows: ArrayView2<'_, f32>) -> Result<f64> {
    let step = rows.nrows().div_ceil(JUDGED);
    let judged: Vec<_> = rows.outer_iter().step_by(step).collect();
    let distance = |i: usize, j: usize| {
        let difference = judged[i].iter().zip(judged[j]).map(|(a, b)| f64::from(a - b).powi(2));
        difference.sum::<f64>().sqrt()
    };
    let pairs = (0..judged.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
    let mut distances: Vec<f64> = pairs.map(|(i, j)| distance(i, j)).collect();
    let middle = distances.len() / 2;
    match *distances.select_nth_unstable_by(middle, f64::total_cmp).1 {
        0.0 => Err(Error::argument("bandwidth", "cannot be the median distance of the data, which is 0")
            .with_hint("give it: bandwidth: 1")),
        median => Ok(median),
    }
}

dispatched! {
    /// Sums of the kernels of `point` with the first `n` rows and with the others, and of the squares of both.
    fn sums_of_kernels(point: &[f32], n: usize, columns: &[f32]) -> [f64; 4] {
        let count = columns.len() / point.len();
        let mut sums = [[0.0_f64; LANES]; 4];
        for (sample, [begin, end]) in [[0, n], [n, count]].into_iter().enumerate() {
            for first in (begin..end).step_by(WIDTH) {
                let width = WIDTH.min(end - first);
                // Far away behind the last: the kernel is 0 there.
                let mut squares = [f32::INFINITY; WIDTH];
                squares[..width].fill(0.0);
                for (c, value) in point.iter().enumerate() {
                    let others = &columns[c * count + first..c * count + first + width];
                    for (square, other) in squares.iter_mut().zip(others) {
                        *square += (value - other) * (value - other);
                    }
                }
                for squares in squares.as_chunks::<LANES>().0 {
                    for lane in 0..LANES {
                        let kernel = f64::from(exp(-0.5 * squares[lane]));
                        sums[sample][lane] += kernel;
                        sums[sample + 2][lane] += kernel * kernel;
                    }
                }
            }
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
        Tensor::new(shape, values.to_vec()).unwrap()
    }

    #[test]
    fn by_hand() {
        let task = Task::default();
        let k = |distance: f64| (-0.5 * distance * distance / 4.0).exp();
        let (a, b) = (tensor(&[2], &[0.0, 1.0]), tensor(&[3], &[0.0, 2.0, 5.0]));
        let found = mmd(&a, &b, Some(2.0), &task).unwrap();
        let between = (k(0.0) + k(2.0) + k(5.0) + k(1.0) + k(1.0) + k(4.0)) / 6.0;
        let truth = k(1.0) + (k(2.0) + k(5.0) + k(3.0)) / 3.0 - 2.0 * between;
        assert!((found.value - truth).abs() < 1e-6, "{found:?} for {truth}");
        assert_eq!(found.bandwidth, 2.0);
        // Distances 1, 0, 1, 2, 1, 2, 5, 4, 5, 3.
        assert_eq!(mmd(&a, &b, None, &task).unwrap().bandwidth, 2.0);
    }

    /// 300 pairs of samples of one law and of laws apart by a quarter of a standard deviation, in the plane: values are
    /// off by as much as their errors say, and unbiased against the closed form for Gaussians, ⟨k⟩ = s/(s + 2)
    /// exp(−δ²/2(s + 2)) with s = σ². Bounds at 5 standard errors.
    #[test]
    fn errors_are_those_of_many_samples() {
        const PAIRS: u64 = 300;
        let task = Task::default();
        let (bandwidth, s) = (1.5_f64, 2.25_f64);
        for shift in [0.0, 0.25] {
            let found: Vec<_> = (0..PAIRS)
                .map(|seed| {
                    let x = Tensor::normals(&[150, 2], 2 * seed, task.host()).unwrap();
                    let y = Tensor::normals(&[200, 2], 2 * seed + 1, task.host()).unwrap();
                    mmd(&x, &y.map(|v| v + shift), Some(bandwidth), &task).unwrap()
                })
                .collect();
            let mean = |of: &dyn Fn(&Discrepancy) -> f64| found.iter().map(of).sum::<f64>() / PAIRS as f64;
            let truth = 2.0 * s / (s + 2.0) * (1.0 - f64::exp(-2.0 * shift * shift / (2.0 * (s + 2.0))));
            let variance = mean(&|found| (found.value - truth).powi(2));
            let bias = mean(&|found| found.value) - truth;
            assert!(bias.abs() < 5.0 * (variance / PAIRS as f64).sqrt(), "{shift}: off by {bias}");
            let ratio = mean(&|found| found.error.powi(2)) / variance;
            // A sum of many squares varies as a normal, or about as χ² of few degrees where the laws are the same.
            assert!((0.65..1.6).contains(&ratio), "{shift}: the errors are {ratio} of what they should be, squared");
        }
    }

    /// Sizes beyond all blocks.
    #[test]
    fn pieces_join() {
        let task = Task::default();
        let [a, b] = [0.0, 3.0].map(|value| Tensor::full(&[700, 2], value, task.host()).unwrap());
        let found = mmd(&a, &b, Some(3.0), &task).unwrap();
        assert!((found.value - 2.0 * (1.0 - (-1.0_f64).exp())).abs() < 1e-6, "{found:?}");
        assert!(found.error < 1e-6, "{found:?}");
        assert!(mmd(&a, &a, None, &task).unwrap_err().to_string().contains("median distance of the data, which is 0"));
        let one = tensor(&[1, 2], &[0.0, 0.0]);
        assert_eq!(
            mmd(&a, &one, None, &task).unwrap_err().to_string(),
            "`b` has one row, and two are needed for a pair"
        );
        assert_eq!(mmd(&a, &b, Some(0.0), &task).unwrap_err().to_string(), "`bandwidth` must be above 0, got 0");
    }
}
