//! The known part of a score that fits simulated states best.

use nalgebra::{DMatrix, DVector};

use crate::error::{Error, Result};
use crate::process::Process;

/// The score of least E[½ s_d² + ∂_d s_d] (Hyvärinen, JMLR 6, 695 (2005)) among −Σ_b gauss[d, b] (z_b − μ_b), the
/// Gaussian one, plus weight_f (φ_f − level_f) where there is a φ: [driven, m], with zeros for components at rest, and
/// \[φs\]. `places` are those of the φ among the driven components, and `balance` what was measured of each,
/// [φs, m + 2].
///
/// # Errors
/// When a driven component has no density, at `time`.
pub(super) fn fit(
    process: &Process,
    places: &[usize],
    covariance: &DMatrix<f64>,
    balance: &[f64],
    time: f64,
) -> Result<(DMatrix<f64>, Vec<f64>)> {
    let m = covariance.nrows();
    let moving: Vec<_> = (0..m).filter(|&i| covariance[(i, i)] > 0.0).collect();
    let law = covariance.select_rows(&moving).select_columns(&moving);
    let singular = || {
        let problem = format!("the simulated states have no density at t = {time:e}");
        Error::process(process.name(), problem).with_hint("let noise reach every block that moves")
    };
    let driven = process.driven();
    let mut gauss = DMatrix::zeros(driven.len(), m);
    let mut weights = vec![0.0; places.len()];
    for (row, block) in driven.iter().enumerate() {
        let place = moving.iter().position(|i| i == block).ok_or_else(singular)?;
        let unit = DVector::from_fn(moving.len(), |i, _| f64::from(i == place));
        let balanced = places.iter().position(|p| *p == row).and_then(|f| {
            let [cross @ .., square, slope] = &balance[f * (m + 2)..(f + 1) * (m + 2)] else { return None };
            // 0 where φ was not finite: its noise vanishes somewhere.
            if *square <= 0.0 {
                return None;
            }
            let mut all = law.clone().resize(moving.len() + 1, moving.len() + 1, *square);
            for (i, &component) in moving.iter().enumerate() {
                all[(i, moving.len())] = cross[component];
                all[(moving.len(), i)] = cross[component];
            }
            let mut solution = solve(&all, &unit.clone().push(*slope))?;
            weights[f] = -solution[moving.len()];
            solution.resize_vertically_mut(moving.len(), 0.0);
            Some(solution)
        });
        // A φ that is all but linear in the components adds nothing that they cannot say.
        let solution = balanced.or_else(|| solve(&law, &unit)).ok_or_else(singular)?;
        for (&component, value) in moving.iter().zip(&solution) {
            gauss[(row, component)] = *value;
        }
    }
    Ok((gauss, weights))
}

/// The solution of a positive definite system, unless it is singular to working precision.
fn solve(matrix: &DMatrix<f64>, right: &DVector<f64>) -> Option<DVector<f64>> {
    // In units in which the diagonal is 1: components may be of very different size.
    let unit = matrix.diagonal().map(|v| v.sqrt().recip());
    let scaled = DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] * unit[i] * unit[j]);
    let factor = scaled.cholesky()?;
    let least = factor.l_dirty().diagonal().min();
    let solution = factor.solve(&right.component_mul(&unit)).component_mul(&unit);
    (least > 1e-6 && solution.iter().all(|v| v.is_finite())).then_some(solution)
}
