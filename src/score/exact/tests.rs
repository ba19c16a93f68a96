//! Scores against finite differences of the log density, computed densely in double precision.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nalgebra::{Cholesky, DMatrix, DVector};

use super::*;
use crate::data::Mixture;
use crate::expr::Expression;
use crate::process::fixtures::Active;
use crate::process::{Definition, Linear, Start, StartLaw};
use crate::rng::{Purpose, Stream};
use crate::score::Chart;
use crate::tensor::Tensor;

/// Active noise, moved and with passive noise of temperature `passive`.
fn process(passive: f64) -> Process {
    Active { passive, force: 0.3, start: 0.2, ..Active::default() }.process()
}

/// Third-order Langevin dynamics: only the last of three blocks is driven.
fn third_order() -> Process {
    let linear = Linear {
        drift: DMatrix::from_row_slice(3, 3, &[0.0, 1.0, 0.0, -1.0, 0.0, 2.8, 0.0, -2.8, -6.0]),
        offset: DVector::zeros(3),
        noise: DMatrix::from_row_slice(3, 1, &[0.0, 0.0, f64::sqrt(12.0)]),
        start_mean: DVector::zeros(3),
        start_factor: DMatrix::from_diagonal(&DVector::from_vec(vec![0.0, 0.2, 0.2])),
    };
    Process::from_linear("third_order", &["x", "v", "s"], linear, 2.0).unwrap()
}

/// Chiral active noise, whose two coordinates rotate into each other: dη = (−η/τ + ω × η) dt + noise, dx = (η − x) dt;
/// with noise on x too where `passive` is above 0.
fn chiral(passive: f64) -> Process {
    let names = ["x[0]", "x[1]", "eta[0]", "eta[1]"];
    let symbols: Vec<_> = names.iter().enumerate().map(|(i, name)| Expression::component(i, name)).collect();
    let rate = |value: f64, i: usize| Expression::constant(value).multiply(&symbols[i]);
    let (turn, decay) = (3.0, -2.0);
    let noise = |i: usize, j: usize| match (i == j, i < 2) {
        (true, true) => passive,
        (true, false) => f64::sqrt(8.0),
        _ => 0.0,
    };
    let law = || StartLaw { mean: 0.3.into(), std: f64::sqrt(2.0).into() };
    let definition = Definition {
        name: "chiral".into(),
        blocks: vec!["x".into(), "eta".into()],
        coordinates: Some(2),
        periodic: Vec::new(),
        parameters: BTreeMap::new(),
        drift: vec![
            rate(-1.0, 0).add(&symbols[2]),
            rate(-1.0, 1).add(&symbols[3]).add(&0.4.into()),
            rate(decay, 2).add(&rate(-turn, 3)),
            rate(decay, 3).add(&rate(turn, 2)),
        ],
        noise: (0..4).map(|i| (0..4).map(|j| noise(i, j).into()).collect()).collect(),
        start: Start::Each(vec![None, None, Some(law()), Some(law())]),
    };
    Process::new(definition, 2.0).unwrap()
}

fn datasets() -> Vec<(Dataset, Vec<DMatrix<f64>>)> {
    let means = vec![-0.5, 0.1, 0.7, 0.3, 0.2, -0.9];
    let isotropic = |v: Vec<f64>| Covariance::Isotropic(v);
    let full = vec![0.3, 0.1, 0.1, 0.2, 0.5, -0.4, -0.4, 0.4, 0.02, 0.0, 0.0, 0.6];
    let mixture = |covariance| Mixture::new(vec![0.2, 0.5, 0.3], means.clone(), covariance).unwrap();
    let data = |mixture| Dataset::from_mixture("three", mixture).unwrap();
    let identity = DMatrix::<f64>::identity(2, 2);
    let points = Tensor::from_f64(&[3, 2], &means).unwrap();
    vec![
        (data(mixture(isotropic(vec![0.04; 3]))), vec![&identity * 0.04; 3]),
        (data(mixture(isotropic(vec![0.04, 0.2, 0.1]))), vec![&identity * 0.04, &identity * 0.2, &identity * 0.1]),
        (
            data(mixture(Covariance::Full(full.clone()))),
            full.chunks(4).map(|s| DMatrix::from_row_slice(2, 2, s)).collect(),
        ),
        (Dataset::from_points("points", &points).unwrap(), vec![DMatrix::zeros(2, 2); 3]),
    ]
}

