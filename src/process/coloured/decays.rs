//! Fits by decays: sums of Ornstein–Uhlenbeck processes, whose variances are not negative.
//!
//! With the times on a logarithmic grid the variances follow from non-negative least squares, which leaves most of them
//! at 0; neighbours are joined as far as the tolerance allows, and all that is left is refined together.

use nalgebra::{DMatrix, DVector};

use super::sampled::{logarithmic, position};
use super::squares::{Squares, non_negative};
use super::wanted::Wanted;
use crate::error::Result;
use crate::task::Task;

/// Times of the grid per decade.
const PER_DECADE: f64 = 8.0;
/// Times on the grid up to such a ratio apart stand for one time between them: the first that gives the wanted
/// accuracy.
const RATIOS: [f64; 13] = [100.0, 20.0, 12.0, 10.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.5, 2.0, 1.7, 1.5];
/// Times may leave the range of the grid by this factor: a noise that is constant in the window asks for eternity.
const BEYOND: f64 = 10.0;
/// Step of numerical derivatives, in logarithms.
const STEP: f64 = 1e-5;
/// Decays that are nowhere more than this part of what is wanted are left out.
const NEGLIGIBLE: f64 = 1e-9;

/// What an Ornstein–Uhlenbeck process is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The noise itself.
    Noise,
    /// The position: its increments are added.
    Position,
}

/// One term of the sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decay {
    pub(super) of: Of,
    pub(super) variance: f64,
    pub(super) time: f64,
}

/// The sum of few decays within the tolerance, else the nearest one found, times rising; and its error. `None` where no
/// sum is nearer than nothing.
pub(super) fn fit(wanted: &Wanted, families: &[Of], tolerance: f64, task: &Task) -> Result<Option<(Vec<Decay>, f64)>> {
    let fit = Fit { wanted, task, target: wanted.weighted(&wanted.values) };
    let (low, high) = wanted.range();
    let (shortest, longest) = wanted.sampled.times(low, high);
    let count = (PER_DECADE * (longest / shortest).log10()).ceil() as usize;
    let times = logarithmic(shortest, longest, count + 1)?;
    let grid: Vec<_> = families.iter().flat_map(|&of| times.iter().map(move |&time| (of, time))).collect();
    let rough = fit.with_variances(&grid);
    // Where the sum of all is far off, no choice of them is near.
    let ratios = match fit.error(&rough) > (10.0 * tolerance).max(0.5) {
        true => &RATIOS[RATIOS.len() - 1..],
        false => &RATIOS[..],
    };
    let mut best: Option<(Vec<Decay>, f64)> = None;
    for ratio in ratios {
        let start = fit.with_variances(&joined(&rough, *ratio));
        task.check()?;
        if start.is_empty() {
            break;
        }
        let (decays, error) = fit.refined(start);
        if best.as_ref().is_none_or(|(_, least)| error < *least) {
            best = Some((decays, error));
        }
        if error <= tolerance {
            break;
        }
    }
    while let Some((decays, error)) = &best {
        let Some(times) = fewer(decays).filter(|_| *error <= tolerance) else { break };
        let (decays, error) = fit.refined(fit.with_variances(&times));
        task.check()?;
        if error > tolerance {
            break;
        }
        best = Some((decays, error));
    }
    Ok(best)
}

struct Fit<'a> {
    wanted: &'a Wanted,
    task: &'a Task,
    /// The weighted values.
    target: DVector<f64>,
}

