//! Samplers: the reverse process from prior to data, the forward process, the kernel applied.
//!
//! Samples go through all steps in blocks of fixed size that never wait for each other. Every random number is keyed by
//! seed, purpose, step and block, so the bits of a result do not depend on the number of threads.

mod advance;
mod blocks;
mod forward;
mod grid;
mod reverse;

pub use forward::{perturb, simulate};
pub use grid::Grid;
pub use reverse::{LastStep, Options, sample};

use crate::error::{Error, Result, suggestion};
use crate::tensor::Tensor;

/// States of many samples, one tensor per block of the process.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Names of the blocks; the first is the data.
    pub names: Vec<String>,
    /// The blocks, each [count, shape...].
    pub blocks: Vec<Tensor>,
    /// Evaluations of a score per sample (NFE) that it took; 0 for states of the forward process.
    pub evaluations: usize,
}

impl State {
    /// The block called `name`, [count, shape...].
    ///
    /// # Errors
    /// When there is none, with the nearest name.
    pub fn block(&self, name: &str) -> Result<&Tensor> {
        Ok(&self.blocks[self.place(name)?])
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

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (name, block)) in self.names.iter().zip(&self.blocks).enumerate() {
            write!(f, "{}{name} {:?}", if i > 0 { ", " } else { "" }, block.shape())?;
        }
        match self.evaluations {
            0 => Ok(()),
            n => write!(f, ", {n} evaluations of the score each"),
        }
    }
}

#[cfg(test)]
mod tests;
