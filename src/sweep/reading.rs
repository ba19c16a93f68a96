//! What points have read, and whether that is the same for all of them and now.
//!
//! What a script reads before a sweep is known before any point is computed. What the closure reads is known only
//! behind a point, so that each result says what it was: the results of an old and of a new file are not of one table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::grid::Point;
use crate::host::{Host, Reads, Source};

/// What counts of the text of a module.
pub(super) type Essence = fn(&str) -> String;

/// A file that was read, or a module that was imported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reading {
    /// Its path, as it was named.
    path: String,
    /// The hash of its bytes; of a module, of what counts of its text.
    sha256: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_module: bool,
}

/// What was read for a point that has the folder `own`, where it finds again what it has written itself.
pub(super) fn readings(reads: &Reads, own: &Path, host: &Host, essence: Essence) -> BTreeSet<Reading> {
    let reading = |source: &Source, sha256: String, is_module| Reading { path: source.name.clone(), sha256, is_module };
    let is_own = |path: &Path| path.starts_with(own) && !path.components().any(|part| part == Component::ParentDir);
    let files = reads.files.iter().filter(|source| !is_own(Path::new(&source.name)));
    let files = files.map(|source| reading(source, source.sha256.clone(), false));
    let modules = reads.modules.iter().map(|source| reading(source, hash_of_module(source, host, essence), true));
    files.chain(modules).collect()
}

/// The same as what another part of the run has seen.
pub(super) fn reads(readings: &BTreeSet<Reading>) -> Reads {
    let source = |reading: &Reading| Source { name: reading.path.clone(), sha256: reading.sha256.clone() };
    let of_kind =
        |is_module| readings.iter().filter(move |reading| reading.is_module == is_module).map(source).collect();
    Reads { files: of_kind(false), modules: of_kind(true) }
}

/// The hash of what counts of a module that was imported.
pub(crate) fn hash_of_module(source: &Source, host: &Host, essence: Essence) -> String {
    let text = host.journal().text(&source.sha256);
    text.map_or_else(|| source.sha256.clone(), |text| hash(&essence(&text)))
}

pub(crate) fn hash(text: &str) -> String {
    Source::of_text("", text).sha256
}

impl Reading {
    /// The hash of what is there now; nothing where that cannot be told, as from another folder.
    pub(super) fn now(&self, host: &Host, essence: Option<Essence>) -> Option<String> {
        let path = Path::new(&self.path);
        match self.is_module {
            false => host.hash_now(path),
            // One that is gone is another: the closure would import one from elsewhere.
            true => {
                let essence = essence?;
                let text = host.peek(path).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                Some(text.map_or_else(String::new, |text| hash(&essence(&text))))
            }
        }
    }
}

/// The readings that are not of what is there now.
pub(super) fn stale<'a>(
    all: impl Iterator<Item = &'a Reading>,
    host: &Host,
    essence: Option<Essence>,
) -> BTreeSet<Reading> {
    let all: BTreeSet<&Reading> = all.collect();
    let is_stale = |reading: &&&Reading| reading.now(host, essence).is_some_and(|now| now != reading.sha256);
    all.iter().filter(is_stale).map(|reading| (*reading).clone()).collect()
}

/// Points whose results are not of the same files as those of the others, or as what is there now.
pub(super) struct Parted<'a> {
    /// A sentence for each file.
    pub(super) sentences: Vec<String>,
    /// The first of these points.
    pub(super) first: &'a Point,
}

/// In what the results of points differ by what they have read, where nobody has `accepted` that.
pub(super) fn parted<'a>(
    points: impl Iterator<Item = (&'a Point, &'a BTreeSet<Reading>)>,
    accepted: &BTreeSet<Reading>,
    now: impl Fn(&Reading) -> Option<String>,
) -> Option<Parted<'a>> {
    let mut files: BTreeMap<(&str, bool), BTreeMap<&str, Vec<&Point>>> = BTreeMap::new();
    let mut known = BTreeMap::new();
    for (point, reading) in points.flat_map(|(point, read)| read.iter().map(move |reading| (point, reading))) {
        if !accepted.contains(reading) {
            let file = (reading.path.as_str(), reading.is_module);
            files.entry(file).or_default().entry(&reading.sha256).or_default().push(point);
            known.entry(file).or_insert(reading);
        }
    }
    let (mut sentences, mut first) = (Vec::new(), None);
    for (file, by_hash) in files {
        let now = now(known[&file]);
        let is_old = |hash: &&str| now.as_ref().is_some_and(|now| now != hash);
        let old: Vec<&Point> =
            by_hash.iter().filter(|(hash, _)| is_old(hash)).flat_map(|(_, all)| all).copied().collect();
        let (name, points) = match (old.is_empty(), by_hash.len()) {
            (false, _) => (format!("`{}` has changed since", file.0), old),
            (true, 2..) => {
                (format!("`{}` was another when", file.0), by_hash.values().next().cloned().unwrap_or_default())
            }
            (true, _) => continue,
        };
        let Some(point) = points.first() else { continue };
        let more = match points.len() {
            1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        sentences.push(format!("{name} {} was computed{more}", point.words()));
        first.get_or_insert(*point);
    }
    first.map(|first| Parted { sentences, first })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::grid::{Axis, Grid};
    use super::*;

    #[test]
    fn points_that_read_other_bytes_are_told() {
        let grid = Grid::new(vec![Axis { name: "a".into(), values: vec![json!(0), json!(1), json!(2)] }]).unwrap();
        let points = grid.points();
        let reading = |path: &str, sha256: &str| Reading { path: path.into(), sha256: sha256.into(), is_module: false };
        let read = [["1", "x"], ["1", "y"], ["2", "z"]]
            .map(|[file, own]| BTreeSet::from([reading("f.csv", file), reading(&format!("{own}.csv"), own)]));
        let sentences = |accepted: &[Reading], now: Option<&str>| {
            let accepted = accepted.iter().cloned().collect();
            let now = |reading: &Reading| now.filter(|_| reading.path == "f.csv").map(str::to_owned);
            parted(points.iter().zip(&read), &accepted, now).map(|parted| parted.sentences)
        };
        let of = |sentence: &str| Some(vec![sentence.to_owned()]);
        assert_eq!(sentences(&[], Some("1")), of("`f.csv` has changed since a 2 was computed"));
        assert_eq!(sentences(&[], Some("2")), of("`f.csv` has changed since a 0 was computed, and 1 more"));
        assert_eq!(sentences(&[], None), of("`f.csv` was another when a 0 was computed, and 1 more"));
        assert_eq!(sentences(&[reading("f.csv", "1")], Some("2")), None);
        assert_eq!(sentences(&[reading("f.csv", "1")], None), None);
    }
}
