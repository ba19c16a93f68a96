//! Windows against kernels and transitions.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DVector};

use super::discrete::symbol;
use super::*;
use crate::expr::{Comparison, Condition, Expression, Function, Operation};
use crate::process::{Definition, Start};
use crate::rng::{Purpose, Stream};

fn process(drift: Vec<Expression>, noise: Vec<Vec<Expression>>, horizon: f64) -> Process {
    let definition = Definition {
        name: "tested".into(),
        blocks: ["x", "y"][..drift.len()].iter().map(ToString::to_string).collect(),
        coordinates: None,
        periodic: Vec::new(),
        parameters: BTreeMap::new(),
        start: Start::Each(vec![None; drift.len()]),
        drift,
        noise,
    };
    Process::new(definition, horizon).unwrap()
}

fn walk_to<'a>(chain: &'a Chain, x: &[f32], begin: u32, end: u32) -> Walk<'a> {
    let mut walk = chain.walk(1, x.len());
    walk.start(x, |normals| normals.fill(0.0));
    let stream = Stream::new(4, Purpose::Pilot);
    let (begin, end) = (vec![begin; x.len()], vec![end; x.len()]);
    walk.windows(&begin, &end, |step, normals| stream.normals(step as u32, 0, normals));
    walk
}

/// Over the whole chain of a linear process the linearised law is the kernel, up to the length of the steps.
#[test]
fn windows_of_linear_processes_are_kernels() {
    let [x, y] = [symbol(0), symbol(1)];
    let drift = vec![y.combine(Operation::Subtract, &x), y.multiply(&Expression::constant(-2.0))];
    let linear = process(drift, vec![vec![0.5.into(), 0.0.into()], vec![0.0.into(), 2.0.into()]], 1.0);
    let chain = Chain::new(&linear, 4000).unwrap();
    let walk = walk_to(&chain, &[0.3; 3], 0, 4000);
    let mut law = walk.law();
    walk.window(1, &mut law);
    let lower = DMatrix::from_row_slice(2, 2, &law.lower);
    let truth = linear.transition(0.0, 1.0).unwrap();
    let difference = (&lower * lower.transpose() - &truth.covariance).abs().max();
    assert!(difference < 2e-3, "{difference}");
    // The score of the whole Gaussian, since both components are driven.
    let deviation = DVector::from_column_slice(&law.deviation);
    let score = -(&lower * lower.transpose()).try_inverse().unwrap() * deviation;
    assert!(law.score().iter().zip(&score).all(|(a, b)| (a - b).abs() < 1e-9 * b.abs()));
    let mut ends = vec![0.0; 6];
    walk.ends(&mut ends);
    let mean = 0.3 * truth.transfer[(0, 0)];
    assert!((f64::from(ends[1]) - mean - law.deviation[0]).abs() < 2e-3);
}

/// A window of one step is the transition itself, whatever the process: δ = G(z) √Δ ξ with the z of its beginning.
#[test]
fn a_window_of_one_step_is_its_transition() {
    let x = symbol(0);
    let noise = x.multiply(&x).add(&1.0.into()).apply(Function::Sqrt);
    let curved = process(vec![x.apply(Function::Sin)], vec![vec![noise]], 1.0);
    let chain = Chain::new(&curved, 50).unwrap();
    let starts = [-1.5, 0.0, 0.7, 2.0];
    let mut before = chain.walk(1, starts.len());
    before.start(&starts, |_| ());
    let stream = Stream::new(4, Purpose::Pilot);
    for step in 0..30 {
        before.step(step, |normals| stream.normals(step as u32, 0, normals));
    }
    let walk = walk_to(&chain, &starts, 30, 31);
    let (mut law, mut normals) = (walk.law(), [0.0; 4]);
    stream.normals(30, 0, &mut normals);
    let length = chain.times()[31] - chain.times()[30];
    for (lane, z) in before.states().iter().enumerate() {
        walk.window(lane, &mut law);
        let variance = f64::from(z * z + 1.0) * length;
        let score = -f64::from(normals[lane]) / variance.sqrt();
        assert!((law.conditional_variance()[0] / variance - 1.0).abs() < 1e-5);
        assert!((law.score()[0] / score - 1.0).abs() < 1e-4, "{} {score}", law.score()[0]);
    }
}

/// Soon after the start x is all but determined: the factor keeps what is left.
#[test]
fn short_windows_keep_their_digits() {
    let y = symbol(1);
    let driven = process(vec![y.clone(), 0.0.into()], vec![vec![0.0.into()], vec![1.0.into()]], 1.0);
    let chain = Chain::new(&driven, 1000).unwrap();
    let walk = walk_to(&chain, &[1.0], 0, 100);
    let mut law = walk.law();
    walk.window(0, &mut law);
    // Given ∫W, the variance of W is t/4.
    let time = chain.times()[100];
    assert!((law.conditional_variance()[0] / (time / 4.0) - 1.0).abs() < 0.05);
}

