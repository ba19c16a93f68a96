//! What may come next: names, members of modules and values, option keys, words of choices.

use super::argument::{FILES, OF_CLASSES, OF_TABLES, argument, columns};
use super::brackets::open;
use super::closure::{Meaning, closures};
use super::definitions::{Definition, definitions, exported};
use super::option_map::OptionMap;
use super::receiver::{receiver, valued};
use super::scan::{KEYWORDS, Kind, Piece, is_open, pieces};
use super::types::{self, Member};
use crate::lang::catalog::Entry;
use crate::lang::runtime::{Runtime, Value};
use crate::lang::sources::is_of_word;

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
        [".", ".", ..] => names(runtime, text, before, word),
        [".", ..] => {
            let receiver = receiver(text, &before[..before.len() - 1]);
            of_parameter(runtime, text, before, &receiver, word).unwrap_or_else(|| members(runtime, &receiver))
        }
        [":", ..] if word.is_empty() => {
            let words = option_words(runtime, text, before).iter();
            let mut quoted: Vec<_> =
                words.map(|(word, meaning)| Candidate::new(&format!("\"{word}\""), "", meaning)).collect();
            if quoted.is_empty() {
                quoted = names(runtime, text, before, word)
            }
            quoted
        }
        _ => option_keys(runtime, text, before).unwrap_or_else(|| names(runtime, text, before, word)),
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

/// The words of a choice where one is expected, `method: "`, the keys of a map, `m["`, the labels of data, the columns
/// of a table, and paths where a file is meant.
fn in_string(runtime: &Runtime, text: &str, string: &Piece, before: &[Piece]) -> Completion {
    let start = string.range.start + 1;
    let given = &text[start..];
    let word = |back: usize| before.len().checked_sub(back).map_or("", |at| &text[before[at].range.clone()]);
    let plain = |words: Vec<String>, end: &str| {
        names_from(start, given, words.iter().map(|word| Candidate::new(word, end, "")).collect())
    };
    if word(1) == "[" {
        if word(2) == ":" && OF_TABLES.contains(&word(3)) {
            return plain(columns(runtime, text, before), "\"");
        }
        let map = valued(runtime, &receiver(text, &before[..before.len() - 1]));
        return plain(map.map(|map| runtime.keys(&map)).unwrap_or_default(), "\"]");
    }
    if word(1) == ":" {
        let words = option_words(runtime, text, before);
        if words.is_empty() && FILES.contains(&word(2)) {
            return Completion::Path;
        }
        if words.is_empty() && OF_TABLES.contains(&word(2)) {
            return plain(columns(runtime, text, before), "\"");
        }
        let candidates = words.iter().map(|(word, meaning)| Candidate::new(word, "\"", meaning)).collect();
        return names_from(start, given, candidates);
    }
    let argument = argument(runtime, text, before);
    let is_of = |names: &[&str]| argument.names.iter().any(|name| names.contains(name));
    if word(1) == "import" || is_of(FILES) {
        return Completion::Path;
    }
    let owner = argument.receiver.as_ref().and_then(|receiver| valued(runtime, receiver));
    match owner.filter(|_| is_of(OF_CLASSES)) {
        Some(owner) => plain(runtime.classes(&owner), "\""),
        None => plain(argument.words(), "\""),
    }
}

/// The words that an option may be, behind its key and colon, and what they mean.
fn option_words<'a>(runtime: &'a Runtime, text: &'a str, before: &[Piece]) -> &'a [(String, String)] {
    let [earlier @ .., key, _] = before else { return &[] };
    let map = OptionMap::open(runtime, text, earlier);
    let mut options = map.iter().flat_map(OptionMap::available);
    options.find(|option| option.name == text[key.range.clone()]).map_or(&[], |option| &option.words)
}

/// The function `full` of the catalog, called by the last part of its name.
fn called_by(runtime: &Runtime, name: &str, full: &str) -> Candidate {
    Candidate::new(name, "(", runtime.catalog().get(full).map_or("", Entry::summary))
}

