//! Which part of its sweeps a run does.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// What a run of a script does where it comes to a sweep.
#[derive(Clone, Default)]
pub enum Part {
    /// All of it, in other processes where several are asked for.
    #[default]
    Whole,
    /// All of it, in this process whatever is asked for.
    Alone,
    /// Some of the points of one sweep; behind that the script ends.
    Share(Share),
    /// Nothing of the first sweep that lacks results, but to say which are missing; behind that the script ends.
    Plan(Plan),
}

/// Some of the points of the sweep in a folder; sweeps in other folders are done as a whole.
#[derive(Clone)]
pub struct Share {
    /// The folder.
    pub folder: PathBuf,
    /// The names of the points; otherwise all that nobody else has computed, or tried to.
    pub points: Option<Vec<String>>,
    /// The name under which points are held.
    pub name: String,
}

/// What is to be found out of a sweep before it is done.
#[derive(Clone, Default)]
pub struct Plan {
    /// Whether the folder is left as it is.
    pub is_dry: bool,
    /// What was found.
    pub found: Arc<OnceLock<Planned>>,
}

/// A sweep that lacks results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its folder.
    pub folder: PathBuf,
    /// The number of its points.
    pub count: usize,
    /// Places and names of the points without a result.
    pub missing: Vec<(usize, String)>,
}
