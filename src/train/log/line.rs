//! What a log says of a step.

use serde::{Deserialize, Serialize};

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
    /// Whether the training was stopped behind this step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
}

impl Line {
    /// Name of the file in the folder of a training.
    pub const FILE: &'static str = "log.jsonl";

    /// The lines of a log up to the first that is not whole: a process that was killed may leave half of one.
    pub fn read(bytes: &[u8]) -> Vec<Self> {
        let whole = bytes.split_inclusive(|byte| *byte == b'\n').take_while(|line| line.ends_with(b"\n"));
        whole.map_while(|line| serde_json::from_slice(line).ok()).collect()
    }

    /// The line with its end.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).expect("numbers");
        text.push(b'\n');
        text
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
            stopped: step == 2,
        };
        let text = [line(1).text(), line(2).text()].concat();
        assert_eq!(Line::read(&text), [line(1), line(2)]);
        for end in text.len() / 2..text.len() {
            assert_eq!(Line::read(&text[..end]), [line(1)], "{end} bytes");
        }
        assert_eq!(Line::read(b"no line\n"), []);
    }
}
