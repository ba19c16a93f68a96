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
