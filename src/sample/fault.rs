//! Why states left the range of floating point.

use crate::error::Error;
use crate::expr::{Assignment, Expression, Node};
use crate::process::{Class, Process};

/// A step after which a state is not finite.
pub(super) struct Fault<'a> {
    pub(super) process: &'a Process,
    /// The time at which it begins.
    pub(super) time: f64,
    /// The length of the longest step of the run.
    pub(super) longest: f64,
    /// The state before it, by components.
    pub(super) state: Vec<f64>,
}

impl Fault<'_> {
    /// Names the part of drift or noise that has no value there; else says how long the steps are.
    pub(super) fn error(&self) -> Error {
        match self.part() {
            Some(part) => Error::numerical(format!(
                "`{part}` is not finite at t = {:.4}{}",
                self.time,
                self.values(&part).map_or_else(String::new, |values| format!(", where {values}"))
            ))
            .with_hint(
                "steps may carry a state to where the process has no drift or noise: write the process so that it has, \
                 e.g. where(x > 0, sqrt(x), 0), or take more steps",
            ),
            None => self.without_part(),
        }
    }

    /// The innermost part of drift or noise without a finite value, of processes that may have one.
    fn part(&self) -> Option<Expression> {
        if self.process.class() != Class::Nonlinear {
            return None;
        }
        let at = Assignment { time: self.time, parameters: self.process.parameters(), state: &self.state };
        let drift = self.process.bound_drift();
        drift.iter().chain(self.process.bound_noise().iter().flatten()).find_map(|expression| expression.fault(at))
    }

    /// "x = -0.01, v = 3", of the components that `part` depends on.
    fn values(&self, part: &Expression) -> Option<String> {
        let uses = |component: usize| {
            part.find(|node| matches!(node, Node::Component(index, _) if *index == component)).is_some()
        };
        let used = (0..self.state.len()).filter(|&component| uses(component));
        let values: Vec<_> =
            used.map(|c| format!("{} = {:.4e}", self.process.component_name(c), self.state[c])).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    fn without_part(&self) -> Error {
        let drift = self.process.linear_at(self.process.horizon()).map_or(String::new(), |linear| {
            // The largest row sum bounds the modulus of every eigenvalue.
            let rates = linear.drift.row_iter().map(|row| row.abs().sum()).fold(0.0, f64::max);
            format!(", and the drift has rates of up to {rates:.3e}")
        });
        Error::numerical(format!("the samples left the range of floating point at t = {:.4}", self.time)).with_hint(
            format!(
                "take more steps: explicit steps run away when they are too long for the process; the longest is \
                 {:.3e}{drift}",
                self.longest
            ),
        )
    }
}
