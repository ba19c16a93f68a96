//! Options of functions as data: from the tables of builtins, and from the doc comments of functions of the language.

use crate::lang::options::MUST_BE_GIVEN;
use crate::settings::{self, Kind, Owner, Preset, Range, Setting, written};

/// An option of a function: a key of the map that it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionEntry {
    /// The key.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// What stands where it is not given, as help shows it: `0.5`, `"cosine"`, `the horizon`.
    pub default: Option<String>,
    /// How it must be given, where it must: "must be given".
    pub required: Option<String>,
    /// What numbers it may be: "above 0".
    pub range: Option<String>,
    /// The words of a choice, each with what it means; as they are written, without quotes. The first is the default.
    pub words: Vec<(String, String)>,
    /// Where it exists only under a word of a choice: the name of the choice, and the word. An option that exists under
    /// several words stands once for each.
    pub owner: Option<(String, String)>,
}

impl OptionEntry {
    fn declared(setting: &Setting, owner: Option<Owner>) -> Self {
        let (default, required) = match setting.default {
            Preset::Required(_) => (None, Some(MUST_BE_GIVEN.to_owned())),
            Preset::Either(others, _) => (None, Some(format!("this or `{}` {MUST_BE_GIVEN}", others.join("` or `")))),
            Preset::Number(number) => (Some(written(number)), None),
            Preset::Numbers(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(|&number| written(number)).collect();
                (Some(format!("[{}]", numbers.join(", "))), None)
            }
            Preset::Flag(flag) => (Some(flag.to_string()), None),
            Preset::Text(text) => (Some(format!("{text:?}")), None),
            Preset::First => (setting.choices().first().map(|choice| format!("{:?}", choice.word)), None),
            Preset::Absent(words) => ((!words.is_empty()).then(|| words.to_owned()), None),
        };
        let range = match setting.kind {
            // That a number of things is whole and positive goes without saying.
            Kind::Whole(range) | Kind::Wholes(range) if range == Range::above(0.0) || range == Range::from(0.0) => None,
            Kind::Number(range) | Kind::Whole(range) | Kind::Numbers(range) | Kind::Wholes(range)
                if !range.is_all() =>
            {
                Some(range.to_string())
            }
            _ => None,
        };
        let words = setting.choices().iter().map(|choice| (choice.word.to_owned(), choice.meaning.to_owned()));
        Self {
            name: setting.name.to_owned(),
            meaning: setting.meaning.to_owned(),
            default,
            required,
            range,
            words: words.collect(),
            owner: owner.map(|(choice, word)| (choice.name.to_owned(), word.word.to_owned())),
        }
    }

    /// The options that a line of a section `# Options` lists, with the lines that continue it: "- `name`: meaning", or
    /// "- `one`, `two`: meaning", and in brackets at the end the default: "(default: 0.5)".
    fn listed(item: &str) -> Vec<Self> {
        let Some((names, text)) = item.split_once("`:") else { return Vec::new() };
        let (meaning, default) = match text.rsplit_once(" (default: ") {
            Some((meaning, rest)) if rest.ends_with(')') => {
                (meaning, Some(rest.trim_end_matches(')').replace('`', "")))
            }
            _ => (text, None),
        };
        let required = text.contains(MUST_BE_GIVEN).then(|| MUST_BE_GIVEN.to_owned());
        let entry = |name: &str| Self {
            name: name.to_owned(),
            meaning: meaning.trim().to_owned(),
            default: default.clone(),
            required: required.clone(),
            ..Self::default()
        };
        names.split('`').skip(1).step_by(2).map(entry).collect()
    }

    /// "`name`: meaning (above 0; default: 0.5)"
    fn line(&self) -> String {
        let is_word = |text: &str| text.starts_with('"') && text.ends_with('"') && text.matches('"').count() == 2;
        let shown = |text: &String| match text.starts_with('[') || is_word(text) {
            true => format!("default: `{text}`"),
            false => format!("default: {text}"),
        };
        let given = self.default.as_ref().map(shown).or_else(|| self.required.clone());
        let notes: Vec<String> = self.range.clone().into_iter().chain(given).collect();
        match notes.is_empty() {
            true => format!("`{}`: {}", self.name, self.meaning),
            false => format!("`{}`: {} ({})", self.name, self.meaning, notes.join("; ")),
        }
    }
}

