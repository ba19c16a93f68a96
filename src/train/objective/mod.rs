//! What is learned from: an objective for every kind of basis.
//!
//! An objective is a file that makes a [`Source`] of the basis that it trains on, and a line in the list here.

mod answers;
mod feed;
mod kernel;
mod paths;
mod simulated;
mod sliced;
mod table;
mod windowed;

pub(super) use feed::{Feed, Source};

use super::Options;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::score::Basis;
use crate::task::Task;

/// Makes what is learned from, or nothing of a basis of another kind.
type Open = for<'a> fn(&'a (dyn Basis + 'static), &'a Dataset, &Options, &Task) -> Option<Result<Box<dyn Source + 'a>>>;

/// All objectives.
const OBJECTIVES: &[Open] = &[kernel::open, simulated::open];

/// What a score on `basis` learns from.
///
/// # Errors
/// When an option does not belong to the basis, what is prepared does not fit into memory, or interrupted.
pub(super) fn open<'a>(
    basis: &'a (dyn Basis + 'static),
    data: &'a Dataset,
    options: &Options,
    task: &Task,
) -> Result<Box<dyn Source + 'a>> {
    let none = || Error::argument("score", format!("has a basis of the kind `{}`, which is not trained", basis.kind()));
    OBJECTIVES.iter().find_map(|objective| objective(basis, data, options, task)).unwrap_or_else(|| Err(none()))
}
