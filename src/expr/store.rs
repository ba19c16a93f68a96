//! Expressions in files: a list of nodes, each after the nodes it refers to, so that shared parts are written once and
//! neither writing nor reading depends on how deep the graph is.

use std::collections::HashMap;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Comparison, Condition, Expression, Function, Node, Operation};

/// A node whose parts are named by their places in the list.
#[derive(Serialize, Deserialize)]
enum Flat {
    Constant(f64),
    Time,
    Parameter(String),
    // What files call it, from before coordinates could couple.
    #[serde(rename = "Block")]
    Component(usize, String),
    Negate(usize),
    Binary(Operation, usize, usize),
    Apply(Function, usize),
    Where(FlatCondition, usize, usize),
}

#[derive(Serialize, Deserialize)]
enum FlatCondition {
    Compare(Comparison, usize, usize),
    And(Box<(FlatCondition, FlatCondition)>),
    Or(Box<(FlatCondition, FlatCondition)>),
    Not(Box<FlatCondition>),
}

#[derive(Default)]
struct Writer {
    nodes: Vec<Flat>,
    places: HashMap<*const Node, usize>,
}

impl Writer {
    /// Appends an expression behind its parts and returns its place.
    fn add(&mut self, expression: &Expression) -> usize {
        let key = Arc::as_ptr(&expression.node);
        if let Some(&place) = self.places.get(&key) {
            return place;
        }
        let flat = match expression.node() {
            Node::Constant(value) => Flat::Constant(*value),
            Node::Time => Flat::Time,
            Node::Parameter(name) => Flat::Parameter(name.to_string()),
            Node::Component(index, name) => Flat::Component(*index, name.to_string()),
            Node::Negate(a) => Flat::Negate(self.add(a)),
            Node::Binary(operation, a, b) => Flat::Binary(*operation, self.add(a), self.add(b)),
            Node::Apply(function, a) => Flat::Apply(*function, self.add(a)),
            Node::Where(condition, a, b) => Flat::Where(self.condition(condition), self.add(a), self.add(b)),
        };
        self.nodes.push(flat);
        self.places.insert(key, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn condition(&mut self, condition: &Condition) -> FlatCondition {
        match condition {
            Condition::Compare(comparison, a, b) => FlatCondition::Compare(*comparison, self.add(a), self.add(b)),
            Condition::And(pair) => FlatCondition::And((self.condition(&pair.0), self.condition(&pair.1)).into()),
            Condition::Or(pair) => FlatCondition::Or((self.condition(&pair.0), self.condition(&pair.1)).into()),
            Condition::Not(inner) => FlatCondition::Not(self.condition(inner).into()),
        }
    }
}

/// The expression number `place` of those read so far.
fn part(read: &[Expression], place: usize) -> Result<Expression, String> {
    read.get(place).cloned().ok_or_else(|| format!("a node refers to node {place}, which does not stand before it"))
}

fn unflatten(flat: Flat, read: &[Expression]) -> Result<Node, String> {
    Ok(match flat {
        Flat::Constant(value) => Node::Constant(value),
        Flat::Time => Node::Time,
        Flat::Parameter(name) => Node::Parameter(name.into()),
        Flat::Component(index, name) => Node::Component(index, name.into()),
        Flat::Negate(a) => Node::Negate(part(read, a)?),
        Flat::Binary(operation, a, b) => Node::Binary(operation, part(read, a)?, part(read, b)?),
        Flat::Apply(function, a) => Node::Apply(function, part(read, a)?),
        Flat::Where(condition, a, b) => Node::Where(condition.unflatten(read)?, part(read, a)?, part(read, b)?),
    })
}

impl FlatCondition {
    fn unflatten(self, read: &[Expression]) -> Result<Condition, String> {
        Ok(match self {
            Self::Compare(comparison, a, b) => Condition::Compare(comparison, part(read, a)?, part(read, b)?),
            Self::And(pair) => Condition::And((pair.0.unflatten(read)?, pair.1.unflatten(read)?).into()),
            Self::Or(pair) => Condition::Or((pair.0.unflatten(read)?, pair.1.unflatten(read)?).into()),
            Self::Not(inner) => Condition::Not(inner.unflatten(read)?.into()),
        })
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut writer = Writer::default();
        writer.add(self);
        writer.nodes.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut read: Vec<Self> = Vec::new();
        for flat in Vec::<Flat>::deserialize(deserializer)? {
            let expression = Self::from_node(unflatten(flat, &read).map_err(D::Error::custom)?);
            if expression.depth() > Self::DEEPEST {
                return Err(D::Error::custom("an expression is nested too deeply"));
            }
            read.push(expression);
        }
        read.pop().ok_or_else(|| D::Error::custom("an expression is empty"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(expression: &Expression) -> Expression {
        serde_json::from_str(&serde_json::to_string(expression).unwrap()).unwrap()
    }

    #[test]
    fn long_sums_and_shared_parts_survive() {
        let k = Expression::parameter("k");
        let sum = (0..1000).fold(k.clone(), |sum, i| sum.add(&k.multiply(&Expression::constant(f64::from(i) + 0.1))));
        assert_eq!(stored(&sum).depth(), sum.depth());
        let doubled = (0..50).fold(k.clone(), |x, _| x.add(&x));
        assert!(serde_json::to_string(&doubled).unwrap().len() < 5000);
        assert_eq!(stored(&doubled).depth(), doubled.depth());
        let condition = Condition::Not(Condition::Compare(Comparison::Less, k.clone(), Expression::time()).into());
        let choice = k.or_where(&condition, &Expression::component(0, "x"));
        assert_eq!(stored(&choice).to_string(), choice.to_string());
    }

    #[test]
    fn damaged_lists_are_refused() {
        for text in ["[]", r#"[{"Negate":0}]"#, r#"["Time",{"Binary":["Add",0,7]}]"#] {
            assert!(serde_json::from_str::<Expression>(text).is_err(), "{text}");
        }
    }
}
