//! What a folder says that its results are of, and how that differs from what is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::grid::{Axis, Grid, exact};
use super::reading::Reading;
use crate::host::Source;

/// What the results of a sweep depend on, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The version of the program.
    pub tumble: String,
    /// The name of the script.
    pub script: String,
    /// What is swept.
    pub axes: Grid,
    /// The plain values that the closure takes from around it.
    pub captured: BTreeMap<String, Value>,
    /// The lines of the script on which a result may depend.
    pub code: Vec<String>,
    /// The hash of the words and signs in these: how they are set in lines is no difference.
    pub sha256: String,
    /// What the script had imported and read before.
    pub sources: BTreeSet<Source>,
    /// What points have read that is no longer so, and that the user says to be no difference.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accepted: BTreeSet<Reading>,
}

impl Description {
    /// In what another description differs, so that its points would not belong to these: a sentence for each. More
    /// values of an axis are no difference, since each result is kept by its own.
    pub(super) fn differences(&self, now: &Self) -> Vec<String> {
        let mut all = self.axes_that_differ(now);
        all.extend(self.differences_but_of_axes(now));
        all
    }

    /// Whether it says the same, however the script is called and set in lines.
    pub(super) fn is_as(&self, now: &Self) -> bool {
        let Self { script, code, accepted, .. } = self.clone();
        *self == Self { script, code, accepted, ..now.clone() }
    }

    /// The differences where fewer values of an axis are none either.
    pub(super) fn differences_but_of_axes(&self, now: &Self) -> Vec<String> {
        let mut all = self.captured_that_differ(now);
        if self.sha256 != now.sha256 {
            all.push(lines_that_differ(&self.code, &now.code));
        }
        all.extend(self.sources_that_differ(now));
        all
    }

    /// Files are known by their names and what is in them, in whatever folder. One that is no longer read, or only now,
    /// is no difference: what `step` keeps is computed once and read later. One in the place of another is.
    fn sources_that_differ(&self, now: &Self) -> Vec<String> {
        let only = |some: &Self, other: &Self| -> Vec<Source> {
            let name = |source: &Source| Path::new(&source.name).file_name().map(OsStr::to_owned);
            let is_same = |a: &Source, b: &Source| a.sha256 == b.sha256 && name(a) == name(b);
            let is_there = |source: &Source| other.sources.iter().any(|known| is_same(known, source));
            some.sources.iter().filter(|source| !is_there(source)).cloned().collect()
        };
        let (gone, new) = (only(self, now), only(now, self));
        let names = |sources: &[Source]| sources.iter().map(|source| format!("`{}`", source.name)).collect::<Vec<_>>();
        let changed: Vec<_> = gone.iter().filter(|gone| new.iter().any(|new| new.name == gone.name)).cloned().collect();
        match (changed.is_empty(), gone.is_empty() || new.is_empty()) {
            (false, _) => names(&changed).into_iter().map(|name| format!("{name} has changed")).collect(),
            (true, true) => Vec::new(),
            (true, false) => vec![format!("{} was read, and {} is", names(&gone).join(", "), names(&new).join(", "))],
        }
    }

    fn axes_that_differ(&self, now: &Self) -> Vec<String> {
        let mut all = Vec::new();
        let find = |axes: &[Axis], name: &str| axes.iter().find(|axis| axis.name == name).cloned();
        for before in self.axes.axes() {
            let Some(now) = find(now.axes.axes(), &before.name) else {
                all.push(format!("the axis `{}` is gone", before.name));
                continue;
            };
            let is_there = |value: &Value| now.values.iter().any(|other| exact(other) == exact(value));
            let gone: Vec<_> = before.values.iter().filter(|value| !is_there(value)).map(exact).collect();
            if !gone.is_empty() {
                all.push(format!("the axis `{}` no longer has {}", before.name, gone.join(", ")));
            }
        }
        let new = now.axes.axes().iter().filter(|axis| find(self.axes.axes(), &axis.name).is_none());
        all.extend(new.map(|axis| format!("the axis `{}` is new", axis.name)));
        all
    }

    fn captured_that_differ(&self, now: &Self) -> Vec<String> {
        let both = self.captured.iter().filter_map(|(name, before)| Some((name, before, now.captured.get(name)?)));
        let changed = both.filter(|(_, before, now)| before != now);
        changed.map(|(name, before, now)| format!("`{name}` was {before}, and is {now}")).collect()
    }
}

