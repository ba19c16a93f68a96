//! The time axis cut into parts over which quadrature is exact.
//!
//! Agreement of a part with its halves shows that a function is resolved where it was looked at. That nothing hides
//! between the nodes is shown by what the functions can be over the part: where that goes beyond what they are at the
//! nodes, it is followed into shorter and shorter stretches until it comes back, or a value beyond is found and the
//! part is cut. So pulses are found however narrow they are, and smooth functions cost a few evaluations a part.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::poles::{self, Integrand};
use super::stretch::Stretch;
use crate::error::{Error, Result};
use crate::expr::{Course, Interval};

/// Equal parts that the way is cut into before anything is compared.
const FIRST: usize = 8;
/// Parts that are not cut again, as a fraction of the whole: about the resolution of a time, so that a jump of a
/// coefficient inside one does not count.
const SHORTEST: f64 = 1e-14;
/// More parts than this are refused.
const MOST: usize = 1 << 15;
/// So many parts make one look for a pole that cannot be integrated, before more are tried.
const MANY: usize = 1 << 10;
/// Ratio of neighbouring times, in powers of 2, towards 0 where functions are singular there.
const OCTAVES: i32 = 8;
/// Powers of 2 down to the first time above 0 where functions are singular at 0, but finite.
const FINITE: i32 = 120;
/// The same where they are infinite there: what is left before contributes less than rounding up to 1/t^0.95.
const INFINITE: i32 = 960;
/// How far functions may go beyond what they are at the nodes, in parts of the range that they have there. Nodes come
/// within half a percent of the ends of a part.
const BEYOND: f64 = 0.03;
/// The same in parts of their size there, and of their size anywhere.
const BEYOND_SIZE: f64 = 1e-7;
const BEYOND_ALL: f64 = 1e-12;
/// Stretches of one part that are followed, and of all parts together; beyond, the values in their middles decide.
const MOST_STRETCHES: usize = 4_000;
const MOST_STRETCHES_IN_ALL: usize = 40_000;
/// Times that differ by less, in parts of them, are not told apart: what switches at one may do so at the other.
const ROUNDING: f64 = 1e-14;
/// The most that the rounding of times may make a function uncertain, in parts of it.
const MOST_UNCERTAIN: f64 = 1e-8;

/// Functions of the time over [0, end], and the times at which they switch.
pub(super) struct Mesh<'a> {
    course: &'a Course,
    integrands: &'a [Integrand],
    end: f64,
    /// Where the axis is cut before anything is compared, both ends included.
    cuts: Vec<f64>,
    is_graded: bool,
    /// The largest absolute value of each function that was seen.
    sizes: RefCell<Vec<f64>>,
    looked: Cell<usize>,
}

impl<'a> Mesh<'a> {
    /// Of the functions of `course`, which are `integrands` and switch at `places`.
    pub(super) fn new(course: &'a Course, integrands: &'a [Integrand], places: &[f64], end: f64) -> Self {
        let is_graded = course.is_singular_at(0.0);
        let start = course.at(0.0);
        let mut cuts: Vec<f64> = (0..=FIRST).map(|i| end * i as f64 / FIRST as f64).collect();
        cuts.extend(places);
        if is_graded {
            // The value at 0 says little: it may be another branch of a `where`.
            let near = |octaves: i32| course.at(end * 2_f64.powi(-octaves));
            let is_rising = near(INFINITE).iter().zip(near(FINITE)).any(|(near, far)| near.abs() > 2.0 * far.abs());
            let is_infinite = is_rising || start.iter().any(|value| !value.is_finite());
            let depth = if is_infinite { INFINITE } else { FINITE };
            cuts.extend((1..=depth / OCTAVES).map(|k| end * 2_f64.powi(-OCTAVES * k)));
        }
        cuts.sort_by(f64::total_cmp);
        cuts.dedup();
        let sizes = RefCell::new(vec![0.0; start.len()]);
        Self { course, integrands, end, cuts, is_graded, sizes, looked: Cell::new(0) }
    }

