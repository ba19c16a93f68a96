//! Expressions changed as one would by hand, so that what is derived from a process reads like what its author wrote.

use super::print::LARGEST;
use super::{Expression, Function, Node, Operation};

impl Expression {
    /// −self, the minus taken into sums.
    #[must_use]
    pub fn opposite(&self) -> Self {
        match self.node() {
            Node::Binary(Operation::Subtract, a, b) => b.combine(Operation::Subtract, a),
            Node::Binary(Operation::Add, a, b) => match b.node() {
                Node::Negate(b) => b.combine(Operation::Subtract, a),
                _ => a.opposite().combine(Operation::Subtract, b),
            },
            Node::Binary(operation @ (Operation::Multiply | Operation::Divide), a, b) => match a.node() {
                Node::Negate(_) | Node::Constant(_) => a.opposite().combine(*operation, b),
                Node::Binary(Operation::Multiply | Operation::Divide, ..) => a.opposite().combine(*operation, b),
                _ => self.negate(),
            },
            _ => self.negate(),
        }
    }

    /// self/2, by halving its first number where it begins with one.
    #[must_use]
    pub fn half(&self) -> Self {
        match self.node() {
            Node::Constant(value) => Self::constant(value / 2.0),
            Node::Binary(operation @ (Operation::Multiply | Operation::Divide), a, b) if a.begins_with_number() => {
                a.half().combine(*operation, b)
            }
            _ => self.combine(Operation::Divide, &Self::constant(2.0)),
        }
    }

    fn begins_with_number(&self) -> bool {
        match self.node() {
            Node::Constant(_) => true,
            Node::Binary(Operation::Multiply | Operation::Divide, a, _) => a.begins_with_number(),
            _ => false,
        }
    }

    /// self², roots resolved: √u² is u, without the slope 1/√u that would have no value where u = 0.
    #[must_use]
    pub fn square(&self) -> Self {
        match self.node() {
            Node::Apply(Function::Sqrt, inner) => inner.clone(),
            Node::Negate(inner) => inner.square(),
            Node::Binary(operation @ (Operation::Multiply | Operation::Divide), a, b) => {
                a.square().combine(*operation, &b.square())
            }
            _ => self.combine(Operation::Power, &Self::constant(2.0)),
        }
    }

    /// self · other, a square where they are the same.
    #[must_use]
    pub fn product(&self, other: &Self) -> Self {
        if self.is_same(other) { self.square() } else { self.multiply(other) }
    }

    /// Whether both are the same tree, as far as it is small enough to be printed.
    fn is_same(&self, other: &Self) -> bool {
        if self.address() == other.address() {
            return true;
        }
        if self.size != other.size || self.size > LARGEST {
            return false;
        }
        match (self.node(), other.node()) {
            (Node::Constant(a), Node::Constant(b)) => a.to_bits() == b.to_bits(),
            (Node::Time, Node::Time) => true,
            (Node::Parameter(a), Node::Parameter(b)) => a == b,
            (Node::Component(a, _), Node::Component(b, _)) => a == b,
            (Node::Negate(a), Node::Negate(b)) => a.is_same(b),
            (Node::Binary(first, a, b), Node::Binary(second, c, d)) => first == second && a.is_same(c) && b.is_same(d),
            (Node::Apply(first, a), Node::Apply(second, b)) => first == second && a.is_same(b),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_halves_and_roots_are_taken_in() {
        let (x, k) = (Expression::component(0, "x"), Expression::parameter("k"));
        let two_k = Expression::constant(2.0).multiply(&k);
        assert_eq!(x.combine(Operation::Subtract, &k).opposite().to_string(), "k - x");
        assert_eq!(k.negate().multiply(&x).add(&two_k).opposite().to_string(), "k x - 2 k");
        assert_eq!(two_k.multiply(&x).half().to_string(), "k x");
        assert_eq!(k.multiply(&x).half().to_string(), "k x/2");
        assert_eq!(two_k.apply(Function::Sqrt).combine(Operation::Divide, &x).square().to_string(), "2 k/x^2");
        // The same amplitude, written twice.
        let root = || Expression::constant(2.0).multiply(&Expression::parameter("k")).apply(Function::Sqrt);
        assert_eq!(root().product(&root()).to_string(), "2 k");
        assert_eq!(root().product(&x).to_string(), "sqrt(2 k) x");
        // A parameter that is called like a component is another thing.
        assert_eq!(x.product(&Expression::parameter("x")).to_string(), "x x");
    }
}
