//! Where coefficients change fast with the time: what whoever goes through the time in steps must not step over.
//!
//! The mesh that integrates kernels knows where functions of the time hide pulses or waves. It is asked here, for
//! processes of every class, for the stretches that it had to cut, and for those between two places where something
//! switches.

use super::mesh::Mesh;
use super::poles::Integrand;
use super::quadrature::rule;
use super::stretch::Stretch;
use crate::error::Result;
use crate::expr::{Course, Expression};

/// A stretch over which the coefficients change fast in parts of the horizon, but slowly in parts of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::process) struct Quick {
    pub(in crate::process) from: f64,
    pub(in crate::process) to: f64,
    /// Steps below which the coefficients are not seen: 1 between two places where they switch.
    pub(in crate::process) fewest: usize,
    /// What part of all that the coefficients do up to the horizon they do here: the largest share that one of them has
    /// of its integral, or of that of its square. At least as large as the mean of the stretches next to each other.
    pub(in crate::process) share: f64,
}

impl Quick {
    /// Steps that it should have of those of a run of `steps`.
    pub(in crate::process) fn steps(self, steps: usize) -> usize {
        self.fewest.max((self.share * steps as f64).ceil() as usize)
    }
}

/// Difference of an integral over a part from that over its halves that steps may overlook.
const TOLERANCE: f64 = 1e-3;
/// What changes by less than this part of its largest value does not change.
const SMALL: f64 = 1e-9;
/// What is nearer to 0 than this part of the way is too short to matter.
const NEAR_START: f64 = 1e-12;
/// A stretch between two places where something switches that is longer than this part of the way is not short.
const SHORT: f64 = 0.125;
/// Steps that see, at equal distances, the square of what a rule of 12 nodes sees.
const FEWEST: usize = 32;

