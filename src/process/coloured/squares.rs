//! Least squares: linear, linear with unknowns that are not negative, and nonlinear.

use std::ops::Range;

use nalgebra::{DMatrix, DVector};

use crate::task::Task;

/// Singular values below this part of the largest count as 0.
const SINGULAR: f64 = 1e-13;

/// The x of least norm, in units of the columns' norms, that minimises ‖A x − b‖.
pub(super) fn least_squares(matrix: &DMatrix<f64>, wanted: &DVector<f64>) -> Option<DVector<f64>> {
    let norms = DVector::from_fn(matrix.ncols(), |j, _| matrix.column(j).norm().max(f64::MIN_POSITIVE));
    let mut scaled = matrix.clone();
    scaled.column_iter_mut().zip(&norms).for_each(|(mut column, norm)| column /= *norm);
    if !scaled.iter().all(|entry| entry.is_finite()) {
        return None;
    }
    let factors = scaled.qr();
    let (triangle, right) = (factors.r(), factors.q().transpose() * wanted);
    let solution = triangle.try_svd(true, true, f64::EPSILON, 10_000)?.solve(&right, SINGULAR).ok()?;
    Some(solution.component_div(&norms))
}

/// The x ≥ 0 that minimises ‖A x − b‖, by active sets (Lawson, Hanson 1974, chapter 23).
pub(super) fn non_negative(matrix: &DMatrix<f64>, wanted: &DVector<f64>) -> DVector<f64> {
    let count = matrix.ncols();
    let mut solution = DVector::zeros(count);
    let mut free: Vec<usize> = Vec::new();
    // The gradient is seen in units of the columns' norms: their sizes differ by many powers of ten.
    let norms: Vec<_> = matrix.column_iter().map(|column| column.norm().max(f64::MIN_POSITIVE)).collect();
    let tolerance = 1e-12 * wanted.norm();
    // Every set of free unknowns lowers the residual, so none comes twice; rounding may want to go round in circles.
    for _ in 0..3 * count {
        let mut gradient = matrix.tr_mul(&(wanted - matrix * &solution));
        gradient.iter_mut().zip(&norms).for_each(|(slope, norm)| *slope /= norm);
        let candidates = (0..count).filter(|i| !free.contains(i) && gradient[*i] > tolerance);
        let Some(best) = candidates.max_by(|&i, &j| gradient[i].total_cmp(&gradient[j])) else { break };
        free.push(best);
        loop {
            let columns = matrix.select_columns(&free);
            let Some(trial) = least_squares(&columns, wanted) else { return solution };
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

/// Steps of a refinement.
const STEPS: usize = 100;
/// It ends where a step gains less than this part.
const GAIN: f64 = 1e-4;

/// A sum of squares over parameters.
pub(super) struct Squares<'a> {
    pub(super) residual: &'a dyn Fn(&[f64]) -> DVector<f64>,
    /// Derivatives of the residual, [values, parameters].
    pub(super) slopes: &'a dyn Fn(&[f64]) -> DMatrix<f64>,
    /// The parameters that are logarithms: no step changes what they stand for by more than a factor of e.
    pub(super) logarithms: Range<usize>,
}

impl Squares<'_> {
    /// The parameters that make the sum least, from `start` (Levenberg 1944, Marquardt 1963).
    /// Those found so far when the task is cancelled.
    pub(super) fn refined(&self, start: Vec<f64>, task: &Task) -> Vec<f64> {
        let (mut best, mut damping) = (start, 1e-3);
        let mut error = (self.residual)(&best);
        for _ in 0..STEPS {
            if task.cancelled() {
                break;
            }
            let slopes = (self.slopes)(&best);
            let (normal, gradient) = (slopes.tr_mul(&slopes), slopes.tr_mul(&error));
            let found = std::iter::successors(Some(damping), |damping| Some(5.0 * damping))
                .take_while(|damping| *damping < 1e10)
                .find_map(|damping| {
                    let trial = self.step(&best, &normal, &gradient, damping)?;
                    let residual = (self.residual)(&trial);
                    // Not so if it is not a number.
                    (residual.norm_squared() < error.norm_squared()).then_some((trial, residual, damping))
                });
            let Some((trial, residual, used)) = found else { break };
            let gain = 1.0 - residual.norm_squared() / error.norm_squared();
            (best, error, damping) = (trial, residual, (0.2 * used).max(1e-12));
            if gain < GAIN {
                break;
            }
        }
        best
    }

    fn step(&self, at: &[f64], normal: &DMatrix<f64>, gradient: &DVector<f64>, damping: f64) -> Option<Vec<f64>> {
        let mut damped = normal.clone();
        let least = 1e-12 * normal.trace() / at.len() as f64;
        for i in 0..at.len() {
            damped[(i, i)] += damping * (normal[(i, i)] + least);
        }
        let mut step = damped.cholesky()?.solve(gradient);
        self.logarithms.clone().for_each(|i| step[i] = step[i].clamp(-1.0, 1.0));
        Some(at.iter().zip(&step).map(|(parameter, step)| parameter - step).collect())
    }
}

/// Symmetric differences of `residual` with these `steps` of the parameters.
pub(super) fn differences(
    residual: impl Fn(&[f64]) -> DVector<f64>,
    at: &[f64],
    steps: impl Fn(usize) -> f64,
) -> DMatrix<f64> {
    let mut moved = at.to_vec();
    let columns = (0..at.len()).map(|i| {
        moved[i] = at[i] + steps(i);
        let forward = residual(&moved);
        moved[i] = at[i] - steps(i);
        let backward = residual(&moved);
        moved[i] = at[i];
        (forward - backward) / (2.0 * steps(i))
    });
    DMatrix::from_columns(&columns.collect::<Vec<_>>())
}
