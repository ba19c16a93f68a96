//! What may come next: names, members of modules and values, option keys, words of choices.

use super::scan::{KEYWORDS, Kind, Piece, pieces};
use crate::lang::catalog::{Entry, OptionEntry};
use crate::lang::runtime::Runtime;

/// What may stand at the end of a text that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// One of these, in alphabetical order, in place of the bytes from `start` on.
    Names {
        /// Where the word begins that is being written.
        start: usize,
        /// What it may become.
        candidates: Vec<Candidate>,
    },
    /// The path of a file, in a string that is still open.
    Path,
}

/// Something that may come next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// What it is called.
    pub name: String,
    /// What to write: the name and what always follows it, `train(`, `tau: `.
    pub text: String,
    /// What it means, in a line; empty where that is not known.
    pub about: String,
}

impl Candidate {
    fn new(name: &str, behind: &str, about: &str) -> Self {
        Self { name: name.to_owned(), text: format!("{name}{behind}"), about: about.to_owned() }
    }
}

/// What may follow at the end of `text`, in a session whose variables `runtime` has.
pub fn complete(runtime: &Runtime, text: &str) -> Completion {
    let all = pieces(text);
    let (word, before) = match all.split_last() {
        Some((last, before)) if last.kind == Kind::String && is_open(&text[last.range.clone()]) => {
            return in_string(runtime, text, last, before);
        }
        Some((last, _)) if last.kind == Kind::Comment => return names_from(text.len(), "", Vec::new()),
        Some((last, before)) if matches!(last.kind, Kind::Word | Kind::Keyword) && last.range.end == text.len() => {
            (&text[last.range.clone()], before)
        }
        _ => ("", &all[..]),
    };
    let signs: Vec<&str> = before.iter().rev().take(3).map(|piece| &text[piece.range.clone()]).collect();
    let candidates = match signs[..] {
        [":", ":", module] => module_members(runtime, module),
        [".", ".", ..] => names(runtime),
        [".", receiver, ..] => {
            let is_variable = before.len() < 3 || signs[2] != ".";
            members(runtime, if is_variable { receiver } else { "" })
        }
        _ => option_keys(runtime, text, before).unwrap_or_else(|| names(runtime)),
    };
    names_from(text.len() - word.len(), word, candidates)
}

/// The candidates that begin with `word`, each once.
fn names_from(start: usize, word: &str, mut candidates: Vec<Candidate>) -> Completion {
    candidates.retain(|candidate| candidate.name.starts_with(word));
    candidates.sort();
    candidates.dedup_by(|a, b| a.name == b.name);
    Completion::Names { start, candidates }
}

/// The words of a choice where one is expected, `method: "`, else paths.
fn in_string(runtime: &Runtime, text: &str, string: &Piece, before: &[Piece]) -> Completion {
    let start = string.range.start + 1;
    let words = || {
        let [earlier @ .., key, colon] = before else { return None };
        let map = OptionMap::open(runtime, text, earlier)?;
        let is_value = &text[colon.range.clone()] == ":";
        let option = map.available().find(|option| is_value && option.name == text[key.range.clone()])?;
        (!option.words.is_empty()).then(|| option.words.clone())
    };
    match words() {
        Some(words) => {
            let candidates = words.iter().map(|(word, meaning)| Candidate::new(word, "\"", meaning)).collect();
            names_from(start, &text[start..], candidates)
        }
        None => Completion::Path,
    }
}

/// Whether a string lacks its closing quote.
fn is_open(string: &str) -> bool {
    let mut characters = string.chars();
    let quote = characters.next();
    characters.next_back() != quote
}

/// The function `full` of the catalog, called by the last part of its name.
fn called_by(runtime: &Runtime, name: &str, full: &str) -> Candidate {
    Candidate::new(name, "(", runtime.catalog().get(full).map_or("", Entry::summary))
}

