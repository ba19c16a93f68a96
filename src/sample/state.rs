//! States of many samples, and what is known of how they were made.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::data::Units;
use crate::error::{Error, Result, suggestion};
use crate::task::Task;
use crate::tensor::Tensor;

/// States of many samples, one tensor per block of the process.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Names of the blocks; the first is the data.
    pub names: Vec<String>,
    /// The blocks, each [count, shape...].
    pub blocks: Vec<Tensor>,
    /// The time of the forward process at which they are.
    pub time: f64,
    /// The units of the first block, where it is of normalised data.
    pub units: Option<Units>,
    /// How they were sampled; `None` for states of the forward process.
    pub run: Option<Run>,
    /// Times that were asked to be kept, in the order in which the samples passed them.
    pub times: Vec<f64>,
    /// The blocks at these times, each [times, count, shape...]; empty when none were kept.
    pub paths: Vec<Tensor>,
    /// What a user should know before trusting them.
    pub warnings: Vec<String>,
}

/// How samples were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Method, grid and last step, as they are printed.
    pub method: String,
    /// Evaluations of the score per sample (NFE); of adaptive steps the most that any block took.
    pub evaluations: usize,
    /// Their mean over the samples.
    pub mean_evaluations: f64,
    /// Steps that were tried and rejected, over all blocks.
    pub rejected: usize,
}

impl State {
    /// States at `time` of which nothing else is known, in the coordinates or units of a score's data.
    pub(super) fn new(names: &[String], blocks: Vec<Tensor>, time: f64, units: Option<&Units>) -> Self {
        Self {
            names: names.to_vec(),
            blocks,
            time,
            units: units.cloned(),
            run: None,
            times: Vec::new(),
            paths: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The block called `name`, [count, shape...].
    ///
    /// # Errors
    /// When there is none, with the nearest name.
    pub fn block(&self, name: &str) -> Result<&Tensor> {
        Ok(&self.blocks[self.place(name)?])
    }

    /// The block called `name` at the times that were kept, [times, count, shape...].
    ///
    /// # Errors
    /// When there is no such block, or no times were kept.
    pub fn path(&self, name: &str) -> Result<&Tensor> {
        let place = self.place(name)?;
        self.paths.get(place).ok_or_else(|| {
            Error::argument("keep", "was not given: this state has no paths")
                .with_hint("ask for times, e.g. keep: [0.5, 0.1], or for all steps, keep: \"all\"")
        })
    }

    /// Evaluations of the score per sample (NFE) that it took; 0 for states of the forward process.
    #[must_use]
    pub fn evaluations(&self) -> usize {
        self.run.as_ref().map_or(0, |run| run.evaluations)
    }

    /// Replaces the block called `name`.
    ///
    /// # Errors
    /// When there is none, and when the shapes differ.
    pub fn set_block(&mut self, name: &str, values: Tensor) -> Result<()> {
        let place = self.place(name)?;
        let (old, new) = (self.blocks[place].shape(), values.shape());
        if old != new {
            return Err(Error::argument(name, format!("has the shape {old:?}, the new values have {new:?}")));
        }
        self.blocks[place] = values;
        Ok(())
    }

    /// Keeps a warning, and gives it to whoever watches.
    pub(super) fn warn(&mut self, warning: Option<String>, task: &Task) {
        if let Some(warning) = warning {
            task.warn(&warning);
            self.warnings.push(warning);
        }
    }

    fn place(&self, name: &str) -> Result<usize> {
        self.names.iter().position(|n| n == name).ok_or_else(|| {
            Error::argument(name, "is not a block of this state").with_hint(suggestion(
                name,
                &self.names,
                "its blocks are",
            ))
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, block) in self.names.iter().zip(&self.blocks) {
            write!(f, "{name} {:?}, ", block.shape())?;
        }
        write!(f, "at t = {}", self.time)?;
        if let Some(run) = &self.run {
            write!(f, "; {run}")?;
        }
        if !self.times.is_empty() {
            write!(f, "; kept at {} times", self.times.len())?;
        }
        Ok(())
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {} evaluations of the score each", self.method, self.evaluations)?;
        if self.mean_evaluations != self.evaluations as f64 {
            write!(f, " at most, {:.1} in the mean", self.mean_evaluations)?;
        }
        match self.rejected {
            0 => Ok(()),
            1 => write!(f, "; 1 rejected step"),
            n => write!(f, "; {n} rejected steps"),
        }
    }
}
