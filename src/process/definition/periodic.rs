//! Data that are angles: a state and the same after a full turn must be one.

use std::f64::consts::{PI, TAU};

use super::Definition;
use super::form::Numbers;
use crate::error::{Error, Result};
use crate::expr::Assignment;
use crate::settings::written;

/// States at which drift and noise are compared with what they are after a full turn.
const STATES: usize = 24;

/// What they may differ by, in parts of their own size: the rounding of sines of a few turns.
const ROUNDING: f64 = 1e-9;

impl Definition {
    /// Refuses blocks that cannot be angles, by their names and by how coordinates hang together.
    pub(super) fn check_periodic(&self) -> Result<()> {
        let refuse = |problem: String, hint: String| Err(Error::argument("periodic", problem).with_hint(hint));
        let data = &self.blocks[0];
        if let Some(other) = self.periodic.iter().find(|block| *block != data) {
            let hint = format!("write periodic: [\"{data}\"]; only the data can be angles");
            return match self.blocks.contains(other) {
                true => refuse(format!("names `{other}`, an auxiliary block"), hint),
                false => refuse(format!("names `{other}`, which is no block"), hint),
            };
        }
        if !self.periodic.is_empty() && self.coordinates.is_some() {
            let hint = "angles need a process that gives every coordinate a copy of its own".to_owned();
            return refuse(format!("names `{data}`, whose coordinates the process tells apart"), hint);
        }
        Ok(())
    }
}

impl Numbers<'_> {
    /// Refuses angles that drift or noise tell from themselves after a full turn, at one of the `times`.
    ///
    /// # Errors
    /// Names the part, the component, the state and the change.
    pub(in crate::process) fn check_periodic(&self, times: &[f64]) -> Result<()> {
        let Definition { name, blocks, drift, noise, .. } = self.definition;
        let Some(angle) = self.definition.periodic.first() else { return Ok(()) };
        let drifts = drift.iter().enumerate().map(|(i, f)| ("drift", i, f));
        let rows = noise.iter().enumerate();
        let noises = rows.flat_map(|(i, row)| row.iter().map(move |g| ("noise", i, g)));
        for (part, component, expression) in drifts.chain(noises).filter(|(_, _, e)| e.depends_on_state()) {
            for i in 0..STATES {
                let state = spread(i, blocks.len());
                let time = times[i * (times.len() - 1) / (STATES - 1)];
                let at = |state: &[f64]| expression.evaluate(Assignment { time, parameters: self.parameters, state });
                let before = at(&state);
                let mut turned = state.clone();
                turned[0] += TAU;
                let change = at(&turned) - before;
                // Where one of them has no value there is nothing to compare.
                if change.abs() > ROUNDING * (1.0 + before.abs()) {
                    let problem = format!(
                        "`{angle}` is no angle: from {angle} = {} to {}, a full turn, the {part} of `{}`, \
                         `{expression}`, changes by {}",
                        written(round(state[0])),
                        written(round(turned[0])),
                        blocks[component],
                        written(round(change))
                    );
                    return Err(Error::part(name, "periodic", problem).with_hint(format!(
                        "drift and noise must be the same after {angle} + 2 pi: no force on {angle} at all (k = 0), \
                         or sin({angle}) and the like"
                    )));
                }
            }
        }
        Ok(())
    }
}

/// A number as it is told: four digits behind the point.
fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// State number `i` of those that fill (−π, π) evenly (Roberts' generalised golden ratio for 2 dimensions and more).
fn spread(i: usize, components: usize) -> Vec<f64> {
    let place = |c: usize| ((i as f64 + 0.5) * 1.324_717_957_244_746_f64.powi(-(c as i32) - 1)).fract();
    (0..components).map(|c| PI * (2.0 * place(c) - 1.0)).collect()
}
