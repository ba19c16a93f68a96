//! Time grids of the reverse process.

use std::fmt;

use crate::error::{Error, Result};
use crate::settings::{Choice, Setting, Value, Values, words, written};

/// How the times of the reverse process are spread. The grid alone can change a published score of merit by half, so it
/// belongs to every result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Grid {
    /// Equal steps.
    Uniform,
    /// Equal steps in √t: fine towards the data (Dockhorn, Vahdat, Kreis, arXiv 2112.07068).
    Quadratic,
    /// Equal ratios of times. A grid that ends at 0 goes so to [`Grid::FLOOR`] of its start, and from there to 0.
    Log,
    /// Equal steps in t^{1/ρ} (Karras, Aittala, Aila, Laine, arXiv 2206.00364, who take ρ = 7).
    Rho(f64),
}

/// The grid of a run, with what can be set of each.
pub const GRID: Setting = Setting::choice("grid", "how the times of the steps are spread", &words(GRIDS));

/// All grids, the default first, and how each is made of its settings.
const GRIDS: &[(Choice, fn(&Values) -> Grid); 4] = &[
    (Choice::new("quadratic", "equal steps in √t, which is finer towards the data"), |_| Grid::Quadratic),
    (Choice::new("uniform", "equal steps"), |_| Grid::Uniform),
    (Choice::new("log", "equal ratios, from 1e-4 of the start on in one step where it ends at 0"), |_| Grid::Log),
    (Choice::new("rho", "equal steps in t^(1/rho)").with(&[RHO]), |values| Grid::Rho(values.number("rho"))),
];
const RHO: Setting = Setting::number("rho", "the exponent").above(0.0).or(7.0);

impl Grid {
    /// The grid that `values` of [`GRID`] choose.
    ///
    /// # Panics
    /// When `values` are of another table.
    pub fn read(values: &Values) -> Self {
        values.chosen(GRID.name, GRIDS)(values)
    }

    /// The last time above 0 of a logarithmic grid that ends at 0, in parts of its start.
    pub const FLOOR: f64 = 1e-4;

    /// The `steps` + 1 times of the forward process that the reverse process visits, from `start` down to `end`, both
    /// exactly. The one place where reverse time s = start − t is formed.
    ///
    /// # Errors
    /// When `steps` is not from 1 to 10⁷, not 0 ≤ `end` < `start`, ρ is not above 0, or neighbouring times would be
    /// equal.
    pub fn times(self, start: f64, end: f64, steps: usize) -> Result<Vec<f64>> {
        if !(1..=MOST_STEPS).contains(&steps) {
            return Err(Error::argument("steps", format!("must be from 1 to {MOST_STEPS}, got {steps}")));
        }
        if !(end >= 0.0 && end < start) {
            return Err(Error::argument(
                "end",
                format!("must be a time from 0 to below {}, got {}", written(start), written(end)),
            ));
        }
        let times: Vec<f64> = match self {
            Self::Uniform => spread(start, end, steps, |i| start - i * (start - end)),
            Self::Quadratic => powers(2.0, start, end, steps),
            Self::Rho(rho) => {
                RHO.check(&Value::Number(rho))?;
                powers(rho, start, end, steps)
            }
            Self::Log if end > 0.0 => spread(start, end, steps, |i| start * (end / start).powf(i)),
            Self::Log if steps == 1 => vec![start, end],
            Self::Log => {
                let mut times = Self::Log.times(start, Self::FLOOR * start, steps - 1)?;
                times.push(end);
                times
            }
        };
        if times.windows(2).all(|pair| pair[0] > pair[1]) {
            return Ok(times);
        }
        Err(Error::argument("steps", format!("{steps} on the {self} grid make steps of length 0"))
            .with_hint("take fewer steps, or another grid"))
    }
}

/// Falling `times` with those nearest to `places`, in rising order, moved there: no step reaches across one, as far as
/// there are times to move. The first and the last stay, and near the last nothing is moved: what is left of the way is
/// too short to matter.
pub(super) fn through(mut times: Vec<f64>, places: &[f64]) -> Vec<f64> {
    let last = times.len() - 1;
    let (start, end) = (times[0], times[last]);
    let mut free = 1;
    for &place in places.iter().rev().filter(|place| end < **place && **place < start) {
        let after = times.partition_point(|time| *time > place);
        let nearest = if times[after - 1] - place < place - times[after] { after - 1 } else { after };
        let chosen = nearest.max(free);
        if chosen < last {
            times[chosen] = place;
            free = chosen + 1;
        }
    }
    times
}

