//! Programs against the evaluation of the same expressions in double precision.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{Comparison, Condition, Expression, Function, Node, Operation, random};
use super::{CHUNK, Program};
use crate::property::cases;
use crate::vector::{self, Level};

/// A value in double precision and how far single precision may be from it.
#[derive(Clone, Copy)]
struct Estimate {
    value: f64,
    error: f64,
}

/// What the symbols stand for.
struct Point<'a> {
    time: f64,
    parameters: &'a BTreeMap<String, f64>,
    state: &'a [f32],
}

impl Estimate {
    /// A result whose error before its own rounding is `inherited`.
    fn new(value: f64, inherited: f64) -> Self {
        let leaves_range = value != 0.0 && !(1e-25..1e25).contains(&value.abs());
        // Three units in the last place: more than any function's own error.
        let error = if leaves_range { f64::INFINITY } else { inherited + 3.0 * f64::from(f32::EPSILON) * value.abs() };
        Self { value, error }
    }

    /// First-order propagation of errors; no claim is made where the first order does not hold.
    fn of(expression: &Expression, point: &Point<'_>) -> Self {
        let of = |part| Self::of(part, point);
        match expression.node() {
            Node::Constant(value) => Self::new(*value, 0.0),
            Node::Time => Self::new(point.time, 0.0),
            Node::Parameter(name) => Self::new(point.parameters[&**name], 0.0),
            Node::Component(index, _) => Self { value: f64::from(point.state[*index]), error: 0.0 },
            Node::Negate(a) => {
                let a = of(a);
                Self::new(-a.value, a.error)
            }
            Node::Binary(operation, a, b) => Self::of_pair(*operation, of(a), of(b)),
            Node::Apply(function, a) => Self::of_function(*function, of(a)),
            Node::Where(condition, a, b) => match holds(condition, point) {
                Some(holds) => of(if holds { a } else { b }),
                None => Self { value: f64::NAN, error: f64::INFINITY },
            },
        }
    }

    fn of_pair(operation: Operation, a: Self, b: Self) -> Self {
        let value = operation.of(a.value, b.value);
        Self::new(value, a.spread(|a| operation.of(a, b.value)) + b.spread(|b| operation.of(a.value, b)))
            .unless(operation == Operation::Power && a.value.abs() < a.error * 100.0)
            .unless(operation == Operation::Divide && b.value.abs() < b.error * 100.0)
            // Products by which powers are made may leave the range before their reciprocal comes back.
            .unless(operation == Operation::Power && value.abs() < 1e-25)
    }

    fn of_function(function: Function, a: Self) -> Self {
        use Function::{Cos, Floor, Ln, Sin, Sqrt, Tan};
        let near_edge = matches!(function, Ln | Sqrt) && a.value.abs() < a.error * 100.0 && a.error > 0.0;
        let near_jump = function == Floor && (a.value - a.value.round()).abs() < a.error * 4.0;
        let near_pole = function == Tan && a.value.cos().abs() < a.error * 100.0;
        // Then both ends of the error may lie on other waves.
        let loses_phase = matches!(function, Sin | Cos | Tan) && a.error > 0.1;
        Self::new(function.of(a.value), a.spread(|a| function.of(a)))
            .unless(near_edge)
            .unless(loses_phase)
            .unless(near_pole)
            .unless(near_jump)
    }

    fn unless(self, hopeless: bool) -> Self {
        Self { error: if hopeless { f64::INFINITY } else { self.error }, ..self }
    }

    /// How far `f` moves within the error.
    fn spread(self, f: impl Fn(f64) -> f64) -> f64 {
        if self.error == 0.0 {
            return 0.0;
        }
        let centre = f(self.value);
        let moved = (f(self.value + self.error) - centre).abs().max((f(self.value - self.error) - centre).abs());
        if moved.is_nan() { f64::INFINITY } else { moved }
    }
}

/// Whether the condition holds, if single precision can tell.
fn holds(condition: &Condition, point: &Point<'_>) -> Option<bool> {
    match condition {
        Condition::Compare(comparison, a, b) => {
            let (a, b) = (Estimate::of(a, point), Estimate::of(b, point));
            let exact = a.error == 0.0 && b.error == 0.0;
            let clear = exact || (a.value - b.value).abs() > 4.0 * (a.error + b.error);
            clear.then(|| comparison.of(a.value, b.value))
        }
        Condition::And(pair) => Some(holds(&pair.0, point)? && holds(&pair.1, point)?),
        Condition::Or(pair) => Some(holds(&pair.0, point)? || holds(&pair.1, point)?),
        Condition::Not(inner) => Some(!holds(inner, point)?),
    }
}

