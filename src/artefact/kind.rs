//! What each kind of files says of itself.

use std::path::Path;

use crate::error::Result;
use crate::host::Host;

/// A kind of files.
pub(super) struct Kind {
    /// Whether a file of this name and these bytes is of this kind.
    pub(super) fits: fn(&Path, &[u8]) -> bool,
    /// What is in it: a line each.
    pub(super) describe: fn(&Path, &[u8], &Host) -> Result<Vec<String>>,
    /// How the content of a second one differs from that of a first; nothing where it does not.
    pub(super) difference: fn(&Path, [&[u8]; 2], &Host) -> Result<Option<String>>,
}

/// The ending of a file's name, in small letters.
pub(super) fn ending(name: &Path) -> String {
    name.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// How many values of two lists differ, and by how much at most; nothing where none does.
pub(super) fn difference_of(first: &[f64], second: &[f64]) -> Option<String> {
    let is_same = |a: &f64, b: &f64| a == b || a.is_nan() && b.is_nan();
    let apart: Vec<f64> =
        first.iter().zip(second).filter(|(a, b)| !is_same(a, b)).map(|(a, b)| (a - b).abs()).collect();
    let largest = apart.iter().fold(0.0, |most: f64, &size| if size.is_nan() { size } else { most.max(size) });
    let scale = first.iter().filter(|x| x.is_finite()).fold(0.0, |most: f64, x| most.max(x.abs()));
    (!apart.is_empty()).then(|| {
        format!(
            "{} of {} numbers differ, by {largest:.2e} at most, of numbers up to {scale:.2e}",
            apart.len(),
            first.len()
        )
    })
}