    /// Cuts [0, end] into parts until each agrees with what its two halves give together and hides nothing; returns
    /// them and what `part` makes of each, in order.
    ///
    /// `part` gives nothing for a stretch that it knows to be too long; `agree` is told of a part, its halves, and the
    /// difference that the rounding of times makes.
    ///
    /// # Errors
    /// Those of `part`, when too many parts are needed, and where a function is infinite that cannot be integrated.
    pub(super) fn subdivide<P>(
        &self,
        part: impl Fn(Stretch) -> Result<Option<P>>,
        agree: impl Fn([&P; 3], f64) -> bool,
    ) -> Result<Vec<(Stretch, P)>> {
        let mut waiting = Vec::new();
        for ends in self.cuts.windows(2).rev() {
            let stretch = Stretch { from: ends[0], to: ends[1], is_graded: self.is_graded };
            waiting.push((stretch, part(stretch)?));
        }
        let mut done = Vec::new();
        while let Some((stretch, whole)) = waiting.pop() {
            let [first, second] = stretch.halves();
            let (left, right) = (part(first)?, part(second)?);
            let fits = match (&whole, &left, &right) {
                (Some(whole), Some(left), Some(right)) => {
                    let parts = [whole, left, right];
                    (agree(parts, stretch.rounding()) || agree(parts, self.uncertainty(stretch)))
                        && self.hides_nothing(stretch)
                }
                _ => false,
            };
            let is_shortest = stretch.to - stretch.from <= SHORTEST * self.end
                && (!self.is_graded || stretch.to - stretch.from <= SHORTEST * stretch.to || stretch.from == 0.0);
            match whole {
                Some(whole) if fits || is_shortest => {
                    done.push((stretch, whole));
                    if done.len() == MANY {
                        self.look_for_poles()?;
                    }
                }
                _ if done.len() + waiting.len() >= MOST || first.to <= first.from || second.to <= second.from => {
                    return Err(self.too_fast(done.len() + waiting.len(), stretch.from));
                }
                _ => waiting.extend([(second, right), (first, left)]),
            }
        }
        let stretches: Vec<_> = done.iter().map(|(stretch, _)| *stretch).collect();
        poles::refuse(self.course, self.integrands, &stretches, self.end)?;
        Ok(done)
    }

    /// Whether a stretch is one of those that the axis was cut into before anything was compared.
    pub(super) fn is_first(&self, stretch: Stretch) -> bool {
        let place = self.cuts.partition_point(|cut| *cut < stretch.from);
        self.cuts.get(place) == Some(&stretch.from) && self.cuts.get(place + 1) == Some(&stretch.to)
    }

    /// Refuses a pole that cannot be integrated.
    fn look_for_poles(&self) -> Result<()> {
        match poles::find(self.course, None, self.end) {
            Some(pole) if !pole.is_integrable(self.integrands) => Err(pole.error(self.integrands, self.end)),
            _ => Ok(()),
        }
    }

    fn too_fast(&self, steps: usize, time: f64) -> Error {
        if let Some(pole) = poles::find(self.course, None, self.end) {
            return pole.error(self.integrands, self.end);
        }
        let problem = format!("the coefficients change too fast to be integrated: {steps} steps end at t = {time}");
        Error::numerical(problem)
            .with_hint("choose a shorter horizon, slower rates, or coefficients without a singularity")
    }

    /// By what part of themselves the functions differ between neighbouring times at the nodes: what is steep on a
    /// logarithmic scale, as the flanks of a Gaussian, is not known better.
    fn uncertainty(&self, stretch: Stretch) -> f64 {
        let change = |time: f64| {
            let pairs = self.course.at(time).into_iter().zip(self.course.at(time * (1.0 + 2.0 * f64::EPSILON)));
            pairs.filter(|(here, next)| here != next).map(|(here, next)| (next / here - 1.0).abs()).fold(0.0, f64::max)
        };
        let most = stretch.nodes().into_iter().map(|(time, _)| change(time)).fold(0.0, f64::max);
        stretch.rounding().max((0.5 * most).min(MOST_UNCERTAIN))
    }