fn x() -> Expression {
    Expression::component(0, "x")
}

fn y() -> Expression {
    Expression::component(1, "y")
}

fn k() -> Expression {
    Expression::parameter("k")
}

fn program(outputs: &[Expression]) -> Program {
    Program::new(outputs, 2, &["k"]).unwrap()
}

/// The outputs at time 0.5 for k = 2 and the rows `x` and `y`.
fn rows(outputs: &[Expression], x: &[f32], y: &[f32]) -> Vec<Vec<f32>> {
    let program = program(outputs);
    let mut out = vec![f32::NAN; outputs.len() * x.len()];
    program.run(&program.at(0.5, &[2.0]), &mut program.workspace(x.len()), x.len(), &[x, y].concat(), &mut out);
    out.chunks(x.len()).map(<[f32]>::to_vec).collect()
}

fn value(output: &Expression, x: f32, y: f32) -> f32 {
    rows(std::slice::from_ref(output), &[x], &[y])[0][0]
}

#[test]
fn outputs_may_be_anything() {
    let sum = x().add(&y());
    let square = sum.multiply(&sum);
    let outputs = [7.0.into(), y(), sum.clone(), square, sum, k().multiply(&Expression::time()), y()];
    assert_eq!(
        rows(&outputs, &[1.0, 2.0], &[10.0, 20.0]),
        [[7.0, 7.0], [10.0, 20.0], [11.0, 22.0], [121.0, 484.0], [11.0, 22.0], [1.0, 1.0], [10.0, 20.0]]
    );
}

#[test]
fn what_is_the_same_for_all_is_computed_in_double_precision() {
    let tiny = k().combine(Operation::Divide, &1e12.into());
    let lost_in_single = tiny.add(&1.0.into()).combine(Operation::Subtract, &1.0.into());
    assert!((value(&lost_in_single.multiply(&x()), 3.0, 0.0) / 6e-12 - 1.0).abs() < 1e-3);
}

#[test]
fn unknown_names_and_components_are_refused() {
    let refused = |output: Expression| Program::new(&[x(), output], 2, &["k"]).unwrap_err().to_string();
    assert!(refused(x().multiply(&Expression::parameter("tau"))).starts_with("`tau` has no value"));
    assert_eq!(refused(Expression::component(2, "v")), "`v` is component 2 of the state, but only 2 are given");
}

#[test]
fn values_do_not_depend_on_the_neighbours() {
    // Of every length, and with angles among them that take the slow way.
    let outputs: Vec<_> = Function::ALL.map(|function| x().apply(function).add(&y())).into();
    let x: Vec<f32> = (0..CHUNK + 100).map(|i| if i % 50 == 49 { 3e6 } else { 0.013 * i as f32 - 2.0 }).collect();
    let y: Vec<f32> = x.iter().map(|x| 1.0 - x).collect();
    let alone: Vec<_> = x.iter().zip(&y).map(|(&x, &y)| rows(&outputs, &[x], &[y]).concat()).collect();
    for length in (1..70).chain([127, 128, 300, CHUNK, CHUNK + 1, CHUNK + 100]) {
        for (output, row) in rows(&outputs, &x[..length], &y[..length]).iter().enumerate() {
            for (value, alone) in row.iter().zip(&alone) {
                assert_eq!(value.to_bits(), alone[output].to_bits(), "{} of {length}", outputs[output]);
            }
        }
    }
}

#[test]
fn all_instruction_sets_give_the_same_bits() {
    let functions = Function::ALL.map(|function| x().apply(function).multiply(&y()).add(&k()));
    let others = [x().combine(Operation::Power, &y()), x().combine(Operation::Divide, &y().multiply(&y()).add(&k()))];
    let outputs = [&functions[..], &others].concat();
    let x: Vec<f32> = (1..=300).map(|i| 0.11 * i as f32).collect();
    let y: Vec<f32> = x.iter().map(|x| 3.0 - 0.7 * x).collect();
    let bits = || rows(&outputs, &x, &y).concat().into_iter().map(f32::to_bits).collect::<Vec<_>>();
    let expected = bits();
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        vector::force(level.name()).unwrap();
        assert!(bits() == expected, "{level:?}");
    }
    vector::force("auto").unwrap();
}

