//! What is read of a file.

use std::path::Path;

/// An array as its file has it, in double precision.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Array {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The values, row-major.
    pub values: Vec<f64>,
    /// Names of the columns, where a table has them.
    pub names: Vec<String>,
    /// A label for each row, where a column was taken as such.
    pub labels: Vec<String>,
    /// What may have been meant otherwise, and what is worth knowing.
    pub notes: Vec<String>,
}

/// Whole numbers beyond this are not all numbers of double precision.
pub(super) const WHOLE: f64 = 9_007_199_254_740_992.0;

/// That whole numbers of the file `path` have lost digits.
pub(super) fn rounded_whole(path: &Path) -> String {
    let path = path.display();
    format!(
        "`{path}`: whole numbers beyond 9_007_199_254_740_992 are rounded to those of double precision next to them"
    )
}