    /// Whether the functions are nowhere in the stretch beyond what they are at the nodes of its halves.
    fn hides_nothing(&self, stretch: Stretch) -> bool {
        let allowed = self.allowed(stretch);
        let is_within = |values: &[Interval]| {
            allowed.iter().zip(values).all(|(allowed, value)| allowed.low <= value.low && value.high <= allowed.high)
        };
        let inside = (stretch.from * (1.0 + ROUNDING), stretch.to * (1.0 - ROUNDING));
        let mut waiting: VecDeque<_> = (inside.0 < inside.1).then_some(inside).into_iter().collect();
        let mut looked = 0;
        while let Some((from, to)) = waiting.pop_front() {
            if is_within(&self.course.over(from, to)) {
                continue;
            }
            let middle = 0.5 * (from + to);
            let values: Vec<_> = self.course.at(middle).into_iter().map(Interval::point).collect();
            if !is_within(&values) {
                return false;
            }
            looked += 1;
            self.looked.set(self.looked.get() + 1);
            let is_followed = looked < MOST_STRETCHES && self.looked.get() < MOST_STRETCHES_IN_ALL;
            if is_followed && to - from > ROUNDING * to {
                waiting.extend([(from, middle), (middle, to)]);
            }
        }
        true
    }

    /// What each function may be over the stretch without being looked at closer.
    fn allowed(&self, stretch: Stretch) -> Vec<Interval> {
        let mut sizes = self.sizes.borrow_mut();
        let mut ranges = vec![Interval::EMPTY; sizes.len()];
        for (time, _) in stretch.halves().into_iter().flat_map(Stretch::nodes) {
            for (range, value) in ranges.iter_mut().zip(self.course.at(time)) {
                *range = range.hull(Interval::point(value));
            }
        }
        let widened = |(range, size): (Interval, &mut f64)| {
            *size = size.max(range.size());
            let more = BEYOND * (range.high - range.low) + BEYOND_SIZE * range.size() + BEYOND_ALL * *size;
            Interval::between(range.low - more, range.high + more)
        };
        ranges.into_iter().zip(sizes.iter_mut()).map(widened).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Expression, Function, Operation};

    /// Parts that agree everywhere, as those of a pulse that no node meets: they are cut where it is, and nowhere else.
    /// Seen to fail without what functions can be over a part.
    #[test]
    fn what_hides_between_nodes_is_cut_out() {
        let (t, number) = (Expression::time(), Expression::constant);
        let (place, width) = (0.6137, 1e-7);
        let distance = t.combine(Operation::Subtract, &number(place)).combine(Operation::Divide, &number(width));
        let pulse = distance.product(&distance).negate().apply(Function::Exp);
        for (functions, fewest, most) in [
            (vec![t.multiply(&t), t.apply(Function::Sin), number(2.0)], FIRST, FIRST),
            (vec![t.add(&pulse)], FIRST + 1, 100),
        ] {
            let course = Course::new(&functions).unwrap();
            let mesh = Mesh::new(&course, &[], &[], 1.0);
            let parts = mesh.subdivide(|stretch| Ok(Some(stretch)), |_, _| true).unwrap();
            assert!((fewest..=most).contains(&parts.len()), "{} parts of {functions:?}", parts.len());
            let there = parts.iter().find(|(stretch, _)| stretch.to > place).unwrap().0;
            assert!(fewest == FIRST || there.to - there.from < 1e-3, "{there:?}");
        }
    }

    #[test]
    fn endless_subdivision_is_refused() {
        let course = Course::new(&[Expression::time()]).unwrap();
        let part = |stretch: Stretch| Ok(Some((1e9 * stretch.to).sin() - (1e9 * stretch.from).sin()));
        let refused = Mesh::new(&course, &[], &[], 1.0).subdivide(part, |_, _| false).unwrap_err();
        assert!(refused.to_string().contains("too fast"), "{refused}");
    }
}
