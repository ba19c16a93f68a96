//! The value of an expression at one point, in double precision.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Condition, Expression, Function, Node, Operation};

/// What the symbols stand for.
#[derive(Debug, Clone, Copy)]
pub struct Assignment<'a> {
    /// The time.
    pub time: f64,
    /// The parameters; a missing one evaluates to NaN.
    pub parameters: &'a BTreeMap<String, f64>,
    /// The components of the state; a missing one evaluates to NaN.
    pub state: &'a [f64],
}

type Memory = HashMap<*const Node, f64>;

impl Expression {
    /// The value at one point.
    pub fn evaluate(&self, values: Assignment<'_>) -> f64 {
        self.visit(values, &mut Memory::new())
    }

    /// The innermost part that has no finite value although its own parts have.
    pub fn fault(&self, values: Assignment<'_>) -> Option<Self> {
        let mut memory = Memory::new();
        if self.visit(values, &mut memory).is_finite() {
            return None;
        }
        let mut current = self;
        loop {
            let broken =
                current.node().children().into_iter().find(|part| !part.visit(values, &mut memory).is_finite());
            match broken {
                Some(part) => current = part,
                None => return Some(current.clone()),
            }
        }
    }

    fn visit(&self, values: Assignment<'_>, memory: &mut Memory) -> f64 {
        let key = Arc::as_ptr(&self.node);
        if let Some(&value) = memory.get(&key) {
            return value;
        }
        let value = match self.node() {
            Node::Constant(value) => *value,
            Node::Time => values.time,
            Node::Parameter(name) => values.parameters.get(&**name).copied().unwrap_or(f64::NAN),
            Node::Component(index, _) => values.state.get(*index).copied().unwrap_or(f64::NAN),
            Node::Negate(a) => -a.visit(values, memory),
            Node::Binary(operation, a, b) => match growth(*operation, a, b) {
                Some((sign, exponent)) => sign * exponent.visit(values, memory).exp_m1(),
                None => operation.of(a.visit(values, memory), b.visit(values, memory)),
            },
            Node::Apply(function, a) => function.of(a.visit(values, memory)),
            Node::Where(condition, a, b) => {
                if condition.holds(values, memory) {
                    a.visit(values, memory)
                } else {
                    b.visit(values, memory)
                }
            }
        };
        memory.insert(key, value);
        value
    }
}

/// The x of e^x − 1 or 1 − e^x, with the sign in front of e^x: as a difference they would lose their digits near 0.
fn growth<'a>(operation: Operation, a: &'a Expression, b: &'a Expression) -> Option<(f64, &'a Expression)> {
    match (operation, a.node(), b.node()) {
        (Operation::Subtract, Node::Apply(Function::Exp, x), Node::Constant(1.0))
        | (Operation::Add, Node::Apply(Function::Exp, x), Node::Constant(-1.0))
        | (Operation::Add, Node::Constant(-1.0), Node::Apply(Function::Exp, x)) => Some((1.0, x)),
        (Operation::Subtract, Node::Constant(1.0), Node::Apply(Function::Exp, x)) => Some((-1.0, x)),
        _ => None,
    }
}

impl Condition {
    fn holds(&self, values: Assignment<'_>, memory: &mut Memory) -> bool {
        match self {
            Self::Compare(comparison, a, b) => {
                let (a, b) = (a.visit(values, memory), b.visit(values, memory));
                comparison.of(a, b)
            }
            Self::And(pair) => pair.0.holds(values, memory) && pair.1.holds(values, memory),
            Self::Or(pair) => pair.0.holds(values, memory) || pair.1.holds(values, memory),
            Self::Not(inner) => !inner.holds(values, memory),
        }
    }
}
