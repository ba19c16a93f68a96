//! What is read of a file.

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
