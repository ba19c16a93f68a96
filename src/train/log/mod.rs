//! What a training says of itself while it runs, in its folder: lines of JSON, and events for TensorBoard.
//!
//! Seconds differ from run to run, so these files are no results: no record of a run's bits names them, and a training
//! goes on without them when they cannot be written.

mod tensorboard;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Options;
use crate::error::Result;
use crate::host::{Growing, Host};

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Mean loss since the last point of the loss history before this step.
    pub loss: f64,
    /// (time, mean loss, samples) over the same steps, in equal parts of the times.
    pub by_time: Vec<[f64; 3]>,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Norm of the gradient of the step, before it is clipped.
    pub gradient_norm: f64,
    /// Time that the training took so far.
    pub seconds: f64,
}

impl Line {
    /// Name of the file in the folder of a training.
    pub const FILE: &'static str = "log.jsonl";

    /// The lines of a log up to the first that is not whole: a process that was killed may leave half of one.
    pub fn read(bytes: &[u8]) -> Vec<Self> {
        let whole = bytes.split_inclusive(|byte| *byte == b'\n').take_while(|line| line.ends_with(b"\n"));
        whole.map_while(|line| serde_json::from_slice(line).ok()).collect()
    }

    fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).expect("numbers");
        text.push(b'\n');
        text
    }
}

/// The open files of a log.
pub(super) struct Log {
    lines: Growing,
    events: Option<Growing>,
    last: Option<u64>,
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
        let kept: Vec<Line> = kept.into_iter().take_while(|line| line.step <= done).collect();
        let events = options.tensorboard.then(|| {
            let events: Vec<u8> = kept.iter().flat_map(tensorboard::event).collect();
            host.begin(&folder.join(tensorboard::FILE), &[tensorboard::beginning(), events].concat())
        });
        let text: Vec<u8> = kept.iter().flat_map(Line::text).collect();
        Ok(Self {
            lines: host.begin(&path, &text)?,
            events: events.transpose()?,
            last: kept.last().map(|line| line.step),
        })
    }

    /// Adds a line, unless there is one of that step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, line: &Line) -> Result<()> {
        if self.last.replace(line.step) == Some(line.step) {
            return Ok(());
        }
        self.lines.add(&line.text())?;
        self.events.as_mut().map_or(Ok(()), |events| events.add(&tensorboard::event(line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_is_passed_over() {
        let line = |step: u64| Line {
            step,
            steps: 9,
            loss: 0.1 + 0.2,
            by_time: vec![[0.05, 1.0 / 3.0, 7.0]],
            learning_rate: 1e-3,
            gradient_norm: 2.5e-7,
            seconds: 0.25,
        };
        let text = [line(1).text(), line(2).text()].concat();
        assert_eq!(Line::read(&text), [line(1), line(2)]);
        for end in text.len() / 2..text.len() {
            assert_eq!(Line::read(&text[..end]), [line(1)], "{end} bytes");
        }
        assert_eq!(Line::read(b"no line\n"), []);
    }
}
