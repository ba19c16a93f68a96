//! Nonlinear processes in their stationary laws, whose score is known and does not change with time: the flow stands
//! still, and the reverse process keeps the law.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tests::by;
use super::*;
use crate::data::Moments;
use crate::error::Result;
use crate::expr::{Expression, Function, Operation};
use crate::host::Host;
use crate::process::fixtures::one_component;
use crate::process::{Class, Definition, Process, Start, StartLaw};
use crate::ranks::together;
use crate::score::{Evaluator, Prepared, Score};
use crate::task::Task;
use crate::tensor::Tensor;

/// A process in one dimension with the stationary log density `log_density` of the slope `slope`.
struct Stationary {
    process: Process,
    moments: Moments,
    log_density: fn(f64) -> f64,
    slope: fn(f32) -> f32,
}

fn process(drift: Expression, noise: Expression) -> Process {
    one_component(drift, noise, 1.0)
}

/// dx = (x − x³) dt + dW: log p = x² − x⁴/2.
fn double_well() -> Stationary {
    let x = Expression::component(0, "x");
    let cube = x.multiply(&x).multiply(&x);
    Stationary {
        process: process(x.combine(Operation::Subtract, &cube), Expression::constant(1.0)),
        moments: Moments::isotropic(vec![0.0], 1.0),
        log_density: |x| x * x - 0.5 * x.powi(4),
        slope: |x| 2.0 * (x - x * x * x),
    }
}

/// dx = −2x dt + √(1 + x²/2) dW (Itô): with D = 1 + x²/2, ∂ log p = (2f − D')/D = −5x/D, log p = −5 ln D.
fn warm_outside() -> Stationary {
    let x = Expression::component(0, "x");
    let square = x.multiply(&x).multiply(&Expression::constant(0.5)).add(&Expression::constant(1.0));
    Stationary {
        process: process(x.multiply(&Expression::constant(-2.0)), square.apply(Function::Sqrt)),
        moments: Moments::isotropic(vec![0.0], 1.0),
        log_density: |x| -5.0 * (0.5 * x * x).ln_1p(),
        slope: |x| -5.0 * x / (1.0 + 0.5 * x * x),
    }
}

impl Score for Stationary {
    fn process(&self) -> &Process {
        &self.process
    }

    fn shape(&self) -> &[usize] {
        &[2]
    }

    fn moments(&self) -> &Moments {
        &self.moments
    }

    fn prepare(&self, times: &[f64], _: &Task) -> Result<Box<dyn Prepared + '_>> {
        assert!(times.iter().all(|time| *time > 0.0), "the score is never asked for at t = 0");
        Ok(Box::new(Slope(self.slope)))
    }
}

struct Slope(fn(f32) -> f32);

impl Prepared for Slope {
    fn evaluator(&self, _: usize) -> Box<dyn Evaluator + '_> {
        Box::new(Slope(self.0))
    }
}

impl Evaluator for Slope {
    fn evaluate(&mut self, _: usize, _: usize, state: &[f32], score: &mut [f32]) {
        score.iter_mut().zip(state).for_each(|(score, x)| *score = self.0(*x));
    }
}

impl Stationary {
    /// Equal weights on a fine grid of [−8, 8] with p(x): (x, p(x)), normalised.
    fn weights(&self) -> Vec<(f64, f64)> {
        let points = (-8000..=8000).map(|i| f64::from(i) * 1e-3);
        let weights: Vec<_> = points.map(|x| (x, (self.log_density)(x).exp())).collect();
        let total: f64 = weights.iter().map(|(_, w)| w).sum();
        weights.into_iter().map(|(x, w)| (x, w / total)).collect()
    }

    /// `count` quantiles of the law, in both coordinates, as a state at t = 1.
    fn quantiles(&self, count: usize) -> State {
        let weights = self.weights();
        let (mut below, mut place) = (0.0, 0);
        let mut values = Vec::new();
        for i in 0..count {
            while below + weights[place].1 < (i as f64 + 0.5) / count as f64 {
                below += weights[place].1;
                place += 1;
            }
            values.extend([weights[place].0 as f32; 2]);
        }
        let x = Tensor::new(&[count, 2], values).unwrap();
        State::new(&["x".to_owned()], vec![x], 1.0, None)
    }

    /// Asserts that E g(x) is that of the law for two bounded g, within 5 standard errors and 0.005 for the length of
    /// the steps: a false alarm once in 4·10⁵ seeds.
    fn assert_law(&self, state: &State) {
        let values = state.blocks[0].values();
        for g in [|x: f64| x.tanh().powi(2), |x: f64| (-x * x).exp()] {
            let mean = |power: i32| self.weights().iter().map(|(x, w)| w * g(*x).powi(power)).sum::<f64>();
            let error = ((mean(2) - mean(1).powi(2)) / values.len() as f64).sqrt();
            let found = values.iter().map(|&x| g(f64::from(x))).sum::<f64>() / values.len() as f64;
            assert!((found - mean(1)).abs() < 5.0 * error + 0.005, "{found} not {} ± {error}", mean(1));
        }
    }
}