/// What can stand alone: functions, modules, variables, words of the language.
fn names(runtime: &Runtime) -> Vec<Candidate> {
    let catalog = runtime.catalog();
    let functions =
        catalog.names().filter(|name| !name.contains([':', '.'])).map(|name| called_by(runtime, name, name));
    let modules = catalog.modules().map(|module| Candidate::new(&format!("{module}::"), "", ""));
    let keywords = KEYWORDS.iter().map(|word| Candidate::new(word, "", ""));
    let printing = ["print", "debug", "type_of"].into_iter().map(|name| Candidate::new(name, "(", ""));
    let mut candidates: Vec<Candidate> = functions.chain(modules).chain(keywords).chain(printing).collect();
    for (name, _) in runtime.variables() {
        // A variable hides the function of its name.
        candidates.retain(|candidate| candidate.name != name);
        candidates.push(Candidate::new(&name, "", "a variable"));
    }
    candidates
}

fn module_members(runtime: &Runtime, module: &str) -> Vec<Candidate> {
    let prefix = format!("{module}::");
    let all = runtime.catalog().names();
    all.filter_map(|name| Some(called_by(runtime, name.strip_prefix(&prefix)?, name))).collect()
}

/// What may follow a dot: keys of a map, properties and methods of the receiver's type, of every type of ours when
/// the receiver is not a plain variable.
fn members(runtime: &Runtime, receiver: &str) -> Vec<Candidate> {
    let value = runtime.variables().into_iter().find(|(name, _)| name == receiver).map(|(_, value)| value);
    let kind = value.as_ref().map(|value| runtime.type_name(value));
    let mut candidates: Vec<Candidate> =
        value.iter().flat_map(|value| runtime.keys(value)).map(|key| Candidate::new(&key, "", "")).collect();
    let catalog = runtime.catalog();
    // Rhai's own methods are offered where the type is known to have them.
    let standard = catalog.names().filter(|_| kind.is_some()).filter_map(|name| catalog.get(name));
    for entry in catalog.entries().chain(standard) {
        match entry.name.split_once('.') {
            Some((owner, property)) if kind.as_deref().is_none_or(|kind| kind == owner) => {
                candidates.push(Candidate::new(property, "", entry.summary()));
            }
            None if is_method(entry, kind.as_deref()) => {
                candidates.push(Candidate::new(&entry.name, "(", entry.summary()))
            }
            _ => {}
        }
    }
    candidates
}

/// Whether the first parameter is of the type `kind`; `None` stands for any type that a program defines.
fn is_method(entry: &Entry, kind: Option<&str>) -> bool {
    let first = |form: &str| {
        let parameters = form.split_once('(')?.1;
        let first = parameters.split([',', ')']).next()?;
        Some(first.split_once(": ").map_or(first, |(_, kind)| kind).to_owned())
    };
    let fits = |first: String| match kind {
        Some(kind) => first == kind,
        None => first.starts_with(char::is_uppercase),
    };
    entry.forms.iter().filter_map(|form| first(form)).any(fits)
}

/// The keys that fit where a key of an option map is expected: `f(#{ `.
fn option_keys(runtime: &Runtime, text: &str, before: &[Piece]) -> Option<Vec<Candidate>> {
    if !matches!(&text[before.last()?.range.clone()], "{" | ",") {
        return None;
    }
    let map = OptionMap::open(runtime, text, before)?;
    let left = map.available().filter(|option| map.entries.iter().all(|(key, _)| *key != option.name));
    Some(left.map(|option| Candidate::new(&option.name, ": ", &option.meaning)).collect())
}

/// An option map that is being written.
struct OptionMap<'a> {
    options: &'a [OptionEntry],
    /// Keys given so far, with the strings that they are given.
    entries: Vec<(&'a str, Option<&'a str>)>,
}

