//! Why states left the range of floating point.

use crate::error::Error;
use crate::process::{Process, WITHOUT_VALUE};

/// Sizes of a state whose squares and their reciprocals single precision holds with all digits.
const RANGE: std::ops::Range<f64> = 1e-18..1e18;

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
    /// Names the part of drift or noise that has no value there; else what is too small or large for single precision;
    /// else says how long the steps are.
    pub(super) fn error(&self) -> Error {
        if let Some(fault) = self.process.fault(self.time, &self.state) {
            return Error::numerical(fault).with_hint(WITHOUT_VALUE);
        }
        let problem = out_of_range(self.time);
        // Later in a run large states are what steps that are too long have made of them.
        let is_first = self.time >= self.process.horizon();
        let is_beyond = |size: f64| size > 0.0 && size < RANGE.start || is_first && size > RANGE.end;
        if let Some(component) = self.state.iter().position(|value| is_beyond(value.abs())) {
            let (name, size) = (self.process.component_name(component), self.state[component].abs());
            return problem.with_hint(format!(
                "measure in other units: {name} is about {size:.1e}, and single precision has its variance only for sizes \
                 from {:e} to {:e}",
                RANGE.start, RANGE.end
            ));
        }
        let longest = self.longest;
        let steps =
            format!("explicit steps run away when they are too long for the process; the longest is {longest:.3e}");
        problem.with_hint(match self.process.linear_at(self.process.horizon()) {
            Err(_) => format!("take more steps: {steps}"),
            Ok(linear) => {
                // The largest row sum bounds the modulus of every eigenvalue.
                let rates = linear.drift.row_iter().map(|row| row.abs().sum()).fold(0.0, f64::max);
                format!(
                    "take more steps, or follow the drift exactly, by perturb(..) forwards or the method \"splitting\" \
                     backwards: {steps}, and the drift has rates of up to {rates:.3e}"
                )
            }
        })
    }
}

/// That samples are not finite any more from `time` on.
pub(super) fn out_of_range(time: f64) -> Error {
    let at = match time {
        time if (1e-3..1e5).contains(&time) => format!("{time:.4}"),
        time => format!("{time:.3e}"),
    };
    Error::numerical(format!("the samples left the range of floating point at t = {at}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::fixtures::{Active, passive};

    fn said(process: &Process, time: f64, state: &[f64]) -> String {
        let error = Fault { process, time, longest: 0.125, state: state.to_vec() }.error();
        format!("{error}\n{}", error.hint().unwrap_or_default())
    }

    #[test]
    fn the_reason_is_named() {
        // Up to t = 2, with the drifts −x + η and −2 η.
        let active = Active::default().process();
        for (time, state, words) in [
            (2.0, [1.0, 1e-20], "at t = 2.0000\nmeasure in other units: eta is about 1.0e-20"),
            (0.5, [1e-19, 1.0], "at t = 0.5000\nmeasure in other units: x is about 1.0e-19"),
            (2.0, [-3e18, 1.0], "at t = 2.0000\nmeasure in other units: x is about 3.0e18"),
            // What long steps have made of it.
            (1.0, [1.0, 3e18], "at t = 1.0000\ntake more steps"),
            (1e-4, [0.0, 1.0], "at t = 1.000e-4\ntake more steps"),
        ] {
            let found = said(&active, time, &state);
            assert!(found.contains(words), "{state:?}: {found}");
        }
        let found = said(&active, 1.0, &[1.0, 1.0]);
        assert!(found.ends_with("the longest is 1.250e-1, and the drift has rates of up to 2.000e0"), "{found}");
        for size in [1e-17, 1e17] {
            let found = said(&passive(), 2.0, &[size]);
            assert!(found.contains("\ntake more steps"), "{found}");
        }
    }
}
