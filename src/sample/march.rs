//! Blocks of samples through fixed steps: who computes what, and what is kept.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::State;
use super::fault::Fault;
use super::layout::BLOCK;
use super::method::CORRECTING;
use super::output::{Output, Request};
use super::plan::Plan;
use crate::error::{Error, Result};
use crate::score::{Chart, Score};
use crate::task::Meter;
use crate::task::Task;
use crate::vector::Aligned;

/// Steps whose coefficients are held at once: memory does not grow with the number of steps.
const CHUNK: usize = 128;

/// More values than this part that had to be held are worth a warning.
const MUCH_HELD: f64 = 1e-3;

/// Brings the states of `rows`, component-major, back between the walls; returns how many values were beyond.
pub(super) fn hold(walls: &[[f32; 2]], samples: usize, rows: &mut [f32]) -> u64 {
    let mut held = 0;
    for (row, &[low, high]) in rows.chunks_exact_mut(samples).zip(walls) {
        for z in row {
            held += u64::from(*z < low || *z > high);
            *z = z.clamp(low, high);
        }
    }
    held
}

/// Of blocks that ran away, each with the first of the steps that it was then taken through, the one that is told of.
fn first_broken(blocks: impl IntoIterator<Item = Option<(usize, usize)>>) -> Option<(usize, usize)> {
    blocks.into_iter().flatten().min()
}

/// A run of many samples through fixed steps.
pub(super) struct March<'a> {
    pub(super) name: &'static str,
    pub(super) task: &'a Task,
    pub(super) request: Request<'a>,
    /// In whose coordinates states are on their way.
    pub(super) score: Option<&'a dyn Score>,
    pub(super) steps: usize,
    /// The length of the longest step.
    pub(super) longest: f64,
    /// The time at the end.
    pub(super) end: f64,
    /// The time at which a step begins.
    pub(super) time: &'a (dyn Fn(usize) -> f64 + Sync),
    /// The numbers of the steps whose beginnings are kept, rising; the number of steps stands for the end.
    pub(super) kept: Vec<usize>,
    /// How far each component and copy may go, [m·d].
    pub(super) walls: Option<Vec<[f32; 2]>>,
}

