//! Euler–Maruyama steps of the reverse process.

use std::sync::Arc;

use super::about::{About, Fixed, Method, Needs, Way};
use crate::error::Result;
use crate::process::Motion;
use crate::sample::plan::Stepper;
use crate::sample::problem::Problem;

pub(super) const ABOUT: About = About {
    name: "em",
    meaning: "Euler–Maruyama, one evaluation of the score a step",
    title: "Euler-Maruyama, weak order 1",
    text: &["z <- z + b(z, t) h + G(z, t) sqrt(h) xi"],
    latex: &[
        "z &\\leftarrow z + b(z, t)\\, h + G(z, t) \\sqrt{h}\\, \\xi, \\qquad \\xi \\sim \\mathcal{N}(0, 1)",
        "b &= -f + \\nabla \\cdot D + D \\nabla \\ln p_t",
    ],
    steps: 1000,
    settings: &[],
    needs: Needs::Any,
    read: |_| Arc::new(EulerMaruyama),
};

/// Euler–Maruyama: weak order 1; one evaluation of the score a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EulerMaruyama;

impl Method for EulerMaruyama {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn way(&self) -> Way<'_> {
        Way::Fixed(self)
    }
}

impl Fixed for EulerMaruyama {
    fn stepper<'a>(&'a self, problem: &'a Problem<'a>) -> Result<Stepper<'a>> {
        let reverse = problem.field(Motion::Reverse)?;
        Ok(Box::new(move |step| problem.euler(&reverse, step)))
    }
}
