//! Progress of long work of many parts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Report, Task};
use crate::error::Result;

/// Counts the steps that all threads have done and reports now and then, in steps of all samples.
pub(crate) struct Meter<'a> {
    task: &'a Task,
    name: &'static str,
    samples: u64,
    steps: u64,
    /// Steps of one sample each.
    done: AtomicU64,
    /// On the host's clock.
    start: Duration,
    /// How much must be done before the clock is asked again.
    ask: AtomicU64,
    /// Milliseconds since the start at which the next report is due.
    due: AtomicU64,
}

const REPORT_EVERY: u64 = 20;

impl<'a> Meter<'a> {
    pub(crate) fn new(task: &'a Task, name: &'static str, samples: usize, steps: usize) -> Self {
        let (done, ask, due) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(REPORT_EVERY));
        Self { task, name, samples: samples as u64, steps: steps as u64, done, start: task.host().now(), ask, due }
    }

    /// Counts `samples` that went through one step.
    ///
    /// # Errors
    /// [`Error::Interrupted`] once the user asked to stop.
    pub(crate) fn count(&self, samples: usize) -> Result<()> {
        let done = samples as u64 + self.done.fetch_add(samples as u64, Ordering::Relaxed);
        // The clock takes longer than a short step: at the rate so far it is asked once a millisecond.
        if done >= self.ask.load(Ordering::Relaxed) {
            let elapsed = self.elapsed();
            self.ask.store(done + done / (elapsed.as_millis() as u64).max(1), Ordering::Relaxed);
            self.report_when_due(elapsed);
        }
        self.task.check()
    }

    fn report_when_due(&self, elapsed: Duration) {
        let due = self.due.load(Ordering::Relaxed);
        let now = elapsed.as_millis() as u64;
        // Of several threads that find a report due, one makes it.
        let mine =
            |due| self.due.compare_exchange(due, now + REPORT_EVERY, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if now >= due && mine(due) {
            self.task.report(&self.report(elapsed));
        }
    }

    /// Tells whoever watches that the work is over.
    pub(crate) fn finish(&self) {
        self.task.finish(&self.report(self.elapsed()));
    }

    fn elapsed(&self) -> Duration {
        self.task.host().since(self.start)
    }

    fn report(&self, elapsed: Duration) -> Report {
        let done = self.done.load(Ordering::Relaxed) / self.samples.max(1);
        Report { task: self.name, unit: "step", done, total: self.steps, elapsed, loss: None }
    }
}
