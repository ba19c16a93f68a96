//! What was found at a point, and the file that keeps it: with a checksum, since a table must not have what nobody
//! computed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::grid::Point;
use super::reading::Reading;
use crate::host::Source;

/// The result of a point, and what was read for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What the closure gave.
    pub result: Map<String, Value>,
    pub(super) read: BTreeSet<Reading>,
}

/// The file of a result.
#[derive(Serialize, Deserialize)]
struct Kept {
    point: Map<String, Value>,
    result: Map<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    read: BTreeSet<Reading>,
    /// The hash of all the rest.
    #[serde(default)]
    sha256: String,
}

impl Found {
    /// The text of its file.
    pub(super) fn text(&self, point: &Point) -> String {
        let Self { result, read } = self.clone();
        let point = point.values.iter().cloned().collect();
        let mut kept = Kept { point, result, read, sha256: String::new() };
        kept.sha256 = kept.checksum();
        serde_json::to_string_pretty(&kept).expect("keys are strings")
    }
}

impl Kept {
    fn checksum(&self) -> String {
        let all = serde_json::to_string(&(&self.point, &self.result, &self.read)).expect("keys are strings");
        Source::of_text("", &all).sha256
    }
}

/// What is in the bytes of a file, or why it is not used. Where the `point` is not known, that of any.
pub(super) fn read(bytes: &[u8], point: Option<&Point>) -> Result<Found, &'static str> {
    let kept: Kept = serde_json::from_slice(bytes).map_err(|_| "is damaged")?;
    if kept.sha256 != kept.checksum() {
        return Err("was edited");
    }
    let is_own = |point: &Point| kept.point == point.values.iter().cloned().collect::<Map<_, _>>();
    match point.is_none_or(is_own) {
        true => Ok(Found { result: kept.result, read: kept.read }),
        false => Err("is that of another point"),
    }
}
