//! How what is not known in closed form is drawn.

use crate::settings::{Setting, Values};

/// Draws over which something is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws {
    /// Their number, 2 or more.
    pub count: usize,
    /// Their seed.
    pub seed: u64,
}

impl Draws {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::count("count", "number of draws").between(2.0, 1e9).or(20_000.0),
        Setting::seed("seed of the draws"),
    ];

    /// What `values` of [`Draws::SETTINGS`] set.
    ///
    /// # Panics
    /// When `values` are of another table.
    pub fn read(values: &Values) -> Self {
        Self { count: values.count("count"), seed: values.natural("seed") }
    }
}