/// What can stand alone: variables and modules, and where a word is begun, functions and words of the language, which
/// are too many for a list that tells anything.
fn names(runtime: &Runtime, text: &str, before: &[Piece], word: &str) -> Vec<Candidate> {
    let catalog = runtime.catalog();
    let imports = runtime.imports();
    let modules = catalog.modules().chain(imports.iter().map(|(name, _)| name.as_str()));
    let mut candidates: Vec<Candidate> =
        modules.map(|module| Candidate::new(&format!("{module}::"), "", "a module")).collect();
    if !word.is_empty() {
        let functions = catalog.names().filter(|name| !name.contains([':', '.']));
        candidates.extend(functions.map(|name| called_by(runtime, name, name)));
        candidates.extend(KEYWORDS.iter().map(|word| Candidate::new(word, "", "")));
        candidates.extend(["print", "debug", "type_of"].map(|name| Candidate::new(name, "(", "")));
    }
    let variables = runtime.variables().into_iter().map(|(name, _)| (name, "a variable"));
    let parameters = closures(text, before).into_iter().flat_map(|closure| closure.parameters);
    for (name, what) in variables.chain(parameters.map(|name| (name.to_owned(), "a parameter of the closure"))) {
        // A variable hides the function of its name, and a parameter the variable.
        candidates.retain(|candidate| candidate.name != name);
        candidates.push(Candidate::new(&name, "", what));
    }
    candidates
}

/// What may follow a dot behind a parameter of a closure; none where the receiver is no parameter.
fn of_parameter(
    runtime: &Runtime,
    text: &str,
    before: &[Piece],
    receiver: &[&str],
    word: &str,
) -> Option<Vec<Candidate>> {
    let (name, keys) = receiver.split_first()?;
    let all = pieces(text);
    let meaning = closures(text, before).iter().rev().find_map(|closure| closure.meaning(name, text, &all))?;
    let about = "of the closure's parameter";
    Some(match (meaning, keys) {
        (Meaning::Members(names), []) => names.into_iter().map(|name| Candidate::new(name, "", about)).collect(),
        (Meaning::Variable(map), []) => {
            let keys = valued(runtime, &[map]).map(|map| runtime.keys(&map)).unwrap_or_default();
            keys.iter().map(|key| Candidate::new(key, "", about)).collect()
        }
        (Meaning::Members(_) | Meaning::Variable(_), _) | (Meaning::Symbol, []) => {
            members_of(runtime, None, Some("Expression"))
        }
        (Meaning::Symbol, _) => Vec::new(),
        // All that any type has tells nothing.
        (Meaning::Unknown, _) if word.is_empty() => Vec::new(),
        (Meaning::Unknown, _) => members_of(runtime, None, None),
    })
}

/// The functions of a module, and the constants that one of the user's own exports.
fn module_members(runtime: &Runtime, module: &str) -> Vec<Candidate> {
    if let Some(text) = runtime.module_text(module) {
        let functions = definitions(&text).into_iter().filter(|function| !function.is_private);
        let about = |function: &Definition| {
            let first = text[function.range.clone()].lines().next().unwrap_or_default();
            first.strip_prefix("///").unwrap_or_default().trim().to_owned()
        };
        let functions = functions.map(|function| Candidate::new(&function.name, "(", &about(&function)));
        let constants = exported(&text).into_iter().map(|name| Candidate::new(&name, "", "a constant"));
        return functions.chain(constants).collect();
    }
    let prefix = format!("{module}::");
    let all = runtime.catalog().names();
    all.filter_map(|name| Some(called_by(runtime, name.strip_prefix(&prefix)?, name))).collect()
}

/// What may follow a dot: keys of a map, properties and methods of the receiver's type, of every type of ours when
/// the receiver's value is not known.
fn members(runtime: &Runtime, receiver: &[&str]) -> Vec<Candidate> {
    let value = valued(runtime, receiver);
    let kind = value.as_ref().map(|value| match runtime.type_name(value).as_str() {
        "whole number" => "number".to_owned(),
        kind => kind.to_owned(),
    });
    members_of(runtime, value.as_ref(), kind.as_deref())
}

