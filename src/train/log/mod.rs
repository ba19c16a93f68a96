//! What a training says of itself while it runs, in its folder: lines of JSON, and events for TensorBoard.
//!
//! Seconds differ from run to run, so these files are no results: what a training reads of them is no input of what it
//! makes, a replay of one finds it different, and a training goes on without them when they cannot be written.

mod line;
mod tensorboard;

use std::path::Path;

pub use line::Line;

use super::Options;
use crate::error::Result;
use crate::host::{Growing, Host};

/// The open files of a log.
pub(super) struct Log {
    lines: Growing,
    events: Option<Growing>,
    last: Option<Line>,
}

impl Log {
    /// Whether a file in the folder of a training is of its log.
    pub(super) fn is_file(name: &str) -> bool {
        [Line::FILE, tensorboard::FILE].contains(&name)
    }

    /// Goes on with the log in `folder`, of which what lies beyond the steps `done` is forgotten.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn open(folder: &Path, done: u64, options: &Options, host: &Host) -> Result<Self> {
        let path = folder.join(Line::FILE);
        let kept = if host.has_file(&path)? { Line::read(&host.peek(&path)?) } else { Vec::new() };
        let mut kept: Vec<Line> = kept.into_iter().take_while(|line| line.step <= done).collect();
        kept.dedup_by_key(|line| line.step);
        kept.iter_mut().for_each(|line| line.stopped = false);
        let events = options.tensorboard.then(|| {
            let events: Vec<u8> = kept.iter().flat_map(tensorboard::event).collect();
            host.begin(&folder.join(tensorboard::FILE), &[tensorboard::beginning(), events].concat())
        });
        let text: Vec<u8> = kept.iter().flat_map(Line::text).collect();
        Ok(Self { lines: host.begin(&path, &text)?, events: events.transpose()?, last: kept.pop() })
    }

    /// Adds a line, unless there is one of that step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, line: &Line) -> Result<()> {
        if self.last.replace(line.clone()).is_some_and(|last| last.step == line.step) {
            return Ok(());
        }
        self.write(line)
    }

    /// Says that the training was stopped, in a line of its own where there is none of that step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn stop(&mut self, line: Option<Line>) -> Result<()> {
        match line.or_else(|| self.last.take()) {
            Some(line) => self.write(&Line { stopped: true, ..line }),
            None => Ok(()),
        }
    }

    fn write(&mut self, line: &Line) -> Result<()> {
        self.lines.add(&line.text())?;
        self.events.as_mut().map_or(Ok(()), |events| events.add(&tensorboard::event(line)))
    }
}
