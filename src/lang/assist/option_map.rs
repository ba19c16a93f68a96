//! The map of options that is being written, and which options it may have.

use super::brackets::open;
use super::scan::Piece;
use crate::lang::catalog::OptionEntry;
use crate::lang::runtime::Runtime;

/// An option map that is being written.
pub(super) struct OptionMap<'a> {
    options: &'a [OptionEntry],
    /// Keys given so far, with the strings that they are given.
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
