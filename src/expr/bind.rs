//! Putting numbers for parameters, and expressions for the components of the state.

use std::collections::BTreeMap;

use super::order::Images;
use super::{Condition, Expression, Node};

impl Expression {
    /// The same expression with `parameters` as numbers and everything that thereby becomes a number computed.
    /// Parameters not in the map stay; shared parts stay shared.
    #[must_use]
    pub fn bind(&self, parameters: &BTreeMap<String, f64>) -> Self {
        self.replace(|node| match node {
            Node::Parameter(name) => parameters.get(&**name).copied().map(Self::constant),
            _ => None,
        })
    }

    /// The same expression with `components[i]` in the place of component i of the state. Components beyond the list
    /// stay; shared parts stay shared.
    #[must_use]
    pub fn substitute(&self, components: &[Self]) -> Self {
        self.replace_components(|index| components.get(index).cloned())
    }

    /// The same expression with what `component` gives in the place of each component of the state.
    #[must_use]
    pub fn replace_components(&self, component: impl Fn(usize) -> Option<Self>) -> Self {
        self.replace(|node| match node {
            Node::Component(index, _) => component(*index),
            _ => None,
        })
    }

    fn replace(&self, replacement: impl Fn(&Node) -> Option<Self>) -> Self {
        let images = Images::of(std::slice::from_ref(self), |part, images: &Images<Self>| {
            let image = |part: &Self| images.get(part).clone();
            match part.node() {
                Node::Negate(a) => image(a).negate(),
                Node::Binary(operation, a, b) => image(a).combine(*operation, images.get(b)),
                Node::Apply(function, a) => image(a).apply(*function),
                Node::Where(condition, a, b) => {
                    let condition = condition.map(&image);
                    match condition.decided() {
                        Some(true) => image(a),
                        Some(false) => image(b),
                        None => image(a).or_where(&condition, images.get(b)),
                    }
                }
                leaf => replacement(leaf).unwrap_or_else(|| part.clone()),
            }
        });
        images.get(self).clone()
    }
}

impl Condition {
    /// Whether it holds, where that follows from the numbers in it.
    fn decided(&self) -> Option<bool> {
        match self {
            Self::Compare(comparison, a, b) => Some(comparison.of(a.as_constant()?, b.as_constant()?)),
            Self::And(pair) => match (pair.0.decided(), pair.1.decided()) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (a, b) => Some(a? && b?),
            },
            Self::Or(pair) => match (pair.0.decided(), pair.1.decided()) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (a, b) => Some(a? || b?),
            },
            Self::Not(inner) => inner.decided().map(|holds| !holds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Assignment, Comparison, Function, Operation};
    use super::*;

    fn parameters(list: &[(&str, f64)]) -> BTreeMap<String, f64> {
        list.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn bound_parameters_are_computed_through() {
        let (k, tau, x) = (Expression::parameter("k"), Expression::parameter("tau"), Expression::component(0, "x"));
        let rate = k.combine(Operation::Divide, &tau).apply(Function::Sqrt);
        let drift = rate.multiply(&x).add(&k.multiply(&x.apply(Function::Sin)));
        assert_eq!(drift.bind(&parameters(&[("k", 2.0), ("tau", 0.5)])).to_string(), "2 x + 2 sin(x)");
        assert_eq!(drift.bind(&parameters(&[("k", 0.0)])).to_string(), "0");
        assert_eq!(drift.bind(&parameters(&[("tau", 1.0)])).to_string(), "sqrt(k) x + k sin(x)");
    }

    #[test]
    fn decided_conditions_leave_their_branch() {
        let (k, x) = (Expression::parameter("k"), Expression::component(0, "x"));
        let positive = |a: &Expression| Condition::Compare(Comparison::Greater, a.clone(), 0.0.into());
        let either = Condition::Or((positive(&x), positive(&k)).into());
        let both = Condition::And((positive(&x), positive(&k)).into());
        for (condition, holding, failing) in [
            (positive(&k), "x", "1"),
            (either, "x", "where((x > 0) | (-1 > 0), x, 1)"),
            (both, "where((x > 0) & (1 > 0), x, 1)", "1"),
        ] {
            let choice = x.or_where(&condition, &1.0.into());
            assert_eq!(choice.bind(&parameters(&[("k", 1.0)])).to_string(), holding);
            assert_eq!(choice.bind(&parameters(&[("k", -1.0)])).to_string(), failing);
        }
    }

    #[test]
    fn substitution_composes_and_keeps_sharing() {
        let (x, y) = (Expression::component(0, "x"), Expression::component(1, "y"));
        let difference = x.combine(Operation::Subtract, &y);
        assert_eq!(difference.substitute(&[y.clone(), x.clone()]).to_string(), "y - x");
        assert_eq!(difference.substitute(&[3.0.into()]).to_string(), "3 - y");
        // As a tree it has 2¹⁰⁰⁰ nodes.
        let doubled = (0..1000).fold(x.clone(), |sum, _| sum.add(&sum));
        let doubled = doubled.substitute(&[y.multiply(&x)]);
        let none = BTreeMap::new();
        let values = Assignment { time: 0.0, parameters: &none, state: &[3.0, 2.0_f64.powi(-1000)] };
        assert_eq!(doubled.evaluate(values), 3.0);
    }
}
