//! Expressions in the time alone: their values at a time, what they can be over a stretch of times, and the times at
//! which they switch.

mod interval;
mod switching;
#[cfg(test)]
mod tests;

pub use interval::Interval;
pub use switching::switching_times;

use super::program::{Graph, Id, Uniforms, Value};
use super::{Expression, Function, Operation};
use crate::Result;

/// Expressions in the time alone, in double precision.
#[derive(Debug, Clone)]
pub struct Course {
    values: Vec<Value>,
    outputs: Vec<Id>,
}

impl Course {
    /// # Errors
    /// On a parameter or a component of the state.
    pub fn new(expressions: &[Expression]) -> Result<Self> {
        let (graph, places) = Graph::new(expressions, 0, &[])?;
        let (uniforms, numbers) = Uniforms::new(&graph, places.iter().copied());
        let outputs = places.into_iter().map(|place| numbers[place as usize]).collect();
        Ok(Self { values: uniforms.into_values(), outputs })
    }

    /// The values at `time`.
    pub fn at(&self, time: f64) -> Vec<f64> {
        let known = self.all_at(time);
        self.outputs.iter().map(|&place| known[place as usize]).collect()
    }

    /// What each can be at times from `from` to `to`: the interval may be too wide, and is nearer to the truth the
    /// shorter the stretch.
    pub fn over(&self, from: f64, to: f64) -> Vec<Interval> {
        let mut known: Vec<Interval> = Vec::with_capacity(self.values.len());
        for &value in &self.values {
            known.push(interval::enclose(value, Interval::between(from, to), |part| known[part as usize]));
        }
        self.outputs.iter().map(|&place| known[place as usize]).collect()
    }

    /// Whether a part of them is not analytic at `time`, or has no value there: a root or power of what is 0, a
    /// division by 0.
    pub fn is_singular_at(&self, time: f64) -> bool {
        let known = self.all_at(time);
        let is_zero = |place: Id| known[place as usize] == 0.0;
        let is_natural = |place: Id| known[place as usize] >= 0.0 && known[place as usize].fract() == 0.0;
        self.values.iter().any(|value| match *value {
            Value::Apply(Function::Sqrt | Function::Ln, a) => is_zero(a),
            Value::Binary(Operation::Divide, _, b) => is_zero(b),
            Value::Binary(Operation::Power, a, b) => is_zero(a) && !is_natural(b),
            _ => false,
        })
    }

    fn all_at(&self, time: f64) -> Vec<f64> {
        let mut known: Vec<f64> = Vec::with_capacity(self.values.len());
        for &value in &self.values {
            known.push(value.evaluate(time, &[], |part| known[part as usize]));
        }
        known
    }
}
