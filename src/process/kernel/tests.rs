//! Kernels against reference values and against the laws they obey.

use nalgebra::{DMatrix, DVector};
use proptest::prelude::*;
use serde::Deserialize;

use crate::process::Linear;
use crate::process::fixtures::Active;
use crate::property::cases;

#[derive(Deserialize)]
struct Record {
    process: String,
    t: String,
    #[serde(rename = "A")]
    drift: Vec<String>,
    #[serde(rename = "D")]
    diffusion: Vec<String>,
    start_cov: Vec<String>,
    mean: Vec<String>,
    cov: Vec<String>,
    chol: Vec<String>,
}

fn square(entries: &[String]) -> DMatrix<f64> {
    let size = (entries.len() as f64).sqrt() as usize;
    let values: Vec<f64> = entries.iter().map(|e| e.parse().unwrap()).collect();
    DMatrix::from_row_slice(size, size, &values)
}

fn linear(drift: DMatrix<f64>, noise: DMatrix<f64>, start_std: DVector<f64>) -> Linear {
    let size = drift.nrows();
    let start_factor = DMatrix::from_diagonal(&start_std);
    Linear { drift, offset: DVector::zeros(size), noise, start_mean: DVector::zeros(size), start_factor }
}

fn relative(found: &DMatrix<f64>, truth: &DMatrix<f64>) -> f64 {
    let error = |(f, t): (&f64, &f64)| if f == t { 0.0 } else { (f - t).abs() / t.abs() };
    found.iter().zip(truth).map(error).fold(0.0, f64::max)
}

/// 80 records of passive, active (kτ = 1 among them), critically damped and third-order processes from t = 10⁻⁸ to 20,
/// computed with 60 digits. Every entry of every matrix counts by itself, the smallest are 10⁻¹³⁵. The worst
/// relative error measured is 5·10⁻¹⁵.
#[test]
fn reference_values() {
    let records: Vec<Record> = serde_json::from_str(include_str!("../../../tests/oracle/kernels.json")).unwrap();
    assert_eq!(records.len(), 80);
    for r in &records {
        let start = square(&r.start_cov).diagonal().map(f64::sqrt);
        let process = linear(square(&r.drift), square(&r.diffusion).map(f64::sqrt), start);
        let kernel = process.kernel(r.t.parse().unwrap()).unwrap();
        for (name, found, truth) in [
            ("mean", &kernel.transfer, &r.mean),
            ("cov", &kernel.covariance, &r.cov),
            ("chol", &kernel.cholesky, &r.chol),
        ] {
            let error = relative(found, &square(truth));
            assert!(error < 1e-13, "{name} of {} at t = {}: relative error {error:.1e}", r.process, r.t);
        }
    }
}

/// Where Van Loan's block exponential fails in double precision (by 34 % in the first case, because e^{-At} grows like
/// e^{t/τ}); values of a 60-digit computation.
#[test]
fn stiff_noise() {
    let cases = [
        ((4.0, 1e-3, 6.4, 0.05, 2.0), (1.333_583_108_234_850_1, 5.333_333_333_333_333, 10.328_149_026_644_665)),
        ((4.0, 1e-3, 6.4, 0.1, 2.0), (1.143_106_842_736_263_4, 4.571_428_571_425_41, 6.761_529_415_721_504)),
        ((1.0, 0.0, 1.0, 0.001, 0.5), (0.630_753_310_140_696_4, 0.999_000_999_000_999, 31.597_749_289_981_384)),
    ];
    for ((k, tp, ta, tau, t), (xx, cross, pivot)) in cases {
        let process = Active { stiffness: k, passive: tp, active: ta, persistence: tau, ..Active::default() };
        let kernel = process.linear().kernel(t).unwrap();
        let found = [kernel.covariance[(0, 0)], kernel.covariance[(0, 1)], kernel.cholesky[(1, 1)]];
        for (found, truth) in found.into_iter().zip([xx, cross, pivot]) {
            assert!((found / truth - 1.0).abs() < 1e-14, "τ = {tau}: {found} against {truth}");
        }
    }
}

