//! What people write by habit who come from another language or another prompt, and how it is written here.

use crate::lang::diagnostics::Place;
use crate::lang::sources::is_of_word;

/// Words that stand for a value or a command elsewhere, and the way out.
const WORDS: &[(&str, &str)] = &[
    ("nan", "write 0 / 0, which is no number"),
    ("inf", "write 1 / 0, which is infinite"),
    ("infinity", "write 1 / 0, which is infinite"),
    ("pi", "write PI"),
    ("none", "write (), which is nothing"),
    ("null", "write (), which is nothing"),
    ("nil", "write (), which is nothing"),
    ("true", "write true"),
    ("false", "write false"),
    ("quit", "at the prompt :quit leaves, as Ctrl-D does; a script ends with exit()"),
    ("exit", "at the prompt :quit leaves, as Ctrl-D does; a script ends with exit()"),
    ("help", "at the prompt :help shows what there is, and :help NAME what a function takes"),
    ("vars", "at the prompt :vars lists the variables"),
    ("who", "at the prompt :vars lists the variables"),
    ("whos", "at the prompt :vars lists the variables"),
    ("reset", "at the prompt :reset forgets all variables and functions"),
    ("clear", "at the prompt :reset forgets all variables and functions, and Ctrl-L clears the screen"),
];

/// Words with which a statement begins elsewhere.
const BEGINNINGS: &[(&str, &str)] = &[
    ("def", "a function is written fn f(x) { x + 1 }, a closure |x| x + 1"),
    ("function", "a function is written fn f(x) { x + 1 }, a closure |x| x + 1"),
    ("func", "a function is written fn f(x) { x + 1 }, a closure |x| x + 1"),
    ("lambda", "a function is written fn f(x) { x + 1 }, a closure |x| x + 1"),
    ("not", "write ! for not, && for and, || for or"),
    ("elif", "write } else if x { .. }"),
    ("var", "a new variable is made with let: let x = 3"),
    ("print", "write brackets: print(x)"),
    ("from", "a module is a file: import \"name\" as name"),
];

/// The way out for a word that is no variable or function.
pub(super) fn word(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    WORDS.iter().find(|(known, _)| *known == name).map(|(_, instead)| *instead)
}

/// The line of a place, before it and from it on.
fn split(place: &Place) -> Option<(&str, &str, &str)> {
    let line = place.text.lines().nth(place.line.checked_sub(1)?)?;
    let at = line.char_indices().nth(place.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    Some((line, &line[..at], &line[at..]))
}

/// The way out where a name that nothing has stands in a statement that means something elsewhere.
pub(super) fn name(place: &Place) -> Option<String> {
    let (line, before, here) = split(place)?;
    let name = first_word(here);
    let behind = here[name.len()..].trim_start();
    if let Some(name) = asked(line) {
        return Some(format!("at the prompt :help {name} shows what it takes"));
    }
    if last_word(before) == "import" {
        return Some(format!("a module is a file: import \"{name}\" as {name}"));
    }
    let is_new = behind.starts_with('=') && !behind.starts_with("==") && statement(before).is_empty();
    is_new.then(|| format!("a new variable is made with let: let {name} = .."))
}

/// The way out for what does not compile at a place.
pub(super) fn syntax(place: &Place) -> Option<String> {
    let (line, before, here) = split(place)?;
    let statement = statement(before);
    let begun = if statement.is_empty() { here } else { statement };
    let first = first_word(begun);
    if let Some(name) = asked(line) {
        return Some(format!("at the prompt :help {name} shows what it takes"));
    }
    let has_brackets = begun[first.len()..].trim_start().starts_with('(');
    let fits = |known: &str| known == first && !(known == "print" && has_brackets);
    let beginning = BEGINNINGS.iter().find(|(known, _)| fits(known)).map(|(_, instead)| (*instead).to_owned());
    beginning.or_else(|| operator(before, here)).or_else(|| argument(before, here)).or_else(|| other(line, here))
}

/// The statement that a line is in the middle of.
fn statement(before: &str) -> &str {
    before.rsplit([';', '{', '}']).next().unwrap_or(before).trim_start()
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !is_of_word(c)).next().unwrap_or_default()
}

fn last_word(text: &str) -> &str {
    let text = text.trim_end();
    text.rsplit(|c: char| !is_of_word(c)).next().unwrap_or_default()
}

/// The name in `?name`, `name?` and `help(name)`.
fn asked(line: &str) -> Option<&str> {
    let line = line.trim();
    let asked = line.strip_prefix('?').or_else(|| line.strip_suffix('?'));
    let name = asked.or_else(|| line.strip_prefix("help(")?.strip_suffix(')'))?.trim_matches(['?', ' ', '"']);
    (!name.is_empty() && name.chars().all(|c| is_of_word(c) || c == ':')).then_some(name)
}

fn operator(before: &str, here: &str) -> Option<String> {
    let instead = match first_word(here) {
        "and" => "&&",
        "or" => "||",
        _ if last_word(before) == "not" => "!",
        _ => return here.starts_with("++").then(|| "write x += 1".to_owned()),
    };
    Some(format!("write {instead}: there is ! for not, && for and, || for or"))
}

/// Named arguments, and maps without their sign.
fn argument(before: &str, here: &str) -> Option<String> {
    let (call, inside) = before.rsplit_once('(')?;
    let name = last_word(inside);
    let function = call.rsplit(|c: char| !is_of_word(c) && c != ':').next()?;
    let is_named = here.starts_with(['=', ':']) && !name.is_empty() && !function.is_empty();
    let map_without_sign = inside.trim_start().starts_with('{') && here.trim_start().starts_with([':', '}', ')']);
    if is_named && !inside.contains('{') {
        return Some(format!("options go in a map: {function}(#{{ {name}: .. }})"));
    }
    map_without_sign.then(|| format!("a map begins with #{{: {function}(#{{ {name}: .. }})"))
}

fn other(line: &str, here: &str) -> Option<String> {
    if line.trim_start().starts_with('#') && !line.trim_start().starts_with("#{") {
        return Some("a comment begins with //".to_owned());
    }
    if here.starts_with('\'') {
        return Some("a text stands in double quotes: \"..\"".to_owned());
    }
    let begins_block = ["if ", "for ", "while ", "else"].iter().any(|word| line.trim_start().starts_with(word));
    (begins_block && line.trim_end().ends_with(':')).then(|| "a block stands in braces: { .. }".to_owned())
}
