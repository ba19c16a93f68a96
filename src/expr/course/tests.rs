//! Places and enclosures of random expressions.

use proptest::prelude::*;

use super::super::random::{expressions, parameters};
use super::super::{Assignment, Comparison, Condition, Expression, Function, Operation};
use super::*;
use crate::property::cases;

fn number(value: f64) -> Expression {
    Expression::constant(value)
}

fn less(a: &Expression, b: f64) -> Condition {
    Condition::Compare(Comparison::Less, a.clone(), number(b))
}

fn step(a: &Expression, b: f64) -> Expression {
    number(1.0).or_where(&less(a, b), &number(2.0))
}

fn times(expressions: &[Expression]) -> Vec<f64> {
    switching_times(expressions, &parameters(), 1.0)
}

/// Whether one of the times is `place` but for rounding.
fn near(found: &[f64], place: f64) -> bool {
    found.iter().any(|time| (time - place).abs() < 1e-15)
}

#[test]
fn places_are_found_however_near_and_in_whatever_form() {
    let t = Expression::time();
    let both = Condition::And((less(&t, 0.6137 + 1e-9), less(&t.negate(), -0.6137)).into());
    let pulse = number(1.0).or_where(&both, &number(0.0));
    assert_eq!(times(&[pulse]), [0.6137, 0.6137 + 1e-9]);
    let waves = step(&t.multiply(&number(50.0)).apply(Function::Sin), 0.0);
    let found = times(&[waves]);
    assert_eq!(found.len(), 15);
    for (k, place) in found.iter().enumerate() {
        assert!((place - std::f64::consts::PI * (k + 1) as f64 / 50.0).abs() < 1e-15, "{place}");
    }
    // Nested, in parts of sums, and of an absolute value.
    let nested = step(&t, 0.25).or_where(&less(&t.multiply(&t), 0.49), &t);
    let kink = t.combine(Operation::Subtract, &number(0.1)).apply(Function::Abs);
    let found = times(&[nested.add(&kink)]);
    assert!(found.len() == 3 && [0.1, 0.25, 0.7].iter().all(|place| near(&found, *place)), "{found:?}");
    // Of the state nothing is known, and at the ends there is nothing to cut.
    let x = Expression::component(0, "x");
    assert!(times(&[step(&x, 0.0), step(&t, 0.0), step(&t, 1.0)]).is_empty());
    // Equal over half of the way: no endless search, and the other place is found.
    let flat = t.combine(Operation::Subtract, &number(0.5)).apply(Function::Abs).add(&t);
    let found = times(&[step(&flat, 0.5).add(&step(&t, 0.3))]);
    assert!(near(&found, 0.3) && near(&found, 0.5) && found.len() < 10, "{} places", found.len());
}

proptest! {
    #![proptest_config(cases(2000))]

    /// Seen to fail with even powers taken as rising, with sin without its extremes, and with comparisons that took
    /// what has no value for less than everything.
    #[test]
    fn enclosures_hold_all_values(
        expression in expressions(), from in 0.0..2.0, length in 1e-6..1.0, part in 0.0..1.0,
    ) {
        let zero: Vec<_> = (0..3).map(|i| Expression::time().multiply(&number(f64::from(i)))).collect();
        let bound = expression.substitute(&zero).bind(&parameters());
        let course = Course::new(std::slice::from_ref(&bound)).unwrap();
        let (to, time) = (from + length, from + part * length);
        let value = course.at(time)[0];
        let truth = bound.evaluate(Assignment { time, parameters: &parameters(), state: &[] });
        prop_assert!(value == truth || value.is_nan() && truth.is_nan() || (value - truth).abs() <= 1e-9 * truth.abs(),
            "{bound}: {value} for {truth}");
        let Interval { low, high, is_partial } = course.over(from, to)[0];
        let size = low.abs().max(high.abs());
        let slack = 1e-9 * (value.abs() + if size.is_finite() { size } else { 0.0 });
        prop_assert!(!value.is_nan() || is_partial, "{bound}: no value, though there should be one");
        prop_assert!(value.is_nan() || value == low || value == high || (low - slack <= value && value <= high + slack),
            "{bound}: {value} is not in {low}..{high}");
    }
}
