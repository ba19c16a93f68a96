//! What can go wrong, as facts; `lang/diagnostics.rs` is the one place that turns them into words with a caret.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure, what it was about, and the way out.
#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
pub enum Error {
    /// An argument or option outside its type, shape or range.
    #[error("`{name}` {problem}")]
    Argument {
        /// Name of the argument or option as the caller wrote it; the renderer points at it.
        name: String,
        /// What is wrong with it, as a sentence that follows the name.
        problem: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A process that cannot do what was asked of it.
    #[error("process `{process}`: {problem}")]
    Process {
        /// Name of the process.
        process: String,
        /// What is wrong.
        problem: String,
        /// Which part of its definition is at fault, where one is: "drift", "noise", "start".
        part: Option<Cow<'static, str>>,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A number that left the range of floating point, or a factorisation that does not exist.
    #[error("{what}")]
    Numerical {
        /// The quantity, with its value and where it arose.
        what: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A file that could not be read or written.
    #[error("cannot {action} `{}`: {reason}", path.display())]
    File {
        /// "read", "write", "create".
        action: Cow<'static, str>,
        /// The file as the caller named it.
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        /// Why not.
        reason: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// Something that cannot be, in a sentence of its own.
    #[error("{what}")]
    Refused {
        /// The sentence.
        what: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// Stopped by the user.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// An argument or option `name` whose value `problem` describes ("must be above 0, got -1").
    pub fn argument(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Argument { name: name.into(), problem: problem.into(), hint: None }
    }

    /// A process that cannot do what was asked of it.
    pub fn process(process: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Process { process: process.into(), problem: problem.into(), part: None, hint: None }
    }

    /// A part of a process's definition that cannot be.
    pub fn part(process: impl Into<String>, part: &'static str, problem: impl Into<String>) -> Self {
        Self::Process { process: process.into(), problem: problem.into(), part: Some(part.into()), hint: None }
    }

    /// A quantity that cannot be computed in floating point.
    pub fn numerical(what: impl Into<String>) -> Self {
        Self::Numerical { what: what.into(), hint: None }
    }

    /// Something that cannot be, in a sentence of its own.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), hint: None }
    }

    /// A file that could not be read or written.
    pub fn file(action: &'static str, path: &Path, reason: impl ToString) -> Self {
        Self::File { action: action.into(), path: path.to_owned(), reason: reason.to_string(), hint: None }
    }

    /// The same error with the way out attached.
    #[must_use]
    pub fn with_hint(mut self, text: impl Into<String>) -> Self {
        match &mut self {
            Self::Argument { hint, .. }
            | Self::Process { hint, .. }
            | Self::Numerical { hint, .. }
            | Self::Refused { hint, .. }
            | Self::File { hint, .. } => *hint = Some(text.into()),
            Self::Interrupted => {}
        }
        self
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Argument { hint, .. }
            | Self::Process { hint, .. }
            | Self::Numerical { hint, .. }
            | Self::Refused { hint, .. }
            | Self::File { hint, .. } => hint.as_deref(),
            Self::Interrupted => None,
        }
    }
}

/// A path as it is shown: a name that is no text reaches other ranks so.
fn shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// The way out of a wrong name: the known one that was most likely meant, or all of them behind `introduction`.
pub fn suggestion(wanted: &str, known: &[impl AsRef<str>], introduction: &str) -> String {
    let names = || known.iter().map(AsRef::as_ref);
    match nearest(wanted, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{introduction} {}", names().collect::<Vec<_>>().join(", ")),
    }
}

/// The candidate that `wanted` was most likely meant to be, if any is near.
pub fn nearest(wanted: &str, candidates: impl IntoIterator<Item = impl Into<String>>) -> Option<String> {
    let lower = wanted.to_lowercase();
    let length = wanted.chars().count();
    candidates
        .into_iter()
        .map(Into::into)
        .filter(|name| name != wanted)
        .map(|name| {
            let distance = strsim::damerau_levenshtein(&lower, &name.to_lowercase());
            let has_all = is_within(&lower, &name.to_lowercase());
            let with_case = strsim::damerau_levenshtein(wanted, &name);
            // Letters are sooner left out than added.
            (distance, !has_all, name.chars().count().abs_diff(length), with_case, name)
        })
        .filter(|(distance, ..)| *distance <= 1 + length / 4 && *distance < length)
        .min()
        .map(|(.., name)| name)
}

/// Whether a word has the letters of another one, in their order.
fn is_within(letters: &str, word: &str) -> bool {
    let mut rest = word.chars();
    letters.chars().all(|letter| rest.any(|other| other == letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest("diamnd", ["digits", "diamond"]).as_deref(), Some("diamond"));
        assert_eq!(nearest("tao", ["Ta", "tau"]).as_deref(), Some("tau"));
        assert_eq!(nearest("ta", ["Ta", "tau"]).as_deref(), Some("Ta"));
        assert_eq!(nearest("K", ["k"]).as_deref(), Some("k"));
        assert_eq!(nearest("tran", ["tan", "train"]).as_deref(), Some("train"));
        // Any letter is one step from any other.
        assert_eq!(nearest("y", ["x"]), None);
        assert_eq!(nearest("train", ["plot"]), None);
    }
}
