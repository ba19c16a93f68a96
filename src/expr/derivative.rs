//! Exact partial derivatives of expressions.

use super::order::Images;
use super::{Comparison, Condition, Expression, Function, Node, Operation};

use Operation::{Divide, Power, Subtract};

impl Expression {
    /// ∂/∂z_component, exact: `where` is differentiated branch by branch, |u| has the slope 1 at 0, and ⌊u⌋ has
    /// the slope 0 at its jumps, too.
    ///
    /// Parts shared by the expression are shared by its derivative, whose graph is therefore larger by a constant
    /// factor only.
    #[must_use]
    pub fn derivative(&self, component: usize) -> Self {
        self.slope(|leaf| matches!(leaf, Node::Component(index, _) if *index == component))
    }

    /// ∂/∂p by the parameter of this `name`, as [`Expression::derivative`].
    #[must_use]
    pub fn derivative_by_parameter(&self, name: &str) -> Self {
        self.slope(|leaf| matches!(leaf, Node::Parameter(parameter) if **parameter == *name))
    }

    /// The derivative by the leaves that are the `variable`.
    fn slope(&self, variable: impl Fn(&Node) -> bool) -> Self {
        let slopes = Images::of(std::slice::from_ref(self), |part, slopes: &Images<Self>| match part.node() {
            leaf @ (Node::Constant(_) | Node::Time | Node::Parameter(_) | Node::Component(..)) => {
                Self::constant(if variable(leaf) { 1.0 } else { 0.0 })
            }
            Node::Negate(u) => slopes.get(u).negate(),
            Node::Binary(operation, u, v) => part.slope_of_pair(*operation, [u, v], [slopes.get(u), slopes.get(v)]),
            Node::Apply(function, u) => part.slope_of_function(*function, u, slopes.get(u)),
            Node::Where(condition, u, v) => slopes.get(u).or_where(condition, slopes.get(v)),
        });
        slopes.get(self).clone()
    }

    fn is_zero(&self) -> bool {
        self.as_constant() == Some(0.0)
    }

    /// The derivative of `self` = u ∘ v from those of u and v.
    fn slope_of_pair(&self, operation: Operation, [u, v]: [&Self; 2], [du, dv]: [&Self; 2]) -> Self {
        match operation {
            Operation::Add | Subtract => du.combine(operation, dv),
            Operation::Multiply if u.address() == v.address() => Self::constant(2.0).multiply(u).multiply(du),
            Operation::Multiply => du.multiply(v).add(&u.multiply(dv)),
            // (u/v)' = (u' − (u/v) v')/v
            Divide => du.combine(Subtract, &self.multiply(dv)).combine(Divide, v),
            Power => self.slope_of_power([u, v], [du, dv]),
        }
    }

    /// (u^v)' without a logarithm where v is fixed: u may then be 0 or negative.
    fn slope_of_power(&self, [u, v]: [&Self; 2], [du, dv]: [&Self; 2]) -> Self {
        if dv.is_zero() {
            let lowered = u.combine(Power, &v.combine(Subtract, &Self::constant(1.0)));
            return v.multiply(&lowered).multiply(du);
        }
        let through_exponent = dv.multiply(&u.apply(Function::Ln));
        self.multiply(&through_exponent.add(&v.multiply(du).combine(Divide, u)))
    }

