//! The expression graph that tracing produces.
//!
//! A closure of a script runs once, on symbols; what it returns is a graph of [`Expression`]s. Shared parts stay
//! shared: every traversal visits a node once.

mod affine;
mod bind;
mod composed;
mod course;
mod derivative;
mod evaluate;
mod latex;
mod operation;
mod order;
mod print;
mod program;
#[cfg(test)]
mod random;
mod rewrite;
mod store;

use std::collections::HashSet;
use std::sync::Arc;

pub use affine::Affine;
pub use composed::{COMPOSED, COMPOSED_OF_TWO};
pub use course::{Course, Interval, switching_times};
pub use evaluate::Assignment;
pub use latex::symbol as latex_symbol;
pub use operation::{Comparison, Function, Operation};
pub use program::{Program, Scalars, Workspace};

/// A node of the graph.
#[derive(Debug)]
pub enum Node {
    /// A number.
    Constant(f64),
    /// The time t.
    Time,
    /// A parameter, by name.
    Parameter(Arc<str>),
    /// A component of the state: its number and its name.
    Component(usize, Arc<str>),
    /// −a.
    Negate(Expression),
    /// a ∘ b.
    Binary(Operation, Expression, Expression),
    /// f(a).
    Apply(Function, Expression),
    /// a where the condition holds, else b.
    Where(Condition, Expression, Expression),
}

/// A symbolic number.
#[derive(Debug, Clone)]
pub struct Expression {
    node: Arc<Node>,
    depth: u32,
    size: u64,
}

/// A symbolic truth value.
#[derive(Debug, Clone)]
pub enum Condition {
    /// a ∘ b.
    Compare(Comparison, Expression, Expression),
    /// Both hold.
    And(Arc<(Condition, Condition)>),
    /// At least one holds.
    Or(Arc<(Condition, Condition)>),
    /// It does not hold.
    Not(Arc<Condition>),
}

impl Condition {
    /// Conditions combined of more comparisons than this are refused by the language: traversals visit each.
    pub const LARGEST: usize = 1_000;

    /// Comparisons it consists of, and negations.
    pub fn size(&self) -> usize {
        match self {
            Self::Compare(..) => 1,
            Self::And(pair) | Self::Or(pair) => pair.0.size().saturating_add(pair.1.size()),
            Self::Not(inner) => inner.size().saturating_add(1),
        }
    }

    /// The expressions compared, in order.
    fn operands(&self) -> Vec<&Expression> {
        match self {
            Self::Compare(_, a, b) => vec![a, b],
            Self::And(pair) | Self::Or(pair) => [pair.0.operands(), pair.1.operands()].concat(),
            Self::Not(inner) => inner.operands(),
        }
    }
}

impl Node {
    fn children(&self) -> Vec<&Expression> {
        match self {
            Self::Constant(_) | Self::Time | Self::Parameter(_) | Self::Component(..) => Vec::new(),
            Self::Negate(a) | Self::Apply(_, a) => vec![a],
            Self::Binary(_, a, b) => vec![a, b],
            Self::Where(condition, a, b) => {
                let mut children = condition.operands();
                children.extend([a, b]);
                children
            }
        }
    }
}

impl Expression {
    /// Graphs nested deeper than this are refused by the language: traversals recurse.
    pub const DEEPEST: u32 = 4_000;

    fn from_node(node: Node) -> Self {
        let children = node.children();
        let depth = 1 + children.iter().map(|child| child.depth).max().unwrap_or(0);
        let size = children.iter().fold(1_u64, |sum, child| sum.saturating_add(child.size));
        Self { node: Arc::new(node), depth, size }
    }

    /// A number.
    pub fn constant(value: f64) -> Self {
        Self::from_node(Node::Constant(value))
    }

    /// The time t.
    pub fn time() -> Self {
        Self::from_node(Node::Time)
    }

    /// A parameter.
    pub fn parameter(name: &str) -> Self {
        Self::from_node(Node::Parameter(name.into()))
    }

    /// Component number `index` of the state.
    pub fn component(index: usize, name: &str) -> Self {
        Self::from_node(Node::Component(index, name.into()))
    }

    /// The node at the root.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Longest path from the root to a leaf.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// The number, if the expression is one.
    pub fn as_constant(&self) -> Option<f64> {
        match self.node() {
            Node::Constant(value) => Some(*value),
            _ => None,
        }
    }

