//! The progress of a cell: one output, redrawn while a computation runs, that ends as a line for each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jupyter_protocol::{
    DisplayData, JupyterMessage, JupyterMessageContent, Media, MediaType, StreamContent, Transient, UpdateDisplayData,
};
use tumble::lang::diagnostics::visible;
use tumble::task::{Progress, Report};

use super::outbox::Outbox;
use crate::cli::pace::{Pace, SHORT, summary};

const BETWEEN_DRAWINGS: Duration = Duration::from_millis(200);
/// Columns that an output has room for.
pub(super) const WIDTH: usize = 90;
/// Computations that a cell tells of when they have ended, the last ones.
const TOLD: usize = 10;

/// Where a cell's progress, warnings and printed lines go.
pub(super) struct Board {
    outbox: Arc<Outbox>,
    is_quiet: Box<dyn Fn() -> bool + Send + Sync>,
    cell: Mutex<Cell>,
}

/// The cell that runs.
#[derive(Default)]
struct Cell {
    request: Option<JupyterMessage>,
    is_shown: bool,
    /// What computations have come to.
    ended: Vec<String>,
    current: Option<Pace>,
}

impl Board {
    /// A board that shows no progress while `is_quiet`.
    pub(super) fn new(outbox: Arc<Outbox>, is_quiet: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { outbox, is_quiet: Box::new(is_quiet), cell: Mutex::default() }
    }

    /// What is said from now on belongs to the cell that `request` wants to be run.
    pub(super) fn begin(&self, request: &JupyterMessage) {
        *self.lock() = Cell { request: Some(request.clone()), ..Cell::default() };
    }

    /// Publishes an output of the cell.
    pub(super) fn publish(&self, content: impl Into<JupyterMessageContent>) {
        self.outbox.publish(JupyterMessage::new(content, self.lock().request.as_ref()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Redraws the cell's progress with `line` below what has ended.
    fn draw(&self, cell: &mut Cell, line: Option<String>) {
        let Some(request) = &cell.request else { return };
        let earlier = cell.ended.len().saturating_sub(TOLD);
        let note = (earlier > 0).then(|| format!("... {earlier} earlier"));
        let lines: Vec<String> = note.into_iter().chain(cell.ended[earlier..].iter().cloned()).chain(line).collect();
        let data = Media::new(vec![MediaType::Plain(lines.join("\n"))]);
        let place = format!("progress of {}", request.header.msg_id);
        let content: JupyterMessageContent = match std::mem::replace(&mut cell.is_shown, true) {
            true => UpdateDisplayData::new(data, &place).into(),
            false => {
                DisplayData { transient: Some(Transient { display_id: Some(place) }), ..DisplayData::new(data) }.into()
            }
        };
        self.outbox.publish(JupyterMessage::new(content, Some(request)));
    }
}

impl Progress for Board {
    fn update(&self, report: &Report) {
        if (self.is_quiet)() {
            return;
        }
        let mut cell = self.lock();
        let pace = match &mut cell.current {
            Some(pace) if pace.leads_to(report) => pace,
            other => other.insert(Pace::new(report)),
        };
        if pace.is_due(report, if pace.is_fresh() { SHORT } else { BETWEEN_DRAWINGS }) {
            pace.measure(report);
            let line = pace.with_bar(report, WIDTH);
            self.draw(&mut cell, Some(line));
        }
    }

    fn finish(&self, report: &Report) {
        if (self.is_quiet)() {
            return;
        }
        let mut cell = self.lock();
        let was_shown = cell.current.take().is_some_and(|pace| !pace.is_fresh());
        // A training is worth a line of record, be it short.
        if was_shown || report.task == "train" {
            cell.ended.push(summary(report));
            self.draw(&mut cell, None);
        }
    }

    fn warn(&self, warning: &str) {
        self.publish(StreamContent::stderr(&format!("warning: {}\n", visible(warning))));
    }

    fn note(&self, note: &str) {
        if !(self.is_quiet)() {
            self.publish(StreamContent::stdout(&format!("{}\n", visible(note))));
        }
    }
}

#[cfg(test)]
mod tests {
    use jupyter_protocol::ExecuteRequest;

    use super::super::outbox::Outgoing;
    use super::*;

    fn report(done: u64) -> Report {
        Report {
            task: "train",
            unit: "step",
            done,
            total: 50,
            elapsed: Duration::from_millis(100 * done),
            loss: Some(0.5),
        }
    }

    #[test]
    fn a_cell_has_one_output_of_progress() {
        let outbox = Arc::new(Outbox::default());
        let board = Board::new(outbox.clone(), || false);
        board.begin(&ExecuteRequest::default().into());
        for _ in 0..TOLD + 2 {
            (0..=50).for_each(|done| board.update(&report(done)));
            board.finish(&report(50));
        }
        let all = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(outbox.take()).unwrap();
        let shown = |outgoing: &Outgoing| match outgoing {
            Outgoing::Publication(message) => match &message.content {
                JupyterMessageContent::DisplayData(_) => 1,
                JupyterMessageContent::UpdateDisplayData(_) => 0,
                other => panic!("{other:?}"),
            },
            Outgoing::Reply(_) => panic!("nobody asked"),
        };
        assert_eq!(all.iter().map(shown).sum::<usize>(), 1);
        let Some(Outgoing::Publication(last)) = all.last() else { panic!() };
        let JupyterMessageContent::UpdateDisplayData(last) = &last.content else { panic!() };
        let [MediaType::Plain(text)] = &last.data.content[..] else { panic!() };
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[0]), (TOLD + 1, "... 2 earlier"));
        assert_eq!(lines[TOLD], "train: 50 steps in 5.0 s (10.0 steps/s), loss 0.5000");
    }
}
