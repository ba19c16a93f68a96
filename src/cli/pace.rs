//! What a line of progress tells: steps, loss, speed, what is left.

use std::time::Duration;

use tumble::task::Report;

/// What ends sooner needs no progress line.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
const WIDEST_BAR: usize = 30;
/// Memory of the smoothed speed.
const SMOOTHING: Duration = Duration::from_secs(3);

/// One computation being watched.
pub(crate) struct Pace {
    /// The report shown last.
    shown: Report,
    /// Smoothed steps per second.
    speed: Option<f64>,
}

impl Pace {
    /// A computation of which nothing was shown yet.
    pub(crate) fn new(first: &Report) -> Self {
        // A first step that takes long is a part of what is waited for; what goes on from earlier work has its own
        // pace.
        let (done, elapsed) = if first.done <= 1 { (0, Duration::ZERO) } else { (first.done, first.elapsed) };
        let shown = Report { task: first.task, done, elapsed, ..Report::default() };
        Self { shown, speed: None }
    }

    /// Whether a report is of a later moment of the same computation.
    pub(crate) fn leads_to(&self, report: &Report) -> bool {
        self.shown.task == report.task && self.shown.done <= report.done
    }

    /// Whether nothing was shown yet.
    pub(crate) fn is_fresh(&self) -> bool {
        self.speed.is_none()
    }

    /// Whether `pause` has passed since the report shown last.
    pub(crate) fn is_due(&self, report: &Report, pause: Duration) -> bool {
        report.elapsed.saturating_sub(self.shown.elapsed) >= pause
    }

    /// Takes in the speed since the report shown last, which this one now is.
    pub(crate) fn measure(&mut self, report: &Report) {
        let time = report.elapsed.saturating_sub(self.shown.elapsed).as_secs_f64();
        let now = report.done.saturating_sub(self.shown.done) as f64 / time.max(1e-9);
        let weight = 1.0 - (-time / SMOOTHING.as_secs_f64()).exp();
        self.speed = Some(self.speed.map_or(now, |before| before + weight * (now - before)));
        self.shown = report.clone();
    }

    /// The line and a bar in `width` columns.
    pub(crate) fn with_bar(&self, report: &Report, width: usize) -> String {
        let mut text: String = self.within(report, width).chars().take(width).collect();
        text.push(' ');
        let room = width.saturating_sub(text.chars().count()).min(WIDEST_BAR);
        text.push_str(&bar(report.done, report.total, room));
        text
    }

    /// "train: step 3000/20000, loss 0.412, 812 steps/s, 21 s left"
    pub(crate) fn describe(&self, report: &Report) -> String {
        self.within(report, usize::MAX)
    }

    /// As much of it as fits into `width` columns.
    fn within(&self, report: &Report, width: usize) -> String {
        let unit = report.unit;
        let mut parts = vec![(0, format!("{}: {unit} {}/{}", report.task, report.done, report.total))];
        parts.extend(report.loss.map(|loss| (2, format!("loss {loss:.4}"))));
        if let Some(speed) = self.speed.filter(|speed| *speed > 0.0) {
            let left = report.total.saturating_sub(report.done) as f64 / speed;
            parts.extend([(3, format!("{} {unit}s/s", three_digits(speed))), (1, format!("{} left", duration(left)))]);
        }
        fitting(parts, width)
    }
}

/// Parts of a line with commas between them, in `width` columns: what has the higher number is left out first, and 0
/// never.
pub(super) fn fitting(mut parts: Vec<(u8, String)>, width: usize) -> String {
    loop {
        let text = parts.iter().map(|(_, part)| part.as_str()).collect::<Vec<_>>().join(", ");
        let least = parts.iter().map(|(rank, _)| *rank).max().unwrap_or(0);
        if least == 0 || text.chars().count() <= width {
            return text;
        }
        parts.retain(|(rank, _)| *rank != least);
    }
}

/// A bar of `room` characters, or none where that is too narrow to tell anything.
pub(super) fn bar(done: u64, total: u64, room: usize) -> String {
    if room < 5 {
        return String::new();
    }
    let filled = (room as u64 * done.min(total) / total.max(1)) as usize;
    format!("{}{}", "█".repeat(filled), "░".repeat(room - filled))
}

