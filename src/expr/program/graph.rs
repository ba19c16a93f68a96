//! Expressions with equal parts unified, split into what varies over the samples and what is the same for all.

use std::collections::HashMap;

use super::super::order::Images;
use super::super::{Comparison, Condition, Expression, Function, Node, Operation};
use crate::vector::singles;
use crate::{Error, Result};

/// The place of a value in its graph; parts stand before what is made of them.
pub(in crate::expr) type Id = u32;

/// A value; truth values are 1 and 0. −a is (−1)·a and a − b is a + (−1)·b, which changes no bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::expr) enum Value {
    /// The bits of a number, which can be compared.
    Constant(u64),
    Time,
    /// An argument of the call that is the same for all samples.
    Uniform(u32),
    /// A component of the state.
    Input(u32),
    Binary(Operation, Id, Id),
    Apply(Function, Id),
    /// e^a − 1, of what is the same for all samples: written as a difference it would lose its digits near 0.
    Growth(Id),
    Compare(Comparison, Id, Id),
    /// The second where the first is not 0, else the third.
    Select(Id, Id, Id),
}

impl Value {
    fn parts(self) -> impl Iterator<Item = Id> {
        let parts = match self {
            Self::Constant(_) | Self::Time | Self::Uniform(_) | Self::Input(_) => [None; 3],
            Self::Apply(_, a) | Self::Growth(a) => [Some(a), None, None],
            Self::Binary(_, a, b) | Self::Compare(_, a, b) => [Some(a), Some(b), None],
            Self::Select(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        parts.into_iter().flatten()
    }
}

#[derive(Debug, Default)]
pub(in crate::expr) struct Graph {
    values: Vec<Value>,
    varies: Vec<bool>,
    places: HashMap<Value, Id>,
}

impl Graph {
    /// The graph of `outputs`, and where in it they stand.
    ///
    /// # Errors
    /// On a parameter that is not one of `uniforms` and on a component that is not one of the `inputs`.
    pub(in crate::expr) fn new(outputs: &[Expression], inputs: usize, uniforms: &[&str]) -> Result<(Self, Vec<Id>)> {
        let mut graph = Self::default();
        let mut failure = None;
        let ids = Images::of(outputs, |part, ids: &Images<Id>| match graph.leaf(part.node(), inputs, uniforms) {
            Ok(Some(leaf)) => leaf,
            Ok(None) => graph.compound(part.node(), ids),
            Err(error) => {
                failure.get_or_insert(error);
                0
            }
        });
        match failure {
            Some(error) => Err(error),
            None => {
                let places = outputs.iter().map(|output| *ids.get(output)).collect();
                Ok((graph, places))
            }
        }
    }

    fn leaf(&mut self, node: &Node, inputs: usize, uniforms: &[&str]) -> Result<Option<Id>> {
        let leaf = match node {
            Node::Constant(value) => Value::Constant(value.to_bits()),
            Node::Time => Value::Time,
            Node::Parameter(name) => match uniforms.iter().position(|known| **known == **name) {
                Some(place) => Value::Uniform(place as u32),
                None => return Err(Error::argument(&**name, "has no value: an expression is run that still uses it")),
            },
            Node::Component(index, _) if *index < inputs => Value::Input(*index as u32),
            Node::Component(index, name) => {
                let problem = format!("is component {index} of the state, but only {inputs} are given");
                return Err(Error::argument(&**name, problem));
            }
            _ => return Ok(None),
        };
        Ok(Some(self.insert(leaf)))
    }

    fn compound(&mut self, node: &Node, ids: &Images<Id>) -> Id {
        match node {
            Node::Negate(a) => self.negated(*ids.get(a)),
            Node::Binary(Operation::Subtract, a, b) => {
                let b = self.negated(*ids.get(b));
                self.binary(Operation::Add, *ids.get(a), b)
            }
            Node::Binary(operation, a, b) => self.binary(*operation, *ids.get(a), *ids.get(b)),
            Node::Apply(function, a) => self.insert(Value::Apply(*function, *ids.get(a))),
            Node::Where(condition, a, b) => {
                let condition = self.truth(condition, ids);
                self.insert(Value::Select(condition, *ids.get(a), *ids.get(b)))
            }
            Node::Constant(_) | Node::Time | Node::Parameter(_) | Node::Component(..) => {
                unreachable!("leaves have ids")
            }
        }
    }

    fn truth(&mut self, condition: &Condition, ids: &Images<Id>) -> Id {
        let (no, yes) = (self.constant(0.0), self.constant(1.0));
        let value = match condition {
            Condition::Compare(comparison, a, b) => {
                let (a, b) = (*ids.get(a), *ids.get(b));
                match comparison {
                    Comparison::Greater => Value::Compare(Comparison::Less, b, a),
                    Comparison::GreaterOrEqual => Value::Compare(Comparison::LessOrEqual, b, a),
                    Comparison::NotEqual => {
                        Value::Select(self.insert(Value::Compare(Comparison::Equal, a, b)), no, yes)
                    }
                    comparison => Value::Compare(*comparison, a, b),
                }
            }
            Condition::And(pair) => Value::Select(self.truth(&pair.0, ids), self.truth(&pair.1, ids), no),
            Condition::Or(pair) => Value::Select(self.truth(&pair.0, ids), yes, self.truth(&pair.1, ids)),
            Condition::Not(inner) => Value::Select(self.truth(inner, ids), no, yes),
        };
        self.insert(value)
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn value(&self, id: Id) -> Value {
        self.values[id as usize]
    }

    /// Whether the value depends on the state.
    pub(super) fn varies(&self, id: Id) -> bool {
        self.varies[id as usize]
    }

    pub(super) fn as_constant(&self, id: Id) -> Option<f64> {
        match self.value(id) {
            Value::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    pub(super) fn constant(&mut self, value: f64) -> Id {
        self.insert(Value::Constant(value.to_bits()))
    }

    pub(super) fn negated(&mut self, a: Id) -> Id {
        let minus_one = self.constant(-1.0);
        self.binary(Operation::Multiply, minus_one, a)
    }

    /// a ∘ b, in one form for all the ways to write it.
    pub(super) fn binary(&mut self, operation: Operation, a: Id, b: Id) -> Id {
        use Operation::{Add, Divide, Multiply, Power};
        let commutes = matches!(operation, Add | Multiply);
        // A constant goes in front.
        let (a, b) = match (self.as_constant(a), self.as_constant(b)) {
            (None, Some(_)) if commutes => (b, a),
            (None, None) if commutes && a > b => (b, a),
            _ => (a, b),
        };
        if operation == Add
            && let Some(growth) = self.growth(a, b)
        {
            return growth;
        }
        match (operation, self.as_constant(a), self.as_constant(b)) {
            (Multiply, Some(1.0), _) => b,
            (Divide | Power, _, Some(1.0)) => a,
            (Power, _, Some(0.0)) => self.constant(1.0),
            (Multiply, Some(outer), None) => match self.value(b) {
                // Only signs: other factors may overflow together.
                Value::Binary(Multiply, inner, rest) if self.as_constant(inner).is_some() && outer == -1.0 => {
                    let factor = self.binary(Multiply, a, inner);
                    self.binary(Multiply, factor, rest)
                }
                _ => self.insert(Value::Binary(operation, a, b)),
            },
            _ => self.insert(Value::Binary(operation, a, b)),
        }
    }

    /// a + b without cancellation, where it is e^x − 1 or 1 − e^x and x is the same for all samples.
    fn growth(&mut self, a: Id, b: Id) -> Option<Id> {
        let exponent = |graph: &Self, b: Id| match graph.value(b) {
            Value::Apply(Function::Exp, x) if !graph.varies(x) => Some(x),
            _ => None,
        };
        match (self.as_constant(a)?, self.value(b)) {
            (-1.0, _) => exponent(self, b).map(|x| self.insert(Value::Growth(x))),
            (1.0, Value::Binary(Operation::Multiply, sign, b)) if self.as_constant(sign) == Some(-1.0) => {
                let growth = exponent(self, b).map(|x| self.insert(Value::Growth(x)))?;
                Some(self.negated(growth))
            }
            _ => None,
        }
    }

    /// The place of the value, which is put there unless it or its equal stands somewhere; of constants a constant.
    fn insert(&mut self, value: Value) -> Id {
        let value = self.folded(value);
        if let Some(&place) = self.places.get(&value) {
            return place;
        }
        let varies = matches!(value, Value::Input(_)) || value.parts().any(|part| self.varies(part));
        let place = self.values.len() as Id;
        self.values.push(value);
        self.varies.push(varies);
        self.places.insert(value, place);
        place
    }

    fn folded(&self, value: Value) -> Value {
        let is_leaf = value.parts().next().is_none();
        if is_leaf || value.parts().any(|part| self.as_constant(part).is_none()) {
            return value;
        }
        let part = |id: Id| self.as_constant(id).unwrap_or(f64::NAN);
        Value::Constant(value.evaluate(f64::NAN, &[], part).to_bits())
    }
}

impl Value {
    /// The value in double precision, from those of its parts.
    pub(in crate::expr) fn evaluate(self, time: f64, uniforms: &[f64], part: impl Fn(Id) -> f64) -> f64 {
        match self {
            Self::Constant(bits) => f64::from_bits(bits),
            Self::Time => time,
            Self::Uniform(place) => uniforms[place as usize],
            Self::Input(_) => f64::NAN,
            Self::Binary(operation, a, b) => operation.of(part(a), part(b)),
            Self::Apply(function, a) => function.of(part(a)),
            Self::Growth(a) => part(a).exp_m1(),
            Self::Compare(comparison, a, b) => f64::from(u8::from(comparison.of(part(a), part(b)))),
            Self::Select(condition, a, b) => part(if part(condition) != 0.0 { a } else { b }),
        }
    }
}

/// The values that are the same for all samples, as far as they are needed.
#[derive(Debug, Clone, Default)]
pub(in crate::expr) struct Uniforms {
    /// Parts are places in this list.
    values: Vec<Value>,
}

impl Uniforms {
    /// Those of `wanted` with their parts, and the new place of each value of the graph that is among them.
    pub(in crate::expr) fn new(graph: &Graph, wanted: impl Iterator<Item = Id>) -> (Self, Vec<Id>) {
        let mut needed = vec![false; graph.len()];
        for id in wanted {
            needed[id as usize] = true;
        }
        for id in (0..graph.len()).rev() {
            if needed[id] {
                graph.values[id].parts().for_each(|part| needed[part as usize] = true);
            }
        }
        let mut places = vec![0; graph.len()];
        let mut values = Vec::new();
        for id in (0..graph.len()).filter(|&id| needed[id]) {
            places[id] = values.len() as Id;
            values.push(renumbered(graph.values[id], |part| places[part as usize]));
        }
        (Self { values }, places)
    }

    /// The values, parts before what is made of them.
    pub(in crate::expr) fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// All values, computed in double precision and then rounded.
    pub(super) fn evaluate(&self, time: f64, uniforms: &[f64]) -> Vec<f32> {
        let mut known: Vec<f64> = Vec::with_capacity(self.values.len());
        for &value in &self.values {
            known.push(value.evaluate(time, uniforms, |part| known[part as usize]));
        }
        singles(known)
    }
}

fn renumbered(value: Value, place: impl Fn(Id) -> Id) -> Value {
    match value {
        Value::Constant(_) | Value::Time | Value::Uniform(_) | Value::Input(_) => value,
        Value::Binary(operation, a, b) => Value::Binary(operation, place(a), place(b)),
        Value::Apply(function, a) => Value::Apply(function, place(a)),
        Value::Growth(a) => Value::Growth(place(a)),
        Value::Compare(comparison, a, b) => Value::Compare(comparison, place(a), place(b)),
        Value::Select(condition, a, b) => Value::Select(place(condition), place(a), place(b)),
    }
}