/// What is known of each function over a part.
struct Seen {
    middle: f64,
    length: f64,
    /// ∫ f and ∫ f·(t − middle): waves may have the one that they seem to have, but not both.
    integrals: Vec<f64>,
    moments: Vec<f64>,
    /// ∫ |f| and ∫ f².
    sizes: [Vec<f64>; 2],
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Seen {
    fn new(course: &Course, stretch: Stretch) -> Self {
        let looks: Vec<_> = stretch.nodes().into_iter().zip(rule().weights).collect();
        let values: Vec<Vec<f64>> = looks.iter().map(|((time, _), _)| course.at(*time)).collect();
        let (middle, length) = (0.5 * (stretch.from + stretch.to), stretch.to - stretch.from);
        let all = 0..values[0].len();
        let sum = |measure: fn(f64, f64) -> f64| {
            let at = |i: usize| {
                let terms = looks.iter().zip(&values);
                terms.map(|(((t, rate), weight), f)| weight * rate * measure(f[i], t - middle)).sum::<f64>()
            };
            all.clone().map(at).collect()
        };
        let extreme = |of: fn(f64, f64) -> f64| {
            all.clone().map(|i| values.iter().map(|values| values[i]).reduce(of).unwrap_or(0.0)).collect()
        };
        Self {
            middle,
            length,
            integrals: sum(|f, _| f),
            moments: sum(|f, distance| f * distance),
            sizes: [sum(|f, _| f.abs()), sum(|f, _| f * f)],
            low: extreme(f64::min),
            high: extreme(f64::max),
        }
    }

    /// ∫ f·(t − place).
    fn moment(&self, i: usize, place: f64) -> f64 {
        self.moments[i] + (self.middle - place) * self.integrals[i]
    }

    /// Whether two halves see the same, but for `tolerance`.
    fn agrees(&self, halves: [&Self; 2], tolerance: f64) -> bool {
        let near = |a: f64, b: f64, size: f64| a == b || (a - b).abs() <= tolerance * size;
        let sum = |of: &dyn Fn(&Self) -> f64| halves.into_iter().map(of).sum::<f64>();
        (0..self.count()).all(|i| {
            let size = self.sizes[0][i].max(sum(&|half| half.sizes[0][i]));
            near(self.integrals[i], sum(&|half| half.integrals[i]), size)
                && near(self.moments[i], sum(&|half| half.moment(i, self.middle)), 0.5 * self.length * size)
        })
    }

    fn count(&self) -> usize {
        self.integrals.len()
    }
}

/// The quick stretches of functions of the time alone over [0, `end`], which switch at `places`, in rising order.
///
/// # Errors
/// When one of the functions depends on more than the time, changes too fast, or is infinite somewhere.
pub(in crate::process) fn quick(functions: &[Expression], places: &[f64], end: f64) -> Result<Vec<Quick>> {
    if functions.is_empty() {
        return Ok(Vec::new());
    }
    let course = Course::new(functions)?;
    let integrands: Vec<_> =
        functions.iter().map(|function| Integrand { name: format!("`{function}`"), power: 1 }).collect();
    let mesh = Mesh::new(&course, &integrands, places, end);
    let agree = |[whole, left, right]: [&Seen; 3], more: f64| whole.agrees([left, right], TOLERANCE + more);
    let parts = mesh.subdivide(|stretch| Ok(Some(Seen::new(&course, stretch))), agree)?;
    let mut largest = vec![0.0_f64; functions.len()];
    for (_, seen) in &parts {
        largest
            .iter_mut()
            .enumerate()
            .for_each(|(i, most)| *most = most.max(seen.low[i].abs()).max(seen.high[i].abs()));
    }
    let changes = |seen: &Seen| (0..seen.count()).any(|i| seen.high[i] - seen.low[i] > SMALL * largest[i]);
    let totals: Vec<f64> = (0..2 * functions.len())
        .map(|which| parts.iter().map(|(_, seen)| seen.sizes[which % 2][which / 2]).filter(|s| s.is_finite()).sum())
        .collect();
    let share = |seen: &Seen| {
        let part = |which: usize| seen.sizes[which % 2][which / 2] / totals[which];
        (0..totals.len()).map(part).filter(|part| part.is_finite()).fold(0.0, f64::max)
    };
    let is_short = |stretch: Stretch| {
        let is_place = |time: f64| places.binary_search_by(|place| place.total_cmp(&time)).is_ok();
        let is_end = |time: f64| time == 0.0 || time == end || is_place(time);
        let (from, to) = (stretch.from, stretch.to);
        to - from < SHORT * end && is_end(from) && is_end(to) && (is_place(from) || is_place(to))
    };
    let found = parts.iter().filter_map(|(stretch, seen)| {
        let fewest = match mesh.is_first(*stretch) {
            true if is_short(*stretch) => 1,
            false if changes(seen) && stretch.to > NEAR_START * end => FEWEST,
            _ => return None,
        };
        Some(Quick { from: stretch.from, to: stretch.to, fewest, share: share(seen) })
    });
    let mut found: Vec<_> = found.collect();
    for run in found.chunk_by_mut(|a, b| a.to == b.from) {
        let mean = run.iter().map(|quick| quick.share).sum::<f64>() / run.len() as f64;
        run.iter_mut().for_each(|quick| quick.share = quick.share.max(mean));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Comparison, Condition, Function, Operation};

    fn number(value: f64) -> Expression {
        Expression::constant(value)
    }

    /// 1 + height·exp(−((t − place)/width)²/2).
    fn pulse(height: f64, place: f64, width: f64) -> Expression {
        let distance = Expression::time().combine(Operation::Subtract, &number(place));
        let distance = distance.combine(Operation::Divide, &number(width));
        let bell = distance.product(&distance).multiply(&number(-0.5)).apply(Function::Exp);
        number(1.0).add(&bell.multiply(&number(height)))
    }

    #[test]
    fn slow_functions_have_no_quick_stretches() {
        let t = Expression::time();
        let slow = [
            t.clone(),
            t.apply(Function::Sin),
            t.apply(Function::Sqrt),
            number(-3.0).multiply(&t).apply(Function::Exp),
        ];
        assert_eq!(quick(&slow, &[], 1.0).unwrap(), []);
        let step = number(1.0).or_where(&Condition::Compare(Comparison::Less, t, number(0.7)), &number(5.0));
        assert_eq!(quick(&[step], &[0.7], 1.0).unwrap(), []);
    }

    /// Seen to fail without what hides between nodes.
    #[test]
    fn pulses_are_enclosed_and_have_their_share() {
        for width in [1e-8, 1e-5, 1e-3] {
            let height = (30.0 / width / std::f64::consts::PI.sqrt()).sqrt();
            let found = quick(&[pulse(height, 0.6137, width)], &[], 1.0).unwrap();
            let (first, last) = (found[0], found[found.len() - 1]);
            assert!(first.from < 0.6137 - 5.0 * width && last.to > 0.6137 + 5.0 * width, "{found:?}");
            assert!(found.len() < 100 && last.to - first.from < 0.126, "{found:?}");
            let inside = found.iter().filter(|quick| quick.from < 0.6137 + width && 0.6137 - width < quick.to);
            let longest = inside.map(|quick| quick.to - quick.from).fold(0.0, f64::max);
            assert!(longest > 0.0 && longest < 13.0 * width, "{longest} at a width of {width}");
            assert!(found.iter().map(|quick| quick.steps(1000)).sum::<usize>() > 900, "{found:?}");
        }
    }

    /// As many periods as make each half mirror the other: seen to fail without moments.
    #[test]
    fn waves_are_seen() {
        for periods in [100.0, 1000.0_f64] {
            let turns = Expression::time().multiply(&number(std::f64::consts::TAU * periods));
            let found = quick(&[number(1.0).add(&turns.apply(Function::Sin))], &[], 1.0).unwrap();
            let steps: usize = found.iter().map(|quick| quick.steps(10)).sum();
            assert_eq!((found[0].from, found[found.len() - 1].to), (0.0, 1.0));
            assert!((8.0..40.0).contains(&(steps as f64 / periods)), "{steps} steps for {periods} periods");
        }
    }

    #[test]
    fn short_pieces_between_places_have_steps_by_their_share() {
        let after = Condition::Compare(Comparison::Greater, Expression::time(), number(0.5));
        let before = Condition::Compare(Comparison::Less, Expression::time(), number(0.5001));
        let on = Condition::And((after, before).into());
        let found = quick(&[number(100.0).or_where(&on, &number(1.0))], &[0.5, 0.5001], 1.0).unwrap();
        assert_eq!((found.len(), found[0].from, found[0].to, found[0].fewest), (1, 0.5, 0.5001, 1));
        assert!((found[0].share - 1.0 / 1.9999).abs() < 1e-3, "{found:?}");
    }
}
