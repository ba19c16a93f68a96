//! The embedded Runge–Kutta pair of Dormand and Prince, J. Comput. Appl. Math. 6, 19 (1980), over many values at once.

use nalgebra::{DMatrix, DVector};

use super::combination::Combination;
use super::fault::out_of_range;
use super::grid::beside;
use crate::error::{Error, Result};
use crate::settings::{Range, Setting, Value, Values};

/// Tolerated error of a step.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// In parts of each value.
    pub(super) rtol: f64,
    /// Besides, in units of each value.
    pub(super) atol: f64,
}

/// The settings of a tolerance. States are in single precision: tighter than a few of its roundings none can be met.
pub(super) const TOLERANCES: &[Setting] = &[RTOL, ATOL];
const RTOL: Setting =
    Setting::number("rtol", "tolerated error of a step, in parts of the state").within(TOLERATED).or(1e-5);
const ATOL: Setting =
    Setting::number("atol", "tolerated error of a step besides, in standard deviations of the noised data")
        .within(TOLERATED)
        .or(1e-5);
/// Steps that err by more say nothing.
const LOOSEST: f64 = 0.5;
/// States are in single precision.
const TOLERATED: Range = Range::from(1e-6).below(1.0);

impl Tolerance {
    /// The same times `factor`, below 1.
    pub(super) fn times(self, factor: f64) -> Self {
        let Self { rtol, atol } = self;
        Self { rtol: (factor * rtol).min(LOOSEST), atol: (factor * atol).min(LOOSEST) }
    }

    /// Whether one of the two can be larger.
    pub(super) fn can_be_looser(self) -> bool {
        self.rtol < LOOSEST || self.atol < LOOSEST
    }

    /// What it leaves of a value that changes by `change` on the way.
    pub(super) fn left(self, change: f64) -> f64 {
        self.atol + self.rtol * change.abs()
    }

    pub(super) fn read(values: &Values) -> Self {
        Self { rtol: values.number("rtol"), atol: values.number("atol") }
    }

    /// Refuses what is out of range.
    pub(super) fn check(self) -> Result<()> {
        let hinted = |error: Error| error.with_hint("states are in single precision");
        RTOL.check(&Value::Number(self.rtol)).and(ATOL.check(&Value::Number(self.atol))).map_err(hinted)
    }
}

const STAGES: usize = 7;
/// Where the stages stand in a step.
const NODES: [f64; STAGES] = [0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0];
/// Weights of the slopes before in the stages 2 to 7; those of the last are the step of order 5.
const WEIGHTS: [&[f64]; STAGES - 1] = [
    &[0.2],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19_372.0 / 6_561.0, -25_360.0 / 2_187.0, 64_448.0 / 6_561.0, -212.0 / 729.0],
    &[9_017.0 / 3_168.0, -355.0 / 33.0, 46_732.0 / 5_247.0, 49.0 / 176.0, -5_103.0 / 18_656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1_113.0, 125.0 / 192.0, -2_187.0 / 6_784.0, 11.0 / 84.0],
];
/// The step of order 5 less that of order 4.
const ERROR: [f64; STAGES] =
    [71.0 / 57_600.0, 0.0, -71.0 / 16_695.0, 71.0 / 1_920.0, -17_253.0 / 339_200.0, 22.0 / 525.0, -1.0 / 40.0];

/// More trials than this in one stretch are refused.
pub(super) const MOST_TRIALS: usize = 100_000;

/// dz/dt, written for (t, z).
pub(super) type Slope<'a> = dyn FnMut(f64, &[f32], &mut [f32]) -> Result<()> + 'a;

/// The units of the rows of values at a time, from the first row on; values behind them have the unit 1.
pub(super) type Units<'a> = dyn Fn(f64) -> Result<Vec<f64>> + 'a;

/// Integrates over stretches of time, one after the other, in either direction.
pub(super) struct Integrator<'a> {
    tolerance: Tolerance,
    units: Box<Units<'a>>,
    /// What is tolerated besides of each row of values: the tolerance in the unit that the row has during the step.
    floors: Vec<f64>,
    /// What is tolerated in parts of each row of values.
    relative: Vec<f64>,
    /// Most trials in one stretch.
    most: usize,
    /// The rows before the first of those that are held to the tolerance by themselves, in every sample.
    strict: Option<usize>,
    /// The values and the slopes of all stages, each of `size`.
    rows: Vec<f32>,
    size: usize,
    trial: Vec<f32>,
    /// The length that the next step should have; `None` before the first.
    step: Option<f64>,
    /// Whether the slope at the beginning of the next step is that of the last stage before.
    is_known: bool,
    /// The error of the last step that was accepted, for the proportional-integral control of the next.
    before: f64,
    evaluations: usize,
    rejected: usize,
}

