//! Expressions as a physicist writes them: `-k x + eta`, `sqrt(2 Ta)/tau`.

use std::fmt::{Display, Formatter, Result};

use super::{Comparison, Condition, Expression, Node, Operation};

/// Larger trees are abbreviated; a shared graph may stand for a tree of any size.
pub(super) const LARGEST: u64 = 400;

/// How tightly an expression binds; brackets stand where a looser one is inside a tighter one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    Sum,
    Product,
    Power,
    Atom,
}

pub(super) fn binding(expression: &Expression) -> Binding {
    match expression.node() {
        Node::Constant(value) if *value < 0.0 => Binding::Sum,
        Node::Negate(_) | Node::Binary(Operation::Add | Operation::Subtract, ..) => Binding::Sum,
        // Printed with the minus in front.
        Node::Binary(Operation::Multiply | Operation::Divide, a, _) if begins_with_minus(a) => Binding::Sum,
        Node::Binary(Operation::Multiply | Operation::Divide, ..) => Binding::Product,
        Node::Binary(Operation::Power, ..) => Binding::Power,
        _ => Binding::Atom,
    }
}

fn begins_with_minus(expression: &Expression) -> bool {
    match expression.node() {
        Node::Negate(_) => true,
        Node::Constant(value) => *value < 0.0,
        _ => false,
    }
}

struct Inside<'a>(&'a Expression, Binding);

impl Display for Inside<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if binding(self.0) < self.1 { write!(f, "({})", self.0) } else { self.0.fmt(f) }
    }
}

/// All digits of a number, and no more zeros than can be counted.
fn number(value: f64) -> String {
    let is_plain = value == 0.0 || !value.is_finite() || (1e-4..1e7).contains(&value.abs());
    if is_plain { value.to_string() } else { format!("{value:e}") }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.size > LARGEST {
            return write!(f, "[{} operations]", self.size);
        }
        use Binding::{Power, Product, Sum};
        match self.node() {
            Node::Constant(value) => f.write_str(&number(*value)),
            Node::Time => f.write_str("t"),
            Node::Parameter(name) | Node::Component(_, name) => f.write_str(name),
            Node::Negate(a) => write!(f, "-{}", Inside(a, Product)),
            Node::Binary(Operation::Add, a, b) => {
                let b = Inside(b, Sum).to_string();
                match b.strip_prefix('-') {
                    Some(b) => write!(f, "{} - {b}", Inside(a, Sum)),
                    None => write!(f, "{} + {b}", Inside(a, Sum)),
                }
            }
            Node::Binary(Operation::Subtract, a, b) => write!(f, "{} - {}", Inside(a, Sum), Inside(b, Product)),
            Node::Binary(Operation::Multiply, a, b) => match a.node() {
                Node::Negate(a) => write!(f, "-{} {}", Inside(a, Product), Inside(b, Product)),
                Node::Constant(a) => write!(f, "{} {}", number(*a), Inside(b, Product)),
                _ => write!(f, "{} {}", Inside(a, Product), Inside(b, Product)),
            },
            Node::Binary(Operation::Divide, a, b) => match a.node() {
                Node::Constant(a) => write!(f, "{}/{}", number(*a), Inside(b, Power)),
                Node::Negate(a) => write!(f, "-{}/{}", Inside(a, Product), Inside(b, Power)),
                _ => write!(f, "{}/{}", Inside(a, Product), Inside(b, Power)),
            },
            Node::Binary(Operation::Power, a, b) => {
                write!(f, "{}^{}", Inside(a, Binding::Atom), Inside(b, Binding::Atom))
            }
            Node::Apply(function, a) => write!(f, "{}({a})", function.name()),
            Node::Where(condition, a, b) => write!(f, "where({condition}, {a}, {b})"),
        }
    }
}

impl Expression {
    /// Whether a product with it needs brackets around it.
    pub fn is_sum(&self) -> bool {
        matches!(self.node(), Node::Binary(Operation::Add | Operation::Subtract, ..))
    }

    /// The text that can stand as a factor: a sum in brackets.
    pub fn factor(&self) -> String {
        if self.is_sum() { format!("({self})") } else { self.to_string() }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Compare(comparison, a, b) => {
                let sign = match comparison {
                    Comparison::Less => "<",
                    Comparison::LessOrEqual => "<=",
                    Comparison::Greater => ">",
                    Comparison::GreaterOrEqual => ">=",
                    Comparison::Equal => "==",
                    Comparison::NotEqual => "!=",
                };
                write!(f, "{a} {sign} {b}")
            }
            Self::And(pair) => write!(f, "({}) & ({})", pair.0, pair.1),
            Self::Or(pair) => write!(f, "({}) | ({})", pair.0, pair.1),
            Self::Not(inner) => write!(f, "!({inner})"),
        }
    }
}