impl March<'_> {
    /// Runs all blocks from `start(block, samples, state)` through the steps that `plan(range)` gives, each rank its
    /// share of them. Returns the states at the end and how often the score was evaluated for each sample.
    pub(super) fn run<'p>(
        &self,
        start: impl Fn(u32, usize, &mut [f32]) -> Result<()> + Sync + Send,
        plan: impl Fn(Range<usize>) -> Result<Plan<'p>>,
    ) -> Result<(State, usize)> {
        let share = self.task.ranks().share(self.request.blocks(BLOCK)?);
        let mut storage = self.request.storage(self.task.host())?;
        let output = storage.open(self.charts()?);
        let rows = self.task.blocks(share.len(), |place| {
            let block = share.start + place;
            let samples = self.samples(block);
            let mut rows = Aligned::zeros(self.state_rows() * samples);
            start(self.number(block), samples, &mut rows)?;
            self.keep(&output, 0, block, &rows);
            Ok(Mutex::new(rows))
        });
        let steps = self.steps;
        let (held, broken) = (AtomicU64::new(0), Mutex::new(None));
        let own = (share.end * BLOCK).min(self.request.count) - (share.start * BLOCK).min(self.request.count);
        let meter = Meter::new(self.task, self.name, own, steps);
        let march = || {
            let rows = rows?;
            let mut evaluations = 0;
            for first in (0..steps).step_by(CHUNK) {
                let range = first..steps.min(first + CHUNK);
                let plan = plan(range.clone())?;
                let counts = plan.counts();
                evaluations += counts.evaluations;
                self.task.blocks(share.len(), |place| {
                    let block = share.start + place;
                    let mut rows = rows[place].lock().unwrap_or_else(PoisonError::into_inner);
                    let size = counts.kept * self.samples(block);
                    if rows.len() < size {
                        let before = std::mem::replace(&mut *rows, Aligned::zeros(size));
                        rows[..before.len()].copy_from_slice(&before);
                    }
                    let mut worker = plan.worker(self.samples(block));
                    for step in range.clone() {
                        worker.step(step, self.number(block), &mut rows);
                        if let Some(walls) = &self.walls {
                            held.fetch_add(hold(walls, self.samples(block), &mut rows), Ordering::Relaxed);
                        }
                        self.keep(&output, step + 1, block, &rows);
                        meter.count(self.samples(block))?;
                    }
                    if rows.iter().all(|z| z.is_finite()) {
                        return Ok(());
                    }
                    let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
                    *broken = first_broken([*broken, Some((first, block))]);
                    Err(Error::Interrupted)
                })?;
            }
            Ok(evaluations)
        };
        let outcome = march();
        meter.finish();
        let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, block)) = first_broken(self.task.gather(self.name, Ok(broken))?) {
            return Err(self.explain(block, start, plan)?);
        }
        let outcomes = self.task.gather(self.name, outcome.map(|evaluations| (evaluations, held.into_inner())))?;
        let (evaluations, held) = (outcomes[0].0, outcomes.iter().map(|(_, held)| held).sum::<u64>());
        drop(output);
        storage.gather(self.name, share.start * BLOCK..share.end * BLOCK, self.task)?;
        let mut state = storage.close(self.end, self.request.kept.clone())?;
        let part = held as f64 / (self.request.count * self.state_rows() * steps) as f64;
        if part > MUCH_HELD {
            let warning = format!(
                "{:.2} % of the values on the way were held at the edge of what simulated paths reach; take more steps, \
                 train longer, or use the method \"{}\"",
                100.0 * part,
                CORRECTING.name
            );
            self.task.warn(&warning);
            state.warnings.push(warning);
        }
        Ok((state, evaluations))
    }

    /// The charts by which states leave: at each kept time, then at the end.
    fn charts(&self) -> Result<Vec<Chart<'_>>> {
        let Some(score) = self.score else { return Ok(Vec::new()) };
        self.request.kept.iter().chain([&self.end]).map(|&time| Chart::new(score, time)).collect()
    }

    /// The number of a block among all that share a stream of random numbers.
    fn number(&self, block: usize) -> u32 {
        (self.request.first_block + block) as u32
    }

    fn samples(&self, block: usize) -> usize {
        BLOCK.min(self.request.count - block * BLOCK)
    }

    fn state_rows(&self) -> usize {
        self.request.process.blocks().len() * self.request.dimension()
    }

    /// Writes a block that has reached the time number `place` where it is kept, or the last.
    fn keep(&self, output: &Output<'_>, place: usize, block: usize, rows: &[f32]) {
        let samples = self.samples(block);
        let state = &rows[..self.state_rows() * samples];
        if let Ok(frame) = self.kept.binary_search(&place) {
            output.write(frame, block * BLOCK, samples, state);
        }
        if place == self.steps {
            output.write(output.end(), block * BLOCK, samples, state);
        }
    }

    /// Why a block ran away, found by taking it through the same steps once more.
    fn explain<'p>(
        &self,
        block: usize,
        start: impl Fn(u32, usize, &mut [f32]) -> Result<()>,
        plan: impl Fn(Range<usize>) -> Result<Plan<'p>>,
    ) -> Result<Error> {
        let samples = self.samples(block);
        let size = self.state_rows() * samples;
        let mut rows = vec![0.0; size];
        start(self.number(block), samples, &mut rows)?;
        let mut before = rows.clone();
        let mut step = 0;
        while step < self.steps {
            let range = step..self.steps.min(step + CHUNK);
            let plan = plan(range.clone())?;
            rows.resize(rows.len().max(plan.counts().kept * samples), 0.0);
            let mut worker = plan.worker(samples);
            for number in range.clone() {
                self.task.check()?;
                before.copy_from_slice(&rows[..size]);
                worker.step(number, self.number(block), &mut rows);
                if let Some(walls) = &self.walls {
                    hold(walls, samples, &mut rows);
                }
                if let Some(row) = rows[..size].iter().position(|z| !z.is_finite()) {
                    return Ok(self.fault(number, row, &before, samples).error());
                }
            }
            step = range.end;
        }
        // What only the method remembers ran away.
        Ok(self.fault(self.steps - 1, 0, &before, samples).error())
    }

    /// What is known of the step `number`, after which the value at `place` was not finite.
    fn fault(&self, number: usize, place: usize, before: &[f32], samples: usize) -> Fault<'_> {
        let process = self.request.process;
        let copies = self.state_rows() / process.components();
        let (copy, sample) = (place / samples % copies, place % samples);
        let value = |component: usize| f64::from(before[(component * copies + copy) * samples + sample]);
        let state = (0..process.components()).map(value).collect();
        Fault { process, time: (self.time)(number), longest: self.longest, state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_between_the_walls() {
        let mut rows = [0.5, -2.0, 1.0, 3.0, -1.0, 0.0, 9.0, 9.0];
        // Two samples; the last row has no walls.
        assert_eq!(hold(&[[-1.0, 1.0], [0.0, 2.0], [-1.0, 1.0]], 2, &mut rows), 2);
        assert_eq!(rows, [0.5, -1.0, 1.0, 2.0, -1.0, 0.0, 9.0, 9.0]);
    }
}
