//! Samples in fixed blocks: who computes what, in which layout, and how it is put together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::State;
use crate::error::{Error, Result};
use crate::memory;
use crate::process::Process;
use crate::task::{Report, Task};
use crate::tensor::{self, Tensor};

/// Samples that go through all steps together; part of what a seed means.
pub(super) const BLOCK: usize = 256;

/// Runs `work(block, samples in it)` for all blocks of `count` data of `shape` and puts the states that it returns,
/// component-major [m·d, samples], together.
pub(super) fn in_blocks(
    task: &Task,
    process: &Process,
    shape: &[usize],
    count: usize,
    work: impl Fn(u32, usize) -> Result<Vec<f32>> + Sync + Send,
) -> Result<State> {
    // The number of a block is a 32-bit key of the random streams.
    let blocks = count.div_ceil(BLOCK);
    if count == 0 || u32::try_from(blocks).is_err() {
        return Err(Error::argument("count", format!("must be from 1 to 10¹², got {count}")));
    }
    let names = process.blocks().to_vec();
    let whole = [&[count], shape].concat();
    let dimension: usize = shape.iter().product();
    // The states of the blocks, and the tensors that they are put together in.
    let bytes = 2.0 * 4.0 * names.len() as f64 * whole.iter().map(|&side| side as f64).product::<f64>();
    if let Some(problem) = memory::lacking(bytes) {
        return Err(Error::argument("count", format!("of {count} {problem}")).with_hint("take fewer at a time"));
    }
    let mut values = names.iter().map(|_| tensor::allocate(&whole)).collect::<Result<Vec<_>>>()?;
    let states = task.blocks(blocks, |block| work(block as u32, BLOCK.min(count - block * BLOCK)))?;
    for (block, state) in states.iter().enumerate() {
        let samples = state.len() / (names.len() * dimension);
        for (values, state) in values.iter_mut().zip(state.chunks_exact(dimension * samples)) {
            let rows = &mut values[block * BLOCK * dimension..][..samples * dimension];
            transpose(state, samples, rows);
        }
    }
    let blocks = values.into_iter().map(|values| Tensor::new(&whole, values)).collect::<Result<_>>()?;
    Ok(State { names, blocks, evaluations: 0 })
}

/// Writes [rows, columns] as [columns, rows].
pub(super) fn transpose(values: &[f32], columns: usize, out: &mut [f32]) {
    let rows = values.len() / columns;
    for (r, row) in values.chunks_exact(columns).enumerate() {
        for (c, &value) in row.iter().enumerate() {
            out[c * rows + r] = value;
        }
    }
}

/// Counts the steps that all threads have done and reports now and then, in steps of all samples.
pub(super) struct Meter<'a> {
    task: &'a Task,
    name: &'static str,
    samples: u64,
    steps: u64,
    /// Steps of one sample each.
    done: AtomicU64,
    start: Instant,
    /// Milliseconds since the start at which the next report is due.
    due: AtomicU64,
}

const REPORT_EVERY: u64 = 20;

impl<'a> Meter<'a> {
    pub(super) fn new(task: &'a Task, name: &'static str, samples: usize, steps: usize) -> Self {
        let (done, due) = (AtomicU64::new(0), AtomicU64::new(REPORT_EVERY));
        Self { task, name, samples: samples as u64, steps: steps as u64, done, start: Instant::now(), due }
    }

    /// Counts `samples` that went through one step.
    ///
    /// # Errors
    /// [`Error::Interrupted`] once the user asked to stop.
    pub(super) fn count(&self, samples: usize) -> Result<()> {
        self.done.fetch_add(samples as u64, Ordering::Relaxed);
        let elapsed = self.start.elapsed();
        let due = self.due.load(Ordering::Relaxed);
        let now = elapsed.as_millis() as u64;
        // Of several threads that find a report due, one makes it.
        let mine =
            |due| self.due.compare_exchange(due, now + REPORT_EVERY, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if now >= due && mine(due) {
            self.task.report(&self.report(elapsed));
        }
        self.task.check()
    }

    /// Tells whoever watches that the work is over.
    pub(super) fn finish(&self) {
        self.task.finish(&self.report(self.start.elapsed()));
    }

    fn report(&self, elapsed: Duration) -> Report {
        let done = self.done.load(Ordering::Relaxed) / self.samples.max(1);
        Report { task: self.name, done, total: self.steps, elapsed, loss: None }
    }
}
