//! Brackets: which are open, what is called by them, the keys of maps in them, and those without their others.

use std::ops::Range;

use super::scan::{Kind, Piece, pieces};

/// The first bracket of a text that has no other, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lang) enum Unmatched {
    /// It closes nothing.
    Closing { at: usize },
    /// It closes a bracket of another kind.
    Other { open: usize, at: usize },
    /// It is open at the end; of several, the innermost.
    Open { at: usize },
}

/// The first bracket that has no other, if any.
pub(in crate::lang) fn unmatched(text: &str) -> Option<Unmatched> {
    let mut open = Vec::new();
    for piece in pieces(text).into_iter().filter(|piece| piece.kind == Kind::Sign) {
        let at = piece.range.start;
        let opening = match &text[piece.range] {
            "(" | "[" | "{" => {
                open.push(at);
                continue;
            }
            ")" => '(',
            "]" => '[',
            "}" => '{',
            _ => continue,
        };
        match open.pop() {
            None => return Some(Unmatched::Closing { at }),
            Some(before) if !text[before..].starts_with(opening) => return Some(Unmatched::Other { open: before, at }),
            Some(_) => {}
        }
    }
    open.pop().map(|at| Unmatched::Open { at })
}

/// A bracket that is still open.
#[derive(Default)]
pub(super) struct Open<'a> {
    /// Its place among the pieces.
    pub(super) at: usize,
    /// Commas in it so far.
    pub(super) commas: usize,
    /// Whether it is the `{` of `#{`.
    pub(super) is_map: bool,
    /// What is called, if it is the `(` of a call.
    pub(super) called: String,
    /// Of a map, the keys so far, with the strings that they are given.
    pub(super) entries: Vec<(&'a str, Option<&'a str>)>,
}

/// The keys of the map whose `{` is the piece `open`, and the pieces of their values; the last value may be unfinished.
pub(in crate::lang) fn entries<'a>(text: &'a str, all: &[Piece], open: usize) -> Vec<(&'a str, Range<usize>)> {
    let sign = |at: usize| all.get(at).map_or("", |piece| &text[piece.range.clone()]);
    let mut entries: Vec<(&str, Range<usize>)> = Vec::new();
    let mut depth = 0;
    for at in open + 1..all.len() {
        // Names of a closure have commas too.
        let begins = at == open + 1 || (depth == 0 && sign(at - 1) == ",");
        if begins && sign(at + 1) == ":" {
            entries.push((sign(at).trim_matches('"'), at + 2..at + 2));
        }
        match sign(at) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 0 => break,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if let Some((_, value)) = entries.last_mut()
            && at >= value.start
            && !(depth == 0 && sign(at) == ",")
        {
            value.end = at + 1;
        }
    }
    entries
}

/// The brackets that are open behind these pieces, the innermost last.
pub(super) fn open<'a>(text: &'a str, before: &[Piece]) -> Vec<Open<'a>> {
    let mut open: Vec<Open<'a>> = Vec::new();
    for (at, piece) in before.iter().enumerate() {
        let earlier = |back: usize| at.checked_sub(back).map_or("", |at| &text[before[at].range.clone()]);
        match &text[piece.range.clone()] {
            "(" => open.push(Open { at, called: called(text, &before[..at]), ..Open::default() }),
            "{" => open.push(Open { at, is_map: earlier(1) == "#", ..Open::default() }),
            "[" => open.push(Open { at, ..Open::default() }),
            ")" | "}" | "]" => drop(open.pop()),
            "," => {
                if let Some(innermost) = open.last_mut() {
                    innermost.commas += 1;
                }
            }
            ":" if at > 0 => {
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
    open
}

/// The name before a `(`, with its module.
pub(super) fn called(text: &str, before: &[Piece]) -> String {
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

    #[test]
    fn the_first_bracket_without_another_is_found() {
        let cases = [
            ("f(#{ a: [1] })", None),
            ("1 + 2)", Some(Unmatched::Closing { at: 5 })),
            ("f(3]", Some(Unmatched::Other { open: 1, at: 3 })),
            ("f(#{ a: [1 }", Some(Unmatched::Other { open: 8, at: 11 })),
            ("f(#{ a: 1", Some(Unmatched::Open { at: 3 })),
            ("\")\" // )\n('(', `)`)", None),
        ];
        for (text, expected) in cases {
            assert_eq!(unmatched(text), expected, "{text}");
        }
    }
}
