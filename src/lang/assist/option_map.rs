//! The map of options that is being written, and which options it may have.

use std::ops::Range;

use super::scan::{Kind, Piece};
use crate::lang::catalog::OptionEntry;
use crate::lang::runtime::Runtime;

/// An option map that is being written.
pub(super) struct OptionMap<'a> {
    options: &'a [OptionEntry],
    /// Keys given so far, with the strings that they are given.
    pub(super) entries: Vec<(&'a str, Option<&'a str>)>,
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

impl<'a> OptionMap<'a> {
    /// The map that is the last thing open, if it stands in the brackets of a call of a documented function.
    pub(super) fn open(runtime: &'a Runtime, text: &'a str, before: &[Piece]) -> Option<Self> {
        let mut open = open(text, before);
        let map = open.pop().filter(|map| map.is_map)?;
        let entry = runtime.catalog().get(&open.pop()?.called)?;
        Some(Self { options: entry.options(), entries: map.entries })
    }

    /// The options that exist under the words chosen, or under the default ones.
    pub(super) fn available(&self) -> impl Iterator<Item = &'a OptionEntry> {
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
