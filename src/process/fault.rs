//! Where drift or noise have no value.

use super::{Class, Process};
use crate::expr::{Assignment, Expression, Node};

/// What to do about a part of drift or noise without a value.
pub const WITHOUT_VALUE: &str = "steps may carry a state to where the process has no drift or noise: write it so that it \
    has, e.g. where(x > 0, sqrt(x), 0), or take more steps";

impl Process {
    /// The innermost part of drift or noise that has no finite value at a time and `state`, one number for each
    /// component, in words: "`sqrt(x)` is not finite at t = 0.3000, where x = -0.0100". Nothing of linear processes, of
    /// which every part is finite wherever the state is.
    pub fn fault(&self, time: f64, state: &[f64]) -> Option<String> {
        if self.class() != Class::Nonlinear {
            return None;
        }
        let at = Assignment { time, parameters: self.parameters(), state };
        let (drift, noise) = (self.bound_drift(), self.bound_noise());
        let part = drift.iter().chain(noise.iter().flatten()).find_map(|expression| expression.fault(at))?;
        let uses = |component: usize| {
            part.find(|node| matches!(node, Node::Component(index, _) if *index == component)).is_some()
        };
        let used = (0..state.len()).filter(|&component| uses(component));
        let values: Vec<_> = used.map(|c| format!("{} = {:.4}", self.component_name(c), state[c])).collect();
        Some(told(&part, time, &values))
    }
}

fn told(part: &Expression, time: f64, values: &[String]) -> String {
    let at = format!("`{part}` is not finite at t = {time:.4}");
    if values.is_empty() { at } else { format!("{at}, where {}", values.join(", ")) }
}