/// A bell of noise, and a piece between two places where it switches, both far shorter than steps. Seen to fail with
/// steps equal in √t alone: the variance then is 1.
#[test]
fn steps_land_on_pulses() {
    let number = Expression::constant;
    let away = Expression::time().combine(Operation::Subtract, &number(0.6137)).multiply(&number(1e5));
    let bell =
        number(1.0).add(&away.product(&away).multiply(&number(-0.5)).apply(Function::Exp).multiply(&number(300.0)));
    let after = Condition::Compare(Comparison::Greater, Expression::time(), number(0.4));
    let before = Condition::Compare(Comparison::Less, Expression::time(), number(0.40001));
    let piece = number(300.0).or_where(&Condition::And((after, before).into()), &number(1.0));
    // ∫ (1 + a e^{−u²/2})² dt over a bell of width w is 1 + a w √(8π) + a² w √π.
    let [w, a, pi] = [1e-5, 300.0, std::f64::consts::PI];
    let truths = [1.0 + a * w * (8.0 * pi).sqrt() + a * a * w * pi.sqrt(), 1.0 + (a * a - 1.0) * 1e-5];
    for (noise, truth) in [bell, piece].into_iter().zip(truths) {
        let driven = process(vec![0.0.into()], vec![vec![noise]], 1.0);
        let chain = Chain::new(&driven, 50).unwrap();
        let count = 10_000;
        let mut walk = chain.walk(1, count);
        walk.start(&vec![0.0; count], |_| ());
        let stream = Stream::new(4, Purpose::Pilot);
        walk.paths(&vec![chain.steps() as u32; count], |step, normals| stream.normals(step as u32, 0, normals));
        let mut ends = vec![0.0; count];
        walk.ends(&mut ends);
        let variance = ends.iter().map(|x| f64::from(x * x)).sum::<f64>() / count as f64;
        // 5 standard errors.
        assert!((variance / truth - 1.0).abs() < 0.07, "{variance} {truth}");
    }
}

#[test]
fn chains_out_of_range_are_refused() {
    let passive = process(vec![symbol(0).negate()], vec![vec![1.0.into()]], 1.0);
    assert!(Chain::new(&passive, 1).unwrap_err().to_string().contains("chain_steps"));
    assert_eq!(Chain::new(&passive, 10).unwrap().step_at(0.25), 5);
    assert_eq!(Chain::new(&passive, 10).unwrap().step_at(0.0), 1);
}

/// Samples of two copies, with windows that begin and end at steps of their own, walk as each of their lanes would
/// alone.
#[test]
fn windows_begin_and_end_by_themselves() {
    let x = symbol(0);
    let noise = x.multiply(&x).add(&1.0.into()).apply(Function::Sqrt);
    let curved = process(vec![x.apply(Function::Sin)], vec![vec![noise]], 1.0);
    let chain = Chain::new(&curved, 50).unwrap();
    let (begin, end) = ([3, 12, 7], [30, 20, 41]);
    let starts = [-1.5, 0.0, 0.7, 2.0, 0.3, -0.4];
    let normal = |step: usize, lane: usize| 1.4 * ((7 * step + 13 * lane) as f32).sin();
    let mut together = chain.walk(2, 3);
    together.start(&starts, |_| ());
    together.windows(&begin, &end, |step, normals| {
        normals.iter_mut().enumerate().for_each(|(lane, n)| *n = normal(step, lane));
    });
    let mut ends = [0.0; 6];
    together.ends(&mut ends);
    for (lane, end_of_lane) in ends.into_iter().enumerate() {
        let mut alone = chain.walk(1, 1);
        alone.start(&[starts[lane]], |_| ());
        alone.windows(&[begin[lane % 3]], &[end[lane % 3]], |step, normals| normals[0] = normal(step, lane));
        let mut own_end = [0.0];
        alone.ends(&mut own_end);
        let (mut law, mut own) = (together.law(), alone.law());
        together.window(lane, &mut law);
        alone.window(0, &mut own);
        let pairs = [
            (f64::from(end_of_lane), f64::from(own_end[0])),
            (law.deviation[0], own.deviation[0]),
            (law.lower[0], own.lower[0]),
        ];
        assert!(pairs.iter().all(|(a, b)| (a - b).abs() < 1e-5 && *b != 0.0), "{lane}: {pairs:?}");
    }
}

/// Between two steps half of the way is half of the way in √t.
#[test]
fn times_have_their_place_among_the_steps() {
    let chain = Chain::new(&process(vec![symbol(0).negate()], vec![vec![1.0.into()]], 2.0), 40).unwrap();
    for step in 0..40 {
        let [from, to] = [step, step + 1].map(|step| chain.times()[step]);
        assert!((chain.place(from) - step as f64).abs() < 1e-9, "{step}");
        let quarter = (0.75 * from.sqrt() + 0.25 * to.sqrt()).powi(2);
        assert!((chain.place(quarter) - step as f64 - 0.25).abs() < 1e-9, "{step}");
    }
    assert_eq!([chain.place(2.0), chain.place(3.0)], [40.0; 2]);
}