/// The same of a value, if it is known, and a type, if that is.
fn members_of(runtime: &Runtime, value: Option<&Value>, kind: Option<&str>) -> Vec<Candidate> {
    let keys = value.iter().flat_map(|value| runtime.keys(value)).filter(|key| is_name(key));
    let mut candidates: Vec<Candidate> = keys.map(|key| Candidate::new(&key, "", "")).collect();
    let members = types::members(runtime.catalog(), kind).into_iter();
    candidates.extend(members.map(|Member { name, is_method, entry }| {
        Candidate::new(name, if is_method { "(" } else { "" }, entry.summary())
    }));
    candidates
}

/// Whether a key can stand behind a dot.
fn is_name(key: &str) -> bool {
    key.chars().all(is_of_word) && !key.starts_with(|c: char| c.is_ascii_digit())
}

/// The keys that fit where a key of an option map is expected: `f(#{ `.
fn option_keys(runtime: &Runtime, text: &str, before: &[Piece]) -> Option<Vec<Candidate>> {
    if !matches!(&text[before.last()?.range.clone()], "{" | ",") {
        return None;
    }
    if let Some(keys) = parameters_to_vary(runtime, text, before) {
        return Some(keys);
    }
    let map = OptionMap::open(runtime, text, before)?;
    let left = map.available().filter(|option| map.entries.iter().all(|(key, _)| *key != option.name));
    Some(left.map(|option| Candidate::new(&option.name, ": ", &option.meaning)).collect())
}