/// The density of (z_1, ..., z_m), each of two coordinates, in one dense covariance.
struct Density {
    parts: Vec<(f64, DVector<f64>, Cholesky<f64, nalgebra::Dyn>)>,
}

impl Density {
    fn new(process: &Process, data: &Dataset, covariances: &[DMatrix<f64>], time: f64) -> Self {
        let kernel = process.kernel(time).unwrap();
        let (weights, means) = match data.mixture() {
            Some(mixture) => (mixture.weights.clone(), mixture.means.clone()),
            None => (vec![1.0 / 3.0; 3], data.points().unwrap().values().iter().map(|&v| f64::from(v)).collect()),
        };
        let response = kernel.response();
        let copies = DMatrix::identity(process.copies(2).unwrap(), process.copies(2).unwrap());
        let part = |j: usize| {
            let datum = &means[2 * j..2 * j + 2];
            let mean = DVector::from_vec(kernel.mean(datum));
            let spread = match process.coordinates() {
                None => (&response * response.transpose()).kronecker(&covariances[j]),
                Some(_) => &response * &covariances[j] * response.transpose(),
            };
            let covariance = kernel.covariance.kronecker(&copies) + spread;
            let factor = covariance.cholesky().unwrap();
            (weights[j].ln() - 0.5 * factor.determinant().ln(), mean, factor)
        };
        Self { parts: (0..3).map(part).collect() }
    }

    fn log(&self, z: &DVector<f64>) -> f64 {
        let logs = self.parts.iter().map(|(log, mean, factor)| {
            let r = z - mean;
            log - 0.5 * r.dot(&factor.solve(&r))
        });
        let logs: Vec<f64> = logs.collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        top + logs.iter().map(|l| (l - top).exp()).sum::<f64>().ln()
    }

    fn gradient(&self, z: &DVector<f64>, entry: usize, scale: f64) -> f64 {
        let shifted = |by: f64| {
            let mut z = z.clone();
            z[entry] += by;
            self.log(&z)
        };
        // Fourth order: the error is below 10⁻⁸ of the score's unit, 1/scale.
        let h = 1e-3 * scale;
        (8.0 * (shifted(h) - shifted(-h)) - (shifted(2.0 * h) - shifted(-2.0 * h))) / (12.0 * h)
    }
}

/// 70 samples are one full pass of lanes and a part of one.
const COUNT: usize = 70;

/// Around the noised data, in every block: component-major [m·2, COUNT].
fn states(process: &Process, data: &Dataset, time: f64) -> Vec<f32> {
    let kernel = process.kernel(time).unwrap();
    let (m, copies) = (process.components(), process.copies(2).unwrap());
    let x = data.sample(COUNT, 3, &Task::default()).unwrap();
    let mut z = vec![0.0; m * copies * COUNT];
    Stream::new(4, Purpose::Script).normals(0, 0, &mut z);
    let noise = z.clone();
    for i in 0..COUNT {
        let centre = kernel.mean(&[0, 1].map(|c| f64::from(x.values()[2 * i + c])));
        for (b, c) in (0..m).flat_map(|b| (0..copies).map(move |c| (b, c))) {
            let normal = |j: usize| f64::from(noise[(j * copies + c) * COUNT + i]);
            let spread: f64 = (0..=b).map(|j| kernel.cholesky[(b, j)] * normal(j)).sum();
            z[(b * copies + c) * COUNT + i] = (centre[b * copies + c] + spread) as f32;
        }
    }
    z
}