impl Fit<'_> {
    fn unit(&self, of: Of, time: f64) -> Vec<f64> {
        let unit = |&place: &f64| match of {
            Of::Noise => self.wanted.sampled.unit(time, place),
            Of::Position => position(time, place),
        };
        self.wanted.places.iter().map(unit).collect()
    }

    fn sum(&self, decays: &[Decay]) -> Vec<f64> {
        let mut sum = vec![0.0; self.wanted.places.len()];
        for &Decay { of, variance, time } in decays {
            sum.iter_mut().zip(self.unit(of, time)).for_each(|(sum, unit)| *sum += variance * unit);
        }
        sum
    }

    fn error(&self, decays: &[Decay]) -> f64 {
        self.wanted.error(&self.sum(decays)).0
    }

    /// The times with the variances that are best for them, without those that are 0.
    fn with_variances(&self, times: &[(Of, f64)]) -> Vec<Decay> {
        let columns: Vec<_> = times.iter().map(|&(of, time)| self.wanted.weighted(&self.unit(of, time))).collect();
        if columns.is_empty() {
            return Vec::new();
        }
        let variances = non_negative(&DMatrix::from_columns(&columns), &self.target);
        let decay = |(&(of, time), &variance): (&(Of, f64), &f64)| Decay { of, variance, time };
        let decays = times.iter().zip(&variances).map(decay);
        let parts = columns.iter().zip(&variances).map(|(column, variance)| variance * column.amax());
        let counts = |part: f64| part > NEGLIGIBLE * self.target.amax();
        decays.zip(parts).filter(|(_, part)| counts(*part)).map(|(decay, _)| decay).collect()
    }

    /// Least squares in the logarithms of all variances and times at once; and the error.
    fn refined(&self, start: Vec<Decay>) -> (Vec<Decay>, f64) {
        let (low, high) = self.wanted.range();
        let (shortest, longest) = self.wanted.sampled.times(low, high);
        let decays = |parameters: &[f64]| -> Vec<Decay> {
            let pairs = start.iter().zip(parameters.chunks_exact(2));
            let decay = |(old, new): (&Decay, &[f64])| Decay {
                of: old.of,
                variance: new[0].exp(),
                time: new[1].exp().clamp(shortest / BEYOND, longest * BEYOND),
            };
            pairs.map(decay).collect()
        };
        let residual = |parameters: &[f64]| self.wanted.residual(&self.sum(&decays(parameters)));
        let slopes = |parameters: &[f64]| {
            let columns = decays(parameters).into_iter().flat_map(|Decay { of, variance, time }| {
                let unit = |step: f64| self.wanted.weighted(&self.unit(of, time * step.exp())) * variance;
                [unit(0.0), (unit(STEP) - unit(-STEP)) / (2.0 * STEP)]
            });
            DMatrix::from_columns(&columns.collect::<Vec<_>>())
        };
        let logarithms = start.iter().flat_map(|decay| [decay.variance.ln(), decay.time.ln()]).collect::<Vec<_>>();
        let squares = Squares { residual: &residual, slopes: &slopes, logarithms: 0..logarithms.len() };
        let mut best = decays(&squares.refined(logarithms, self.task));
        best.sort_by(|a, b| a.time.total_cmp(&b.time));
        let error = self.error(&best);
        (best, error)
    }
}

/// The times of each family, those up to `ratio` apart joined in their mean logarithm weighted with the variances.
fn joined(decays: &[Decay], ratio: f64) -> Vec<(Of, f64)> {
    let mut groups: Vec<(Of, f64, f64, f64)> = Vec::new();
    for &Decay { of, variance, time } in decays {
        match groups.last_mut() {
            Some((known, first, weight, sum)) if *known == of && time < ratio * *first => {
                (*weight, *sum) = (*weight + variance, *sum + variance * time.ln());
            }
            _ => groups.push((of, time, variance, variance * time.ln())),
        }
    }
    groups.into_iter().map(|(of, _, weight, sum)| (of, (sum / weight).exp())).collect()
}

/// The times with the two of one family that are nearest to each other replaced by their mean logarithm.
fn fewer(decays: &[Decay]) -> Option<Vec<(Of, f64)>> {
    let mut times: Vec<_> = decays.iter().map(|decay| (decay.of, decay.time)).collect();
    // A stable order: times rise within a family.
    times.sort_by_key(|(of, _)| *of == Of::Position);
    let ratio = |i: usize| times[i + 1].1 / times[i].1;
    let neighbours = (0..times.len().saturating_sub(1)).filter(|&i| times[i].0 == times[i + 1].0);
    let nearest = neighbours.min_by(|&i, &j| ratio(i).total_cmp(&ratio(j)))?;
    let (_, next) = times.remove(nearest + 1);
    times[nearest].1 = (times[nearest].1 * next).sqrt();
    Some(times)
}
