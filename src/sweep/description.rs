//! What a folder says that its results are of, and how that differs from what is asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::grid::{Axis, Grid, text};
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
    /// What the script had imported and read before.
    pub sources: BTreeSet<Source>,
}

impl Description {
    /// In what another description differs, so that its points would not belong to these: a sentence for each. More
    /// values of an axis are no difference, since each result is kept by its own.
    pub(super) fn differences(&self, now: &Self) -> Vec<String> {
        let mut all = self.axes_that_differ(now);
        all.extend(self.captured_that_differ(now));
        all.extend(lines_that_differ(&self.code, &now.code));
        all.extend(self.sources_that_differ(now));
        all
    }

    /// Files are known by what is in them, wherever they are. One that is no longer read, or only now, is no
    /// difference: what `step` keeps is computed once and read later. One in the place of another is.
    fn sources_that_differ(&self, now: &Self) -> Vec<String> {
        let only = |some: &Self, other: &Self| -> Vec<Source> {
            let is_there = |source: &Source| other.sources.iter().any(|known| known.sha256 == source.sha256);
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
            let is_there = |value: &Value| now.values.iter().any(|other| text(other) == text(value));
            let gone: Vec<_> = before.values.iter().filter(|value| !is_there(value)).map(text).collect();
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
fn lines_that_differ(before: &[String], now: &[String]) -> Option<String> {
    let first = before.iter().zip(now).take_while(|(a, b)| a == b).count();
    let (before, now) = (&before[first..], &now[first..]);
    let last = before.iter().rev().zip(now.iter().rev()).take_while(|(a, b)| a == b).count();
    let (before, now) = (&before[..before.len() - last], &now[..now.len() - last]);
    let more = before.len().max(now.len()).saturating_sub(1);
    let what = match (before, now) {
        ([], []) => return None,
        ([], [new, ..]) => format!("the script has a new line `{new}`"),
        ([old, ..], []) => format!("the script no longer has the line `{old}`"),
        ([old, ..], [new, ..]) => format!("the script had `{old}`, and has `{new}`"),
    };
    Some(match more {
        0 => what,
        1 => format!("{what}, and another line differs"),
        more => format!("{what}, and {more} more lines differ"),
    })
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
            sources: BTreeSet::from([Source::of_text("data.csv", "1")]),
        }
    }

    #[test]
    fn what_differs_is_said() {
        let before = description(json!([0.1, 0.5]), "let a = 1;\nlet b = 2;\nf(a)");
        let differences = |now: &Description| before.differences(now);
        assert_eq!(differences(&description(json!([1, 0.5, 0.1]), "let a = 1;\nlet b = 2;\nf(a)")), [""; 0]);
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
    }
}
