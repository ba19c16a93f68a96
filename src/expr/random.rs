//! Random expressions for property tests.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Comparison, Condition, Expression, Function, Operation};

/// Expressions of x, y, z, of the time and of the parameters k and tau, with every operation and function.
pub(super) fn expressions() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        3 => (0_usize..3).prop_map(|i| Expression::component(i, ["x", "y", "z"][i])),
        1 => Just(Expression::time()),
        1 => prop_oneof![Just("k"), Just("tau")].prop_map(Expression::parameter),
        1 => prop_oneof![(-3_i32..=3).prop_map(f64::from), -3.0..3.0].prop_map(Expression::constant),
    ];
    leaf.prop_recursive(6, 40, 4, |part| {
        let operations = prop_oneof![
            Just(Operation::Add),
            Just(Operation::Subtract),
            Just(Operation::Multiply),
            Just(Operation::Divide),
        ];
        let exponent = prop_oneof![(-5_i32..=5).prop_map(|n| f64::from(n) / 2.0), -3.0..3.0];
        prop_oneof![
            6 => (operations, part.clone(), part.clone()).prop_map(|(o, a, b)| a.combine(o, &b)),
            1 => part.clone().prop_map(|a| a.negate()),
            1 => (part.clone(), exponent).prop_map(|(a, n)| a.combine(Operation::Power, &n.into())),
            1 => (part.clone(), part.clone()).prop_map(|(a, b)| a.combine(Operation::Power, &b)),
            // Few of the former have a value.
            2 => (part.clone(), part.clone()).prop_map(|(a, b)| a.apply(Function::Cosh).combine(Operation::Power, &b)),
            4 => (0..Function::ALL.len(), part.clone()).prop_map(|(i, a)| a.apply(Function::ALL[i])),
            1 => (conditions(part.clone()), part.clone(), part).prop_map(|(c, a, b)| a.or_where(&c, &b)),
        ]
    })
}

fn conditions(part: impl Strategy<Value = Expression> + Clone + 'static) -> impl Strategy<Value = Condition> {
    let comparisons = prop_oneof![
        Just(Comparison::Less),
        Just(Comparison::LessOrEqual),
        Just(Comparison::Greater),
        Just(Comparison::GreaterOrEqual),
        Just(Comparison::Equal),
        Just(Comparison::NotEqual),
    ];
    let compared = (comparisons, part.clone(), part).prop_map(|(c, a, b)| Condition::Compare(c, a, b));
    compared.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|pair| Condition::And(pair.into())),
            (inner.clone(), inner.clone()).prop_map(|pair| Condition::Or(pair.into())),
            inner.prop_map(|inner| Condition::Not(inner.into())),
        ]
    })
}

/// Points of the state space.
pub(super) fn states() -> impl Strategy<Value = [f64; 3]> {
    [-3.0..3.0, -3.0..3.0, -3.0..3.0]
}

/// Values of the parameters.
pub(super) fn parameters() -> BTreeMap<String, f64> {
    BTreeMap::from([("k".to_owned(), 1.3), ("tau".to_owned(), 0.45)])
}
