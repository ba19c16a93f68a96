//! The probability flow at times that are not known in advance.

use crate::error::Result;
use crate::process::{Class, Motion, Noised};
use crate::sample::field::Field;
use crate::sample::layout::Layout;
use crate::sample::update::Registers;
use crate::score::{Prepared, Score};
use crate::task::Task;

/// The shortest time at which the score of a flow is asked for: at times before it the score at this time stands in,
/// and the score is never asked for at t = 0. What that leaves is of the fourth order in the noise at this time beside
/// what is finest in the data, so the noise is a small part of that.
///
/// # Errors
/// When a kernel does not exist.
pub(in crate::sample) fn shortest(score: &dyn Score) -> Result<f64> {
    let process = score.process();
    let mut time = LONGEST_FROZEN * process.horizon();
    let Some(finest) = score.finest().filter(|finest| *finest > 0.0 && process.class() != Class::Nonlinear) else {
        return Ok(time);
    };
    while time > SHORTEST_FROZEN * process.horizon() {
        let kernel = process.kernel(time)?;
        let carried = kernel.response().norm() * finest;
        let noise = (0..kernel.data).map(|b| kernel.covariance[(b, b)].sqrt()).fold(0.0, f64::max);
        if noise <= MOST_NOISE * carried {
            break;
        }
        time *= 0.1;
    }
    Ok(time)
}

/// The shortest time at which the score is asked for, in parts of the horizon, at the most and at the least.
const LONGEST_FROZEN: f64 = 1e-5;
const SHORTEST_FROZEN: f64 = 1e-14;
/// The noise there, in parts of what is finest in the data.
const MOST_NOISE: f64 = 0.05;

/// The standard deviation of each component and copy of the noised data at `time`, no earlier than `shortest`, by rows:
/// the units of what is tolerated of errors. Where there is no kernel, that of the data for the data, and 1 for all
/// else.
pub(in crate::sample) fn units(score: &dyn Score, time: f64, shortest: f64) -> Result<Vec<f64>> {
    let (process, moments) = (score.process(), score.moments());
    let dimension: usize = score.shape().iter().product();
    let copies = process.copies(dimension)?;
    // A component without any noise, and a coordinate without variance, have no scale of their own.
    let scale = |std: f64| if std > 0.0 { std } else { 1.0 };
    let rows = 0..process.components() * copies;
    if process.class() == Class::Nonlinear {
        let data: Vec<_> = moments.coordinate_variances().into_iter().map(f64::sqrt).collect();
        return Ok(rows.map(|row| data.get(row).map_or(1.0, |std| scale(*std))).collect());
    }
    let noised = Noised::new(process, moments)?;
    let factors = noised.factors(&process.kernel(time.max(shortest))?);
    let std = |row: usize| factors[noised.kinds()[row % copies]].row(row / copies).norm();
    Ok(rows.map(|row| scale(std(row))).collect())
}

/// The deviations in which the log density of each component and copy varies by order one, by rows: given all others,
/// where data with the deviation of what is finest in them are noised.
pub(super) fn narrow_units(score: &dyn Score, time: f64, shortest: f64) -> Result<Vec<f64>> {
    let (process, dimension) = (score.process(), score.shape().iter().product());
    let copies = process.copies(dimension)?;
    let finest = score.finest().unwrap_or(0.0);
    let units = process.kernel(time.max(shortest))?.with_data_variance(finest.powi(2)).conditional_std();
    let scale = |unit: f64| if unit > 0.0 { unit } else { 1.0 };
    Ok((0..process.components() * copies).map(|row| scale(units[row / copies])).collect())
}

/// The velocity of the flow in forward time, f − ½ ∇·D − ½ D ŝ, for a group of samples.
pub(in crate::sample) struct Flow<'a> {
    score: &'a dyn Score,
    field: Field<'a>,
    layout: Layout,
    samples: usize,
    /// The shortest time at which the score is asked for.
    shortest: f64,
    task: Task,
    /// State and score.
    inputs: Vec<f32>,
}

impl<'a> Flow<'a> {
    pub(in crate::sample) fn new(score: &'a dyn Score, samples: usize, shortest: f64, task: &Task) -> Result<Self> {
        let process = score.process();
        let layout = Layout::new(process, score.shape().iter().product())?;
        let inputs = vec![0.0; (layout.state + layout.score) * samples];
        let field = Field::new(process, Motion::ForwardFlow, score.coordinates())?;
        Ok(Self { score, field, layout, samples, shortest, task: task.serial(), inputs })
    }

    /// Writes the velocity at `time` of `state`, [m·d, samples].
    pub(in crate::sample) fn slope(&mut self, time: f64, state: &[f32], out: &mut [f32]) -> Result<()> {
        self.slope_and(time, state, out, |_| Ok(()))
    }

    /// The same, then calls `more` with the score prepared for that time.
    pub(in crate::sample) fn slope_and(
        &mut self,
        time: f64,
        state: &[f32],
        out: &mut [f32],
        more: impl FnOnce(&dyn Prepared) -> Result<()>,
    ) -> Result<()> {
        let time = time.max(self.shortest);
        let prepared = self.score.prepare(&[time], &self.task)?;
        let (old, score) = self.inputs.split_at_mut(self.layout.state * self.samples);
        old.copy_from_slice(state);
        prepared.evaluator(self.samples).evaluate(0, self.samples, old, score);
        let update = self.field.slope(time)?;
        let length = self.layout.copies * self.samples;
        update.apply(&mut Registers::new(update.program(), length), length, &self.inputs, out);
        more(prepared.as_ref())
    }
}
