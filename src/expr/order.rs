//! The order in which graphs are worked through: without recursion, since derivatives nest deeper than what they are
//! derived from.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Condition, Expression, Node};

/// Every node of the graphs once, each after the nodes it refers to.
pub(super) fn parts_first(expressions: &[Expression]) -> Vec<&Expression> {
    let mut order = Vec::new();
    let mut seen = HashSet::new();
    let mut stack: Vec<_> = expressions.iter().rev().map(|expression| (expression, false)).collect();
    while let Some((expression, parts_done)) = stack.pop() {
        if parts_done {
            order.push(expression);
        } else if seen.insert(expression.address()) {
            stack.push((expression, true));
            stack.extend(expression.node().children().into_iter().rev().map(|part| (part, false)));
        }
    }
    order
}

/// What became of each node of a graph, found by the node's address.
pub(super) struct Images<T>(HashMap<*const Node, T>);

impl<T> Images<T> {
    /// The images of all nodes of `expressions`; `image` is given those of the node's parts.
    pub(super) fn of(expressions: &[Expression], mut image: impl FnMut(&Expression, &Self) -> T) -> Self {
        let mut images = Self(HashMap::new());
        for part in parts_first(expressions) {
            let value = image(part, &images);
            images.0.insert(part.address(), value);
        }
        images
    }

    /// The image of a node of the graph.
    pub(super) fn get(&self, expression: &Expression) -> &T {
        &self.0[&expression.address()]
    }
}

impl Expression {
    pub(super) fn address(&self) -> *const Node {
        Arc::as_ptr(&self.node)
    }
}

impl Condition {
    /// The same condition on other expressions.
    pub(super) fn map(&self, image: &impl Fn(&Expression) -> Expression) -> Self {
        match self {
            Self::Compare(comparison, a, b) => Self::Compare(*comparison, image(a), image(b)),
            Self::And(pair) => Self::And((pair.0.map(image), pair.1.map(image)).into()),
            Self::Or(pair) => Self::Or((pair.0.map(image), pair.1.map(image)).into()),
            Self::Not(inner) => Self::Not(inner.map(image).into()),
        }
    }
}