#[test]
fn time_zero_is_the_start_law() {
    let mut process = Active { persistence: 0.25, ..Active::default() }.linear();
    process.start_mean[1] = 3.0;
    let kernel = process.kernel(0.0).unwrap();
    assert_eq!(kernel.transfer, DMatrix::identity(2, 2));
    assert_eq!(kernel.offset.as_slice(), [0.0, 3.0]);
    assert_eq!(kernel.cholesky, DMatrix::from_row_slice(2, 2, &[0.0, 0.0, 0.0, 2.0]));
}

/// dx = (b − kx) dt: mean b (1 − e^{−kt})/k.
#[test]
fn a_constant_drift_moves_the_mean() {
    for t in [1e-7, 0.3, 4.0, 60.0] {
        let mut process = Active { stiffness: 2.0, passive: 1.0, ..Active::default() }.linear();
        process.offset[0] = 3.0;
        let truth = -1.5 * f64::exp_m1(-2.0 * t);
        assert!((process.kernel(t).unwrap().offset[0] / truth - 1.0).abs() < 1e-14);
    }
}

/// Six coordinates that turn into each other in a ring, 12 components, in double precision against 32 digits.
#[test]
fn many_components() {
    let turn = |i: usize, j: usize| if (i + 1) % 6 == j { 0.7 } else { -0.7 * f64::from((j + 1) % 6 == i) };
    let drift = DMatrix::from_fn(12, 12, |i, j| match (i < 6, j < 6) {
        (true, true) => -f64::from(i == j),
        (true, false) => f64::from(i + 6 == j),
        (false, true) => 0.0,
        (false, false) => turn(i - 6, j - 6) - 5.0 * f64::from(i == j),
    });
    let noise = DMatrix::from_fn(12, 6, |i, j| f64::from(i == j + 6) * (2.0 + j as f64));
    let mut linear = linear(drift, noise, DVector::from_fn(12, |i, _| if i < 6 { 0.0 } else { 0.5 }));
    linear.offset[3] = 0.8;
    let names: Vec<_> = (0..12).map(|i| format!("z{i}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let process = crate::process::Process::from_linear("ring", &names, linear.clone(), 3.0).unwrap();
    for t in [1e-8, 1e-3, 0.4, 3.0] {
        let (found, truth) = (process.kernel(t).unwrap(), linear.kernel(t).unwrap());
        for (found, truth) in [(&found.transfer, &truth.transfer), (&found.cholesky, &truth.cholesky)] {
            let rows = found.row_iter().zip(truth.row_iter());
            let error = rows.map(|(f, t)| (f - t).abs().max() / t.norm()).fold(0.0, f64::max);
            assert!(error < 1e-13, "t = {t}: {error:e}");
        }
        assert!((found.offset - truth.offset).abs().max() < 1e-14);
    }
    assert!(process.kernel(f64::INFINITY).is_err() && process.kernel(-1.0).is_err());
}

#[test]
fn impossible_times_are_refused() {
    let process = Active::default().linear();
    let endless = linear(DMatrix::from_element(2, 2, f64::MAX), DMatrix::identity(2, 2), DVector::zeros(2));
    assert!(endless.kernel(1.0).is_err());
    for t in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(process.kernel(t).unwrap_err().to_string().starts_with("`t` must be a finite time"));
    }
    let runaway = linear(DMatrix::identity(1, 1), DMatrix::identity(1, 1), DVector::zeros(1));
    assert!(runaway.kernel(1e4).unwrap_err().hint().unwrap().contains("shorter horizon"));
}

#[test]
fn what_noise_reaches() {
    let warm = Active::default().process();
    assert_eq!((warm.driven(), warm.undriven_first(), warm.unreached()), (&[1][..], vec![0, 1], vec![]));
    let cold = Active { passive: 1.0, active: 0.0, ..Active::default() }.process();
    assert_eq!((cold.driven(), cold.undriven_first(), cold.unreached()), (&[0][..], vec![1, 0], vec![1]));
}

/// The closed form of active noise (arXiv 2411.07233), and the reason given where there is none.
#[test]
fn stationary_laws() {
    let process = Active { stiffness: 2.0, passive: 0.25, active: 0.5, persistence: 4.0, ..Active::default() };
    let law = process.linear().stationary().unwrap();
    let truth = DMatrix::from_row_slice(2, 2, &[0.125 + 0.5 / 18.0, 0.5 / 9.0, 0.5 / 9.0, 0.125]);
    assert!((law.covariance - truth).abs().max() < 1e-16);
    let held_by = |stiffness: f64| Active { stiffness, ..Active::default() }.linear();
    let growing = held_by(-0.5).stationary().unwrap_err();
    assert!(growing.to_string().contains("real part 0.5000, a perturbation grows e-fold in 2.0000"), "{growing}");
    let free = held_by(0.0).stationary().unwrap_err();
    assert!(free.to_string().contains("grows for ever"), "{free}");
}

/// Processes of up to four components with damping, rotation and growth.
fn processes() -> impl Strategy<Value = Linear> {
    (1..5_usize).prop_flat_map(|size| {
        let entries = proptest::collection::vec(-2.0..2.0, 2 * size * size);
        let start = proptest::collection::vec(0.1..1.5, size);
        (entries, start).prop_map(move |(entries, mut start)| {
            start[0] = 0.0;
            let drift = DMatrix::from_column_slice(size, size, &entries[..size * size]) - DMatrix::identity(size, size);
            let noise = DMatrix::from_column_slice(size, size, &entries[size * size..]);
            linear(drift, noise, DVector::from_vec(start))
        })
    })
}

proptest! {
    #![proptest_config(cases(256))]

    /// Chapman–Kolmogorov: Φ(s+t) = Φ(s)Φ(t), Σ(s+t) = Φ(s)Σ(t)Φ(s)ᵀ + Q(s).
    #[test]
    fn kernels_compose(process in processes(), s in 1e-6..1.0, t in 1e-6..3.0) {
        let noise_only = Linear { start_factor: DMatrix::zeros(process.size(), process.size()), ..process.clone() };
        let (first, second) = (process.kernel(t).unwrap(), noise_only.kernel(s).unwrap());
        let whole = process.kernel(s + t).unwrap();
        let transfer = &second.transfer * &first.transfer;
        let covariance = &second.transfer * &first.covariance * second.transfer.transpose() + &second.covariance;
        prop_assert!((transfer - &whole.transfer).abs().max() < 1e-12 * whole.transfer.abs().max().max(1.0));
        prop_assert!((covariance - &whole.covariance).abs().max() < 1e-12 * whole.covariance.abs().max().max(1.0));
    }

    /// Σ' = AΣ + ΣAᵀ + D, and Σ' = Φ(AS₀ + S₀Aᵀ + D)Φᵀ since Φ commutes with A.
    #[test]
    fn covariances_obey_their_equation(process in processes(), t in 1e-6..3.0) {
        let kernel = process.kernel(t).unwrap();
        let growth = |law: &DMatrix<f64>| &process.drift * law + law * process.drift.transpose() + process.diffusion();
        let start = &process.start_factor * process.start_factor.transpose();
        let residual = growth(&kernel.covariance) - &kernel.transfer * growth(&start) * kernel.transfer.transpose();
        prop_assert!(residual.abs().max() < 1e-12 * kernel.covariance.abs().max().max(1.0));
    }

    #[test]
    fn factors_are_factors(process in processes(), t in 0.0..3.0, variance in 0.0..2.0) {
        let kernel = process.kernel(t).unwrap().with_data_variance(variance);
        let product = &kernel.cholesky * kernel.cholesky.transpose();
        prop_assert!((product - &kernel.covariance).abs().max() < 1e-12 * kernel.covariance.abs().max().max(1.0));
    }
}
