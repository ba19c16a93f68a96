//! Time grids of the reverse process.

use crate::error::{Error, Result};

/// How the times of the reverse process are spread. The grid alone can change a published score of merit by half, so it
/// belongs to every result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grid {
    /// Equal steps.
    #[default]
    Uniform,
    /// Equal steps in √t: fine towards the data (Dockhorn, Vahdat, Kreis, arXiv 2112.07068).
    Quadratic,
}

impl Grid {
    /// The `steps` + 1 times of the forward process that the reverse process visits, from `start` down to `end`, both
    /// exactly. The one place where reverse time s = start − t is formed.
    ///
    /// # Errors
    /// When `steps` is not from 1 to 10⁷, or not 0 ≤ `end` < `start`.
    pub fn times(self, start: f64, end: f64, steps: usize) -> Result<Vec<f64>> {
        if !(1..=MOST_STEPS).contains(&steps) {
            return Err(Error::argument("steps", format!("must be from 1 to {MOST_STEPS}, got {steps}")));
        }
        if !(end >= 0.0 && end < start) {
            return Err(Error::argument("end", format!("must be a time from 0 to below {start}, got {end}")));
        }
        let time = |i: usize| {
            let part = i as f64 / steps as f64;
            match self {
                _ if i == 0 => start,
                _ if i == steps => end,
                Self::Uniform => start - part * (start - end),
                Self::Quadratic => (start.sqrt() - part * (start.sqrt() - end.sqrt())).powi(2),
            }
        };
        Ok((0..=steps).map(time).collect())
    }
}

/// What depends on time only is kept for all steps at once.
const MOST_STEPS: usize = 10_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn grids_fall_from_start_to_end(start in 0.1..10.0, part in 0.0..0.9, steps in 1..300_usize) {
            for grid in [Grid::Uniform, Grid::Quadratic] {
                let end = part * start;
                let times = grid.times(start, end, steps).unwrap();
                prop_assert_eq!((times[0], times[steps], times.len()), (start, end, steps + 1));
                prop_assert!(times.windows(2).all(|pair| pair[0] > pair[1]));
            }
        }
    }

    #[test]
    fn known_grids() {
        assert_eq!(Grid::Uniform.times(2.0, 0.0, 4).unwrap(), [2.0, 1.5, 1.0, 0.5, 0.0]);
        assert_eq!(Grid::Quadratic.times(4.0, 0.0, 4).unwrap(), [4.0, 2.25, 1.0, 0.25, 0.0]);
        assert!(Grid::Uniform.times(1.0, 1.0, 4).is_err());
        assert!(Grid::Uniform.times(1.0, f64::NAN, 4).is_err());
        assert!(Grid::Uniform.times(1.0, 0.0, 0).is_err());
    }
}
