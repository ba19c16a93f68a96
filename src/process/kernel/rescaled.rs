//! Coefficients that all change with the time in the same way: A(t) = β(t) A₀, b(t) = β(t) b₀, D(t) = β(t) D₀.
//!
//! With θ(t) = ∫₀ᵗ β such a process is the one of constant coefficients A₀, b₀, D₀ in the time θ (the time change of
//! variance-preserving and -exploding diffusion; Song et al., arXiv 2011.13456; Karras et al., arXiv 2206.00364).

use std::collections::BTreeMap;

use super::integrated::within;
use super::mesh::Mesh;
use super::monomial::{Bases, Monomial};
use super::poles::Integrand;
use super::quadrature::rule;
use super::stretch::Stretch;
use crate::error::{Error, Result};
use crate::expr::{Course, Expression, switching_times};
use crate::process::Linear;
use crate::process::definition::{Place, Timeline};

/// Difference of the integral over a part from that over its halves that is accepted: a few roundings of β, which is
/// not known better where it is steep.
const TOLERANCE: f64 = 4e-15;
/// Differences below this are none: smaller numbers have fewer digits.
const SMALLEST: f64 = 1e-290;

/// A process of constant coefficients and the time in which it has them.
#[derive(Debug)]
pub(in crate::process) struct Rescaled {
    /// A₀, b₀ and G₀ with D₀ = G₀ G₀ᵀ.
    pub(in crate::process) linear: Linear,
    pub(in crate::process) clock: Clock,
}

impl Rescaled {
    /// The form of `timeline` with a common factor, if the graph shows that it has one which is finite and ≥ 0 up to
    /// the `horizon`.
    pub(in crate::process) fn of(timeline: &Timeline, horizon: f64) -> Option<Self> {
        let mut bases = Bases::new(timeline.parameters());
        let mut linear = timeline.constant().clone();
        let mut common: Option<Monomial> = None;
        let mut steady = false;
        for (place, expression) in timeline.varying() {
            let monomial = bases.monomial(expression);
            if !monomial.constant.is_finite() {
                return None;
            }
            *place.entry(&mut linear) = monomial.constant;
            if monomial.constant == 0.0 {
                continue;
            }
            let rate = if matches!(place, Place::Noise(..)) { monomial.power(2.0)? } else { monomial };
            steady |= rate.is_constant();
            match &common {
                Some(known) if !known.is_multiple(&rate) => return None,
                _ => common = Some(rate),
            }
        }
        let is_zero = |matrix: &[f64]| matrix.iter().all(|&entry| entry == 0.0);
        let still = timeline.constant();
        steady |=
            !(is_zero(still.drift.as_slice()) && is_zero(still.offset.as_slice()) && is_zero(still.noise.as_slice()));
        let factor = common.filter(|_| !steady)?.with_constant(1.0);
        let clock = Clock::new(bases.expression(&factor), timeline.parameters(), horizon).ok()?;
        Some(Self { linear, clock })
    }
}

/// θ(t) = ∫₀ᵗ β.
#[derive(Debug, Clone)]
pub(in crate::process) struct Clock {
    factor: Expression,
    course: Course,
    horizon: f64,
    /// The parts in which Gauss–Legendre quadrature is exact to rounding, and ∫ β over each.
    parts: Vec<(Stretch, f64)>,
}

impl Clock {
    fn new(factor: Expression, parameters: &BTreeMap<String, f64>, horizon: f64) -> Result<Self> {
        let places = switching_times([&factor], parameters, horizon);
        let course = Course::new(&[factor.bind(parameters)])?;
        let clock = Self { factor, course, horizon, parts: Vec::new() };
        let agree = |[whole, left, right]: [&f64; 3], more| {
            (whole - (left + right)).abs() <= (TOLERANCE + more) * whole + SMALLEST
        };
        let integrands = [Integrand { name: format!("the factor `{}`", clock.factor), power: 1 }];
        let mesh = Mesh::new(&clock.course, &integrands, &places, horizon);
        let parts = mesh.subdivide(|stretch| clock.integral(stretch).map(Some), agree)?;
        Ok(Self { parts, ..clock })
    }

    /// β, an expression in the time.
    pub(in crate::process) fn factor(&self) -> &Expression {
        &self.factor
    }

    /// θ(to) − θ(from), without the loss of digits of a difference.
    ///
    /// # Errors
    /// When a time is outside [0, T].
    pub(in crate::process) fn between(&self, from: f64, to: f64) -> Result<f64> {
        let (from, to) = (within(from, self.horizon)?, within(to, self.horizon)?);
        let place = |time: f64| self.parts.partition_point(|(stretch, _)| stretch.from <= time) - 1;
        let (first, last) = (place(from), place(to));
        let (begin, end) = (Stretch { from, ..self.parts[first].0 }, Stretch { to, ..self.parts[last].0 });
        if first == last {
            return self.integral(Stretch { to, ..begin });
        }
        let whole: f64 = self.parts[first + 1..last].iter().map(|(_, length)| length).sum();
        Ok(self.integral(begin)? + whole + self.integral(end)?)
    }

    fn integral(&self, stretch: Stretch) -> Result<f64> {
        let mut sum = 0.0;
        for ((time, rate), weight) in stretch.nodes().into_iter().zip(rule().weights) {
            let value = self.course.at(time)[0];
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::numerical(format!("the factor `{}` is {value} at t = {time}", self.factor)));
            }
            sum += weight * rate * value;
        }
        Ok(sum)
    }
}