/// Seen to fail without ∇·D in the reverse drift, and with half of D ŝ.
#[test]
fn stationary_laws_are_kept() {
    for law in [double_well(), warm_outside()] {
        assert_eq!(law.process.class(), Class::Nonlinear);
        let start = law.quantiles(1 << 14);
        let task = Task::default();
        let reversed = |method: Arc<dyn Method>| {
            let options = Options { method, steps: 200, grid: Grid::Uniform, seed: 3, ..Options::by(EulerMaruyama) };
            reverse(&law, &start, None, &options, &task).unwrap()
        };
        law.assert_law(&reversed(by(EulerMaruyama)));
        law.assert_law(&reversed(by(PredictorCorrector { corrector_steps: 1, snr: 0.1 })));
        let forward = Forward { steps: 200, end: None, keep: Keep::End, seed: 3 };
        law.assert_law(&simulate(&law.process, &start.blocks[0], &forward, &task).unwrap());
    }
}

/// The largest difference of two tensors.
fn furthest(a: &Tensor, b: &Tensor) -> f32 {
    a.values().iter().zip(b.values().iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The drift of the flow is −f + ½ ∇·D + ½ D ŝ = 0.
#[test]
fn flows_of_stationary_laws_stand_still() {
    for law in [double_well(), warm_outside()] {
        let start = law.quantiles(300);
        for method in [by(Heun), by(RungeKutta { rtol: 1e-5, atol: 1e-5 })] {
            let options = Options { method, steps: 10, grid: Grid::Uniform, ..Options::by(EulerMaruyama) };
            let end = reverse(&law, &start, None, &options, &Task::default()).unwrap();
            assert!(furthest(&end.blocks[0], &start.blocks[0]) < 1e-3);
        }
    }
}

#[test]
fn methods_for_linear_processes_name_the_cause() {
    let law = double_well();
    for method in [by(Splitting { reference: Reference::Data }), by(Exponential::of_order(2))] {
        let options = Options { method, ..Options::by(EulerMaruyama) };
        let error = reverse(&law, &law.quantiles(10), None, &options, &Task::default()).unwrap_err();
        assert!(error.to_string().contains("needs a linear process, which this is not: `"), "{error}");
    }
    let x = Tensor::full(&[3, 2], 0.0, &Host::default()).unwrap();
    let error = log_likelihood(&law, &x, &Likelihood::default(), &Task::default()).unwrap_err();
    assert!(error.to_string().contains("needs a linear process"), "{error}");
}

/// Of all samples and coordinates the one that has no drift is named.
#[test]
fn faults_are_those_of_their_sample() {
    let process = process(Expression::component(0, "x").apply(Function::Sqrt), Expression::constant(1e-6));
    let x = Tensor::new(&[3, 2], vec![1.0, 2.0, 3.0, -4.0, 5.0, 6.0]).unwrap();
    let options = Forward { steps: 5, end: None, keep: Keep::End, seed: 1 };
    let error = simulate(&process, &x, &options, &Task::default()).unwrap_err();
    assert!(error.to_string().contains("where x = -4"), "{error}");
}

/// One number of one sample, of those of three blocks and of steps that are prepared in several parts, is where the
/// drift has no value: it is that which is named, and when, on whichever rank it is.
#[test]
fn the_state_without_a_drift_is_named() {
    let [x, y] = [Expression::component(0, "x"), Expression::component(1, "y")];
    let law = StartLaw { mean: Expression::constant(1.0), std: Expression::constant(0.0) };
    let zero = Expression::constant(0.0);
    // dx = −dt, dy = √(x + y) − √(x + y), so that y = 1.
    let root = x.add(&y).apply(Function::Sqrt);
    let definition = Definition {
        name: "ends".to_owned(),
        blocks: vec!["x".to_owned(), "y".to_owned()],
        coordinates: None,
        periodic: Vec::new(),
        parameters: BTreeMap::new(),
        drift: vec![Expression::constant(-1.0), root.multiply(&zero_of(&x))],
        noise: vec![vec![zero.clone()], vec![zero]],
        start: Start::Each(vec![None, Some(law)]),
    };
    let process = Process::new(definition, 1.0).unwrap();
    let count = 2 * layout::BLOCK + 100;
    let mut data = vec![4.0; 3 * count];
    data[3 * (count - 7) + 1] = -0.4495;
    let x0 = Tensor::new(&[count, 3], data).unwrap();
    let forward = Forward { steps: 1000, end: None, keep: Keep::End, seed: 1 };
    let error = |task: &Task| simulate(&process, &x0, &forward, task).unwrap_err().to_string();
    for count in [1, 2, 4] {
        for error in together(count, |ranks| error(&Task::of_rank(ranks))) {
            // x + y is below 0 from the step behind 0.5505 on.
            assert!(error.contains("at t = 0.5510, where x = -1.0005, y = 1.0000"), "{error}");
        }
    }
}

/// 0, by an expression that is not known to be.
fn zero_of(x: &Expression) -> Expression {
    x.combine(Operation::Subtract, x).multiply(x)
}
