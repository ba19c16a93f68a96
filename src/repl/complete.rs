//! What Tab offers: names, members of modules and values, option keys, commands, files.

use rustyline::completion::{FilenameCompleter, Pair};
use tumble::lang::catalog::Entry;

use super::commands::{COMMANDS, Takes};
use super::scan::{KEYWORDS, Kind, Piece, pieces};
use super::session::Session;

/// Where the word being completed begins, and what it may become.
type Offer = (usize, Vec<Pair>);

/// What may follow in `input` at its end.
pub(crate) fn complete(session: &Session, input: &str) -> Offer {
    let (start, mut offers) = match input.strip_prefix(':') {
        Some(_) => command(session, input),
        None => code(session, input),
    };
    offers.sort_by(|a, b| a.display.cmp(&b.display));
    offers.dedup_by(|a, b| a.display == b.display);
    (start, offers)
}

fn offer(name: &str, behind: &str) -> Pair {
    Pair { display: name.to_owned(), replacement: format!("{name}{behind}") }
}

fn files(input: &str) -> Offer {
    FilenameCompleter::new().complete_path(input, input.len()).unwrap_or_default()
}

fn command(session: &Session, input: &str) -> Offer {
    let Some((name, argument)) = input.split_once(' ') else {
        let names = COMMANDS.iter().map(|command| command.name).filter(|name| name.starts_with(input));
        return (0, names.map(|name| offer(name, " ")).collect());
    };
    let start = input.len() - argument.len();
    let takes = COMMANDS.iter().find(|command| command.name == name).map_or(Takes::Nothing, |command| command.takes);
    match takes {
        Takes::Nothing => (start, Vec::new()),
        Takes::File => files(input),
        Takes::Code => {
            let (at, offers) = code(session, argument);
            (start + at, offers)
        }
        Takes::Name => {
            let catalog = session.runtime.catalog();
            let names = catalog.names().chain(catalog.modules());
            (start, names.filter(|name| name.starts_with(argument)).map(|name| offer(name, "")).collect())
        }
    }
}

fn code(session: &Session, input: &str) -> Offer {
    let all = pieces(input);
    let (word, before) = match all.split_last() {
        Some((last, _)) if last.kind == Kind::String && is_open(&input[last.range.clone()]) => return files(input),
        Some((last, _)) if last.kind == Kind::Comment => return (input.len(), Vec::new()),
        Some((last, before)) if matches!(last.kind, Kind::Word | Kind::Keyword) && last.range.end == input.len() => {
            (&input[last.range.clone()], before)
        }
        _ => ("", &all[..]),
    };
    let text = |piece: &Piece| input[piece.range.clone()].to_owned();
    let signs: Vec<String> = before.iter().rev().take(3).map(text).collect();
    let signs: Vec<&str> = signs.iter().map(String::as_str).collect();
    let mut offers = match signs[..] {
        [":", ":", module] => module_members(session, module),
        [".", ".", ..] => names(session),
        [".", receiver, ..] => {
            let is_variable = before.len() < 3 || signs[2] != ".";
            members(session, if is_variable { receiver } else { "" })
        }
        _ => option_keys(session, input, before).unwrap_or_else(|| names(session)),
    };
    offers.retain(|pair| pair.display.starts_with(word));
    (input.len() - word.len(), offers)
}

/// Whether a string lacks its closing quote.
fn is_open(string: &str) -> bool {
    let mut characters = string.chars();
    let quote = characters.next();
    characters.next_back() != quote
}

/// What can stand alone: functions, modules, variables, words of the language.
fn names(session: &Session) -> Vec<Pair> {
    let catalog = session.runtime.catalog();
    let functions = catalog.names().filter(|name| !name.contains([':', '.'])).map(|name| offer(name, "("));
    let modules = catalog.modules().map(|module| offer(&format!("{module}::"), ""));
    let keywords = KEYWORDS.iter().map(|word| offer(word, ""));
    let printing = ["print", "debug", "type_of"].into_iter().map(|name| offer(name, "("));
    let mut offers: Vec<Pair> = functions.chain(modules).chain(keywords).chain(printing).collect();
    for (name, _) in session.runtime.variables() {
        // A variable hides the function of its name.
        offers.retain(|pair| pair.display != name);
        offers.push(offer(&name, ""));
    }
    offers
}

fn module_members(session: &Session, module: &str) -> Vec<Pair> {
    let prefix = format!("{module}::");
    let names = session.runtime.catalog().names();
    names.filter_map(|name| name.strip_prefix(&prefix)).map(|name| offer(name, "(")).collect()
}

