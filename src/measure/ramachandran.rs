//! Divergence of pairs of angles on the torus, with its error.

use std::f64::consts::{PI, TAU};

use crate::error::{Error, Result};
use crate::settings::{Setting, Values};
use crate::task::Task;
use crate::tensor::{Rows, Tensor};

/// How pairs of angles are counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RamachandranBins {
    /// Bins of each angle, from −π to π.
    pub count: usize,
    /// Blocks of successive rows that are left out one after the other.
    pub blocks: usize,
}

impl RamachandranBins {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::count("bins", "bins of each angle, from −π to π").between(2.0, 2000.0).or(60.0),
        Setting::count(
            "blocks",
            "blocks of successive rows that the error is estimated from; each should be longer than the data remember",
        )
        .between(2.0, 1000.0)
        .or(20.0),
    ];

    /// The bins that `values` of [`RamachandranBins::SETTINGS`] set.
    pub fn read(values: &Values) -> Self {
        Self { count: values.count("bins"), blocks: values.count("blocks") }
    }
}

/// A divergence of pairs of angles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramachandran {
    /// The Jensen–Shannon divergence of the histograms, from 0 to ln 2.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// What independent samples of one law and these counts have on average.
    pub floor: f64,
}

/// The Jensen–Shannon divergence in nats (Lin 1991) between the histograms of two samples of pairs of angles, [n, 2] in
/// radians, taken modulo 2π: each angle has bins from −π to π.
///
/// The error is a jackknife over blocks of successive rows (Künsch, Ann. Statist. 17, 1989), so it also holds for rows
/// that are correlated in time. Two samples of one law differ by about (K − 1)(1/n + 1/m)/8, with K the bins that
/// have data: `floor`, which is more where rows are correlated.
///
/// # Errors
/// When the samples are no pairs, are not finite, or have fewer rows than blocks; when the memory does not suffice.
pub fn js_ramachandran(a: &Tensor, b: &Tensor, bins: &RamachandranBins, task: &Task) -> Result<Ramachandran> {
    let (x, y) = (a.rows("a")?, b.rows("b")?);
    let cells = bins.count * bins.count;
    let bytes = 16.0 * cells as f64 * (bins.blocks as f64 + 2.0);
    task.host()
        .afford(bytes, |problem| Error::argument("bins", format!("of {cells} in all for each block {problem}")))?;
    let (of_a, of_b) = (counts("a", &x, bins)?, counts("b", &y, bins)?);
    let (all_a, all_b) = (total(&of_a), total(&of_b));
    let value = divergence(&all_a, &all_b);
    let variance = jackknife(&of_a, &all_a, |rest| divergence(rest, &all_b))
        + jackknife(&of_b, &all_b, |rest| divergence(&all_a, rest));
    let filled = all_a.iter().zip(&all_b).filter(|(a, b)| **a + **b > 0.0).count() as f64;
    let floor = (filled - 1.0) / 8.0 * (1.0 / x.count as f64 + 1.0 / y.count as f64);
    Ok(Ramachandran { value, error: variance.sqrt(), floor })
}

/// The counts of each block.
fn counts(name: &str, rows: &Rows<'_>, bins: &RamachandranBins) -> Result<Vec<Vec<f64>>> {
    if rows.width() != 2 {
        return Err(Error::argument(
            name,
            format!("must be pairs of angles [n, 2], got data of {} numbers", rows.width()),
        ));
    }
    if rows.count < bins.blocks {
        let problem = format!("has {} rows for {} blocks", rows.count, bins.blocks);
        return Err(Error::argument(name, problem).with_hint("take fewer blocks, or more data"));
    }
    let mut counts = vec![vec![0.0; bins.count * bins.count]; bins.blocks];
    let bin =
        |angle: f32| (((f64::from(angle) + PI).rem_euclid(TAU) / TAU * bins.count as f64) as usize).min(bins.count - 1);
    for (row, pair) in rows.values.as_chunks::<2>().0.iter().enumerate() {
        counts[row * bins.blocks / rows.count][bin(pair[0]) * bins.count + bin(pair[1])] += 1.0;
    }
    Ok(counts)
}

fn total(blocks: &[Vec<f64>]) -> Vec<f64> {
    let mut all = vec![0.0; blocks[0].len()];
    blocks.iter().for_each(|block| all.iter_mut().zip(block).for_each(|(sum, count)| *sum += count));
    all
}

/// The variance of what `measure` finds, by leaving out each of the blocks.
fn jackknife(blocks: &[Vec<f64>], all: &[f64], measure: impl Fn(&[f64]) -> f64) -> f64 {
    let without = |block: &Vec<f64>| measure(&all.iter().zip(block).map(|(all, own)| all - own).collect::<Vec<_>>());
    let found: Vec<f64> = blocks.iter().map(without).collect();
    let count = found.len() as f64;
    let mean = found.iter().sum::<f64>() / count;
    (count - 1.0) / count * found.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
}