/// The options of tables.
pub(super) fn declared(tables: &[&'static [Setting]]) -> Vec<OptionEntry> {
    settings::all(tables).into_iter().map(|(setting, owner)| OptionEntry::declared(setting, owner)).collect()
}

/// The options as a list in a doc comment, each under the word that brings it.
pub(super) fn list(options: &[OptionEntry], depth: usize) -> String {
    nested(options, None, depth)
}

fn nested(options: &[OptionEntry], owner: Option<(&str, &str)>, depth: usize) -> String {
    let mut text = String::new();
    let indent = "  ".repeat(depth);
    let has_owner =
        |option: &&OptionEntry| option.owner.as_ref().map(|(name, word)| (name.as_str(), word.as_str())) == owner;
    for option in options.iter().filter(has_owner) {
        text.push_str(&format!("{indent}- {}\n", option.line()));
        for (word, meaning) in &option.words {
            text.push_str(&format!("{indent}  - `\"{word}\"`: {meaning}\n"));
            text.push_str(&nested(options, Some((&option.name, word)), depth + 2));
        }
    }
    text
}

/// A section `# Options` that is written in a doc comment, and the options in it. Where an item of it says "all options
/// of `sample` but `count`, `prior`" or "the options `hidden`, `activation` of `score::mlp`", `of` knows the options of
/// that function; they are listed under the item, but for those that have an item of their own.
pub(super) fn written_section(doc: &str, of: &dyn Fn(&str) -> Vec<OptionEntry>) -> (String, Vec<OptionEntry>) {
    let (before, section, after) = section(doc);
    let items = items(section);
    let mut options: Vec<OptionEntry> = items.iter().flat_map(|item| OptionEntry::listed(&item.join(" "))).collect();
    let mut text = String::new();
    for lines in items {
        lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        let mut passed = passed_on(&lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "), of);
        passed.retain(|option| !options.iter().any(|own| own.name == option.name && own.owner.is_none()));
        text.push_str(&list(&passed, 1));
        options.extend(passed);
    }
    (format!("{before}{}{after}", text.trim_end()), options)
}

/// The text up to and with the heading `# Options`, the section, and the rest.
fn section(doc: &str) -> (&str, &str, &str) {
    const HEADING: &str = "# Options\n";
    let Some(start) = doc.find(HEADING).map(|at| at + HEADING.len()) else { return (doc, "", "") };
    let end = doc[start..].find("\n# ").map_or(doc.len(), |at| start + at);
    let section = doc[start..end].trim_end();
    (&doc[..start], section, &doc[start + section.len()..])
}

/// The lines of each item of a list.
fn items(section: &str) -> Vec<Vec<&str>> {
    let mut items: Vec<Vec<&str>> = Vec::new();
    for line in section.lines() {
        match items.last_mut() {
            Some(item) if !line.starts_with("- ") => item.push(line),
            _ => items.push(vec![line]),
        }
    }
    items
}

/// The options that an item says to be those of another function.
fn passed_on(item: &str, of: &dyn Fn(&str) -> Vec<OptionEntry>) -> Vec<OptionEntry> {
    let names: Vec<&str> = item.split('`').skip(1).step_by(2).collect();
    if item.starts_with("- all options of `") {
        let left_out = |option: &OptionEntry| names[1..].contains(&option.name.as_str());
        return of(names[0]).into_iter().filter(|option| !left_out(option)).collect();
    }
    match names.split_last() {
        Some((function, names)) if item.starts_with("- the options `") => {
            let is_named = |option: &OptionEntry| {
                let owner = option.owner.as_ref().map(|(choice, _)| choice.as_str());
                names.contains(&option.name.as_str()) || owner.is_some_and(|choice| names.contains(&choice))
            };
            of(function).into_iter().filter(is_named).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Choice;

    const TABLE: &[Setting] = &[
        Setting::count("count", "number of samples").or(20_000.0),
        Setting::choice(
            "grid",
            "how the times are spread",
            &[
                Choice::new("uniform", "equal steps"),
                Choice::new("rho", "equal steps in t^(1/rho)")
                    .with(&[Setting::number("rho", "the exponent").above(0.0).or(7.0)]),
            ],
        ),
        Setting::number("end", "where to stop").or_else("the horizon"),
    ];

    #[test]
    fn a_table_is_listed() {
        let expected = "\
- `count`: number of samples (default: 20_000)
- `grid`: how the times are spread (default: `\"uniform\"`)
  - `\"uniform\"`: equal steps
  - `\"rho\"`: equal steps in t^(1/rho)
    - `rho`: the exponent (above 0; default: 7)
- `end`: where to stop (default: the horizon)
";
        assert_eq!(list(&declared(&[TABLE]), 0), expected);
    }

    #[test]
    fn what_is_passed_on_is_listed() {
        let doc = "Does it.\n\n# Options\n- `mean`: of the data,\n  all of it (default: 1)\n- all options of `sample` but \
                   `count`\n\n# Returns\nNothing.";
        let (text, options) = written_section(doc, &|name| {
            assert_eq!(name, "sample");
            declared(&[TABLE])
        });
        let names: Vec<_> = options.iter().map(|option| option.name.as_str()).collect();
        assert_eq!(names, ["mean", "grid", "rho", "end"]);
        assert_eq!(
            (options[0].meaning.as_str(), options[0].default.as_deref()),
            ("of the data,   all of it", Some("1"))
        );
        assert!(text.contains("but `count`\n  - `grid`: how") && text.ends_with("the horizon)\n\n# Returns\nNothing."));
        let (_, some) = written_section("A.\n\n# Options\n- the options `grid` of `sample`", &|_| declared(&[TABLE]));
        assert_eq!(some.iter().map(|option| option.name.as_str()).collect::<Vec<_>>(), ["grid", "rho"]);
    }
}
