//! What stands before a dot.

use super::scan::{Kind, Piece};
use crate::lang::runtime::{Runtime, Value};

/// The words with dots between them that a text ends with: `r`, `best` of `r.best`; none where anything else is a part
/// of them.
pub(super) fn receiver<'a>(text: &'a str, before: &[Piece]) -> Vec<&'a str> {
    let mut words = Vec::new();
    let mut rest = before;
    while let [earlier @ .., word] = rest {
        if word.kind != Kind::Word {
            return Vec::new();
        }
        words.insert(0, &text[word.range.clone()]);
        match earlier {
            [earlier @ .., dot] if &text[dot.range.clone()] == "." => rest = earlier,
            [.., colon] if &text[colon.range.clone()] == ":" && is_path(text, earlier) => return Vec::new(),
            _ => return words,
        }
    }
    Vec::new()
}

/// Whether `::` ends these pieces.
fn is_path(text: &str, pieces: &[Piece]) -> bool {
    matches!(pieces, [.., first, second] if &text[first.range.start..second.range.end] == "::")
}

/// The value of a variable, or of a key of a map in it.
pub(super) fn valued(runtime: &Runtime, words: &[&str]) -> Option<Value> {
    let (variable, keys) = words.split_first()?;
    let (_, value) = runtime.variables().into_iter().find(|(name, _)| name == variable)?;
    keys.iter().try_fold(value, |map, key| runtime.entry(&map, key))
}
