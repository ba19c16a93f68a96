//! Whether explicit steps are short enough for a process.

use crate::error::Result;
use crate::process::{Class, Process};

/// Parts of the time at whose ends rates are looked at when they change.
const CHECKS: u32 = 16;

/// Part of the longest step that damps a mode, beyond which its variance is wrong by more than 1/3: by h|λ|/2 of an
/// overdamped one.
const COARSE: f64 = 0.25;

/// What to say of Euler–Maruyama steps of `length` up to the time `until`, if they are too long for what the drift
/// damps.
///
/// A mode e^{λt}, Re λ < 0, is damped by a step h while |1 + hλ| ≤ 1: up to h = −2 Re λ/|λ|². Nothing is said of
/// nonlinear processes, whose rates depend on the state.
pub(super) fn warning(process: &Process, until: f64, length: f64) -> Result<Option<String>> {
    let checks = match process.class() {
        Class::Nonlinear => return Ok(None),
        Class::Constant => 0,
        _ => CHECKS,
    };
    let mut worst: Option<(f64, f64)> = None;
    for check in 0..=checks {
        let drift = process.linear_at(until * f64::from(check) / f64::from(CHECKS))?.drift;
        for rate in drift.complex_eigenvalues().iter().filter(|rate| rate.re < 0.0) {
            let limit = -2.0 * rate.re / rate.norm_sqr();
            if length > COARSE * limit * (1.0 + 1e-9) && worst.is_none_or(|(shortest, _)| limit < shortest) {
                worst = Some((limit, rate.norm()));
            }
        }
    }
    Ok(worst.map(|(limit, rate)| {
        let steps = (until / (COARSE * limit)).ceil();
        let what = if length > limit { "they amplify what it damps" } else { "variances are wrong by a third or more" };
        format!(
            "steps of {length:.3e} are too long for the rate {rate:.3e} of the process `{}`: {what}; take at least {steps} \
             steps",
            process.name()
        )
    }))
}