/// The parameters of a process, in the map of its method `vary`.
fn parameters_to_vary(runtime: &Runtime, text: &str, before: &[Piece]) -> Option<Vec<Candidate>> {
    let mut open = open(text, before);
    let map = open.pop().filter(|map| map.is_map)?;
    let sign = |at: usize| &text[before[at].range.clone()];
    let call = open.pop().filter(|call| call.called == "vary" && call.at >= 2 && sign(call.at - 2) == ".")?;
    let process = valued(runtime, &receiver(text, &before[..call.at - 2]))?;
    let given = |name: &str| map.entries.iter().any(|(key, _)| *key == name);
    let parameters = runtime.parameters(&process).into_iter().filter(|(name, _)| !given(name));
    Some(parameters.map(|(name, value)| Candidate::new(&name, ": ", &format!("it is {value}"))).collect())
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

    /// Seen to offer `score::mlp` and no block of a state, 226 names on an empty line, and files everywhere.
    #[test]
    fn only_what_works_is_offered() {
        let mut runtime = Runtime::new();
        let folder = tempfile::tempdir().unwrap();
        let module = "/// Half of it.\nfn half(x) { x / 2 }\nprivate fn own() { }\nexport const SCALE = 3;";
        std::fs::write(folder.path().join("library.rhai"), module).unwrap();
        let text = "import \"library\" as lib; let p = process::active(); let s = perturb(p, [1], 0.1, 1); \
                    let m = #{ inner: #{ deep: 1 }, \"two words\": 2 }; let figure = plot::scatter([[[1, 2]]]); let n = 3;";
        drop(runtime.run_named(&folder.path().join("script").display().to_string(), text).unwrap());
        let offers = |text: &str| candidates(&runtime, text);
        assert!(offers("p.").iter().all(|name| !name.contains("::")) && offers("p.").contains(&"kernel(".to_owned()));
        assert_eq!(offers("s.x"), ["x"]);
        assert_eq!(offers("s.eta"), ["eta"]);
        assert!(offers("figure.sa").contains(&"save(".to_owned()), "{:?}", offers("figure."));
        assert!(offers("m.").contains(&"inner".to_owned()) && !offers("m.").contains(&"two words".to_owned()));
        assert_eq!(offers("m[\"two"), ["two words\"]"]);
        assert_eq!(offers("m.inner.dee"), ["deep"]);
        assert_eq!(offers("m[\"in"), ["inner\"]"]);
        assert_eq!(offers("lib::"), ["SCALE", "half("]);
        assert!(offers("n.sq").contains(&"sqrt(".to_owned()));
        let nothing_typed = offers("");
        assert!(nothing_typed.len() < 20, "{nothing_typed:?}");
        assert!(["p", "process::", "lib::"].iter().all(|name| nothing_typed.contains(&(*name).to_owned())));
        assert_eq!(offers("train(m, d, #{ schedule: \"co"), ["constant\"", "cosine\""]);
        assert_eq!(offers("train(m, d, #{ schedule: ")[..2], ["\"constant\"", "\"cosine\""]);
        assert!(offers("train(m, d, #{ steps: ").contains(&"n".to_owned()));
        assert_eq!(offers("dataset::from_file(\"C"), ["a path"]);
        assert_eq!(offers("io::write(\"C"), ["a path"]);
        assert_eq!(offers("plot::lines([1], [2], #{ file: \"C"), ["a path"]);
        assert_eq!(offers("figure.save(\"C"), ["a path"]);
        assert!(offers("plot::lines([1], [2], #{ title: \"C").is_empty());
        assert!(offers("let name = \"C").is_empty() && offers("s.path(\"").is_empty());
    }

    /// Seen to offer the members of an outer `p`, and nothing where words of data and parameters are wanted.
    #[test]
    fn what_a_closure_names_hides_what_is_outside() {
        let mut runtime = Runtime::new();
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("table.csv");
        std::fs::write(&table, "# made\nlength,\"kind\"\n1,2\n").unwrap();
        let text = "let p = process::passive(); let s = 3; let d = dataset::from_array([[1, 2], [3, 4]], #{ labels: \
                    [\"a\", \"b\"] }); let given = #{ k: 1 };";
        drop(runtime.run(text).unwrap());
        let offers = |text: &str| candidates(&runtime, text);
        let process = "sde(#{ state: [\"x\", \"eta\"], params: #{ g: 1 }, drift: |s, t, p| #{ x: ";
        assert_eq!(offers(&format!("{process}s.")), ["eta", "x"]);
        assert_eq!(offers(&format!("{process}p.")), ["g"]);
        assert!(offers(&format!("{process}t.si")).contains(&"sin(".to_owned()));
        assert!(offers(&format!("{process}s.x.")).contains(&"sin(".to_owned()));
        assert_eq!(offers("sde(#{ params: given, start: |p| #{ eta: p."), ["k"]);
        assert_eq!(offers("sde(|s, p| #{ x: s."), ["x"]);
        assert_eq!(offers("sweep(#{ tau: [1] }, |point| point.f"), ["folder"]);
        assert_eq!(offers("d.map(|p| p."), [""; 0]);
        assert!(offers("d.map(|p| p.ker").contains(&"kernel(".to_owned()));
        assert!(offers("p.").contains(&"kernel(".to_owned()));
        assert_eq!(offers("p.vary(#{ "), ["T: ", "k: "]);
        assert_eq!(offers("p.vary(#{ k: 1, "), ["T: "]);
        assert_eq!(offers("d.normalise(\"")[..2], ["coordinate\"", "none\""]);
        assert_eq!(offers("d.of_class(\""), ["a\"", "b\""]);
        let file = table.display();
        assert_eq!(offers(&format!("dataset::from_file(\"{file}\", #{{ labels: \"")), ["kind\"", "length\""]);
        assert_eq!(offers(&format!("io::read(\"{file}\", #{{ columns: [\"l")), ["length\""]);
    }

    #[test]
    fn candidates_say_what_they_are() {
        let runtime = Runtime::new();
        let Completion::Names { start, candidates } = complete(&runtime, "let p = process::acti") else { panic!() };
        assert_eq!(start, 17);
        assert!(candidates[0].about.starts_with("Active"), "{candidates:?}");
    }
}
