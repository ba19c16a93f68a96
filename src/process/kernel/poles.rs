//! Times at which coefficients are infinite.
//!
//! Towards t = 0 floating point has times as near as you like, and powers of t are integrated. Elsewhere the nearest
//! times are a rounding away: what a function gathers between is not known, and is refused unless it is negligible.

use std::collections::VecDeque;

use super::quadrature::rule;
use super::stretch::Stretch;
use crate::error::Error;
use crate::expr::{Course, Interval};
use crate::settings::written;

/// Stretches with more uncertainty by the rounding of times than this are near to what they were cut for.
const NEAR: f64 = 1e-6;
/// What such stretches may hold of the whole where a function may be infinite in them; a twentieth of it is error.
const NEGLIGIBLE: f64 = 1e-9;
/// Stretches that are looked at for a pole.
const MOST_STRETCHES: usize = 4_000;
/// Those shorter than this, in parts of their time, are its place.
const FINEST: f64 = 4.0 * f64::EPSILON;
/// Distances from a pole, in parts of the whole, between which its growth is measured, and the least growth.
const DISTANCES: [f64; 2] = [1e-10, 1e-6];
const LEAST: f64 = 0.01;

/// What a function of the time is, and to what power it is integrated: 1 of drift, 2 of noise.
#[derive(Debug)]
pub(in crate::process) struct Integrand {
    /// E.g. "the noise of `x`".
    pub(in crate::process) name: String,
    pub(in crate::process) power: i32,
}

/// Where a function is infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pole {
    /// The number of the function.
    which: usize,
    time: f64,
    /// α, as it grows as |t − time|^−α.
    growth: f64,
}

/// Refuses functions that may be infinite in one of the shortest `stretches`, of those that [0, `end`] was cut into,
/// unless it holds nothing to speak of.
///
/// # Errors
/// Names the function and the time.
pub(super) fn refuse(course: &Course, integrands: &[Integrand], stretches: &[Stretch], end: f64) -> Result<(), Error> {
    let is_near = |stretch: &&Stretch| stretch.rounding() > NEAR || stretch.from == 0.0 && stretch.is_graded;
    let mut held = vec![0.0; integrands.len()];
    let mut place = vec![0.0; integrands.len()];
    for stretch in stretches.iter().filter(is_near) {
        let may_be = course.over(stretch.from, stretch.to);
        if !may_be.iter().any(is_endless) {
            continue;
        }
        for (which, (own, may_be)) in integrals(course, integrands, *stretch).into_iter().zip(&may_be).enumerate() {
            if is_endless(may_be) {
                held[which] += own;
                place[which] = stretch.from;
            }
        }
    }
    if held.iter().all(|&held| held == 0.0) {
        return Ok(());
    }
    let mut whole = vec![0.0; integrands.len()];
    for stretch in stretches {
        for (whole, own) in whole.iter_mut().zip(integrals(course, integrands, *stretch)) {
            *whole += own;
        }
    }
    // Of what is infinite, nothing is negligible: NaN is not.
    let is_negligible = |which: usize| held[which] <= NEGLIGIBLE * whole[which];
    match (0..integrands.len()).find(|&which| !is_negligible(which)) {
        None => Ok(()),
        Some(which) => {
            let somewhere = Pole { which, time: place[which], growth: f64::NAN };
            Err(find(course, Some(which), end).unwrap_or(somewhere).error(integrands, end))
        }
    }
}

/// ∫|f|^power of each function over a stretch.
fn integrals(course: &Course, integrands: &[Integrand], stretch: Stretch) -> Vec<f64> {
    let mut sums = vec![0.0; integrands.len()];
    for ((time, rate), weight) in stretch.nodes().into_iter().zip(rule().weights) {
        for ((sum, integrand), value) in sums.iter_mut().zip(integrands).zip(course.at(time)) {
            *sum += weight * rate * value.abs().powi(integrand.power);
        }
    }
    sums
}

