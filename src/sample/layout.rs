//! Where the rows of a block of samples stand.

use crate::error::Result;
use crate::process::Process;

/// Samples that go through all steps together; part of what a seed means.
pub(super) const BLOCK: usize = 256;

/// Rows of state, score and noise of one sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) copies: usize,
    pub(super) state: usize,
    pub(super) score: usize,
    pub(super) noise: usize,
}

impl Layout {
    pub(super) fn new(process: &Process, dimension: usize) -> Result<Self> {
        let copies = process.copies(dimension)?;
        let [state, score, noise] =
            [process.components(), process.driven().len(), process.sources().len()].map(|rows| rows * copies);
        Ok(Self { copies, state, score, noise })
    }
}