impl<'a> Integrator<'a> {
    /// For `size` values in rows of `samples`, which have `units`.
    pub(super) fn new(
        size: usize,
        samples: usize,
        tolerance: Tolerance,
        units: impl Fn(f64) -> Result<Vec<f64>> + 'a,
    ) -> Self {
        let rows = vec![0.0; (1 + STAGES) * size];
        let (trial, before, floors) = (vec![0.0; size], 1e-4, vec![tolerance.atol; size / samples]);
        let units = Box::new(units);
        let relative = vec![tolerance.rtol; size / samples];
        Self {
            tolerance,
            units,
            floors,
            relative,
            most: MOST_TRIALS,
            strict: None,
            rows,
            size,
            trial,
            step: None,
            is_known: false,
            before,
            evaluations: 0,
            rejected: 0,
        }
    }

    /// The same, but that the error of the worst sample counts for that of all: its first `state` rows, of which
    /// nothing is tolerated but in their units and what single precision rounds, and its others, integrals along the
    /// way, each by themselves.
    #[must_use]
    pub(super) fn strict(mut self, state: usize) -> Self {
        self.relative[..state].fill(f64::from(f32::EPSILON));
        Self { strict: Some(state), ..self }
    }

    /// The same with at most so many trials in one stretch.
    #[must_use]
    pub(super) fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Finds what is tolerated besides in a step between two times: of the smaller units.
    fn set_floors(&mut self, times: [f64; 2]) -> Result<()> {
        let atol = self.tolerance.atol;
        self.floors.fill(f64::INFINITY);
        for time in times {
            for (floor, unit) in
                self.floors.iter_mut().zip((self.units)(time)?.into_iter().chain(std::iter::repeat(1.0)))
            {
                *floor = floor.min(atol * unit);
            }
        }
        Ok(())
    }

    /// How often the slope was asked for.
    pub(super) fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// Steps that were tried and rejected.
    pub(super) fn rejected(&self) -> usize {
        self.rejected
    }

    /// Carries `values` from one time to another, in stretches between those of `places`, in rising order, at which the
    /// slope may jump: no step reaches across one, and at its ends the slope is that inside.
    ///
    /// # Errors
    /// When the slope fails, the values become infinite, or the tolerance cannot be met.
    pub(super) fn advance(
        &mut self,
        slope: &mut Slope<'_>,
        [from, to]: [f64; 2],
        places: &[f64],
        values: &mut [f32],
    ) -> Result<()> {
        let (low, high) = (from.min(to), from.max(to));
        let mut stops: Vec<f64> = places.iter().copied().filter(|place| low < *place && *place < high).collect();
        if to < from {
            stops.reverse();
        }
        let mut begin = from;
        for stop in stops.into_iter().chain([to]) {
            let inside = [beside(begin.min(stop), 1.0, places), beside(begin.max(stop), -1.0, places)];
            let mut own = |time: f64, state: &[f32], out: &mut [f32]| {
                slope(if inside[0] < inside[1] { time.clamp(inside[0], inside[1]) } else { time }, state, out)
            };
            self.stretch(&mut own, begin, stop, values)?;
            // Behind the place the slope is another.
            self.is_known = stop == to && beside(to, 1.0, places) == to;
            begin = stop;
        }
        Ok(())
    }

    /// The same without a jump of the slope in between.
    fn stretch(&mut self, slope: &mut Slope<'_>, from: f64, to: f64, values: &mut [f32]) -> Result<()> {
        let direction = if to < from { -1.0 } else { 1.0 };
        let mut time = from;
        for _ in 0..self.most {
            if time == to {
                return Ok(());
            }
            self.rows[..self.size].copy_from_slice(values);
            let first = match self.step {
                Some(step) => {
                    if !self.is_known {
                        self.evaluate(slope, 0, time)?;
                        self.is_known = true;
                    }
                    step
                }
                None => {
                    self.evaluate(slope, 0, time)?;
                    self.is_known = true;
                    self.set_floors([time, to])?;
                    self.first_step()
                }
            };
            let rest = (to - time).abs();
            // A last sliver would cost as much as a step.
            let is_last = first * 1.01 >= rest;
            let length = if is_last { rest } else { first };
            let error = self.attempt(slope, time, direction * length)?;
            if error > 1.0 {
                self.rejected += 1;
                self.step = Some(length * (0.9 * error.powf(-0.2)).max(0.2));
                continue;
            }
            time = if is_last { to } else { time + direction * length };
            values.copy_from_slice(&self.trial);
            // The last stage stands at the end of the step: its slope is the first of the next.
            self.rows.copy_within(STAGES * self.size.., self.size);
            let factor = 0.9 * error.max(1e-10).powf(-0.14) * self.before.powf(0.08);
            let next = length * factor.clamp(0.2, 5.0);
            // A step that was cut short says nothing against a longer one.
            self.step = Some(if is_last { next.max(first) } else { next });
            self.before = error.max(1e-4);
        }
        Err(Error::numerical(format!("the tolerance was not met in {} steps; they stand at t = {time:.4}", self.most))
            .with_hint(match self.strict {
                None => "raise `rtol` and `atol`, or take a method with fixed steps",
                Some(_) => {
                    "raise `rtol` and `atol`, or leave out data far between modes, which take a step for every few nats"
                }
            }))
    }

