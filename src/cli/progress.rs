//! The progress of a long computation on standard error: one line redrawn on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use console::Term;
use tumble::task::{Progress, Report};

use super::terminal;

/// What ends sooner needs no progress line.
const SHORT: Duration = Duration::from_millis(300);
const BETWEEN_DRAWINGS: Duration = Duration::from_millis(100);
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// Whoever looks into a log wants to know soon whether it goes well.
const FIRST_LINE: Duration = Duration::from_secs(1);
const WIDEST_BAR: usize = 30;
/// Memory of the smoothed speed.
const SMOOTHING: Duration = Duration::from_secs(3);

/// Shows progress on standard error.
pub(crate) struct Terminal {
    is_terminal: bool,
    /// Whether it shows warnings only.
    is_quiet: Arc<AtomicBool>,
    current: Mutex<Option<Line>>,
}

/// One computation being watched.
struct Line {
    is_drawn: bool,
    /// The report shown last.
    shown: Report,
    /// Smoothed steps per second.
    speed: Option<f64>,
}

impl Terminal {
    /// Looks once whether standard error is a terminal; while `is_quiet` it shows warnings only.
    pub(crate) fn new(is_quiet: Arc<AtomicBool>) -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), is_quiet, current: Mutex::default() }
    }

    fn is_quiet(&self) -> bool {
        self.is_quiet.load(Ordering::Relaxed)
    }

    /// Writes a line in the place of what is drawn.
    fn say(&self, text: &str) {
        let Ok(mut current) = self.current.lock() else { return };
        if let Some(line) = current.as_mut().filter(|line| line.is_drawn) {
            let _ = Term::stderr().clear_line();
            line.is_drawn = false;
        }
        terminal::complain(text);
    }
}

impl Progress for Terminal {
    fn update(&self, report: &Report) {
        if self.is_quiet() {
            return;
        }
        let Ok(mut current) = self.current.lock() else { return };
        let line = match &mut *current {
            Some(line) if line.shown.task == report.task && line.shown.done <= report.done => line,
            other => other.insert(Line::new(report)),
        };
        let pause = match (self.is_terminal, line.is_fresh()) {
            (true, true) => SHORT,
            (true, false) => BETWEEN_DRAWINGS,
            (false, true) => FIRST_LINE,
            (false, false) => BETWEEN_LINES,
        };
        if report.elapsed.saturating_sub(line.shown.elapsed) < pause {
            return;
        }
        line.measure(report);
        if self.is_terminal {
            line.draw(report);
        } else {
            terminal::complain(&line.describe(report));
        }
    }

    fn finish(&self, report: &Report) {
        if self.is_quiet() {
            return;
        }
        let Ok(mut current) = self.current.lock() else { return };
        let was_shown = current.take().is_some_and(|line| {
            if line.is_drawn {
                let _ = Term::stderr().clear_line();
            }
            !line.is_fresh()
        });
        // A training is worth a line of record, be it short; of other work the result is record enough.
        if report.task == "train" || (was_shown && !self.is_terminal) {
            terminal::complain(&summary(report));
        }
    }

    fn warn(&self, warning: &str) {
        self.say(&format!("warning: {warning}"));
    }

    fn note(&self, note: &str) {
        if !self.is_quiet() {
            self.say(note);
        }
    }
}

impl Line {
    fn new(first: &Report) -> Self {
        // A first step that takes long is a part of what is waited for; earlier work, from which a run goes on, is not.
        let (done, elapsed) = if first.done <= 1 { (0, Duration::ZERO) } else { (first.done, first.elapsed) };
        let shown = Report { task: first.task, done, elapsed, ..Report::default() };
        Self { is_drawn: false, shown, speed: None }
    }

    fn is_fresh(&self) -> bool {
        self.speed.is_none()
    }

    /// Takes in the speed since the last report shown.
    fn measure(&mut self, report: &Report) {
        let time = report.elapsed.saturating_sub(self.shown.elapsed).as_secs_f64();
        let now = report.done.saturating_sub(self.shown.done) as f64 / time.max(1e-9);
        let weight = 1.0 - (-time / SMOOTHING.as_secs_f64()).exp();
        self.speed = Some(self.speed.map_or(now, |before| before + weight * (now - before)));
        self.shown = report.clone();
    }

    /// Draws over what was drawn before. The cursor stays short of the edge, where the `^C` that a terminal echoes
    /// would break the line, and half of it could not be cleared.
    fn draw(&mut self, report: &Report) {
        let terminal = Term::stderr();
        let width = terminal::width_of(&terminal).saturating_sub(4);
        let mut text: String = self.describe(report).chars().take(width).collect();
        text.push(' ');
        let room = width.saturating_sub(text.chars().count()).min(WIDEST_BAR);
        text.push_str(&bar(report.done, report.total, room));
        // A terminal that is gone needs no progress.
        let _ = terminal.clear_line().and_then(|()| terminal.write_str(&text));
        self.is_drawn = true;
    }

    /// "train: step 3000/20000, loss 0.412, 812 steps/s, 21 s left"
    fn describe(&self, report: &Report) -> String {
        let mut text = format!("{}: step {}/{}", report.task, report.done, report.total);
        if let Some(loss) = report.loss {
            text.push_str(&format!(", loss {loss:.4}"));
        }
        if let Some(speed) = self.speed.filter(|speed| *speed > 0.0) {
            let left = report.total.saturating_sub(report.done) as f64 / speed;
            text.push_str(&format!(", {} steps/s, {} left", three_digits(speed), duration(left)));
        }
        text
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
fn summary(report: &Report) -> String {
    let seconds = report.elapsed.as_secs_f64();
    let steps = if report.done < report.total {
        format!("stopped after {} of {} steps,", report.done, report.total)
    } else {
        format!("{} steps in", report.done)
    };
    let speed = three_digits(report.done as f64 / seconds.max(1e-9));
    let loss = report.loss.map(|loss| format!(", loss {loss:.4}")).unwrap_or_default();
    format!("{}: {steps} {} ({speed} steps/s){loss}", report.task, duration(seconds))
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
        Report { task: "train", done, total: 20_000, elapsed: Duration::from_millis(milliseconds), loss: Some(0.4123) }
    }

    #[test]
    fn a_line_tells_loss_speed_and_time_left() {
        let mut line = Line::new(&report(0, 0));
        line.measure(&report(3000, 4000));
        assert_eq!(line.describe(&report(3000, 4000)), "train: step 3000/20000, loss 0.4123, 750 steps/s, 23 s left");
    }

    #[test]
    fn the_bar_keeps_its_width() {
        assert_eq!(bar(5_000, 20_000, 8), "██░░░░░░");
        assert_eq!(bar(20_000, 20_000, 8), "████████");
        assert_eq!(bar(5_000, 20_000, 4), "");
    }

    #[test]
    fn speed_forgets_a_slow_start() {
        let mut line = Line::new(&report(0, 0));
        line.measure(&report(10, 5000));
        for i in 1..20 {
            line.measure(&report(10 + 1000 * i, 5000 + 1000 * i));
        }
        let speed = line.speed.unwrap_or_default();
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
