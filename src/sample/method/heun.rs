//! Heun's method on the probability flow (Karras, Aittala, Aila, Laine, arXiv 2206.00364, algorithm 1 without noise).

use std::sync::Arc;

use super::about::{About, Fixed, Method, Needs, Way};
use crate::error::Result;
use crate::process::Motion;
use crate::sample::layout::Layout;
use crate::sample::plan::{Part, Place, Stepper};
use crate::sample::problem::Problem;
use crate::sample::update::Update;

pub(super) const ABOUT: About = About {
    name: "heun",
    meaning: "Heun on the flow, two evaluations of the score a step, but one in a step that ends at t = 0",
    title: "Heun on the probability flow, order 2",
    text: &["k = u(z, t)", "z <- z + h/2 [k + u(z + h k, t - h)], or z + h k where the step ends at t = 0"],
    latex: &[
        "k &= u(z, t), \\qquad u = -f + \\tfrac12 \\nabla \\cdot D + \\tfrac12 D \\nabla \\ln p_t",
        "z &\\leftarrow z + \\tfrac{h}{2} \\left[k + u(z + h k, t - h)\\right]",
    ],
    steps: 200,
    settings: &[],
    needs: Needs::Any,
    read: |_| Arc::new(Heun),
};

/// Heun on the probability flow: order 2; two evaluations a step, one in a step that ends at t = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heun;

impl Method for Heun {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn way(&self) -> Way<'_> {
        Way::Fixed(self)
    }
}

impl Fixed for Heun {
    fn stepper<'a>(&'a self, problem: &'a Problem<'a>) -> Result<Stepper<'a>> {
        let flow = problem.field(Motion::Flow)?;
        let Layout { state, score, .. } = problem.layout;
        // Behind state and score stand the state at the beginning and both velocities.
        let begin = state + score;
        let slope = move |time: f64, place: usize| {
            let to = Place::Work(begin + place * state);
            Ok([problem.score(time), Part::Apply { update: flow.slope(time)?, from: 0, to }])
        };
        Ok(Box::new(move |step| {
            let (from, to) = problem.span(step);
            let length = from - to;
            let mut parts = vec![problem.load()];
            parts.extend(slope(from, 1)?);
            parts.push(Part::Copy { from: Place::Work(0), to: Place::Work(begin), rows: state });
            if to == 0.0 {
                parts.push(Part::Apply { update: Update::Along { length }, from: begin, to: Place::Kept(0) });
                return Ok(parts);
            }
            parts.push(Part::Apply { update: Update::Along { length }, from: begin, to: Place::Work(0) });
            parts.extend(slope(to, 2)?);
            parts.push(Part::Apply { update: Update::Mean { length }, from: begin, to: Place::Kept(0) });
            Ok(parts)
        }))
    }
}
