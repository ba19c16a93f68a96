//! The closures that a place in a text is inside of, and what their parameters stand for.

use std::ops::Range;

use super::brackets::{called, entries};
use super::scan::{Kind, Piece};

/// A closure whose end has not come yet.
pub(in crate::lang) struct Closure<'a> {
    /// The names of its parameters.
    pub(in crate::lang) parameters: Vec<&'a str>,
    /// The function that it is given to, if any.
    pub(in crate::lang) called: String,
    /// The option that it is; empty where it is an argument of its own.
    option: &'a str,
    /// The piece by which the call or the map of its options begins.
    begin: usize,
}

/// What a parameter stands for.
pub(in crate::lang) enum Meaning<'a> {
    /// Something with these members.
    Members(Vec<&'a str>),
    /// The parameters of a process, which the variable of this name has.
    Variable(&'a str),
    /// A symbol.
    Symbol,
    Unknown,
}

/// Brackets that are open, with the closures that begin in them.
struct Level<'a> {
    /// The piece of the bracket.
    at: usize,
    closures: Vec<Closure<'a>>,
}

/// The closures that are open behind these pieces, the innermost last.
pub(in crate::lang) fn closures<'a>(text: &'a str, before: &[Piece]) -> Vec<Closure<'a>> {
    let sign = |at: usize| before.get(at).map_or("", |piece| &text[piece.range.clone()]);
    let mut levels = vec![Level { at: 0, closures: Vec::new() }];
    let mut at = 0;
    while at < before.len() {
        match sign(at) {
            "(" | "[" | "{" => levels.push(Level { at, closures: Vec::new() }),
            ")" | "]" | "}" if levels.len() > 1 => drop(levels.pop()),
            "," | ";" => levels.last_mut().expect("the outermost").closures.clear(),
            "|" if at == 0 || !ends_value(&before[at - 1], sign(at - 1)) => {
                let Some(end) = (at + 1..before.len()).find(|&end| sign(end) == "|") else { break };
                let parameters = before[at + 1..end].iter().filter(|piece| piece.kind == Kind::Word);
                let parameters = parameters.map(|piece| &text[piece.range.clone()]).collect();
                let (called, option, begin) = given_to(text, before, at, &levels);
                let closure = Closure { parameters, called, option, begin };
                levels.last_mut().expect("the outermost").closures.push(closure);
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    levels.into_iter().flat_map(|level| level.closures).collect()
}

/// Whether an operator may follow, so that a bar is one.
fn ends_value(piece: &Piece, sign: &str) -> bool {
    matches!(piece.kind, Kind::Word | Kind::Number | Kind::String) || matches!(sign, ")" | "]" | "}")
}

/// Function, option and beginning of what a closure at the piece `at` is given to.
fn given_to<'a>(text: &'a str, before: &[Piece], at: usize, levels: &[Level<'_>]) -> (String, &'a str, usize) {
    let sign = |at: usize| before.get(at).map_or("", |piece| &text[piece.range.clone()]);
    let call = |level: &Level<'_>| match sign(level.at) {
        "(" => called(text, &before[..level.at]),
        _ => String::new(),
    };
    match levels {
        [.., outer, map] if map.at > 0 && sign(map.at) == "{" && sign(map.at - 1) == "#" && at > 1 => {
            (call(outer), sign(at - 2), map.at)
        }
        [.., level] => (call(level), "", level.at),
        [] => (String::new(), "", 0),
    }
}

impl<'a> Closure<'a> {
    /// What a parameter stands for, by the function and the option: of a process the state, the time and the
    /// parameters; of a sweep the point. `all` are the pieces of the text.
    pub(in crate::lang) fn meaning(&self, name: &str, text: &'a str, all: &[Piece]) -> Option<Meaning<'a>> {
        let place = self.parameters.iter().position(|parameter| *parameter == name)?;
        Some(match (self.called.as_str(), self.option, place) {
            ("sde", "start", 0) | ("sde", "drift" | "noise", 2) => self.parameters_of_process(text, all),
            ("sde", "drift" | "noise" | "", 0) => Meaning::Members(self.blocks(text, all)),
            ("sde", "drift" | "noise", 1) => Meaning::Symbol,
            ("sweep", "", 0) => Meaning::Members(axes(text, all, self.begin)),
            _ => Meaning::Unknown,
        })
    }

    /// Whether it gives the laws at t = 0, and so knows parameters alone.
    pub(in crate::lang) fn is_start(&self) -> bool {
        self.option == "start"
    }

    /// The names of the blocks, of a process whose closure it is.
    pub(in crate::lang) fn blocks(&self, text: &'a str, all: &[Piece]) -> Vec<&'a str> {
        match self.value("state", text, all) {
            Some(value) => strings(text, &all[value]),
            None => vec!["x"],
        }
    }

    /// The parameters of a process whose closure it is.
    pub(in crate::lang) fn parameters_of_process(&self, text: &'a str, all: &[Piece]) -> Meaning<'a> {
        let sign = |at: usize| all.get(at).map_or("", |piece| &text[piece.range.clone()]);
        match self.value("params", text, all) {
            Some(value) if sign(value.start) == "#" => Meaning::Members(keys(text, all, value.start + 1)),
            Some(value) if value.len() == 1 => Meaning::Variable(sign(value.start)),
            _ => Meaning::Members(Vec::new()),
        }
    }

    /// The pieces of another option of the same call.
    fn value(&self, key: &str, text: &str, all: &[Piece]) -> Option<Range<usize>> {
        let value = |(name, value): (&str, Range<usize>)| (name == key && !value.is_empty()).then_some(value);
        entries(text, all, self.begin).into_iter().find_map(value)
    }
}

fn keys<'a>(text: &'a str, all: &[Piece], open: usize) -> Vec<&'a str> {
    entries(text, all, open).into_iter().map(|(key, _)| key).collect()
}

fn strings<'a>(text: &'a str, pieces: &[Piece]) -> Vec<&'a str> {
    let strings = pieces.iter().filter(|piece| piece.kind == Kind::String);
    strings.map(|piece| text[piece.range.clone()].trim_matches('"')).collect()
}

