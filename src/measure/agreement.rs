//! Classes that something was taken for.

use super::Estimate;
use crate::error::{Error, Result};

/// The part of the rows of two samples, in the same order, that are of the same class, for the class of each row of `a`
/// and of `b`.
///
/// # Errors
/// When the counts differ.
pub fn agreement(a: &[usize], b: &[usize]) -> Result<Estimate> {
    if a.len() != b.len() {
        return Err(Error::argument("b", format!("has {} rows, `a` {}", b.len(), a.len())));
    }
    Ok(Estimate::part(a.iter().zip(b).filter(|(a, b)| a == b).count(), a.len()))
}

/// The part of `found` that each of so many classes has.
#[must_use]
pub fn class_parts(found: &[usize], classes: usize) -> Vec<f64> {
    let mut parts = vec![0.0; classes];
    found.iter().for_each(|&class| parts[class] += 1.0 / found.len() as f64);
    parts
}