    /// f(self).
    #[must_use]
    pub fn apply(&self, function: Function) -> Self {
        match self.as_constant() {
            Some(value) => Self::constant(function.of(value)),
            None => Self::from_node(Node::Apply(function, self.clone())),
        }
    }

    /// −self.
    #[must_use]
    pub fn negate(&self) -> Self {
        match self.node() {
            Node::Constant(value) => Self::constant(-value),
            Node::Negate(inner) => inner.clone(),
            _ => Self::from_node(Node::Negate(self.clone())),
        }
    }

    /// self ∘ other, with neutral and absorbing elements removed.
    #[must_use]
    pub fn combine(&self, operation: Operation, other: &Self) -> Self {
        use Operation::{Add, Divide, Multiply, Power, Subtract};
        match (operation, self.as_constant(), other.as_constant()) {
            (_, Some(a), Some(b)) => Self::constant(operation.of(a, b)),
            (Add, Some(0.0), _) => other.clone(),
            (Add | Subtract, _, Some(0.0)) | (Multiply | Divide | Power, _, Some(1.0)) => self.clone(),
            (Subtract, Some(0.0), _) => other.negate(),
            (Multiply, Some(1.0), _) => other.clone(),
            (Multiply, Some(0.0), _) | (Multiply, _, Some(0.0)) | (Divide, Some(0.0), _) => Self::constant(0.0),
            (Multiply, Some(-1.0), _) => other.negate(),
            (Multiply | Divide, _, Some(-1.0)) => self.negate(),
            _ => Self::from_node(Node::Binary(operation, self.clone(), other.clone())),
        }
    }

    /// `self` where the condition holds, else `other`.
    #[must_use]
    pub fn or_where(&self, condition: &Condition, other: &Self) -> Self {
        // Keeps the coefficients of `where(..) * x` recognisably 0 where they are.
        if let (Some(a), Some(b)) = (self.as_constant(), other.as_constant())
            && a.to_bits() == b.to_bits()
        {
            return self.clone();
        }
        Self::from_node(Node::Where(condition.clone(), self.clone(), other.clone()))
    }

    /// The first node, in depth-first order, of which `wanted` holds.
    pub fn find(&self, wanted: impl Fn(&Node) -> bool) -> Option<&Self> {
        let mut seen = HashSet::new();
        let mut stack = vec![self];
        while let Some(expression) = stack.pop() {
            if !seen.insert(Arc::as_ptr(&expression.node)) {
                continue;
            }
            if wanted(expression.node()) {
                return Some(expression);
            }
            stack.extend(expression.node().children().into_iter().rev());
        }
        None
    }

    /// self + other.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        self.combine(Operation::Add, other)
    }

    /// self · other.
    #[must_use]
    pub fn multiply(&self, other: &Self) -> Self {
        self.combine(Operation::Multiply, other)
    }

    /// Whether the parameter `name` occurs.
    pub fn uses_parameter(&self, name: &str) -> bool {
        self.find(|node| matches!(node, Node::Parameter(known) if &**known == name)).is_some()
    }

    /// Whether the value depends on the time.
    pub fn depends_on_time(&self) -> bool {
        self.find(|node| matches!(node, Node::Time)).is_some()
    }

    /// The largest parts that do not depend on the state, each once; of a divisor its reciprocal, since x/t has no
    /// value at t = 0 although x and t have.
    pub fn parts_without_state(&self) -> Vec<Self> {
        let mut seen = HashSet::new();
        let mut stack = vec![self];
        let mut parts = Vec::new();
        while let Some(expression) = stack.pop() {
            if !seen.insert(Arc::as_ptr(&expression.node)) {
                continue;
            }
            match expression.node() {
                _ if !expression.depends_on_state() => parts.push(expression.clone()),
                Node::Binary(Operation::Divide, a, b) if !b.depends_on_state() => {
                    stack.push(a);
                    parts.push(Self::constant(1.0).combine(Operation::Divide, b));
                }
                node => stack.extend(node.children()),
            }
        }
        parts
    }

    /// Whether the value depends on the state.
    pub fn depends_on_state(&self) -> bool {
        self.find(|node| matches!(node, Node::Component(..))).is_some()
    }
}

impl From<f64> for Expression {
    fn from(value: f64) -> Self {
        Self::constant(value)
    }
}