#[test]
fn instructions_are_few() {
    let a = |scale: f64, part: &Expression| Expression::constant(scale).multiply(part);
    let minus = |a: &Expression, b: &Expression| a.combine(Operation::Subtract, b);
    let drift = minus(&y(), &k().multiply(&x()));
    let cases = [
        (vec![drift.clone()], 1),
        (vec![x().add(&k().multiply(&drift))], 2),
        (vec![a(2.0, &x()).add(&a(3.0, &y())).add(&k())], 3),
        (vec![drift.negate().combine(Operation::Divide, &3.0.into())], 2),
        (vec![minus(&y(), &k().multiply(&x().negate().apply(Function::Tanh)))], 2),
        (vec![x().add(&y()).apply(Function::Sin), y().add(&x()).apply(Function::Cos)], 3),
        (vec![minus(&x().combine(Operation::Power, &3.0.into()), &x())], 2),
        (vec![a(2.0, &a(3.0, &x())).combine(Operation::Divide, &k())], 1),
        (vec![minus(&a(0.5, &x()), &a(0.5, &y()))], 2),
    ];
    for (outputs, expected) in cases {
        let program = program(&outputs);
        assert_eq!(program.steps.len(), expected, "{outputs:?}: {:?}", program.steps);
    }
}

#[test]
fn registers_are_used_again() {
    let chain = (0..1000).fold(x(), |sum, _| sum.apply(Function::Sin).add(&y()).multiply(&x()));
    assert!(program(&[chain]).registers <= 2);
}

#[test]
fn equal_products_cancel() {
    let square = |a: &Expression| a.multiply(a);
    let distance = square(&x()).combine(Operation::Subtract, &square(&y())).apply(Function::Sqrt);
    let scaled = k().multiply(&x()).combine(Operation::Subtract, &k().multiply(&y()));
    for i in 0..1000 {
        let a = 0.1 + i as f32 * 0.001;
        assert_eq!((value(&distance, a, a), value(&scaled, a, a)), (0.0, 0.0), "at {a}");
    }
}

#[test]
fn special_values_flow_through() {
    let below = |a: &Expression, b: f64| Condition::Compare(Comparison::Less, a.clone(), b.into());
    let choice = Expression::constant(1.0).or_where(&below(&x(), 1.0), &2.0.into());
    let opposite = Expression::constant(1.0).or_where(&Condition::Not(below(&x(), 1.0).into()), &2.0.into());
    assert_eq!((value(&choice, f32::NAN, 0.0), value(&opposite, f32::NAN, 0.0)), (2.0, 1.0));
    assert_eq!((value(&choice, 0.0, 0.0), value(&opposite, 0.0, 0.0)), (1.0, 2.0));
    assert!(value(&x().combine(Operation::Divide, &y()), 0.0, 0.0).is_nan());
    assert_eq!(value(&k().combine(Operation::Divide, &x()), -0.0, 0.0), f32::NEG_INFINITY);
    assert_eq!(value(&x().apply(Function::Ln), 0.0, 0.0), f32::NEG_INFINITY);
    // By time: the same branch for all samples.
    let protocol = x().or_where(&below(&Expression::time(), 0.6), &y());
    assert_eq!(value(&protocol, 3.0, 4.0), 3.0);
}

proptest! {
    #![proptest_config(cases(400))]

    /// No chance involved beyond the choice of cases. Seen to fail with the signs of `SubtractProduct` and
    /// `MultiplySubtract` exchanged, with the scale of a sum dropped, with branches exchanged, and with registers
    /// freed one instruction early.
    #[test]
    fn programs_agree_with_double_precision(
        outputs in prop::collection::vec(random::expressions(), 1..4),
        points in prop::collection::vec(random::states(), 1..300),
    ) {
        let length = points.len();
        let state: Vec<f32> = (0..3).flat_map(|i| points.iter().map(move |point| point[i] as f32)).collect();
        let parameters = random::parameters();
        let program = Program::new(&outputs, 3, &["k", "tau"]).unwrap();
        let mut out = vec![f32::NAN; outputs.len() * length];
        let scalars = program.at(0.4, &[parameters["k"], parameters["tau"]]);
        program.run(&scalars, &mut program.workspace(length), length, &state, &mut out);
        for (expression, row) in outputs.iter().zip(out.chunks(length)) {
            for (sample, &value) in row.iter().enumerate() {
                let state = [0, 1, 2].map(|i| state[i * length + sample]);
                let truth = Estimate::of(expression, &Point { time: 0.4, parameters: &parameters, state: &state });
                let value = f64::from(value);
                let agree = (value - truth.value).abs() <= 4.0 * truth.error || value.is_nan() && truth.value.is_nan();
                prop_assert!(
                    agree || !truth.error.is_finite() || truth.value.is_infinite(),
                    "{} for {} ± {:e} of {}", value, truth.value, truth.error, expression
                );
            }
        }
    }
}