/// What may follow a dot: keys of a map, properties and methods of the receiver's type, of every type of ours when
/// the receiver is not a plain variable.
fn members(session: &Session, receiver: &str) -> Vec<Pair> {
    let runtime = &session.runtime;
    let value = runtime.variables().into_iter().find(|(name, _)| name == receiver).map(|(_, value)| value);
    let kind = value.as_ref().map(|value| runtime.type_name(value));
    let mut offers: Vec<Pair> = value.iter().flat_map(|value| runtime.keys(value)).map(|key| offer(&key, "")).collect();
    let catalog = runtime.catalog();
    // Rhai's own methods are offered where the type is known to have them.
    let standard = catalog.names().filter(|_| kind.is_some()).filter_map(|name| catalog.get(name));
    for entry in catalog.entries().chain(standard) {
        match entry.name.split_once('.') {
            Some((owner, property)) if kind.as_deref().is_none_or(|kind| kind == owner) => {
                offers.push(offer(property, ""));
            }
            None if is_method(entry, kind.as_deref()) => offers.push(offer(&entry.name, "(")),
            _ => {}
        }
    }
    offers
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

/// A bracket that is still open.
struct Open<'a> {
    /// Whether it is the `{` of `#{`.
    is_map: bool,
    /// What is called, if it is the `(` of a call.
    called: String,
    /// Keys given so far, if it is a map.
    keys: Vec<&'a str>,
}

/// The keys that fit where a key of an option map is expected: `f(#{ `.
fn option_keys(session: &Session, input: &str, before: &[Piece]) -> Option<Vec<Pair>> {
    let mut open: Vec<Open<'_>> = Vec::new();
    for (i, piece) in before.iter().enumerate() {
        match &input[piece.range.clone()] {
            "(" => open.push(Open { is_map: false, called: called(input, &before[..i]), keys: Vec::new() }),
            "{" => {
                let is_map = i > 0 && &input[before[i - 1].range.clone()] == "#";
                open.push(Open { is_map, called: String::new(), keys: Vec::new() });
            }
            "[" => open.push(Open { is_map: false, called: String::new(), keys: Vec::new() }),
            ")" | "}" | "]" => drop(open.pop()),
            ":" if i > 0 => {
                if let Some(innermost) = open.last_mut() {
                    innermost.keys.push(&input[before[i - 1].range.clone()]);
                }
            }
            _ => {}
        }
    }
    let [.., call, map] = &open[..] else { return None };
    let expects_key = matches!(&input[before.last()?.range.clone()], "{" | ",");
    let entry = session.runtime.catalog().get(&call.called)?;
    (map.is_map && expects_key).then(|| {
        let left = entry.options().iter().filter(|option| !map.keys.contains(&option.name.as_str()));
        left.map(|option| offer(&option.name, ": ")).collect()
    })
}

/// The name before a `(`, with its module.
fn called(input: &str, before: &[Piece]) -> String {
    let mut words = before.iter().rev().map(|piece| &input[piece.range.clone()]);
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(name), Some(":"), Some(":"), Some(module)) => format!("{module}::{name}"),
        (Some(name), ..) => name.to_owned(),
        (None, ..) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Setup;
    use tumble::Runtime;

    fn offers(session: &Session, input: &str) -> Vec<String> {
        complete(session, input).1.into_iter().map(|pair| pair.replacement).collect()
    }

    #[test]
    fn what_is_offered_fits_the_place() {
        let mut session = Session::new(Runtime::new(), Setup::for_tests());
        session.enter("let width = 3; let p = process::active(); let m = #{ one: 1, two: 2 };");
        assert!(offers(&session, "let x = wi").contains(&"width".to_owned()));
        assert_eq!(offers(&session, "proc"), ["process::"]);
        assert_eq!(offers(&session, "process::pas"), ["passive("]);
        assert_eq!(offers(&session, "process::active(#{ ta"), ["tau: "]);
        assert_eq!(offers(&session, "process::active(#{ k: 1, Tp: 0, T"), ["Ta: "]);
        assert_eq!(offers(&session, "let q = sde(#{ drift: |s| #{ x: 1 }, hor"), ["horizon: "]);
        assert_eq!(offers(&session, "p.ki"), ["kind"]);
        assert_eq!(offers(&session, "p.va"), ["vary("]);
        assert_eq!(offers(&session, "m.tw"), ["two"]);
        assert_eq!(offers(&session, ":he"), [":help "]);
        assert_eq!(offers(&session, ":help process::pas"), ["process::passive"]);
        assert_eq!(offers(&session, ":time process::pas"), ["passive("]);
        assert!(offers(&session, "// pro").is_empty());
        assert!(offers(&session, "1 + prin").contains(&"print(".to_owned()));
        assert!(offers(&session, "for i in 0..wi").contains(&"width".to_owned()));
    }

    #[test]
    fn files_are_offered_in_strings() {
        let session = Session::new(Runtime::new(), Setup::for_tests());
        // The tests run in the root of the package.
        let (start, offers) = complete(&session, "import \"Cargo.t");
        assert_eq!((start, offers.len()), (8, 1));
        assert!(offers[0].replacement.starts_with("Cargo.toml"));
    }
}
