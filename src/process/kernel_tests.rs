//! Kernels against reference values and against the laws they obey.

use nalgebra::{DMatrix, DVector};
use proptest::prelude::*;
use serde::Deserialize;

use super::{Kernel, Linear, Propagator};

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
    Linear { drift, offset: DVector::zeros(size), noise, start_mean: DVector::zeros(size), start_std }
}

fn relative(found: &DMatrix<f64>, truth: &DMatrix<f64>) -> f64 {
    let error = |(f, t): (&f64, &f64)| if f == t { 0.0 } else { (f - t).abs() / t.abs() };
    found.iter().zip(truth).map(error).fold(0.0, f64::max)
}

/// 80 records of passive, active (kτ = 1 among them), critically damped and third-order processes from t = 10⁻⁸ to 20,
/// computed with 60 digits. Every entry of every matrix counts by itself, the smallest are 10⁻¹³⁵. The worst measured
/// relative error is 9·10⁻¹⁵.
#[test]
fn reference_values() {
    let records: Vec<Record> = serde_json::from_str(include_str!("../../tests/oracle/kernels.json")).unwrap();
    assert_eq!(records.len(), 80);
    let mut worst = 0.0_f64;
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
            worst = worst.max(error);
            println!("{} t={} {name}: {error:.2e}", r.process, r.t);
        }
    }
    println!("worst {worst:.2e}");
    assert!(worst < 1e-13);
}
