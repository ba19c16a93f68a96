//! What all methods follow: the reverse process, or its probability flow, through given times.

use super::field::Field;
use super::grid::beside;
use super::layout::Layout;
use super::noise::Noise;
use super::plan::{Part, Place};
use super::tweedie::expected;
use crate::error::Result;
use crate::process::{Motion, Process};
use crate::score::Score;
use crate::task::Task;

/// The reverse process through given times.
#[derive(Clone)]
pub struct Problem<'a> {
    pub(super) score: &'a dyn Score,
    pub(super) layout: Layout,
    /// Falling; the last may be 0, where the score is never asked for.
    pub(super) times: Vec<f64>,
    pub(super) noise: Noise,
    pub(super) task: &'a Task,
}

impl<'a> Problem<'a> {
    pub(super) fn process(&self) -> &'a Process {
        self.score.process()
    }

    /// A motion in the coordinates of the score.
    pub(super) fn field(&self, motion: Motion) -> Result<Field<'a>> {
        Field::new(self.process(), motion, self.score.coordinates())
    }

    /// The times at which a step begins and ends; where the process switches there, just inside the step.
    pub(super) fn span(&self, step: usize) -> (f64, f64) {
        let places = self.process().switching_times();
        (beside(self.times[step], -1.0, places), beside(self.times[step + 1], 1.0, places))
    }

    /// Copies the state to the beginning of the thread's rows.
    pub(super) fn load(&self) -> Part {
        Part::Copy { from: Place::Kept(0), to: Place::Work(0), rows: self.layout.state }
    }

    /// Writes the score of the state at the beginning of the thread's rows behind it.
    pub(super) fn score(&self, time: f64) -> Part {
        Part::Score { time, of: Place::Work(0), to: self.layout.state }
    }

    /// An Euler–Maruyama step z ← z + (−f + ∇·D + D ŝ) Δs + G √Δs ξ of the `reverse` field.
    pub(super) fn euler(&self, reverse: &Field<'_>, step: usize) -> Result<Vec<Part>> {
        let Layout { state, score, noise, .. } = self.layout;
        let (from, to) = self.span(step);
        let update = reverse.step(from, from - to, false)?;
        Ok(vec![
            self.load(),
            self.score(from),
            Part::Draw { draw: 0, rows: noise, to: state + score },
            Part::Apply { update, from: 0, to: Place::Kept(0) },
        ])
    }

    /// A step to the expected state, z ← E[z_to | z], of a linear process.
    pub(super) fn denoised(&self, step: usize) -> Result<Vec<Part>> {
        let (from, to) = self.span(step);
        let update = expected(self.process(), from, to, self.score.coordinates())?;
        Ok(vec![self.load(), self.score(from), Part::Apply { update, from: 0, to: Place::Kept(0) }])
    }
}
