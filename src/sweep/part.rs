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
    /// The points.
    pub points: Wanted,
    /// The name under which points are held.
    pub name: String,
}

/// Which points of a sweep. A script may have other sweeps in the same folder before, of fewer values: these are to be
/// told apart by what is wanted, not by what the folder has by now, since it may grow meanwhile.
#[derive(Clone)]
pub enum Wanted {
    /// All that nobody else has computed, or tried to, of the sweep with so many.
    All(usize),
    /// Those of these names.
    These(Vec<String>),
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
