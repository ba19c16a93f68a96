//! Markov embedding of coloured noise: a sum of independent Ornstein–Uhlenbeck processes with a wanted correlation
//! function, or a wanted spectrum.
//!
//! The sum has the correlation C(t) = Σ vᵢ exp(−|t|/τᵢ) and the spectrum S(ω) = Σ 2 vᵢ τᵢ/(1 + ω²τᵢ²). With the times
//! τᵢ on a logarithmic grid the variances vᵢ ≥ 0 follow from non-negative least squares (Lawson, Hanson, "Solving Least
//! Squares Problems" (1974), chapter 23), which leaves most of them at 0.

use nalgebra::{DMatrix, DVector};

use crate::error::{Error, Result};

/// Times of the grid per decade.
const PER_DECADE: f64 = 8.0;
/// Times on the grid up to such a ratio apart stand for one time between them: the first that gives the wanted
/// accuracy.
const RATIOS: [f64; 10] = [100.0, 20.0, 12.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.5];
/// Values below this part of the largest are fitted to that accuracy, larger ones relative to themselves.
const FLOOR: f64 = 0.01;
/// Steps of the refinement of times and variances; it ends before where nothing gets better.
const REFINEMENTS: usize = 100;
/// Step of its numerical derivatives, in logarithms.
const STEP: f64 = 1e-5;
/// Variances below this part of their sum are left out.
const NEGLIGIBLE: f64 = 1e-9;
/// More values than this say nothing more about a sum of exponentials.
const MOST_VALUES: usize = 1000;

/// What is known of the noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampled {
    /// The correlation function C at times ≥ 0.
    Correlation,
    /// The spectrum S(ω) = ∫ C(t) e^{iωt} dt at angular frequencies ≥ 0.
    Spectrum,
}

impl Sampled {
    /// What an Ornstein–Uhlenbeck process of unit variance and persistence time `tau` has at `place`.
    fn unit(self, tau: f64, place: f64) -> f64 {
        match self {
            Self::Correlation => (-place / tau).exp(),
            Self::Spectrum => 2.0 * tau / (1.0 + (place * tau).powi(2)),
        }
    }

    /// The persistence times that `places` above 0 can tell apart.
    fn range(self, low: f64, high: f64) -> (f64, f64) {
        match self {
            Self::Correlation => (0.5 * low, 2.0 * high),
            Self::Spectrum => (0.5 / high, 2.0 / low),
        }
    }
}

/// Ornstein–Uhlenbeck processes whose sum is the wanted noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// (Variance vᵢ, persistence time τᵢ), times rising.
    pub components: Vec<(f64, f64)>,
    /// The largest error, in parts of the wanted value or of 1 % of the largest one, whichever is more.
    pub error: f64,
}

/// A sum of few Ornstein–Uhlenbeck processes that has these `values` of a correlation function or spectrum at `places`,
/// with an error of up to `tolerance` where there is such a sum, else the nearest one found.
///
/// # Errors
/// When the numbers of places and values differ, fewer than two places are above 0, a number is not finite, or no value
/// is above 0.
pub fn embed(sampled: Sampled, places: &[f64], values: &[f64], tolerance: f64) -> Result<Embedding> {
    let (low, high) = check(places, values)?;
    let largest = values.iter().copied().fold(0.0, f64::max);
    // Each equation is divided by the error that it may have.
    let weights: Vec<_> = values.iter().map(|value| 1.0 / value.abs().max(FLOOR * largest)).collect();
    let wanted =
        DVector::from_iterator(values.len(), values.iter().zip(&weights).map(|(value, weight)| value * weight));
    let matrix = |times: &[f64]| {
        DMatrix::from_fn(places.len(), times.len(), |i, j| sampled.unit(times[j], places[i]) * weights[i])
    };
    let (shortest, longest) = sampled.range(low, high);
    let count = (PER_DECADE * (longest / shortest).log10()).ceil() as usize;
    let grid = logarithmic(shortest, longest, count + 1)?;
    let rough = non_negative(&matrix(&grid), &wanted);
    let residual = |components: &[(f64, f64)]| {
        let (variances, times): (Vec<_>, Vec<_>) = components.iter().copied().unzip();
        matrix(&times) * DVector::from_vec(variances) - &wanted
    };
    let mut best: Option<Embedding> = None;
    for ratio in RATIOS {
        let times = joined(&grid, rough.as_slice(), ratio);
        let variances = non_negative(&matrix(&times), &wanted);
        let start: Vec<_> = variances.iter().copied().zip(times).filter(|(variance, _)| *variance > 0.0).collect();
        if start.is_empty() {
            break;
        }
        let components = refined(start, residual);
        let error = residual(&components).amax();
        if best.as_ref().is_none_or(|best| error < best.error) {
            best = Some(Embedding { components, error });
        }
        if error <= tolerance {
            break;
        }
    }
    best.ok_or_else(|| Error::argument("values", "are nearest to no noise at all: no sum of decays comes closer"))
}