/// `time`, or where it is one of `places`, at which something switches, a time a few roundings later (`side` 1) or
/// earlier (−1): what is asked for there is what it is on that side.
pub(super) fn beside(time: f64, side: f64, places: &[f64]) -> f64 {
    let near = ROUNDINGS * time;
    let next = places.partition_point(|place| *place < time - near);
    match places.get(next) {
        Some(place) if (place - time).abs() <= near => time + 2.0 * near * side,
        _ => time,
    }
}

/// Places are known to a few roundings.
const ROUNDINGS: f64 = 1e-14;

/// What depends on time only is kept for many steps at once.
pub(super) const MOST_STEPS: usize = 10_000_000;

/// `time(i/steps)` with both ends exact.
fn spread(start: f64, end: f64, steps: usize, time: impl Fn(f64) -> f64) -> Vec<f64> {
    let inner = (1..steps).map(|i| time(i as f64 / steps as f64));
    std::iter::once(start).chain(inner).chain([end]).collect()
}

fn powers(rho: f64, start: f64, end: f64, steps: usize) -> Vec<f64> {
    let [first, last] = [start, end].map(|time| time.powf(1.0 / rho));
    spread(start, end, steps, |i| (first - i * (first - last)).powf(rho))
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Quadratic => f.write_str("quadratic"),
            Self::Log => f.write_str("log"),
            Self::Rho(rho) => write!(f, "rho = {rho}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::property::cases;

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn grids_fall_from_start_to_end(start in 0.1..10.0, part in 0.0..0.9, steps in 1..300_usize, rho in 0.5..9.0) {
            for end in [0.0, part * start] {
                for grid in [Grid::Uniform, Grid::Quadratic, Grid::Log, Grid::Rho(rho)] {
                    let times = grid.times(start, end, steps).unwrap();
                    prop_assert_eq!((times[0], times[steps], times.len()), (start, end, steps + 1));
                    prop_assert!(times.windows(2).all(|pair| pair[0] > pair[1]));
                }
            }
        }
    }

    #[test]
    fn times_move_to_places() {
        let grid = || vec![1.0, 0.75, 0.5, 0.25, 0.0];
        assert_eq!(through(grid(), &[0.6, 0.7]), [1.0, 0.7, 0.6, 0.25, 0.0]);
        // Two places nearest to the same time take neighbours, and at the ends there is room for one.
        assert_eq!(through(grid(), &[0.49, 0.51]), [1.0, 0.75, 0.51, 0.49, 0.0]);
        assert_eq!(through(grid(), &[0.05, 0.95]), [1.0, 0.95, 0.5, 0.25, 0.0]);
        assert_eq!(through(grid(), &[0.05, 0.1, 0.15, 0.2, 0.22, 0.3]), [1.0, 0.75, 0.5, 0.3, 0.0]);
        assert_eq!(through(vec![1.0, 0.0], &[0.5]), [1.0, 0.0]);
        assert_eq!(beside(0.5, 1.0, &[0.3]), 0.5);
        let place = 0.3;
        assert!(beside(0.3, 1.0, &[place]) > place && beside(0.3, -1.0, &[place]) < place);
    }

    #[test]
    fn known_grids() {
        assert_eq!(Grid::Uniform.times(2.0, 0.0, 4).unwrap(), [2.0, 1.5, 1.0, 0.5, 0.0]);
        assert_eq!(Grid::Quadratic.times(4.0, 0.0, 4).unwrap(), [4.0, 2.25, 1.0, 0.25, 0.0]);
        assert_eq!(Grid::Log.times(4.0, 1.0, 2).unwrap(), [4.0, 2.0, 1.0]);
        assert_eq!(Grid::Log.times(1.0, 0.0, 2).unwrap(), [1.0, Grid::FLOOR, 0.0]);
        assert_eq!(Grid::Rho(1.0).times(2.0, 0.0, 4).unwrap(), Grid::Uniform.times(2.0, 0.0, 4).unwrap());
        assert!(Grid::Uniform.times(1.0, 1.0, 4).is_err());
        assert!(Grid::Uniform.times(1.0, f64::NAN, 4).is_err());
        assert!(Grid::Uniform.times(1.0, 0.0, 0).is_err());
        assert!(Grid::Rho(0.0).times(1.0, 0.0, 4).is_err());
        let crowded = Grid::Rho(100.0).times(1.0, 1.0 - 1e-15, 1000).unwrap_err();
        assert!(crowded.to_string().contains("steps of length 0"), "{crowded}");
    }
}
