//! Divergences between histograms.

use ndarray::ArrayView2;

use super::pair;
use crate::error::{Error, Result};
use crate::settings::{Setting, Values};
use crate::task::Task;
use crate::tensor::Tensor;

/// The bins of a histogram over all coordinates of a datum.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    /// Bins along each coordinate.
    pub count: usize,
    /// Lower and upper end of every coordinate; the extremes of both samples if not given. Values outside count in
    /// the outermost bins, so that no probability is lost from sight.
    pub range: Option<[f64; 2]>,
}

impl Default for Bins {
    fn default() -> Self {
        Self::read(&Values::defaults(Self::SETTINGS)).expect("the defaults have no range")
    }
}

impl Bins {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::count("bins", "number of bins along each coordinate").or(50.0),
        Setting::numbers("range", "`[low, high]` of every coordinate; what lies outside counts in the outermost bins")
            .or_else("the extremes of both samples"),
    ];

    /// The bins that `values` of [`Bins::SETTINGS`] set.
    ///
    /// # Errors
    /// When the range is not two numbers.
    pub fn read(values: &Values) -> Result<Self> {
        let range = values.numbers_if_given("range").map(|range| match *range {
            [low, high] => Ok([low, high]),
            _ => Err(Error::argument("range", format!("must be [low, high], got {} numbers", range.len()))),
        });
        Ok(Self { count: values.count("bins"), range: range.transpose()? })
    }
}

/// Bins in all: enough for 256×256 or 50³ and more, not for images.
const MAX_BINS: usize = 1 << 24;

/// The Kullback–Leibler divergence Σ P ln(P/Q) in nats between the histograms of two samples, `a` giving P.
///
/// Half a count is added to every bin (Krichevsky, Trofimov 1981): without it one empty bin of Q makes the result
/// infinite. The histograms of two samples of one distribution differ by about bins/n; compare only results with the
/// same bins and counts.
///
/// # Errors
/// When the bins are fewer than 1 or too many in all, the range is empty, the data differ in their coordinates, or a
/// sample is empty or not finite; when the memory does not suffice.
pub fn kl_histogram(a: &Tensor, b: &Tensor, bins: &Bins, task: &Task) -> Result<f64> {
    let (p, q) = histograms(a, b, bins, 0.5, task)?;
    Ok(divergence(&p, &q))
}

/// The Jensen–Shannon divergence in nats between the histograms of two samples: from 0 to ln 2 = 0.693 (Lin 1991).
///
/// # Errors
/// As [`kl_histogram`].
pub fn js_histogram(a: &Tensor, b: &Tensor, bins: &Bins, task: &Task) -> Result<f64> {
    let (p, q) = histograms(a, b, bins, 0.0, task)?;
    let middle: Vec<f64> = p.iter().zip(&q).map(|(p, q)| 0.5 * (p + q)).collect();
    Ok(0.5 * (divergence(&p, &middle) + divergence(&q, &middle)))
}

fn divergence(p: &[f64], q: &[f64]) -> f64 {
    // Rounding may leave a sum of equal histograms just below 0.
    p.iter().zip(q).filter(|(p, _)| **p > 0.0).map(|(p, q)| p * (p / q).ln()).sum::<f64>().max(0.0)
}

/// Probabilities of the bins, with `prior` counts added to each.
fn histograms(a: &Tensor, b: &Tensor, bins: &Bins, prior: f64, task: &Task) -> Result<(Vec<f64>, Vec<f64>)> {
    let (x, y) = pair(a, b)?;
    let (x, y) = (x.matrix(), y.matrix());
    let dimension = x.ncols();
    if bins.count == 0 {
        return Err(Error::argument("bins", "must be at least 1, got 0"));
    }
    let power = u32::try_from(dimension).ok().and_then(|d| bins.count.checked_pow(d));
    let total = power.filter(|&total| total <= MAX_BINS).ok_or_else(|| {
        Error::argument("bins", format!("of {} along each of {dimension} coordinates are too many", bins.count))
            .with_hint("use fewer bins, compare single coordinates (`x.column(0)`), or use sliced_wasserstein")
    })?;
    // Both histograms and their middle.
    task.host()
        .afford(24.0 * total as f64, |problem| Error::argument("bins", format!("of {total} in all {problem}")))?;
    let axes = match bins.range {
        Some([low, high]) if low < high && (high - low).is_finite() => vec![[low, high]; dimension],
        Some([low, high]) => {
            return Err(Error::argument(
                "range",
                format!("must go from a lower to a higher number, got [{low}, {high}]"),
            ));
        }
        None => (0..dimension).map(|c| extremes(x, y, c)).collect(),
    };
    let count = |rows: ArrayView2<'_, f32>| {
        let mut counts = vec![prior; total];
        for row in rows.rows() {
            counts[row.iter().zip(&axes).fold(0, |bin, (v, axis)| bin * bins.count + place(*v, *axis, bins.count))] +=
                1.0;
        }
        let sum = rows.nrows() as f64 + prior * total as f64;
        counts.iter_mut().for_each(|count| *count /= sum);
        counts
    };
    Ok((count(x), count(y)))
}

