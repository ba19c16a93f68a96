//! The progress of a long computation on standard error: one line redrawn on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use console::Term;
use tumble::task::{Progress, Report};

use super::pace::{Pace, SHORT, summary};
use super::terminal;

const BETWEEN_DRAWINGS: Duration = Duration::from_millis(100);
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// Whoever looks into a log wants to know soon whether it goes well.
const FIRST_LINE: Duration = Duration::from_secs(1);

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
    pace: Pace,
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
            Some(line) if line.pace.leads_to(report) => line,
            other => other.insert(Line { is_drawn: false, pace: Pace::new(report) }),
        };
        let pause = match (self.is_terminal, line.pace.is_fresh()) {
            (true, true) => SHORT,
            (true, false) => BETWEEN_DRAWINGS,
            (false, true) => FIRST_LINE,
            (false, false) => BETWEEN_LINES,
        };
        if !line.pace.is_due(report, pause) {
            return;
        }
        line.pace.measure(report);
        if self.is_terminal {
            line.draw(report);
        } else {
            terminal::complain(&line.pace.describe(report));
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
            !line.pace.is_fresh()
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
    /// Draws over what was drawn before. The cursor stays short of the edge, where the `^C` that a terminal echoes
    /// would break the line, and half of it could not be cleared.
    fn draw(&mut self, report: &Report) {
        let terminal = Term::stderr();
        let width = terminal::width_of(&terminal).saturating_sub(4);
        // A terminal that is gone needs no progress.
        let _ = terminal.clear_line().and_then(|()| terminal.write_str(&self.pace.with_bar(report, width)));
        self.is_drawn = true;
    }
}