/// The members of a point of a sweep: its axes, and where its files may lie.
fn axes<'a>(text: &'a str, all: &[Piece], call: usize) -> Vec<&'a str> {
    let is_map = all.get(call + 1).is_some_and(|piece| &text[piece.range.clone()] == "#");
    let axes = if is_map { keys(text, all, call + 2) } else { Vec::new() };
    axes.into_iter().chain(["folder"]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::scan::pieces;
    use super::*;

    #[test]
    fn closures_are_open_up_to_the_end_of_their_bodies() {
        let names = |text: &str| {
            let all = pieces(text);
            closures(text, &all).into_iter().map(|closure| closure.parameters.join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(names("f(|a, b| a + "), ["a b"]);
        assert_eq!(names("f(|a| { g(a); a.map(|b| b"), ["a", "b"]);
        assert_eq!(names("f(|a| a, "), [""; 0]);
        assert_eq!(names("let f = |a| a; "), [""; 0]);
        assert_eq!(names("x | y || z"), [""; 0]);
        assert_eq!(names("f(|| 1 + "), [""]);
        assert_eq!(names("f(|a, "), [""; 0]);
    }

    #[test]
    fn a_closure_knows_whose_it_is() {
        let text = "sde(#{ state: [\"x\", \"eta\"], params: #{ k: 1, tau: [2, 3] }, drift: |s, t, p| #{ x: ";
        let all = pieces(text);
        let closure = closures(text, &all).pop().unwrap();
        assert_eq!((closure.called.as_str(), closure.option), ("sde", "drift"));
        assert!(matches!(closure.meaning("s", text, &all), Some(Meaning::Members(names)) if names == ["x", "eta"]));
        assert!(matches!(closure.meaning("p", text, &all), Some(Meaning::Members(names)) if names == ["k", "tau"]));
        assert!(closure.meaning("q", text, &all).is_none());
        let text = "sweep(#{ tau: [1, 2], seed: 0..5 }, |point| ";
        let all = pieces(text);
        let closure = closures(text, &all).pop().unwrap();
        let meaning = closure.meaning("point", text, &all);
        assert!(matches!(meaning, Some(Meaning::Members(names)) if names == ["tau", "seed", "folder"]));
    }
}
