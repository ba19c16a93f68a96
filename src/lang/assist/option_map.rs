//! The map of options that is being written, and which options it may have.

use super::scan::{Kind, Piece, pieces};
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
    is_map: bool,
    /// What is called, if it is the `(` of a call.
    pub(super) called: String,
    /// Of a map, the keys so far, with the strings that they are given.
    entries: Vec<(&'a str, Option<&'a str>)>,
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

/// A text with `resume: true` in each map of options that has a folder for checkpoints and does not say so.
pub fn resuming(text: &str) -> String {
    let all = pieces(text);
    let mut resuming = text.to_owned();
    for at in (1..all.len()).rev().filter(|&at| &text[all[at].range.clone()] == "}") {
        let map = open(text, &all[..at]).pop().filter(|map| map.is_map).unwrap_or_default();
        let has = |name| map.entries.iter().any(|(key, _)| *key == name);
        if has("checkpoint") && !has("resume") {
            let last = all[..at].iter().rfind(|piece| piece.kind != Kind::Comment).expect("the key");
            let comma = if &text[last.range.clone()] == "," { "" } else { "," };
            resuming.insert_str(last.range.end, &format!("{comma} resume: true"));
        }
    }
    resuming
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
    fn trainings_with_a_folder_go_on() {
        let after = |text: &str, expected: &str| assert_eq!(resuming(text), expected);
        after("f(#{ checkpoint: \"a\" })", "f(#{ checkpoint: \"a\", resume: true })");
        after(
            "f(#{ checkpoint: x + y(1, 2), }); g(#{ checkpoint: `a` // b\n})",
            "f(#{ checkpoint: x + y(1, 2), resume: true }); g(#{ checkpoint: `a`, resume: true // b\n})",
        );
        for text in
            ["f(#{ checkpoint: \"a\", resume: x })", "{ checkpoint }", "#{ a: 1 }", "// #{ checkpoint: 1 }", "}"]
        {
            after(text, text);
        }
    }
}
