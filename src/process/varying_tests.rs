//! Kernels of processes whose coefficients depend on the time: closed forms, reference values, and both routes.

use std::collections::BTreeMap;

use nalgebra::DMatrix;

use super::integrated::Integrated;
use super::*;
use crate::expr::{Comparison, Condition, Function, Operation};

fn time() -> Expression {
    Expression::time()
}

fn number(value: f64) -> Expression {
    Expression::constant(value)
}

fn over(a: &Expression, b: &Expression) -> Expression {
    a.combine(Operation::Divide, b)
}

fn root(a: &Expression) -> Expression {
    a.apply(Function::Sqrt)
}

/// `dz = A z dt + G dW` with G diagonal, the auxiliaries starting with the standard deviations `start`.
fn process(drift: &[&[Expression]], noise: &[Expression], start: &[f64], horizon: f64) -> Result<Process> {
    let size = noise.len();
    let blocks: Vec<String> = (0..size).map(|i| format!("z{i}")).collect();
    let row = |i: usize| {
        let terms = (0..size).map(|j| drift[i][j].multiply(&Expression::block(j, &blocks[j])));
        terms.fold(number(0.0), |sum, term| sum.add(&term))
    };
    let amplitude = |i: usize, j: usize| if i == j { noise[i].clone() } else { number(0.0) };
    let definition = Definition {
        name: "varying".into(),
        coordinates: None,
        parameters: BTreeMap::new(),
        drift: (0..size).map(row).collect(),
        noise: (0..size).map(|i| (0..size).map(|j| amplitude(i, j)).collect()).collect(),
        start: start.iter().map(|&std| Some(StartLaw { mean: number(0.0), std: number(std) })).collect(),
        blocks,
    };
    Process::new(definition, horizon)
}

/// The kernels of a process by integration, whatever its class.
fn integrated(process: &Process) -> Kernels {
    let schedule = process.0.schedule.clone().unwrap();
    Kernels::Integrated(Integrated::new(schedule, process.horizon()).unwrap())
}

/// Largest difference, entry by entry relative to `truth`.
fn apart(found: &DMatrix<f64>, truth: &DMatrix<f64>) -> f64 {
    let error = |(f, t): (&f64, &f64)| if f == t { 0.0 } else { (f - t).abs() / t.abs() };
    found.iter().zip(truth).map(error).fold(0.0, f64::max)
}

fn linear_beta() -> Expression {
    number(0.1).add(&time().multiply(&number(19.9)))
}

fn vp(beta: &Expression) -> Process {
    process(&[&[beta.multiply(&number(-0.5))]], &[root(beta)], &[0.0], 1.0).unwrap()
}

const TIMES: [f64; 9] = [1e-8, 1e-6, 1e-4, 3e-3, 0.0625, 0.299, 0.3, 0.7071, 1.0];

/// α = exp(−½∫β), Σ = 1 − α².
#[test]
fn variance_preserving_diffusion() {
    let process = vp(&linear_beta());
    assert_eq!(process.class(), Class::Commuting);
    let general = integrated(&process);
    for t in TIMES {
        let passed = 0.1 * t + 9.95 * t * t;
        let (mean, variance) = (f64::exp(-0.5 * passed), -f64::exp_m1(-passed));
        for (kernel, tolerance) in [(process.kernel(t).unwrap(), 1e-14), (general.kernel(t, 1).unwrap(), 1e-12)] {
            assert!((kernel.transfer[(0, 0)] / mean - 1.0).abs() < tolerance, "t = {t}");
            assert!(
                (kernel.covariance[(0, 0)] / variance - 1.0).abs() < tolerance,
                "t = {t}: {:e}",
                kernel.covariance[(0, 0)] / variance - 1.0
            );
        }
    }
}

/// Largest difference of two factors: of each pivot relative to itself, of the entries beside it, which may pass
/// through 0, relative to their row.
fn factors_apart(found: &DMatrix<f64>, truth: &DMatrix<f64>) -> f64 {
    let row = |i: usize| {
        let beside = (found.row(i) - truth.row(i)).abs().max() / truth.row(i).norm();
        beside.max((found[(i, i)] / truth[(i, i)] - 1.0).abs())
    };
    (0..truth.nrows()).map(row).fold(0.0, f64::max)
}

/// Both routes, of the whole kernel and of transitions between any two times.
fn assert_routes_agree(process: &Process, tolerance: f64) {
    assert_eq!(process.class(), Class::Commuting);
    let general = integrated(process);
    let horizon = process.horizon();
    for t in TIMES.map(|t| t * horizon) {
        let (one, other) = (process.kernel(t).unwrap(), general.kernel(t, 1).unwrap());
        let parts = [apart(&one.transfer, &other.transfer), factors_apart(&one.cholesky, &other.cholesky)];
        assert!(parts.iter().all(|p| *p < tolerance), "t = {t}: {parts:?}");
    }
    for (from, to) in [(0.0, 1e-7), (1e-8, 2e-8), (0.3, 0.3 + 1e-9), (0.1, 0.9), (0.5, 0.50001), (0.99, 1.0)] {
        let (from, to) = (from * horizon, to * horizon);
        let (one, other) = (process.transition(from, to).unwrap(), general.transition(from, to).unwrap());
        let parts = [apart(&one.transfer, &other.transfer), factors_apart(&one.cholesky, &other.cholesky)];
        assert!(parts.iter().all(|p| *p < tolerance), "from {from} to {to}: {parts:?}");
    }
}

/// β(t) for t < 0.3 and another after it.
fn kinked_beta() -> Expression {
    let early = Condition::Compare(Comparison::Less, time(), number(0.3));
    time().multiply(&number(3.0)).add(&number(0.5)).or_where(&early, &number(1.4).add(&time().multiply(&number(8.0))))
}

/// Active noise and third-order Langevin dynamics, all rates changing alike.
#[test]
fn routes_agree() {
    for beta in [linear_beta(), kinked_beta(), number(1.5).add(&time().multiply(&number(9.0)).apply(Function::Sin))] {
        let rate = |value: f64| beta.multiply(&number(value));
        let none = || number(0.0);
        let active = process(
            &[&[rate(-1.0), rate(1.0)], &[none(), rate(-4.0)]],
            &[none(), root(&beta).multiply(&number(3.0))],
            &[0.0, 1.1],
            1.0,
        );
        assert_routes_agree(&active.unwrap(), 1e-10);
        let third = process(
            &[&[none(), rate(1.0), none()], &[rate(-1.0), none(), rate(2.8)], &[none(), rate(-2.8), rate(-6.0)]],
            &[none(), none(), root(&rate(12.0))],
            &[0.0, 0.2, 0.2],
            1.0,
        );
        assert_routes_agree(&third.unwrap(), 1e-10);
    }
}
