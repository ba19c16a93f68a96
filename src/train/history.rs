//! The loss over the steps: what is reported on the way, and what is left in the end.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Options;
use super::by_time::{ByTime, Parts};
use super::log::Line;
use crate::error::Result;
use crate::host::Host;
use crate::task::{Report, Task};

/// Time between two reports.
const REPORT: Duration = Duration::from_millis(50);
/// The longest time without a line of the log.
const SILENCE: Duration = Duration::from_secs(10);

/// What a training run leaves besides the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// (step, mean loss since the point before), the step counted in this run.
    pub loss: Vec<[f64; 2]>,
    /// (time, mean loss, samples) in ten equal parts of the times that are trained on, over the last tenth of the
    /// steps, or up to two tenths of a run that the user stopped.
    pub by_time: Vec<[f64; 3]>,
    /// Steps done.
    pub steps: u64,
    /// Time it took.
    pub seconds: f64,
    /// Whether the user stopped it; the model keeps the steps done.
    pub interrupted: bool,
}

impl Record {
    /// The same at all ranks: the time is that of the first.
    pub(super) fn of_all(self, task: &Task) -> Result<Self> {
        let seconds = task.gather("the end of training", Ok(self.seconds))?[0];
        Ok(Self { seconds, ..self })
    }
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { steps, seconds, loss, interrupted, .. } = self;
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
    /// Losses since the last point; checkpoints of older versions say nothing of time.
    #[serde(default)]
    by_time: ByTime,
    /// Of the tenth of the steps before the present one, and of this one.
    #[serde(default)]
    tenths: [ByTime; 2],
}

/// The losses between two points, or of those since the last one.
pub(super) struct Point {
    pub(super) loss: f64,
    pub(super) by_time: ByTime,
}

/// In how many steps what happens.
#[derive(Clone, Copy)]
struct Pace {
    /// A point of the curve.
    interval: u64,
    /// A tenth of all steps.
    tenth: u64,
}

impl Curve {
    /// Mean loss over the last tenth of the steps. The smooth one remembers for too long what is 1e10 times as large.
    fn late(&self, interval: u64) -> f64 {
        let late = self.points.iter().filter(|point| point[0] > 0.9 * self.done as f64);
        let add = |(sum, count), point: &[f64; 2]| (sum + interval as f64 * point[1], count + interval);
        let (sum, count) = late.fold((self.sum, self.count), add);
        sum / count.max(1) as f64
    }

    /// The losses by time towards the end of the steps.
    fn late_by_time(&self, tenth: u64) -> ByTime {
        let [mut before, present] = self.tenths;
        if self.done.is_multiple_of(tenth) {
            return present;
        }
        before.merge(&present);
        before
    }

    /// Adds a step, and gives the point that it ends.
    fn add(&mut self, loss: f64, by_time: &ByTime, pace: Pace) -> Option<Point> {
        if self.done == 0 {
            self.first = loss;
        }
        if self.done.is_multiple_of(pace.tenth) {
            self.tenths = [self.tenths[1], ByTime::default()];
        }
        self.done += 1;
        self.sum += loss;
        self.count += 1;
        self.by_time.merge(by_time);
        self.tenths[1].merge(by_time);
        // The mean of the first hundred steps, then an exponential one over about a hundred.
        self.smooth += (loss - self.smooth) / self.done.min(100) as f64;
        if self.done.is_multiple_of(pace.interval) { self.close() } else { None }
    }

    /// The losses since the last point.
    fn open(&self) -> Option<Point> {
        let Self { sum, count, by_time, .. } = *self;
        (count > 0).then(|| Point { loss: sum / count as f64, by_time })
    }

    /// Makes a point of the losses since the last one.
    fn close(&mut self) -> Option<Point> {
        let point = self.open()?;
        self.points.push([self.done as f64, point.loss]);
        (self.sum, self.count, self.by_time) = (0.0, 0, ByTime::default());
        Some(point)
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
    logged: Duration,
    total: u64,
    pace: Pace,
    parts: Parts,
    curve: Curve,
}

impl History {
    /// That of a run which goes on from `curve`, for which it took the time `before`.
    pub(super) fn new(options: &Options, parts: Parts, curve: Curve, before: Duration, host: &Host) -> Self {
        let interval = options.interval.unwrap_or((options.steps / 200).max(1));
        let pace = Pace { interval, tenth: options.steps.div_ceil(10) };
        let (host, start) = (host.clone(), host.now());
        Self { host, start, before, reported: None, logged: start, total: options.steps, pace, parts, curve }
    }

    /// The parts of the time.
    pub(super) fn parts(&self) -> Parts {
        self.parts
    }

    /// The loss over the steps done so far.
    pub(super) fn curve(&self) -> &Curve {
        &self.curve
    }

    /// The loss before the first step and in the last tenth of them.
    pub(super) fn ends(&self) -> [f64; 2] {
        [self.curve.first, self.curve.late(self.pace.interval)]
    }

    /// Adds a step, and gives the point that it ends.
    pub(super) fn add(&mut self, loss: f64, by_time: &ByTime) -> Option<Point> {
        self.curve.add(loss, by_time, self.pace)
    }

    /// The losses since the last point.
    pub(super) fn open(&self) -> Option<Point> {
        self.curve.open()
    }

    /// Whether nothing was logged for long; to be asked when something may be.
    pub(super) fn is_silent(&self) -> bool {
        self.host.since(self.logged) >= SILENCE
    }

    /// What a point says to the log.
    pub(super) fn line(&mut self, point: &Point, [learning_rate, gradient_norm]: [f64; 2]) -> Line {
        self.logged = self.host.now();
        Line {
            step: self.curve.done,
            steps: self.total,
            loss: point.loss,
            by_time: point.by_time.rows(self.parts),
            learning_rate,
            gradient_norm,
            seconds: self.elapsed().as_secs_f64(),
            stopped: false,
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

    pub(super) fn record(mut self, interrupted: bool) -> Record {
        let seconds = self.elapsed().as_secs_f64();
        self.curve.close();
        let by_time = self.curve.late_by_time(self.pace.tenth).rows(self.parts);
        Record { steps: self.curve.done, seconds, loss: self.curve.points, by_time, interrupted }
    }

    pub(super) fn report(&self) -> Report {
        let Curve { done, smooth, .. } = self.curve;
        let loss = (done > 0).then_some(smooth);
        Report { task: "train", unit: "step", done, total: self.total, elapsed: self.elapsed(), loss }
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
        let mut history = history(&options);
        for step in 0..1000 {
            history.add(if (100..300).contains(&step) { 1e10 } else { 0.5 }, &ByTime::default());
        }
        assert_eq!(history.ends(), [0.5, 0.5]);
    }

    fn history(options: &Options) -> History {
        History::new(options, Parts::new(0.0, 1.0), Curve::default(), Duration::ZERO, &Host::default())
    }

    /// The number of a step is its loss: the mean tells which steps count.
    #[test]
    fn the_loss_by_time_is_that_of_the_last_steps() {
        for (done, first) in [(100, 90), (95, 80), (90, 80), (7, 0)] {
            let mut history = history(&Options { steps: 100, ..Options::default() });
            for step in 0..done {
                let mut by_time = ByTime::default();
                by_time.add(history.parts(), 0.5, f64::from(step));
                history.add(f64::from(step), &by_time);
            }
            let mean = f64::from(first + done - 1) / 2.0;
            assert_eq!(history.record(done < 100).by_time, [[0.55, mean, f64::from(done - first)]], "{done} steps");
        }
    }
}