/// In units of 1/ℓ; what is left (3·10⁻⁴ at t = 0.02) is the rounding of the state to single precision. Seen to fail
/// with s² left out of κ, with the driven rows exchanged, and with U for Uᵀ; where coordinates are coupled with Fᵀ for
/// F, and with log det W left out.
#[test]
fn scores_are_gradients_of_the_log_density() {
    for process in [process(0.0), process(0.4), third_order(), chiral(0.0), chiral(0.7)] {
        let (driven, copies) = (process.driven(), process.copies(2).unwrap());
        for (data, covariances) in datasets() {
            let times = [0.02, 0.3, 2.0];
            let exact = Exact::new(&process, &data).unwrap();
            let prepared = exact.prepare(&times, &Task::default()).unwrap();
            let mut evaluator = prepared.evaluator(COUNT);
            for (step, &time) in times.iter().enumerate() {
                let z = states(&process, &data, time);
                let chart = Chart::new(&exact, time).unwrap();
                let mut seen = z.clone();
                chart.enter(COUNT, &mut seen);
                let mut score = vec![f32::NAN; driven.len() * copies * COUNT];
                evaluator.evaluate(step, COUNT, &seen, &mut score);
                chart.leave_gradients(driven, COUNT, &mut score);
                let density = Density::new(&process, &data, &covariances, time);
                let kernel = process.kernel(time).unwrap();
                for i in 0..COUNT {
                    let point = DVector::from_fn(z.len() / COUNT, |row, _| f64::from(z[row * COUNT + i]));
                    for (k, &block) in driven.iter().enumerate() {
                        let unit = kernel.conditional_std()[block];
                        for c in 0..copies {
                            let found = f64::from(score[(copies * k + c) * COUNT + i]);
                            let truth = density.gradient(&point, copies * block + c, unit);
                            let error = (found - truth).abs() * unit;
                            assert!(error < 5e-4, "{} {} t = {time}: {found} {truth}", process.name(), data.name());
                        }
                    }
                }
            }
        }
    }
}

impl Density {
    /// The derivative by `entry` of the derivative along `direction`, by differences of a step `h` of either.
    fn second(&self, z: &DVector<f64>, entry: usize, direction: &DVector<f64>, h: f64) -> f64 {
        let along = |by: f64| {
            let mut z = z + direction * by;
            let mut shifted = |by: f64| {
                z[entry] += by;
                self.log(&z)
            };
            // The second shift undoes the first.
            shifted(h) - shifted(-2.0 * h)
        };
        (along(1.0) - along(-1.0)) / (4.0 * h)
    }
}

/// Against second differences of the log density, in units of 1/ℓ².
#[test]
fn gradients_of_scores_are_those_of_the_log_density() {
    for process in [process(0.0), process(0.4), third_order(), chiral(0.0), chiral(0.7)] {
        let (driven, copies) = (process.driven(), process.copies(2).unwrap());
        for (data, covariances) in datasets() {
            let times = [0.02, 0.3, 2.0];
            let exact = Exact::new(&process, &data).unwrap();
            let prepared = exact.prepare(&times, &Task::default()).unwrap();
            let mut score = prepared.differentiator(COUNT).unwrap();
            for (step, &time) in times.iter().enumerate() {
                let z = states(&process, &data, time);
                let units = process.kernel(time).unwrap().conditional_std();
                let mut weight = vec![0.0; driven.len() * copies * COUNT];
                Stream::new(5, Purpose::Script).normals(0, 0, &mut weight);
                for (rows, &block) in weight.chunks_mut(copies * COUNT).zip(driven) {
                    rows.iter_mut().for_each(|w| *w *= units[block] as f32);
                }
                let chart = Chart::new(&exact, time).unwrap();
                let mut seen = z.clone();
                chart.enter(COUNT, &mut seen);
                let mut gradient = vec![f32::NAN; weight.len()];
                // Weights of own coordinates, seen along the axes of the data as states are.
                let mut turned = weight.clone();
                enter_directions(&exact, driven, &mut turned);
                score.gradient(step, COUNT, &seen, &turned, &mut gradient);
                chart.leave_gradients(driven, COUNT, &mut gradient);
                let density = Density::new(&process, &data, &covariances, time);
                for i in 0..COUNT {
                    let point = DVector::from_fn(z.len() / COUNT, |row, _| f64::from(z[row * COUNT + i]));
                    let mut direction = DVector::zeros(point.len());
                    for (k, c) in (0..driven.len()).flat_map(|k| (0..copies).map(move |c| (k, c))) {
                        direction[copies * driven[k] + c] = 1e-3 * f64::from(weight[(copies * k + c) * COUNT + i]);
                    }
                    for (k, c) in (0..driven.len()).flat_map(|k| (0..copies).map(move |c| (k, c))) {
                        let unit = units[driven[k]];
                        let truth = 1e3 * density.second(&point, copies * driven[k] + c, &direction, 1e-3 * unit);
                        let found = f64::from(gradient[(copies * k + c) * COUNT + i]);
                        let error = (found - truth).abs() * unit;
                        assert!(error < 2e-3, "{} {} t = {time}: {found} {truth}", process.name(), data.name());
                    }
                }
            }
        }
    }
}