/// The least and the largest place above 0.
fn check(places: &[f64], values: &[f64]) -> Result<(f64, f64)> {
    let refuse = |problem: String| Err(Error::argument("values", problem));
    let (count, known) = (values.len(), places.len());
    if count != known || count > MOST_VALUES {
        return refuse(format!("are {count} for {known} places; both must be as many, {MOST_VALUES} at most"));
    }
    if !places.iter().chain(values).all(|number| number.is_finite()) || places.iter().any(|&place| place < 0.0) {
        return refuse("must be finite, at times or frequencies of 0 or above".to_owned());
    }
    let positive = || places.iter().copied().filter(|&place| place > 0.0);
    let (low, high) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
    if low >= high || values.iter().all(|&value| value <= 0.0) {
        return refuse("need two times or frequencies above 0, and a value above 0".to_owned());
    }
    Ok((low, high))
}

/// `count` places from `low` to `high` at equal ratios.
///
/// # Errors
/// When not 0 < `low` < `high`, or fewer than two are asked for.
pub fn logarithmic(low: f64, high: f64, count: usize) -> Result<Vec<f64>> {
    if !(low > 0.0 && low < high && high.is_finite() && count >= 2) {
        return Err(Error::argument("to", format!("must be above `from`, got {low} to {high}")));
    }
    Ok((0..count).map(|i| low * (high / low).powf(i as f64 / (count - 1) as f64)).collect())
}

/// Least squares in all variances and times at once, in their logarithms, from `start` (Levenberg 1944, Marquardt
/// 1963).
fn refined(start: Vec<(f64, f64)>, residual: impl Fn(&[(f64, f64)]) -> DVector<f64>) -> Vec<(f64, f64)> {
    let unknowns = 2 * start.len();
    let moved = |components: &[(f64, f64)], by: &[f64]| -> Vec<(f64, f64)> {
        let pairs = components.iter().zip(by.chunks_exact(2));
        pairs.map(|((variance, time), by)| (variance * by[0].exp(), time * by[1].exp())).collect()
    };
    let (mut best, mut damping) = (start, 1e-3);
    for _ in 0..REFINEMENTS {
        let error = residual(&best);
        let mut slopes = DMatrix::zeros(error.len(), unknowns);
        for column in 0..unknowns {
            let mut by = vec![0.0; unknowns];
            by[column] = STEP;
            let forward = residual(&moved(&best, &by));
            by[column] = -STEP;
            let slope = (forward - residual(&moved(&best, &by))) / (2.0 * STEP);
            slopes.set_column(column, &slope);
        }
        let normal = slopes.transpose() * &slopes;
        let damped = &normal + damping * DMatrix::from_diagonal(&normal.diagonal().add_scalar(f64::MIN_POSITIVE));
        let Some(step) = damped.lu().solve(&-(slopes.transpose() * &error)) else { break };
        let trial = moved(&best, step.map(|by| by.clamp(-1.0, 1.0)).as_slice());
        if residual(&trial).norm_squared() < error.norm_squared() {
            (best, damping) = (trial, 0.3 * damping);
        } else if damping < 1e8 {
            damping *= 5.0;
        } else {
            break;
        }
    }
    best.sort_by(|a, b| a.1.total_cmp(&b.1));
    best
}

/// The times with a variance, those up to `ratio` apart joined in their mean logarithm weighted with the variances.
fn joined(grid: &[f64], variances: &[f64], ratio: f64) -> Vec<f64> {
    let least = NEGLIGIBLE * variances.iter().sum::<f64>();
    let mut groups: Vec<(f64, f64, f64)> = Vec::new();
    for (&time, &variance) in grid.iter().zip(variances).filter(|(_, variance)| **variance > least) {
        match groups.last_mut() {
            Some((first, weight, sum)) if time < ratio * *first => {
                (*weight, *sum) = (*weight + variance, *sum + variance * time.ln());
            }
            _ => groups.push((time, variance, variance * time.ln())),
        }
    }
    groups.into_iter().map(|(_, weight, sum)| (sum / weight).exp()).collect()
}

