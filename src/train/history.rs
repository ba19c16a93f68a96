//! The loss over the steps: what is reported on the way, and what is left in the end.

use std::time::Duration;

use super::Options;
use crate::host::Host;
use crate::task::Report;

/// Time between two reports.
const REPORT: Duration = Duration::from_millis(50);

/// What a training run leaves besides the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// (step, mean loss since the point before), the step counted in this run.
    pub loss: Vec<[f64; 2]>,
    /// Steps done.
    pub steps: u64,
    /// Time it took.
    pub seconds: f64,
    /// Whether the user stopped it; the model keeps the steps done.
    pub interrupted: bool,
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { steps, seconds, loss, interrupted } = self;
        write!(f, "{steps} steps in {seconds:.1} s")?;
        if let Some([_, loss]) = loss.last() {
            write!(f, ", loss {loss:.4}")?;
        }
        if *interrupted { write!(f, ", interrupted") } else { Ok(()) }
    }
}

/// The loss over the steps.
pub(super) struct History {
    host: Host,
    /// On the host's clock.
    start: Duration,
    reported: Option<Duration>,
    done: u64,
    total: u64,
    interval: u64,
    points: Vec<[f64; 2]>,
    /// Sum and number of losses since the last point.
    sum: f64,
    count: u64,
    smooth: f64,
}

impl History {
    pub(super) fn new(options: &Options, host: &Host) -> Self {
        let interval = options.interval.unwrap_or((options.steps / 200).max(1));
        Self {
            host: host.clone(),
            start: host.now(),
            reported: None,
            done: 0,
            total: options.steps,
            interval,
            points: Vec::new(),
            sum: 0.0,
            count: 0,
            smooth: 0.0,
        }
    }

    pub(super) fn add(&mut self, loss: f64) {
        self.done += 1;
        self.sum += loss;
        self.count += 1;
        // The mean of the first hundred steps, then an exponential one over about a hundred.
        self.smooth += (loss - self.smooth) / self.done.min(100) as f64;
        if self.done.is_multiple_of(self.interval) {
            self.close();
        }
    }

    /// Makes a point of the losses since the last one.
    pub(super) fn close(&mut self) {
        if self.count > 0 {
            self.points.push([self.done as f64, self.sum / self.count as f64]);
            (self.sum, self.count) = (0.0, 0);
        }
    }

    pub(super) fn due(&mut self) -> bool {
        let now = self.host.now();
        let due = self.reported.is_none_or(|last| now.saturating_sub(last) >= REPORT);
        if due {
            self.reported = Some(now);
        }
        due
    }

    pub(super) fn record(self, interrupted: bool) -> Record {
        let seconds = self.elapsed().as_secs_f64();
        Record { steps: self.done, seconds, loss: self.points, interrupted }
    }

    pub(super) fn report(&self) -> Report {
        let loss = (self.done > 0).then_some(self.smooth);
        Report { task: "train", done: self.done, total: self.total, elapsed: self.elapsed(), loss }
    }

    fn elapsed(&self) -> Duration {
        self.host.since(self.start)
    }
}
