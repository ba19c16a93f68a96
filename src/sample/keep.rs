//! Which states on the way are kept.

use crate::error::{Error, Result};
use crate::settings::Setting;

/// Which states on the way are kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Keep {
    /// Those at the end only.
    #[default]
    End,
    /// Those at these times: of a fixed grid the nearest of its times, of adaptive steps the very times.
    Times(Vec<f64>),
    /// All of a fixed grid.
    All,
}

/// What can be set of what is kept; [`Keep`] is made of it by the language, which alone knows an array of times from a
/// word.
pub const KEEP: &[Setting] = &[Setting::other(
    "keep",
    "an array of times, or \"all\"",
    "times to keep, e.g. `[0.5, 0.1, 0]`, or `\"all\"`: see `s.path(\"x\")` and `s.times`; of a grid they are the nearest of \
     its times",
)
.or_else("those at the end only")];

impl Keep {
    /// How many times are kept of a grid of `steps`, at most.
    pub(super) fn frames(&self, steps: usize) -> usize {
        match self {
            Self::End => 0,
            Self::All => steps.saturating_add(1),
            Self::Times(times) => times.len(),
        }
    }

    /// The numbers of the steps of a monotone grid, of `time(step)`, whose times are to be kept, rising.
    pub(super) fn places(&self, steps: usize, time: impl Fn(usize) -> f64) -> Result<Vec<usize>> {
        let nearest = |&wanted: &f64| {
            let is_before = |step: usize| (time(step) - wanted).signum() == (time(0) - time(steps)).signum();
            let (mut low, mut high) = (0, steps);
            while low + 1 < high {
                let middle = low.midpoint(high);
                if is_before(middle) { low = middle } else { high = middle }
            }
            if (time(low) - wanted).abs() < (time(high) - wanted).abs() { low } else { high }
        };
        match self {
            Self::End => Ok(Vec::new()),
            Self::All => Ok((0..=steps).collect()),
            Self::Times(times) => {
                check(times, time(0), time(steps))?;
                let mut places: Vec<_> = times.iter().map(nearest).collect();
                places.sort_unstable();
                places.dedup();
                Ok(places)
            }
        }
    }

    /// The times to keep of adaptive steps from `from` down to `end`, falling.
    pub(super) fn falling(&self, from: f64, end: f64) -> Result<Vec<f64>> {
        match self {
            Self::End => Ok(Vec::new()),
            Self::All => {
                Err(Error::argument("keep", "cannot be \"all\" for adaptive steps, which differ between samples")
                    .with_hint("give times, e.g. keep: [0.5, 0.1]"))
            }
            Self::Times(times) => {
                check(times, from, end)?;
                let mut times = times.clone();
                times.sort_by(|a, b| b.total_cmp(a));
                times.dedup();
                Ok(times)
            }
        }
    }
}

/// Refuses times that are not passed between two others.
fn check(times: &[f64], start: f64, end: f64) -> Result<()> {
    let (low, high) = (start.min(end), start.max(end));
    match times.iter().find(|time| !(low..=high).contains(*time)) {
        Some(time) => Err(Error::argument("keep", format!("has the time {time}, which is not from {low} to {high}"))),
        None => Ok(()),
    }
}