/// The x ≥ 0 that minimises ‖A x − b‖, by active sets.
fn non_negative(matrix: &DMatrix<f64>, wanted: &DVector<f64>) -> DVector<f64> {
    let count = matrix.ncols();
    let mut solution = DVector::zeros(count);
    let mut free: Vec<usize> = Vec::new();
    let tolerance = 1e-12 * (matrix.transpose() * wanted).amax();
    // Every set of free unknowns lowers the residual, so none comes twice; rounding may want to go round in circles.
    for _ in 0..3 * count {
        let gradient = matrix.transpose() * (wanted - matrix * &solution);
        let candidates = (0..count).filter(|i| !free.contains(i) && gradient[*i] > tolerance);
        let Some(best) = candidates.max_by(|&i, &j| gradient[i].total_cmp(&gradient[j])) else { break };
        free.push(best);
        loop {
            let columns = matrix.select_columns(&free);
            let Ok(trial) = columns.svd(true, true).solve(wanted, 1e-13) else { return solution };
            // How far from the old solution to the trial all unknowns stay above 0.
            let step = |(place, &i): (usize, &usize)| {
                let part = solution[i] / (solution[i] - trial[place]).max(f64::MIN_POSITIVE);
                (trial[place] <= 0.0).then_some((i, part))
            };
            let Some((stop, part)) = free.iter().enumerate().filter_map(step).min_by(|a, b| a.1.total_cmp(&b.1)) else {
                free.iter().enumerate().for_each(|(place, &i)| solution[i] = trial[place]);
                break;
            };
            free.iter().enumerate().for_each(|(place, &i)| solution[i] += part * (trial[place] - solution[i]));
            solution[stop] = 0.0;
            free.retain(|&i| solution[i] > 0.0);
            if free.is_empty() {
                break;
            }
        }
    }
    solution
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::property::cases;

    fn grid(low: f64, high: f64, count: usize) -> Vec<f64> {
        logarithmic(low, high, count).unwrap()
    }

    fn correlation(components: &[(f64, f64)], time: f64) -> f64 {
        components.iter().map(|(variance, tau)| variance * (-time / tau).exp()).sum()
    }

    proptest! {
        #![proptest_config(cases(16))]

        /// A sum of two exponentials a factor of 4 or more apart comes back, from either side.
        #[test]
        fn sums_of_exponentials_are_found(tau in 0.05..0.5, ratio in 4.0..20.0, part in 0.2..0.8) {
            let wanted = [(part, tau), (1.0 - part, ratio * tau)];
            let times = grid(1e-2, 20.0, 100);
            let values: Vec<_> = times.iter().map(|&t| correlation(&wanted, t)).collect();
            let fit = embed(Sampled::Correlation, &times, &values, 1e-3).unwrap();
            prop_assert!(fit.error < 1e-3 && fit.components.len() == 2, "{fit:?}");
            for (time, value) in times.iter().zip(values) {
                prop_assert!((correlation(&fit.components, *time) - value).abs() < 0.01, "{fit:?}");
            }
            let spectrum: Vec<_> =
                times.iter().map(|&w| wanted.iter().map(|(v, tau)| v * Sampled::Spectrum.unit(*tau, w)).sum()).collect();
            let fit = embed(Sampled::Spectrum, &times, &spectrum, 1e-3).unwrap();
            prop_assert!(fit.error < 1e-3 && fit.components.len() == 2, "{fit:?}");
        }
    }

    /// Power laws over three decades, with less than two processes per decade.
    #[test]
    fn power_laws_are_fitted_to_two_percent() {
        for exponent in [0.25, 0.5, 1.0, 1.5] {
            let times = grid(0.01, 10.0, 200);
            let values: Vec<_> = times.iter().map(|t: &f64| t.powf(-exponent)).collect();
            let fit = embed(Sampled::Correlation, &times, &values, 0.02).unwrap();
            assert!(fit.error < 0.02 && fit.components.len() <= 7, "exponent {exponent}: {fit:?}");
        }
    }

    /// A correlation that oscillates is no sum of decaying exponentials of positive variance: the error says so.
    #[test]
    fn what_cannot_be_embedded_shows_in_the_error() {
        let times = grid(0.01, 5.0, 100);
        let values: Vec<_> = times.iter().map(|t: &f64| (-t).exp() * (4.0 * t).cos()).collect();
        assert!(embed(Sampled::Correlation, &times, &values, 1e-3).unwrap().error > 1.0);
        assert!(embed(Sampled::Correlation, &times, &values[1..], 0.02).is_err());
        assert!(embed(Sampled::Correlation, &[0.0, 1.0], &[1.0, 0.5], 0.02).is_err());
        assert!(embed(Sampled::Correlation, &[0.5, 1.0], &[-1.0, f64::NAN], 0.02).is_err());
        assert!(embed(Sampled::Spectrum, &[0.5, 1.0], &[-1.0, -1.0], 0.02).is_err());
    }
}
