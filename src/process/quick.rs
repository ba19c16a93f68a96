//! Times that a process must be looked at, since its coefficients change fast there.

use super::Process;
use super::kernel::{self, Quick};
use crate::expr::Expression;

/// Steps of a stretch that see its coefficients where each step looks several times.
const LOOKS: usize = 4;

impl Process {
    /// The stretches over which coefficients change fast, in rising order. Where they cannot be found, since a
    /// coefficient changes too fast for any number of steps or has a pole, there are none, and no kernel either.
    fn quick(&self) -> &[Quick] {
        self.0.quick.get_or_init(|| {
            let rows = self.bound_drift().into_iter().chain(self.bound_noise().into_iter().flatten());
            let varying: Vec<Expression> =
                rows.flat_map(|row| row.parts_without_state()).filter(Expression::depends_on_time).collect();
            kernel::quick(&varying, self.switching_times(), self.horizon()).unwrap_or_default()
        })
    }

    /// The times that steps with several looks at the coefficients must land on to see all of them, in rising order:
    /// those at which the process switches among them.
    pub fn stops(&self) -> Vec<f64> {
        let inside = |quick: &Quick| {
            let Quick { from, to, .. } = *quick;
            (0..=LOOKS).map(move |i| if i == LOOKS { to } else { from + (to - from) * i as f64 / LOOKS as f64 })
        };
        let smooth = self.quick().iter().filter(|quick| quick.fewest > 1);
        let mut stops: Vec<f64> = self.switching_times().iter().copied().chain(smooth.flat_map(inside)).collect();
        stops.sort_by(f64::total_cmp);
        stops.dedup();
        stops
    }

    /// Rising `times` of steps, with more of them where coefficients change fast: steps that look once see all of them,
    /// and as much of what the coefficients do is done in a step there as elsewhere.
    #[must_use]
    pub fn refined(&self, times: Vec<f64>) -> Vec<f64> {
        let steps = times.len() - 1;
        let (start, end) = (times[0], times[steps]);
        if self.quick().is_empty() {
            return times;
        }
        let ends = self.quick().iter().flat_map(|quick| [quick.from, quick.to]);
        let mut all: Vec<f64> = times.into_iter().chain(ends.filter(|time| start < *time && *time < end)).collect();
        all.sort_by(f64::total_cmp);
        all.dedup_by(|b, a| *b - *a <= ROUNDING * *b && *b < end);
        let mut refined = vec![start];
        for pair in all.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let middle = 0.5 * (from + to);
            let place = self.quick().partition_point(|quick| quick.to <= middle);
            let parts = match self.quick().get(place) {
                Some(quick) if quick.from < middle => {
                    ((to - from) / (quick.to - quick.from) * quick.steps(steps) as f64).ceil() as usize
                }
                _ => 1,
            };
            refined.extend((1..parts).map(|i| from + (to - from) * i as f64 / parts as f64));
            refined.push(to);
        }
        refined
    }
}

/// Times nearer to each other, in parts of them, are one.
const ROUNDING: f64 = 1e-13;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Comparison, Condition, Function, Operation};
    use crate::process::fixtures::one_component;

    /// dx = −x dt + g(t) dW up to t = 1.
    fn driven_by(noise: Expression) -> Process {
        one_component(Expression::component(0, "x").negate(), noise, 1.0)
    }

    /// A bell at 0.6 that is a thousandth wide.
    fn bell() -> Process {
        let number = Expression::constant;
        let away = Expression::time().combine(Operation::Subtract, &number(0.6)).multiply(&number(1e3));
        let bell = away.product(&away).multiply(&number(-0.5)).apply(Function::Exp);
        driven_by(number(1.0).add(&bell.multiply(&number(100.0))))
    }

    /// 5 where 0.4 < t < 0.401, else 1.
    fn switched() -> Process {
        let is = |comparison, time: f64| Condition::Compare(comparison, Expression::time(), Expression::constant(time));
        let inside = Condition::And((is(Comparison::Greater, 0.4), is(Comparison::Less, 0.401)).into());
        driven_by(Expression::constant(5.0).or_where(&inside, &Expression::constant(1.0)))
    }

    #[test]
    fn stops_are_where_something_happens() {
        assert_eq!(driven_by(Expression::constant(1.0)).stops(), [0.0; 0]);
        assert_eq!(switched().stops(), [0.4, 0.401]);
        let bell = bell();
        let stops = bell.stops();
        assert!(stops.is_sorted() && stops.len() > LOOKS, "{stops:?}");
        for quick in bell.quick().iter().filter(|quick| quick.fewest > 1) {
            for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
                let time = quick.from + part * (quick.to - quick.from);
                assert!(stops.iter().any(|stop| (stop - time).abs() < 1e-15), "{time} in {stops:?}");
            }
        }
    }

    #[test]
    fn steps_are_short_where_coefficients_change_fast() {
        let even: Vec<f64> = (0..=10).map(|i| f64::from(i) / 10.0).collect();
        assert_eq!(driven_by(Expression::constant(1.0)).refined(even.clone()), even);
        // Of the short piece one step sees all, and the steps around it are as long as they were.
        let switched = switched().refined(even.clone());
        assert!(switched.contains(&0.4) && switched.contains(&0.401), "{switched:?}");
        let bell = bell();
        let refined = bell.refined(even.clone());
        assert!(refined.is_sorted() && even.iter().all(|time| refined.contains(time)), "{refined:?}");
        for quick in bell.quick() {
            let inside = refined.windows(2).filter(|pair| quick.from <= pair[0] && pair[1] <= quick.to).count();
            assert!(inside >= quick.steps(10), "{inside} steps in {quick:?}");
        }
        // Where nothing happens there are no more than there were, but for the ends of what is quick.
        let late = |times: &[f64]| times.iter().filter(|time| **time > 0.8).count();
        assert_eq!(late(&refined), late(&even));
        // A stretch that was asked for is kept.
        let part = bell.refined(vec![0.5, 0.65]);
        assert_eq!((part[0], part[part.len() - 1]), (0.5, 0.65));
    }
}
