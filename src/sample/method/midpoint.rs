//! The midpoint rule on the probability flow: what a new method takes, for the tests.

use std::sync::Arc;

use super::about::{About, Fixed, Method, Needs, Way};
use crate::error::Result;
use crate::process::Motion;
use crate::sample::layout::Layout;
use crate::sample::plan::{Part, Place, Stepper};
use crate::sample::problem::Problem;
use crate::sample::update::Update;
use crate::settings::{Setting, Values};

pub(super) const ABOUT: About = About {
    name: "midpoint",
    meaning: "the midpoint rule on the flow",
    title: "midpoint rule on the probability flow, order 2",
    text: &["z <- z + h u(z + a h u(z, t), t - a h)"],
    latex: &["z &\\leftarrow z + h\\, u(z + a h\\, u(z, t), t - a h)"],
    steps: 200,
    settings: SETTINGS,
    needs: Needs::Any,
    read: |values| Arc::new(Midpoint::read(values)),
};

const SETTINGS: &[Setting] = &[Setting::number("middle", "where in the step it looks").between(0.1, 0.9).or(0.5)];

/// Order 2 where it looks at the middle; two evaluations a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Midpoint {
    middle: f64,
}

impl Midpoint {
    fn read(values: &Values) -> Self {
        Self { middle: values.number("middle") }
    }
}

impl Default for Midpoint {
    fn default() -> Self {
        Self::read(&Values::defaults(SETTINGS))
    }
}

impl Method for Midpoint {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn way(&self) -> Way<'_> {
        Way::Fixed(self)
    }
}

impl Fixed for Midpoint {
    fn stepper<'a>(&'a self, problem: &'a Problem<'a>) -> Result<Stepper<'a>> {
        let flow = problem.field(Motion::Flow)?;
        let Layout { state, score, .. } = problem.layout;
        let begin = state + score;
        let slope = move |time: f64| {
            let to = Place::Work(begin + state);
            Ok([problem.score(time), Part::Apply { update: flow.slope(time)?, from: 0, to }])
        };
        Ok(Box::new(move |step| {
            let (from, to) = problem.span(step);
            let length = from - to;
            let along = |length: f64, to: Place| Part::Apply { update: Update::Along { length }, from: begin, to };
            let mut parts =
                vec![problem.load(), Part::Copy { from: Place::Kept(0), to: Place::Work(begin), rows: state }];
            parts.extend(slope(from)?);
            parts.push(along(self.middle * length, Place::Work(0)));
            parts.extend(slope(from - self.middle * length)?);
            parts.push(along(length, Place::Kept(0)));
            Ok(parts)
        }))
    }
}
