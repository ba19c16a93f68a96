//! The loss over the steps: what is reported on the way, and what is left in the end.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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

/// The loss over the steps done so far, as checkpoints keep it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Curve {
    /// Steps done.
    pub(super) done: u64,
    points: Vec<[f64; 2]>,
    /// Sum and number of losses since the last point.
    sum: f64,
    count: u64,
    smooth: f64,
    /// The loss before the first step.
    first: f64,
}

impl Curve {
    /// Mean loss over the last tenth of the steps. The smooth one remembers for too long what is 1e10 times as large.
    fn late(&self, interval: u64) -> f64 {
        let late = self.points.iter().filter(|point| point[0] > 0.9 * self.done as f64);
        let add = |(sum, count), point: &[f64; 2]| (sum + interval as f64 * point[1], count + interval);
        let (sum, count) = late.fold((self.sum, self.count), add);
        sum / count.max(1) as f64
    }

    fn add(&mut self, loss: f64, interval: u64) {
        if self.done == 0 {
            self.first = loss;
        }
        self.done += 1;
        self.sum += loss;
        self.count += 1;
        // The mean of the first hundred steps, then an exponential one over about a hundred.
        self.smooth += (loss - self.smooth) / self.done.min(100) as f64;
        if self.done.is_multiple_of(interval) {
            self.close();
        }
    }

    /// Makes a point of the losses since the last one.
    fn close(&mut self) {
        if self.count > 0 {
            self.points.push([self.done as f64, self.sum / self.count as f64]);
            (self.sum, self.count) = (0.0, 0);
        }
    }
}

/// The loss over the steps, and the time they take.
pub(super) struct History {
    host: Host,
    /// On the host's clock.
    start: Duration,
    /// What earlier processes took for the steps that they did.
    before: Duration,
    reported: Option<Duration>,
    total: u64,
    interval: u64,
    curve: Curve,
}

impl History {
    /// That of a run which goes on from `curve`, for which it took the time `before`.
    pub(super) fn new(options: &Options, curve: Curve, before: Duration, host: &Host) -> Self {
        let interval = options.interval.unwrap_or((options.steps / 200).max(1));
        let (host, start) = (host.clone(), host.now());
        Self { host, start, before, reported: None, total: options.steps, interval, curve }
    }

    /// The loss over the steps done so far.
    pub(super) fn curve(&self) -> &Curve {
        &self.curve
    }

    /// The loss before the first step and in the last tenth of them.
    pub(super) fn ends(&self) -> [f64; 2] {
        [self.curve.first, self.curve.late(self.interval)]
    }

    pub(super) fn add(&mut self, loss: f64) {
        self.curve.add(loss, self.interval);
    }

    pub(super) fn due(&mut self) -> bool {
        let now = self.host.now();
        let due = self.reported.is_none_or(|last| now.saturating_sub(last) >= REPORT);
        if due {
            self.reported = Some(now);
        }
        due
    }

    pub(super) fn record(mut self, interrupted: bool) -> Record {
        let seconds = self.elapsed().as_secs_f64();
        self.curve.close();
        Record { steps: self.curve.done, seconds, loss: self.curve.points, interrupted }
    }

    pub(super) fn report(&self) -> Report {
        let Curve { done, smooth, .. } = self.curve;
        let loss = (done > 0).then_some(smooth);
        Report { task: "train", done, total: self.total, elapsed: self.elapsed(), loss }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.before + self.host.since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who has recovered is not refused.
    #[test]
    fn a_transient_is_forgotten() {
        let options = Options { steps: 1000, ..Options::default() };
        let mut history = History::new(&options, Curve::default(), Duration::ZERO, &Host::default());
        for step in 0..1000 {
            history.add(if (100..300).contains(&step) { 1e10 } else { 0.5 });
        }
        assert_eq!(history.ends(), [0.5, 0.5]);
    }
}