/// The pole with the fastest growth between 0 and `end`, of the function `which` or of any.
pub(super) fn find(course: &Course, which: Option<usize>, end: f64) -> Option<Pole> {
    let mut waiting = VecDeque::from([(0.0, end)]);
    let mut poles = Vec::new();
    for _ in 0..MOST_STRETCHES {
        let Some((from, to)) = waiting.pop_front() else { break };
        let may_be = course.over(from, to).into_iter().enumerate();
        let endless: Vec<_> =
            may_be.filter(|(i, value)| which.is_none_or(|which| which == *i) && is_endless(value)).collect();
        let middle = 0.5 * (from + to);
        if endless.is_empty() {
            continue;
        }
        if to - from > FINEST * to && middle > from && middle < to {
            waiting.extend([(from, middle), (middle, to)]);
            continue;
        }
        poles.extend(endless.iter().map(|&(which, _)| Pole {
            which,
            time: to,
            growth: growth(course, which, to, end),
        }));
    }
    poles.retain(|pole| pole.growth >= LEAST);
    poles.into_iter().max_by(|a, b| a.growth.total_cmp(&b.growth))
}

fn is_endless(value: &Interval) -> bool {
    value.low == f64::NEG_INFINITY || value.high == f64::INFINITY
}

/// α of |f| ~ |t − time|^−α, on the side where it is larger.
fn growth(course: &Course, which: usize, time: f64, end: f64) -> f64 {
    let [near, far] = DISTANCES.map(|distance| distance * end);
    let on_side = |sign: f64| {
        let (near, far) = (time + sign * near, time + sign * far);
        let is_inside = near > 0.0 && near < end && far > 0.0 && far < end;
        let size = |time: f64| course.at(time)[which].abs();
        if is_inside { (size(near) / size(far)).ln() / (DISTANCES[1] / DISTANCES[0]).ln() } else { 0.0 }
    };
    on_side(-1.0).max(on_side(1.0))
}

impl Pole {
    /// Whether the integral over the pole is finite.
    pub(super) fn is_integrable(self, integrands: &[Integrand]) -> bool {
        let power = integrands.get(self.which).map_or(1, |integrand| integrand.power);
        f64::from(power) * self.growth < 0.99
    }

    /// Why it is refused, and the way out.
    pub(super) fn error(self, integrands: &[Integrand], end: f64) -> Error {
        let Self { which, growth, .. } = self;
        let time = short(self.time, end);
        let (name, power) = integrands.get(which).map_or(("a coefficient", 1), |i| (i.name.as_str(), i.power));
        let place = match growth.is_finite() {
            true => format!("at t = {time}, near which it grows as |t - {time}|^-{growth:.2}"),
            false => format!("at t = {time}"),
        };
        let reason = match self.is_integrable(integrands) {
            true => "as times are rounded, this can be integrated at t = 0 only",
            false if power == 2 => "the integral of its square is infinite",
            false => "its integral is infinite",
        };
        Error::numerical(format!("{name} is infinite {place}: {reason}")).with_hint(format!(
            "keep it finite, with where(abs(t - {time}) > 1e-5, .., ..), or let the process begin there"
        ))
    }
}

/// A time without what rounding added to it.
fn short(time: f64, end: f64) -> String {
    let time: f64 = format!("{time:.12e}").parse().unwrap_or(time);
    if time < 1e-14 * end { "0".into() } else { written(time) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Expression, Function, Operation};

    /// 1/√|1 − t|, infinite in the middle and at the end, and 1/√(1 − t), which has no value behind.
    #[test]
    fn growth_is_measured_on_the_side_where_there_is_one() {
        let one = Expression::constant(1.0);
        let left = one.combine(Operation::Subtract, &Expression::time());
        let right = Expression::time().combine(Operation::Subtract, &one);
        for (distance, ends) in [(&left, [1.0, 2.0]), (&right, [1.5, 2.0])] {
            let course = Course::new(&[one.combine(Operation::Divide, &distance.apply(Function::Sqrt))]).unwrap();
            for end in ends {
                let found = growth(&course, 0, 1.0, end);
                assert!((found - 0.5).abs() < 1e-3, "{end}: {found}");
            }
        }
    }

    /// ∫ |t|^(−α p) dt is finite for α p < 1.
    #[test]
    fn a_pole_is_integrable_by_its_power() {
        let integrands = [1, 2].map(|power| Integrand { name: String::new(), power });
        let is_integrable = |which, growth| Pole { which, time: 1.0, growth }.is_integrable(&integrands);
        assert_eq!([0.4, 0.6, 1.0].map(|growth| is_integrable(0, growth)), [true, true, false]);
        assert_eq!([0.4, 0.6, 1.0].map(|growth| is_integrable(1, growth)), [true, false, false]);
    }
}