/// A bracket that is still open.
#[derive(Default)]
struct Open<'a> {
    /// Whether it is the `{` of `#{`.
    is_map: bool,
    /// What is called, if it is the `(` of a call.
    called: String,
    /// Of a map, the keys so far, with the strings that they are given.
    entries: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> OptionMap<'a> {
    /// The map that is the last thing open, if it stands in the brackets of a call of a documented function.
    fn open(runtime: &'a Runtime, text: &'a str, before: &[Piece]) -> Option<Self> {
        let mut open: Vec<Open<'a>> = Vec::new();
        for (i, piece) in before.iter().enumerate() {
            let earlier = |back: usize| i.checked_sub(back).map_or("", |at| &text[before[at].range.clone()]);
            match &text[piece.range.clone()] {
                "(" => open.push(Open { called: called(text, &before[..i]), ..Open::default() }),
                "{" => open.push(Open { is_map: earlier(1) == "#", ..Open::default() }),
                "[" => open.push(Open::default()),
                ")" | "}" | "]" => drop(open.pop()),
                ":" if i > 0 => {
                    if let Some(innermost) = open.last_mut() {
                        innermost.entries.push((earlier(1), None));
                    }
                }
                string if piece.kind == Kind::String && earlier(1) == ":" => {
                    if let Some((_, value)) = open.last_mut().and_then(|innermost| innermost.entries.last_mut()) {
                        *value = Some(string.trim_matches('"'));
                    }
                }
                _ => {}
            }
        }
        let map = open.pop().filter(|map| map.is_map)?;
        let entry = runtime.catalog().get(&open.pop()?.called)?;
        Some(Self { options: entry.options(), entries: map.entries })
    }

    /// The options that exist under the words chosen, or under the default ones.
    fn available(&self) -> impl Iterator<Item = &'a OptionEntry> {
        let options = self.options;
        let chosen = |choice: &str| {
            let default = || options.iter().find(|option| option.name == choice)?.words.first();
            match self.entries.iter().find(|(key, _)| *key == choice) {
                Some((_, given)) => *given,
                None => default().map(|(word, _)| word.as_str()),
            }
        };
        // Where a variable chooses the word, any may be chosen.
        options.iter().filter(move |option| {
            option.owner.as_ref().is_none_or(|(choice, word)| chosen(choice).is_none_or(|chosen| chosen == word))
        })
    }
}

/// The name before a `(`, with its module.
fn called(text: &str, before: &[Piece]) -> String {
    let mut words = before.iter().rev().map(|piece| &text[piece.range.clone()]);
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(name), Some(":"), Some(":"), Some(module)) => format!("{module}::{name}"),
        (Some(name), ..) => name.to_owned(),
        (None, ..) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(runtime: &Runtime, text: &str) -> Vec<String> {
        match complete(runtime, text) {
            Completion::Names { candidates, .. } => candidates.into_iter().map(|candidate| candidate.text).collect(),
            Completion::Path => vec!["a path".to_owned()],
        }
    }

    #[test]
    fn what_is_offered_fits_the_place() {
        let mut runtime = Runtime::new();
        let _ = runtime.run("let width = 3; let p = process::active(); let m = #{ one: 1, two: 2 };").unwrap();
        let offers = |text: &str| candidates(&runtime, text);
        assert!(offers("let x = wi").contains(&"width".to_owned()));
        assert_eq!(offers("proc"), ["process::"]);
        assert_eq!(offers("process::pas"), ["passive("]);
        assert_eq!(offers("process::active(#{ ta"), ["tau: "]);
        assert_eq!(offers("process::active(#{ k: 1, Tp: 0, T"), ["Ta: "]);
        assert_eq!(offers("let q = sde(#{ drift: |s| #{ x: 1 }, hor"), ["horizon: "]);
        assert_eq!(offers("p.ki"), ["kind"]);
        assert_eq!(offers("p.va"), ["vary("]);
        assert_eq!(offers("m.tw"), ["two"]);
        assert!(offers("// pro").is_empty());
        assert!(offers("1 + prin").contains(&"print(".to_owned()));
        assert!(offers("for i in 0..wi").contains(&"width".to_owned()));
        assert_eq!(offers("import \"Cargo.t"), ["a path"]);
    }

    #[test]
    fn candidates_say_what_they_are() {
        let runtime = Runtime::new();
        let Completion::Names { start, candidates } = complete(&runtime, "let p = process::acti") else { panic!() };
        assert_eq!(start, 17);
        assert!(candidates[0].about.starts_with("Active"), "{candidates:?}");
    }
}
