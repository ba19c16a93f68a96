//! The expected state of a linear process at a time, given its state at a later one.

use nalgebra::{DMatrix, DVector};

use super::combination::{Combination, joined};
use super::update::Update;
use crate::error::{Error, Result};
use crate::process::Process;
use crate::score::Coordinates;

/// E[z_to | z_from] in the coordinates of a score, from the rows of z_from and of the score (Tweedie's formula:
/// Robbins, Proc. Third Berkeley Symp. 1, 157 (1956)), exact for the true score however long the step.
///
/// Given the datum x_0, z_from is Gaussian with the mean Φ x_0 + c and the factor L, the driven components last, and
/// the driven part of its score is −L_dd^{−ᵀ} B (z − Φ x_0 − c), B the driven rows of L⁻¹. The mean of this over x_0
/// given z is the score s of all data, whence B Φ E[x_0 | z] = B (z − c) + L_ddᵀ s: the whole state tells of the datum,
/// also where the data block has no noise of its own. What z_to is on the way from x_0 to z_from is linear in both.
///
/// # Errors
/// When a kernel does not exist, or the driven components do not tell of the data.
pub(super) fn expected(process: &Process, from: f64, to: f64, coordinates: Coordinates) -> Result<Update> {
    let (mut late, mut early) = (process.kernel(from)?.with_density()?, process.kernel(to)?);
    if coordinates == Coordinates::Principal {
        // The means are taken off already.
        [&mut late, &mut early].into_iter().for_each(|kernel| kernel.offset.fill(0.0));
    }
    let way = process.transition(to, from)?;
    let (size, driven) = (late.offset.len(), process.driven().len());
    let order = process.undriven_first();
    let factor = late.cholesky_in(&order);
    // L⁻¹ of components in declared order.
    let white = factor
        .solve_lower_triangular(&DMatrix::identity(size, size).select_rows(&order))
        .expect("a law with a density has no pivot of 0");
    let told = white.rows(size - driven, driven).into_owned();
    let response = &told * late.response();
    let noise = factor.view((size - driven, size - driven), (driven, driven)).transpose();
    // E[x_0 | z] = datum · (z, s) + datum_offset, by least squares, where white components weigh the same.
    let solved = (response.transpose() * &response).cholesky().ok_or_else(|| {
        Error::process(process.name(), format!("its noise does not tell of the data at t = {from:e}"))
            .with_hint("take last: \"none\"")
    })?;
    let solve = |right: &DMatrix<f64>| solved.solve(&(response.transpose() * right));
    let datum = joined(&[&solve(&told), &solve(&noise)]);
    let column = |vector: &DVector<f64>| DMatrix::from_column_slice(vector.len(), 1, vector.as_slice());
    let datum_offset = -solve(&(&told * column(&late.offset)));
    // E[z_to | x_0, z] = Φ_to x_0 + c_to + gain (z − Φ x_0 − c).
    let gain = (&white * &way.transfer * &early.covariance).transpose() * &white;
    let carried = early.response() - &gain * late.response();
    let mut weights = &carried * datum;
    weights.columns_mut(0, size).zip_apply(&gain, |weight, gain| *weight += gain);
    let offset = carried * datum_offset + column(&early.offset) - gain * column(&late.offset);
    Ok(Combination::map(&offset.column(0).into_owned(), &weights).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Kernel;
    use crate::process::fixtures::{Active, passive};
    use crate::sample::update::Registers;

    /// For data of mean 0.5 and variance 0.2 all is Gaussian, and E[z_to | z] = m_to + C_to Φᵀ C⁻¹ (z − m) with the
    /// moments of noised data, which is another formula than by the datum. Steps long and short, to data and to before,
    /// where both blocks are driven, and where η alone is and its score has to tell of x. Seen to fail with the score's
    /// part of the datum left out, with the score's sign turned, and with the gain left out.
    #[test]
    fn gaussian_data_have_their_posterior_mean() {
        let driven = |passive: f64| Active { passive, force: 0.7, start: 0.3, ..Active::default() }.process();
        for process in [passive(), driven(0.0), driven(0.3)] {
            for (from, to) in [(1e-4, 0.0), (0.1, 0.0), (1.5, 0.0), (1.5, 0.4), (0.4, 0.399)] {
                let [late, early] = [from, to].map(|t| process.kernel(t).unwrap().with_data_variance(0.2));
                let mean = |law: &Kernel| DVector::from_vec(law.mean(&[0.5]));
                let precision = late.covariance.clone().try_inverse().unwrap();
                let way = process.transition(to, from).unwrap().transfer;
                let white = DVector::from_fn(mean(&late).len(), |i, _| 1.3 - 2.0 * i as f64);
                let away = &late.cholesky * white;
                let truth = mean(&early) + &early.covariance * way.transpose() * &precision * &away;
                let score = (-precision * &away).select_rows(process.driven());
                let inputs: Vec<_> = (mean(&late) + &away).iter().chain(&score).map(|&v| v as f32).collect();
                let mut found = vec![0.0; truth.len()];
                let update = expected(&process, from, to, Coordinates::Own).unwrap();
                update.apply(&mut Registers::new([], 1), 1, &inputs, &mut found);
                for (i, (found, truth)) in found.iter().zip(&truth).enumerate() {
                    let error = (f64::from(*found) - truth).abs() / late.covariance[(i, i)].sqrt();
                    assert!(error < 1e-5, "component {i} from {from} to {to}: {found}, not {truth}");
                }
            }
        }
    }
}
