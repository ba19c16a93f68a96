//! Programs against the evaluation of the same expressions in double precision.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{Condition, Expression, Function, Node, Operation, random};
use super::Program;

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
            Node::Block(index, _) => Self { value: f64::from(point.state[*index]), error: 0.0 },
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
        use Function::{Ln, Sqrt, Tan};
        let near_edge = matches!(function, Ln | Sqrt) && a.value.abs() < a.error * 100.0 && a.error > 0.0;
        let near_pole = function == Tan && a.value.cos().abs() < a.error * 100.0;
        Self::new(function.of(a.value), a.spread(|a| function.of(a))).unless(near_edge).unless(near_pole)
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

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
                    agree || !(truth.error < f64::INFINITY) || truth.value.is_infinite(),
                    "{} for {} ± {:e} of {}", value, truth.value, truth.error, expression
                );
            }
        }
    }
}
