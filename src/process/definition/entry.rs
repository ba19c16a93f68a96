//! What a closure says of one block, and of how the auxiliaries start.

use super::{Start, StartLaw};
use crate::error::{Error, Result};
use crate::expr::Expression;

/// What is said of one block.
#[derive(Debug, Clone)]
pub enum Entry<T> {
    /// The same of every coordinate.
    Every(T),
    /// One thing of each coordinate.
    Each(Vec<T>),
}

/// How the auxiliaries start.
#[derive(Debug, Clone)]
pub enum DraftStart {
    /// A law for each block; `None` starts at 0.
    Each(Vec<Option<Entry<StartLaw>>>),
    /// One normal law, over the auxiliary blocks, alike for every coordinate; or, where coordinates are coupled, over
    /// the pairs of auxiliary block and coordinate.
    Joint {
        /// Mean.
        mean: Vec<Expression>,
        /// Covariance, a square.
        covariance: Vec<Vec<Expression>>,
    },
    /// The stationary law of the auxiliaries.
    Stationary,
}

impl DraftStart {
    /// The laws of the components of `blocks` blocks with `coordinates` each.
    pub(super) fn of_components(self, blocks: usize, coordinates: usize) -> Result<Start> {
        let (mean, covariance) = match self {
            Self::Stationary => return Ok(Start::Stationary {}),
            Self::Each(laws) => {
                let law = |law: &Option<Entry<StartLaw>>, c| law.as_ref().map(|law| pick(law, c).clone());
                let laws = laws.iter().flat_map(|block| (0..coordinates).map(move |c| law(block, c)));
                return Ok(Start::Each(laws.collect()));
            }
            Self::Joint { mean, covariance } => (mean, covariance),
        };
        let (auxiliary, size) = (blocks - 1, covariance.len());
        let hint = "cov has a row and a column for each block of the state but the first";
        if let Some((i, row)) = covariance.iter().enumerate().find(|(_, row)| row.len() != size) {
            let entries = if row.len() == 1 { "1 entry".to_owned() } else { format!("{} entries", row.len()) };
            let problem = format!("gives a covariance of {size} rows whose row {i} has {entries}");
            return Err(Error::argument("start", problem).with_hint(hint));
        }
        if ![auxiliary, auxiliary * coordinates].contains(&size) {
            let problem = format!("gives a covariance of {size} rows and columns for {auxiliary} auxiliary blocks");
            return Err(Error::argument("start", problem).with_hint(hint));
        }
        if mean.len() != size {
            let problem = format!("gives {} means with a covariance of {size} rows", mean.len());
            return Err(Error::argument("start", problem));
        }
        if size == auxiliary * coordinates {
            return Ok(Start::Joint { mean, covariance });
        }
        // Coordinates are independent of each other.
        let places: Vec<_> = (0..auxiliary).flat_map(|b| (0..coordinates).map(move |c| (b, c))).collect();
        let entry = |(a, c): (usize, usize), (b, d): (usize, usize)| match c == d {
            true => covariance[a][b].clone(),
            false => Expression::constant(0.0),
        };
        Ok(Start::Joint {
            mean: places.iter().map(|&(b, _)| mean[b].clone()).collect(),
            covariance: places.iter().map(|&row| places.iter().map(|&other| entry(row, other)).collect()).collect(),
        })
    }
}

impl<T> Entry<T> {
    pub(super) fn count(&self) -> Option<usize> {
        match self {
            Self::Every(_) => None,
            Self::Each(all) => Some(all.len()),
        }
    }

    pub(super) fn all(&self) -> &[T] {
        match self {
            Self::Every(one) => std::slice::from_ref(one),
            Self::Each(all) => all,
        }
    }
}

/// What is said of one coordinate.
pub(super) fn pick<T>(entry: &Entry<T>, coordinate: usize) -> &T {
    match entry {
        Entry::Every(one) => one,
        Entry::Each(all) => &all[coordinate],
    }
}