/// "train: 20000 steps in 24.6 s (812 steps/s), loss 0.0312"
pub(crate) fn summary(report: &Report) -> String {
    let (seconds, unit) = (report.elapsed.as_secs_f64(), report.unit);
    let steps = if report.done < report.total {
        format!("stopped after {} of {} {unit}s,", report.done, report.total)
    } else {
        format!("{} {unit}s in", report.done)
    };
    let speed = three_digits(report.done as f64 / seconds.max(1e-9));
    let loss = report.loss.map(|loss| format!(", loss {loss:.4}")).unwrap_or_default();
    format!("{}: {steps} {} ({speed} {unit}s/s){loss}", report.task, duration(seconds))
}

pub(super) fn three_digits(x: f64) -> String {
    let decimals = if x >= 100.0 { 0 } else { usize::from(x < 10.0) + 1 };
    format!("{x:.decimals$}")
}

pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{}:{:02} min", whole / 60, whole % 60),
        _ => format!("{}:{:02} h", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(done: u64, milliseconds: u64) -> Report {
        Report {
            task: "train",
            unit: "step",
            done,
            total: 20_000,
            elapsed: Duration::from_millis(milliseconds),
            loss: Some(0.4123),
        }
    }

    #[test]
    fn a_line_tells_loss_speed_and_time_left() {
        let mut pace = Pace::new(&report(0, 0));
        pace.measure(&report(3000, 4000));
        assert_eq!(pace.describe(&report(3000, 4000)), "train: step 3000/20000, loss 0.4123, 750 steps/s, 23 s left");
    }

    /// Seen to lose the time left, which stands last.
    #[test]
    fn in_narrow_windows_the_time_left_stays() {
        let mut pace = Pace::new(&report(0, 0));
        pace.measure(&report(3000, 4000));
        let line = |width| pace.with_bar(&report(3000, 4000), width).trim_end().to_owned();
        assert_eq!(line(46), "train: step 3000/20000, loss 0.4123, 23 s left");
        assert_eq!(line(36), "train: step 3000/20000, 23 s left");
        assert_eq!(line(22), "train: step 3000/20000");
    }

    #[test]
    fn a_sweep_is_counted_in_points() {
        let report = |done, milliseconds| Report {
            task: "sweep",
            unit: "point",
            loss: None,
            total: 24,
            ..report(done, milliseconds)
        };
        let mut pace = Pace::new(&report(0, 0));
        pace.measure(&report(3, 6000));
        assert_eq!(pace.describe(&report(3, 6000)), "sweep: point 3/24, 0.50 points/s, 42 s left");
        assert_eq!(summary(&report(24, 48_000)), "sweep: 24 points in 48 s (0.50 points/s)");
    }

    #[test]
    fn the_bar_keeps_its_width() {
        assert_eq!(bar(5_000, 20_000, 8), "██░░░░░░");
        assert_eq!(bar(20_000, 20_000, 8), "████████");
        assert_eq!(bar(5_000, 20_000, 4), "");
    }

    #[test]
    fn speed_forgets_a_slow_start() {
        let mut pace = Pace::new(&report(0, 0));
        pace.measure(&report(10, 5000));
        for i in 1..20 {
            pace.measure(&report(10 + 1000 * i, 5000 + 1000 * i));
        }
        let speed = pace.speed.unwrap_or_default();
        assert!((speed - 1000.0).abs() < 5.0, "{speed}");
    }

    #[test]
    fn the_summary_tells_what_was_left_undone() {
        assert_eq!(summary(&report(20_000, 24_600)), "train: 20000 steps in 25 s (813 steps/s), loss 0.4123");
        assert_eq!(
            summary(&report(10, 2000)),
            "train: stopped after 10 of 20000 steps, 2.0 s (5.00 steps/s), loss 0.4123"
        );
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        let texts = [0.04, 9.94, 9.96, 59.4, 59.6, 3599.0, 3600.0, 90_000.0].map(duration);
        assert_eq!(texts, ["0.0 s", "9.9 s", "10 s", "59 s", "1:00 min", "59:59 min", "1:00 h", "25:00 h"]);
    }
}
