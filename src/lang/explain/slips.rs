//! What people write by habit who come from another language or another prompt, and how it is written here.

use crate::lang::assist::closure::{Meaning, closures};
use crate::lang::assist::scan::pieces;
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
    ("np", ARRAYS),
    ("numpy", ARRAYS),
    ("jnp", ARRAYS),
    ("torch", ARRAYS),
    ("scipy", ARRAYS),
    ("math", ARRAYS),
    ("plt", FIGURES),
    ("matplotlib", FIGURES),
    ("pd", "a table is read by io::read(\"table.csv\"), data by dataset::from_file(\"table.csv\")"),
    ("pandas", "a table is read by io::read(\"table.csv\"), data by dataset::from_file(\"table.csv\")"),
    ("lambda", CLOSURE),
    ("enumerate", "the number comes second: for (x, i) in [3, 4] { .. }"),
    ("format", TEXT),
    ("append", "write y.push(x)"),
    ("str", "write x.to_string()"),
    ("quit", "at the prompt :quit leaves, as Ctrl-D does; a script ends with exit()"),
    ("exit", "at the prompt :quit leaves, as Ctrl-D does; a script ends with exit()"),
    ("help", "at the prompt :help shows what there is, and :help NAME what a function takes"),
    ("vars", "at the prompt :vars lists the variables"),
    ("who", "at the prompt :vars lists the variables"),
    ("whos", "at the prompt :vars lists the variables"),
    ("reset", "at the prompt :reset forgets all variables and functions"),
    ("clear", "at the prompt :reset forgets all variables and functions, and Ctrl-L clears the screen"),
];

const ARRAYS: &str = "functions of numbers and tensors have no prefix: sqrt(x), tensor([1, 2]), linspace(0, 1, 5)";
const FIGURES: &str = "figures are drawn by the module plot: plot::scatter([x])";
const CLOSURE: &str = "a closure is written |x| x + 1";
pub(super) const TEXT: &str = "values stand in a text between backticks: `x is ${x}`";
const BRANCH: &str = "a branch gives a value: let y = if x > 0 { 1 } else { 2 }";
const VARIABLES: &str = "each variable has a let of its own: let a = ..; let b = ..";

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
    let instead = habit(line, before, here, statement);
    if instead.is_some() {
        return instead;
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

/// Constructs of other languages, by what stands before and at the place where they are noticed.
fn habit(line: &str, before: &str, here: &str, statement: &str) -> Option<String> {
    let trimmed = before.trim_end();
    let (first, next) = (first_word(statement), first_word(here));
    let is_quote = here.starts_with(['"', '\'']);
    let instead = match innermost(before) {
        _ if is_quote && last_word(before) == "f" && before.ends_with('f') => TEXT,
        _ if last_word(before) == "lambda" => CLOSURE,
        _ if first == "let" && trimmed.ends_with("let") && here.starts_with('(') => VARIABLES,
        _ if first == "let" && here.starts_with(',') && !statement.contains('=') => VARIABLES,
        _ if first == "for" && here.starts_with('=') => "write for i in 1..10 { .. }, which goes from 1 to 9",
        _ if first == "for" && line.contains("range(") && line.trim_end().ends_with(':') => {
            "write for i in 0..3 { .. }, which goes from 0 to 2"
        }
        Some((_, '[')) if next == "for" => return Some(each(before, here)),
        Some((outside, '[')) if here.starts_with(':') && outside.ends_with(|c| is_of_word(c) || ")]".contains(c)) => {
            "a part of an array is x.extract(1..3), of a tensor t[1..3] or t[1..]"
        }
        Some((outside, '(')) if here.starts_with(',') && !outside.ends_with(is_of_word) => {
            "several values are an array: [1, 2]"
        }
        Some((outside, '{')) if here.starts_with(':') && outside.ends_with('#') && trimmed.ends_with(['{', ',']) => {
            "a key is missing before the colon: #{ key: value }"
        }
        Some((outside, '{')) if here.starts_with(':') && outside.trim_end().ends_with(['=', '[', ',']) => {
            "a map begins with #{: #{ key: value }"
        }
        _ if next == "if" && !statement.is_empty() && !trimmed.ends_with(['{', '}', ';']) => BRANCH,
        _ if here.starts_with('?') && !statement.is_empty() => BRANCH,
        _ => return None,
    };
    Some(instead.to_owned())
}

/// The bracket that is open at the end of a line, and what stands before it.
fn innermost(before: &str) -> Option<(&str, char)> {
    let mut depth = 0;
    before.char_indices().rev().find_map(|(at, c)| {
        depth += i32::from(")]}".contains(c)) - i32::from("([{".contains(c));
        (depth < 0).then(|| (&before[..at], c))
    })
}

/// `[2 * x for x in y]` as it is written here.
fn each(before: &str, here: &str) -> String {
    let (inside, rest) = (before.rsplit('[').next().unwrap_or_default().trim(), here.trim_start_matches("for"));
    let (name, values) = rest.split_once(" in ").unwrap_or(("x", "y"));
    let values = values.split(']').next().unwrap_or_default();
    let values = values.split(" if ").next().unwrap_or_default().trim();
    let filter = if here.contains(" if ") { ", and y.filter(|x| ..) takes some" } else { "" };
    match !values.is_empty() && values.chars().all(|c| is_of_word(c) || c == '.') && !values.contains("..") {
        true => format!("write {values}.map(|{}| {inside}){filter}", name.trim()),
        false => format!("write y.map(|{}| {inside}), where y is an array{filter}", name.trim()),
    }
}

/// The way out for a name that only the closure of a process has, as a member of its parameters.
pub(super) fn member(place: &Place) -> Option<String> {
    let (text, all) = (&place.text, pieces(&place.text));
    let here = all.iter().position(|piece| piece.range.start >= place.range().start)?;
    let name = &text[all[here].range.clone()];
    let closure = closures(text, &all[..here]).pop().filter(|closure| closure.called == "sde")?;
    let (place, usual) = if closure.is_start() { (0, "|p|") } else { (2, "|s, t, p|") };
    if let Meaning::Members(parameters) = closure.parameters_of_process(text, &all)
        && parameters.contains(&name)
    {
        return Some(match closure.parameters.get(place) {
            Some(given) => format!("a parameter of the process is read from the closure's {given}: {given}.{name}"),
            None => format!("a parameter of the process is read from what the closure is given: {usual} .. p.{name}"),
        });
    }
    if let Some(state) = closure.parameters.first().filter(|_| !closure.is_start())
        && closure.blocks(text, &all).contains(&name)
    {
        return Some(format!("a block of the state is read from the closure's {state}: {state}.{name}"));
    }
    let missing = ["s", "t", "p"].iter().position(|usual| *usual == name)?;
    (!closure.is_start() && closure.parameters.len() <= missing)
        .then(|| "closures of a process take the state, the time and the parameters: |s, t, p|".to_owned())
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