    /// The derivative of `self` = f(u) from that of u.
    fn slope_of_function(&self, function: Function, u: &Self, du: &Self) -> Self {
        if du.is_zero() {
            return du.clone();
        }
        let one = Self::constant(1.0);
        match function {
            Function::Exp => self.multiply(du),
            Function::Ln => du.combine(Divide, u),
            Function::Sqrt => du.combine(Divide, &Self::constant(2.0).multiply(self)),
            Function::Sin => u.apply(Function::Cos).multiply(du),
            Function::Cos => u.apply(Function::Sin).multiply(du).negate(),
            Function::Tan => one.add(&self.multiply(self)).multiply(du),
            Function::Sinh => u.apply(Function::Cosh).multiply(du),
            Function::Cosh => u.apply(Function::Sinh).multiply(du),
            Function::Tanh => one.combine(Subtract, &self.multiply(self)).multiply(du),
            Function::Atan => du.combine(Divide, &one.add(&u.multiply(u))),
            Function::Floor => Self::constant(0.0),
            Function::Abs => {
                let positive = Condition::Compare(Comparison::GreaterOrEqual, u.clone(), Self::constant(0.0));
                du.or_where(&positive, &du.negate())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::{Assignment, random};
    use super::*;
    use crate::property::cases;

    fn x() -> Expression {
        Expression::component(0, "x")
    }

    #[test]
    fn known_derivatives() {
        let (x, y, k) = (x(), Expression::component(1, "y"), Expression::parameter("k"));
        let cube = x.combine(Power, &3.0.into());
        let cases = [
            (k.multiply(&x).add(&y), "k"),
            (cube.clone(), "3 x^2"),
            (x.combine(Power, &2.0.into()), "2 x"),
            (x.combine(Power, &k), "k x^(k - 1)"),
            (k.combine(Power, &x), "k^x ln(k)"),
            (x.combine(Power, &x), "x^x (ln(x) + x/x)"),
            (x.combine(Divide, &k), "1/k"),
            (y.combine(Divide, &x), "-y/x/x"),
            (x.apply(Function::Tanh), "1 - tanh(x) tanh(x)"),
            (x.apply(Function::Cos), "-sin(x)"),
            (k.multiply(&x).apply(Function::Sin), "cos(k x) k"),
            (x.apply(Function::Atan), "1/(1 + x x)"),
            (x.multiply(&k).apply(Function::Floor), "0"),
            (x.apply(Function::Sqrt), "1/(2 sqrt(x))"),
            (x.apply(Function::Abs), "where(x >= 0, 1, -1)"),
            (y.multiply(&y), "0"),
        ];
        for (expression, expected) in cases {
            assert_eq!(expression.derivative(0).to_string(), expected, "of {expression}");
        }
        let fold = Condition::Compare(Comparison::Less, x.clone(), k);
        assert_eq!(cube.or_where(&fold, &x).derivative(0).to_string(), "where(x < k, 3 x^2, 1)");
    }

    #[test]
    fn shared_parts_stay_shared() {
        let chain = (0..1000).fold(x(), |power, _| power.multiply(&power));
        let slope = chain.derivative(0);
        let none = BTreeMap::new();
        assert_eq!(slope.evaluate(Assignment { time: 0.0, parameters: &none, state: &[1.0] }), 2_f64.powi(1000));
        let nodes = super::super::order::parts_first(std::slice::from_ref(&slope)).len();
        assert!(nodes < 5000, "{nodes} nodes");
    }

    proptest! {
        #![proptest_config(cases(1000))]

        /// No chance involved beyond the choice of cases: where the differences of two step widths agree, so does the
        /// derivative. Seen to fail with 1 + tanh² for 1 − tanh², with u^v for u^(v−1), and with v' for v in the
        /// general power.
        #[test]
        fn derivatives_are_limits_of_differences(expression in random::expressions(), point in random::states()) {
            let parameters = random::parameters();
            let at = |x: f64| {
                let state = [x, point[1], point[2]];
                expression.evaluate(Assignment { time: 0.4, parameters: &parameters, state: &state })
            };
            let difference = |h: f64| (at(point[0] + h) - at(point[0] - h)) / (2.0 * h);
            let (coarse, fine) = (difference(2e-5), difference(1e-5));
            let scale = 1.0 + fine.abs() + at(point[0]).abs();
            prop_assume!((coarse - fine).abs() < 1e-6 * scale);
            let values = Assignment { time: 0.4, parameters: &parameters, state: &point };
            let slope = expression.derivative(0).evaluate(values);
            // x/(x/0) is 0 and has no derivative that the rules know.
            prop_assume!(slope.is_finite());
            prop_assert!((slope - fine).abs() < 1e-5 * scale, "{} against {} of {}", slope, fine, expression);
        }
    }
}