/// The Jensen–Shannon divergence of two histograms given by their counts.
fn divergence(a: &[f64], b: &[f64]) -> f64 {
    let (n, m) = (a.iter().sum::<f64>(), b.iter().sum::<f64>());
    let term = |p: f64, middle: f64| if p > 0.0 { 0.5 * p * (p / middle).ln() } else { 0.0 };
    let each = a.iter().zip(b).map(|(a, b)| {
        let (p, q) = (a / n, b / m);
        term(p, 0.5 * (p + q)) + term(q, 0.5 * (p + q))
    });
    each.sum::<f64>().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(values: &[f32]) -> Tensor {
        Tensor::new(&[values.len() / 2, 2], values.to_vec()).unwrap()
    }

    /// `count` pairs of angles, each around `centre` with standard deviation `width`.
    fn cloud(count: usize, centre: f64, width: f64, seed: u64) -> Tensor {
        Tensor::normals(&[count, 2], seed, Task::default().host()).unwrap().map(move |v| centre + width * v)
    }

    #[test]
    fn by_hand_and_across_the_edge() {
        let task = Task::default();
        let bins = RamachandranBins { count: 4, blocks: 2 };
        let a = pairs(&[-3.0, -3.0, -3.0, -3.0, 3.0, 3.0, 3.0, 3.0]);
        let b = pairs(&[3.0, 3.0, 3.0, 3.0]);
        let truth = 0.5 * (0.5 * f64::ln(0.5 / 0.25) + 0.5 * f64::ln(0.5 / 0.75) + f64::ln(1.0 / 0.75));
        let found = js_ramachandran(&a, &b, &bins, &task).unwrap();
        assert!((found.value - truth).abs() < 1e-12, "{found:?}");
        // A turn further, and beyond π.
        let turned = a.map(|angle| angle + TAU);
        assert!(js_ramachandran(&a, &turned, &bins, &task).unwrap().value < 1e-12);
        let apart = js_ramachandran(&pairs(&[1.0, 1.0, 1.0, 1.0]), &b, &bins, &task).unwrap();
        assert!((apart.value - std::f64::consts::LN_2).abs() < 1e-12 && apart.error < 1e-12, "{apart:?}");
    }

    /// 200 pairs of samples: the errors are those of many samples within a quarter, and samples of one law have the
    /// floor within 15 %, which bins of few data add. Rows in runs of ten that are the same have errors that are √10 as
    /// large.
    #[test]
    fn errors_are_those_of_many_samples() {
        const PAIRS: u64 = 200;
        let (task, bins) = (Task::default(), RamachandranBins { count: 8, blocks: 20 });
        let many = |shift: f64, runs: usize| {
            let found: Vec<_> = (0..PAIRS)
                .map(|seed| {
                    let long = |cloud: Tensor| {
                        let repeated = cloud.values().as_chunks::<2>().0.iter().flat_map(|p| p.repeat(runs)).collect();
                        Tensor::new(&[4000, 2], repeated).unwrap()
                    };
                    let a = long(cloud(4000 / runs, 0.0, 1.0, 2 * seed));
                    let b = long(cloud(4000 / runs, shift, 1.0, 2 * seed + 1));
                    js_ramachandran(&a, &b, &bins, &task).unwrap()
                })
                .collect();
            let mean = |of: &dyn Fn(&Ramachandran) -> f64| found.iter().map(of).sum::<f64>() / PAIRS as f64;
            let centre = mean(&|found| found.value);
            let spread = mean(&|found| (found.value - centre).powi(2)).sqrt();
            (centre, spread, mean(&|found| found.error.powi(2)).sqrt(), mean(&|found| found.floor))
        };
        let (_, spread, error, _) = many(0.7, 1);
        assert!((0.75..1.25).contains(&(error / spread)), "{error} for {spread}");
        let (_, wider, error, _) = many(0.7, 10);
        assert!((0.75..1.25).contains(&(error / wider)) && wider > 2.5 * spread, "{error} for {wider}, {spread}");
        let (centre, _, _, floor) = many(0.0, 1);
        assert!((centre / floor - 1.0).abs() < 0.15, "{centre} for {floor}");
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        let (task, bins) = (Task::default(), RamachandranBins { count: 4, blocks: 2 });
        let good = pairs(&[0.0; 8]);
        let refusal =
            |bad: &Tensor, bins: &RamachandranBins| js_ramachandran(&good, bad, bins, &task).unwrap_err().to_string();
        let three = Tensor::new(&[2, 3], vec![0.0; 6]).unwrap();
        assert_eq!(refusal(&three, &bins), "`b` must be pairs of angles [n, 2], got data of 3 numbers");
        assert_eq!(refusal(&pairs(&[0.0; 2]), &bins), "`b` has 1 rows for 2 blocks");
    }
}