    /// The slope of the present trial, or of the values themselves for stage 0.
    fn evaluate(&mut self, slope: &mut Slope<'_>, stage: usize, time: f64) -> Result<()> {
        let (before, own) = self.rows.split_at_mut((1 + stage) * self.size);
        let state = if stage == 0 { &before[..self.size] } else { &self.trial };
        self.evaluations += 1;
        slope(time, state, &mut own[..self.size])
    }

    /// Tries a step, leaves its end in `trial`, and returns its error in units of what is tolerated.
    fn attempt(&mut self, slope: &mut Slope<'_>, time: f64, length: f64) -> Result<f64> {
        for (stage, weights) in WEIGHTS.iter().enumerate() {
            let row: Vec<_> = std::iter::once(0.0).chain(weights.iter().map(|weight| weight * length)).collect();
            let sum = Combination::step(&DVector::zeros(1), &DMatrix::from_row_slice(1, row.len(), &row));
            sum.apply(self.size, &self.rows, &mut self.trial);
            self.evaluate(slope, stage + 1, time + NODES[stage + 1] * length)?;
        }
        self.set_floors([time, time + length])?;
        let error = self.error(length);
        match error.is_finite() {
            true => Ok(error),
            // A step into the infinite was too long, unless it starts there.
            false if self.rows[..2 * self.size].iter().all(|value| value.is_finite()) => Ok(1e10),
            false => Err(out_of_range(time).with_hint("lower `rtol` and `atol`, or take a method with fixed steps")),
        }
    }

    /// The root mean square of the error over what is tolerated.
    fn error(&self, length: f64) -> f64 {
        let samples = self.size / self.floors.len();
        let slopes: [&[f32]; STAGES] = std::array::from_fn(|stage| &self.rows[(1 + stage) * self.size..][..self.size]);
        let square = |i: usize| {
            let difference: f64 = ERROR.iter().zip(slopes).map(|(weight, slope)| weight * f64::from(slope[i])).sum();
            let row = i / samples;
            // Integrals are held by what a step adds to them, so that many steps err no more than few.
            let scale = match self.strict.is_some_and(|state| row >= state) {
                true => (self.trial[i] - self.rows[i]).abs(),
                false => self.rows[i].abs().max(self.trial[i].abs()),
            };
            (length * difference / (self.floors[row] + self.relative[row] * f64::from(scale))).powi(2)
        };
        let Some(state) = self.strict else {
            return ((0..self.size).map(square).sum::<f64>() / self.size as f64).sqrt();
        };
        let mean = |rows: std::ops::Range<usize>, sample: usize| {
            let count = rows.len() as f64;
            rows.map(|row| square(row * samples + sample)).sum::<f64>() / count
        };
        let of = |sample: usize| mean(0..state, sample) + mean(state..self.floors.len(), sample);
        // Unlike the larger of two, this keeps what is not a number.
        let worse = |worst: f64, own: f64| if worst.is_nan() || worst >= own { worst } else { own };
        (0..samples).map(of).fold(0.0, worse).sqrt()
    }

    /// A first length of step by the sizes of values and slopes (Hairer, Nørsett, Wanner, Solving Ordinary Differential
    /// Equations I, II.4).
    fn first_step(&self) -> f64 {
        let samples = self.size / self.floors.len();
        let size = |rows: &[f32]| {
            let scaled = |(i, value): (usize, &f32)| {
                let row = i / samples;
                (f64::from(*value) / (self.floors[row] + self.relative[row] * f64::from(self.rows[i].abs()))).powi(2)
            };
            rows.iter().enumerate().map(scaled).sum::<f64>().sqrt()
        };
        let (value, slope) = (size(&self.rows[..self.size]), size(&self.rows[self.size..2 * self.size]));
        match value / slope {
            ratio if ratio.is_finite() && ratio > 0.0 => 0.01 * ratio,
            _ => 1e-6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_grow_up_to_the_loosest() {
        let tight = Tolerance { rtol: 1e-3, atol: 0.2 };
        let looser = tight.times(10.0);
        assert_eq!([looser.rtol, looser.atol], [1e-2, LOOSEST]);
        assert!(tight.can_be_looser() && looser.can_be_looser());
        assert!(Tolerance { rtol: LOOSEST, atol: 0.1 }.can_be_looser());
        let loosest = looser.times(100.0);
        assert_eq!([loosest.rtol, loosest.atol], [LOOSEST; 2]);
        assert!(!loosest.can_be_looser());
        assert!((tight.left(-3.0) - 0.203).abs() < 1e-15);
    }
}
