//! Why states left the range of floating point.

use crate::error::Error;
use crate::process::{Process, WITHOUT_VALUE};

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
        if let Some(fault) = self.process.fault(self.time, &self.state) {
            return Error::numerical(fault).with_hint(WITHOUT_VALUE);
        }
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
