//! A stretch of the time axis, and where a rule of quadrature looks at it.

use super::quadrature::{NODES, rule};

/// A stretch of the time axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    pub(super) from: f64,
    pub(super) to: f64,
    /// Whether nodes are spread evenly in ln t, in which powers of t are smooth; from 0 on they never are.
    pub(super) is_graded: bool,
}

impl Stretch {
    /// ln(to/from), where nodes are spread evenly in ln t.
    fn logarithm(self) -> Option<f64> {
        (self.is_graded && self.from > 0.0).then(|| ((self.to - self.from) / self.from).ln_1p())
    }

    /// t(u) and dt/du at the nodes u of the rule, for t from one end of the stretch to the other over [0, 1].
    pub(super) fn nodes(self) -> [(f64, f64); NODES] {
        let length = self.to - self.from;
        match self.logarithm() {
            None => rule().nodes.map(|u| (self.from + length * u, length)),
            Some(logarithm) => rule().nodes.map(|u| {
                let time = self.from * (u * logarithm).exp();
                (time, time * logarithm)
            }),
        }
    }

    /// By what part a function that changes by as much as it is over the stretch is uncertain, times being rounded.
    pub(super) fn rounding(self) -> f64 {
        4.0 * f64::EPSILON * self.to / (self.to - self.from)
    }

    pub(super) fn halves(self) -> [Self; 2] {
        let middle = match self.logarithm() {
            None => 0.5 * (self.from + self.to),
            Some(logarithm) => self.from * (0.5 * logarithm).exp(),
        };
        [Self { to: middle, ..self }, Self { from: middle, ..self }]
    }
}
