//! The order of every method on Gaussian data, by its response to the prior and to each random number: no sampling
//! noise.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::method::Midpoint;
use super::tests::by;
use super::*;
use crate::process::fixtures::{Active, passive};
use crate::process::{Linear, Process};
use crate::task::Task;

fn active(persistence: f64) -> Process {
    Active { persistence, ..Active::default() }.process()
}

/// Critically damped Langevin dynamics (arXiv 2112.07068): 1/M = 4, Γ = 1, β = 4, γ = 0.04.
fn cld() -> Process {
    let linear = Linear {
        drift: DMatrix::from_row_slice(2, 2, &[0.0, 16.0, -4.0, -16.0]),
        offset: DVector::zeros(2),
        noise: DMatrix::from_row_slice(2, 1, &[0.0, f64::sqrt(8.0)]),
        start_mean: DVector::zeros(2),
        start_std: DVector::from_vec(vec![0.0, 0.1]),
    };
    Process::from_linear("cld", &["x", "v"], linear, 1.0).unwrap()
}

fn table(process: &Process, method: Arc<dyn Method>, end: f64, steps: &[usize]) -> Vec<Accuracy> {
    let options = Options { method, end, ..Options::default() };
    convergence(process, 0.2, &options, steps, &Task::default()).unwrap()
}

/// Doubling the steps divides the error by 2 to the order. Flows stop above t = 0, where the score they whiten has a
/// root of the time in it. Seen to fail for order 3 without the correction of the first step (order 2), for Heun with
/// the slope at the beginning in both places, and for Euler–Maruyama with Δs for √Δs.
#[test]
fn methods_have_their_order() {
    for process in [passive(), active(0.5)] {
        for (method, end, order) in [
            (by(EulerMaruyama), 0.0, 1.0),
            (by(Heun), 0.02, 2.0),
            (by(Midpoint::default()), 0.02, 2.0),
            (by(Exponential { order: 1 }), 0.02, 1.0),
            (by(Exponential { order: 2 }), 0.02, 2.0),
            (by(Exponential { order: 3 }), 0.02, 3.0),
        ] {
            let rows = table(&process, method.clone(), end, &[160, 320]);
            let measured = (rows[0].covariance / rows[1].covariance).log2();
            assert!((measured - order).abs() < 0.3, "{} {method:?}: {measured}, {rows:?}", process.name());
        }
    }
}

/// Adaptive steps keep to their tolerance, which bounds errors of single steps, within a factor of 150: those that
/// critically damped Langevin dynamics makes where velocities are wide grow until they are narrow.
#[test]
fn adaptive_steps_keep_their_tolerance() {
    for process in [passive(), active(0.1), active(0.5), active(1.0), cld()] {
        for tolerance in [1e-3, 1e-5] {
            let method = by(RungeKutta { rtol: tolerance, atol: tolerance });
            let row = &table(&process, method, 0.0, &[])[0];
            assert!(row.covariance < 150.0 * tolerance, "{} {tolerance}: {row:?}", process.name());
        }
    }
}

/// The split is at least as accurate as Euler–Maruyama at every number of steps: Gaussian data are sampled exactly.
/// With the stationary law for reference it converges with order 1.
#[test]
fn splitting_samples_gaussian_data_exactly() {
    let steps = [5, 10, 20, 40, 80, 160];
    for process in [passive(), active(0.1), active(0.5), active(1.0), cld()] {
        let split = table(&process, by(Splitting { reference: Reference::Data }), 0.0, &steps);
        let euler = table(&process, by(EulerMaruyama), 0.0, &steps);
        for (split, euler) in split.iter().zip(&euler) {
            assert!(split.variance.abs() < 1e-4 && split.mean < 1e-4, "{} {split:?}", process.name());
            assert!(split.variance.abs() < euler.variance.abs(), "{} {split:?} {euler:?}", process.name());
        }
        let rows = table(&process, by(Splitting { reference: Reference::Stationary }), 0.0, &[160, 320]);
        let measured = (rows[0].variance / rows[1].variance).log2();
        assert!((measured - 1.0).abs() < 0.1, "{}: {measured}, {rows:?}", process.name());
    }
}

/// Corrections do not take the samples away from their law.
#[test]
fn corrections_keep_the_law() {
    let method = by(PredictorCorrector { corrector_steps: 2, snr: 0.16 });
    let corrected = &table(&active(0.5), method, 0.0, &[160])[0];
    assert!(corrected.covariance < 0.05, "{corrected:?}");
    assert_eq!(corrected.evaluations, 160 + 2 * 159);
}

/// What corrections add to the variance falls with the steps, as the error of Euler–Maruyama does. Seen to fail with
/// corrections of a fixed length, which leave 1 % of active noise however many steps there are.
#[test]
fn corrections_vanish_with_the_steps() {
    for process in [passive(), active(0.5)] {
        let rows = table(&process, by(PredictorCorrector::default()), 0.0, &[200, 400, 800, 1600]);
        let falls = rows.windows(2).all(|pair| pair[1].covariance < 0.75 * pair[0].covariance);
        assert!(falls && rows[3].covariance < 6e-3, "{} {rows:?}", process.name());
    }
}