/// Smallest and largest value of coordinate `c`, with some room where they are equal.
fn extremes(x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, c: usize) -> [f64; 2] {
    let values = x.column(c).into_iter().chain(y.column(c)).map(|v| f64::from(*v));
    let [low, high] = values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)]);
    if low < high { [low, high] } else { [low - 0.5, high + 0.5] }
}

/// Bin of `value`; the conversion saturates at 0 and the minimum at the last bin.
fn place(value: f32, [low, high]: [f64; 2], bins: usize) -> usize {
    (((f64::from(value) - low) / (high - low) * bins as f64) as usize).min(bins - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
        Tensor::new(shape, values.to_vec()).unwrap()
    }

    #[test]
    fn by_hand() {
        let (a, b) = (tensor(&[4], &[0.1, 0.2, 0.3, 0.9]), tensor(&[4], &[0.1, 0.8, 0.7, 0.9]));
        let bins = Bins { count: 2, range: Some([0.0, 1.0]) };
        // With half a count in each bin: P = (3.5, 1.5)/5, Q = (1.5, 3.5)/5.
        let truth = 0.7 * f64::ln(7.0 / 3.0) + 0.3 * f64::ln(3.0 / 7.0);
        assert!((kl_histogram(&a, &b, &bins, &Task::default()).unwrap() - truth).abs() < 1e-15);
        let truth = 0.75 * f64::ln(1.5) + 0.25 * f64::ln(0.5);
        assert!((js_histogram(&a, &b, &bins, &Task::default()).unwrap() - truth).abs() < 1e-15);
        assert_eq!(kl_histogram(&a, &a, &bins, &Task::default()).unwrap(), 0.0);
        let far = tensor(&[2], &[-1e30, 1e30]);
        let outer = tensor(&[2], &[0.0, 1.0]);
        assert_eq!(js_histogram(&far, &outer, &bins, &Task::default()).unwrap(), 0.0);
        let apart =
            js_histogram(&outer, &tensor(&[1], &[0.5]), &Bins { count: 3, range: None }, &Task::default()).unwrap();
        assert!((apart - std::f64::consts::LN_2).abs() < 1e-15);
    }

    #[test]
    fn in_the_plane_both_coordinates_count() {
        let a = tensor(&[2, 2], &[0.0, 0.0, 1.0, 1.0]);
        let b = tensor(&[2, 2], &[0.0, 1.0, 1.0, 0.0]);
        let bins = Bins { count: 2, range: None };
        assert!((js_histogram(&a, &b, &bins, &Task::default()).unwrap() - std::f64::consts::LN_2).abs() < 1e-15);
        let point = tensor(&[1, 2], &[3.0, 3.0]);
        assert_eq!(js_histogram(&point, &point, &bins, &Task::default()).unwrap(), 0.0);
    }

    #[test]
    fn bad_bins_are_refused() {
        let a = Tensor::normals(&[5, 8], 1, &Host::default()).unwrap();
        let problem =
            |count, range| kl_histogram(&a, &a, &Bins { count, range }, &Task::default()).expect_err("bad").to_string();
        assert_eq!(problem(0, None), "`bins` must be at least 1, got 0");
        assert_eq!(problem(10, None), "`bins` of 10 along each of 8 coordinates are too many");
        assert_eq!(problem(2, Some([1.0, 1.0])), "`range` must go from a lower to a higher number, got [1, 1]");
        assert!(problem(2, Some([0.0, f64::NAN])).contains("`range`"));
    }
}
