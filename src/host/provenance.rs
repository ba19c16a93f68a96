//! Where a file comes from, as the file says it: a function of the script, its arguments and what it read, so that the
//! same run gives the same bytes, on any machine.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hash::hash_of;

/// Where a file comes from: what ran, and what it had done when the file was written.
///
/// What another file brought with it that tumble made, a model for example, belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of the program.
    pub tumble: String,
    /// The script; at a prompt all that was entered, see [`inputs`].
    pub script: Source,
    /// What the script saw as `args`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The files that it imported.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub modules: BTreeSet<Source>,
    /// The files that it read, but for those that a run of the same script with the same arguments wrote.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub inputs: BTreeSet<Source>,
    /// The processes that were defined: name and parameters.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub processes: BTreeSet<Call>,
    /// What was computed with settings, each with the seeds that it was given.
    #[serde(default, skip_serializing_if = "Calls::is_empty")]
    pub calls: Calls,
}

/// A text or a file, and what was in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// Its name as the script or the user wrote it; of an absolute path the last part.
    pub name: String,
    /// The SHA-256 hash of its bytes, in hexadecimal digits.
    pub sha256: String,
}

impl Source {
    /// A text of this name.
    pub fn of_text(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), sha256: hash_of(text.as_bytes()) }
    }
}

/// A function with settings, or a process with parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Call {
    /// The name.
    pub name: String,
    /// What was given, as JSON.
    pub settings: String,
}

impl Call {
    /// A name with settings.
    pub fn new(name: &str, settings: &BTreeMap<String, Value>) -> Self {
        Self { name: name.to_owned(), settings: serde_json::to_string(settings).expect("keys are strings") }
    }

    /// The settings, each with its value as JSON.
    pub fn entries(&self) -> impl Iterator<Item = (String, String)> {
        let entries: BTreeMap<String, Value> = serde_json::from_str(&self.settings).unwrap_or_default();
        entries.into_iter().map(|(name, value)| (name, value.to_string()))
    }
}

/// What was computed. Only so many calls and seeds are kept: the first in the order of their texts, so that what is
/// kept does not depend on the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// The calls, and their seeds.
    pub kept: Vec<(Call, BTreeSet<u64>)>,
    /// Whether there were more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// Calls that are kept, and processes.
const MOST: usize = 64;
/// Seeds that are kept of each.
const MOST_SEEDS: usize = 16;

impl Calls {
    /// Whether nothing was computed.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && !self.more
    }

    /// Adds a call with a seed, or without one.
    pub fn add(&mut self, call: Call, seeds: impl IntoIterator<Item = u64>) {
        let place = match self.kept.binary_search_by(|(kept, _)| kept.cmp(&call)) {
            Ok(place) => place,
            Err(place) => {
                self.kept.insert(place, (call, BTreeSet::new()));
                place
            }
        };
        let kept = &mut self.kept[place].1;
        kept.extend(seeds);
        while kept.len() > MOST_SEEDS {
            kept.pop_last();
            self.more = true;
        }
        self.more |= self.kept.len() > MOST;
        self.kept.truncate(MOST);
    }
}

impl Provenance {
    /// Takes over what a file brings with it that was read.
    pub(super) fn inherit(&mut self, other: Self) {
        self.inputs.extend(other.inputs);
        self.define(other.processes);
        for (call, seeds) in other.calls.kept {
            self.calls.add(call, seeds);
        }
        self.calls.more |= other.calls.more;
    }

    /// Adds processes that were defined.
    pub(super) fn define(&mut self, processes: impl IntoIterator<Item = Call>) {
        self.processes.extend(processes);
        while self.processes.len() > MOST {
            self.processes.pop_last();
            self.calls.more = true;
        }
    }

    /// Whether another file comes from a run of the same script with the same arguments.
    pub fn is_of_same_run(&self, other: &Self) -> bool {
        self.script == other.script && self.arguments == other.arguments
    }

    /// As the text that stands in a file, if it has no more than `most` bytes; without what was computed if it has.
    pub fn text(&self, most: usize) -> Option<String> {
        let text = |provenance: &Self| serde_json::to_string(provenance).expect("keys are strings");
        let fits = |text: &String| text.len() <= most;
        let short = || {
            let calls = Calls { more: true, ..Calls::default() };
            text(&Self { calls, processes: BTreeSet::new(), ..self.clone() })
        };
        Some(text(self)).filter(fits).or_else(|| Some(short()).filter(fits))
    }

    /// The text that stands in a file, read again.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What stands between the texts of a prompt where they are kept as one.
pub(super) const NEXT: &str = "\n//// the next input\n";

/// The texts that were kept as one, as they ran one after the other.
pub fn inputs(script: &str) -> impl Iterator<Item = &str> {
    script.split(NEXT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(number: u64) -> Call {
        Call::new("sample", &BTreeMap::from([("count".to_owned(), number.into())]))
    }

    proptest! {
        /// A run that goes on where another stopped hears of the same calls in another order. Seen to fail where the
        /// first that came were kept.
        #[test]
        fn what_is_kept_does_not_depend_on_the_order(mut calls in prop::collection::vec((0..90_u64, 0..40_u64), 0..400)) {
            let kept = |calls: &[(u64, u64)]| {
                let mut all = Calls::default();
                calls.iter().for_each(|&(number, seed)| all.add(call(number), [seed]));
                all
            };
            let forwards = kept(&calls);
            calls.reverse();
            let backwards = kept(&calls);
            prop_assert!(forwards.kept.len() <= MOST && forwards.kept.iter().all(|(_, seeds)| seeds.len() <= MOST_SEEDS));
            prop_assert_eq!(&forwards.kept, &backwards.kept);
        }
    }

    #[test]
    fn a_text_that_is_too_long_leaves_the_calls_out() {
        let mut calls = Calls::default();
        (0..60).for_each(|number| calls.add(call(number), [1]));
        let source = Source { name: "a.rhai".to_owned(), sha256: "00".to_owned() };
        let all = Provenance {
            tumble: "0".to_owned(),
            script: source,
            arguments: Vec::new(),
            modules: BTreeSet::new(),
            inputs: BTreeSet::new(),
            processes: BTreeSet::new(),
            calls,
        };
        assert_eq!(Provenance::read(&all.text(10_000).unwrap()).unwrap(), all);
        let short = Provenance::read(&all.text(1000).unwrap()).unwrap();
        assert!(short.calls.kept.is_empty() && short.calls.more && short.script == all.script);
        assert_eq!(all.text(10), None);
    }
}