/// The first lines that differ between two texts, and how many more there are.
fn lines_that_differ(before: &[String], now: &[String]) -> String {
    let first = before.iter().zip(now).take_while(|(a, b)| a == b).count();
    let (before, now) = (&before[first..], &now[first..]);
    let last = before.iter().rev().zip(now.iter().rev()).take_while(|(a, b)| a == b).count();
    let (before, now) = (&before[..before.len() - last], &now[..now.len() - last]);
    let more = before.len().max(now.len()).saturating_sub(1);
    let what = match (before, now) {
        ([], []) => "the script has changed".to_owned(),
        ([], [new, ..]) => format!("the script has a new line `{new}`"),
        ([old, ..], []) => format!("the script no longer has the line `{old}`"),
        ([old, ..], [new, ..]) => format!("the script had `{old}`, and has `{new}`"),
    };
    match more {
        0 => what,
        1 => format!("{what}, and another line differs"),
        more => format!("{what}, and {more} more lines differ"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn description(values: Value, code: &str) -> Description {
        let axis = Axis { name: "tau".into(), values: values.as_array().unwrap().clone() };
        Description {
            tumble: "0".into(),
            script: "a.rhai".into(),
            axes: Grid::new(vec![axis]).unwrap(),
            captured: BTreeMap::from([("steps".to_owned(), json!(100))]),
            code: code.lines().map(str::to_owned).collect(),
            sha256: code.split_whitespace().collect::<Vec<_>>().join(" "),
            accepted: BTreeSet::new(),
            sources: BTreeSet::from([Source::of_text("data.csv", "1")]),
        }
    }

    #[test]
    fn what_differs_is_said() {
        let before = description(json!([0.1, 0.5]), "let a = 1;\nlet b = 2;\nf(a)");
        let differences = |now: &Description| before.differences(now);
        assert_eq!(differences(&description(json!([1, 0.5, 0.1]), "let a =\n1;\nlet b = 2; f(a)")), [""; 0]);
        let mut now = description(json!([0.1]), "let a = 1;\nlet b = 3;\nf(a)");
        now.captured.insert("steps".into(), json!(200));
        now.sources = BTreeSet::from([Source::of_text("data.csv", "2"), Source::of_text("new.csv", "3")]);
        let expected = [
            "the axis `tau` no longer has 0.5",
            "`steps` was 100, and is 200",
            "the script had `let b = 2;`, and has `let b = 3;`",
            "`data.csv` has changed",
        ];
        assert_eq!(differences(&now), expected);
        let read = |sources: &[(&str, &str)]| {
            let sources = sources.iter().map(|(name, text)| Source::of_text(name, text)).collect();
            differences(&Description { sources, ..before.clone() })
        };
        // Two files that changed places, in folders of the same names too.
        let both = |a, b| [("a.csv", a), ("b.csv", b)].map(|(name, text)| Source::of_text(name, text)).into();
        let [before_both, swapped] =
            [both("1", "2"), both("2", "1")].map(|sources| Description { sources, ..before.clone() });
        assert_eq!(before_both.differences(&swapped), ["`a.csv` has changed", "`b.csv` has changed"]);
        // Another file in its place; the same one elsewhere; one more, and one less.
        assert_eq!(read(&[("other.csv", "2")]), ["`data.csv` was read, and `other.csv` is"]);
        assert_eq!(
            [read(&[("../data.csv", "1")]), read(&[("data.csv", "1"), ("b", "2")]), read(&[])].concat(),
            [""; 0]
        );
        let now = description(json!([0.1, 0.5]), "let a = 1;\nf(a)");
        assert_eq!(differences(&now), ["the script no longer has the line `let b = 2;`"]);
        let now = description(json!([0.1, 0.5]), "let a = 1;\nlet b = 2;\nlet c;\nlet d;\nf(a)");
        assert_eq!(differences(&now), ["the script has a new line `let c;`, and another line differs"]);
    }

    #[test]
    fn other_axes_are_other_sweeps() {
        let before = description(json!([0.1]), "");
        let mut now = before.clone();
        now.axes = Grid::new(vec![Axis { name: "k".into(), values: vec![json!(1)] }]).unwrap();
        assert_eq!(before.differences(&now), ["the axis `tau` is gone", "the axis `k` is new"]);
        // A closure may tell them apart.
        let [whole, number, word] = [json!([1]), json!([1.0]), json!(["1"])].map(|values| description(values, ""));
        assert_eq!(whole.differences(&number), ["the axis `tau` no longer has 1"]);
        assert_eq!(word.differences(&whole), ["the axis `tau` no longer has \"1\""]);
    }
}