/// Turns directions, [driven·2, COUNT], to the axes of the data where the score sees states along them.
fn enter_directions(exact: &Exact, driven: &[usize], rows: &mut [f32]) {
    let Some(moments) = turned(exact.process(), exact.moments()) else { return };
    for rows in rows.chunks_mut(rows.len() / driven.len()) {
        for i in 0..COUNT {
            let mut vector = [0, 1].map(|c| f64::from(rows[c * COUNT + i]));
            moments.turn(&mut vector);
            (0..2).for_each(|c| rows[c * COUNT + i] = vector[c] as f32);
        }
    }
}

#[test]
fn components_of_no_weight_are_left_out() {
    let make = |weights: &[f64], means: &[f64]| {
        let covariance = Covariance::Isotropic(vec![0.1; weights.len()]);
        let mixture = Mixture::new(weights.to_vec(), means.to_vec(), covariance).unwrap();
        Exact::new(&process(0.0), &Dataset::from_mixture("m", mixture).unwrap()).unwrap()
    };
    let value = |exact: &Exact| {
        let mut score = [0.0; 2];
        exact.prepare(&[0.5], &Task::default()).unwrap().evaluator(1).evaluate(0, 1, &[0.1, 0.2, 0.3, 0.4], &mut score);
        score
    };
    let two = value(&make(&[0.5, 0.5], &[-1.0, 0.0, 1.0, 0.0]));
    assert_eq!(two, value(&make(&[0.5, 0.0, 0.5], &[-1.0, 0.0, 50.0, 0.0, 1.0, 0.0])));
}

#[test]
fn what_has_no_score_is_refused() {
    let refused = Exact::new(&process(0.0), &Dataset::swiss_rolls()).unwrap_err();
    assert!(refused.hint().unwrap().contains("dataset::from_array"), "{refused}");
    let mut linear = process(0.0).constant().unwrap().clone();
    linear.noise.fill(0.0);
    let silent = Process::from_linear("silent", &["x", "eta"], linear, 2.0).unwrap();
    let refused = Exact::new(&silent, &Dataset::diamond(0.5, 0.04).unwrap()).unwrap_err();
    assert!(refused.to_string().contains("x is never driven"), "{refused}");
    let exact = Exact::new(&process(0.0), &Dataset::diamond(0.5, 0.04).unwrap()).unwrap();
    assert!(exact.prepare(&[0.0], &Task::default()).err().unwrap().to_string().contains("singular"));
}

#[test]
fn preparation_can_be_interrupted() {
    let exact = Exact::new(&process(0.0), &Dataset::diamond(0.5, 0.04).unwrap()).unwrap();
    let stopped = Task::new(Arc::new(AtomicBool::new(true)), None, 1).unwrap();
    assert!(matches!(exact.prepare(&[0.5], &stopped), Err(Error::Interrupted)));
}
