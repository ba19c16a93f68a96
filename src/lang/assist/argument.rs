//! The argument that is being written: which parameter it is, and what is known of that.

use super::brackets::open;
use super::receiver::receiver;
use super::scan::{Kind, Piece};
use super::types::parameter;
use crate::lang::catalog::Entry;
use crate::lang::runtime::Runtime;

/// Names of options and parameters that files and folders are given by.
pub(super) const FILES: &[&str] = &["file", "path", "folder", "checkpoint", "trajectory", "topology"];

/// Options that name columns of the table that is the first argument, and parameters that are a label of data.
pub(super) const OF_TABLES: &[&str] = &["labels", "columns"];
pub(super) const OF_CLASSES: &[&str] = &["label", "class"];

/// The argument that is being written, of a call that may have several forms.
#[derive(Default)]
pub(super) struct Argument<'a> {
    entry: Option<&'a Entry>,
    /// The names of its parameter.
    pub(super) names: Vec<&'a str>,
    /// What stands before the dot, of a method.
    pub(super) receiver: Option<Vec<&'a str>>,
}

impl Argument<'_> {
    /// The words that it may be, as help lists them: "- `way`: `"coordinate"`, .. ; `"whole"`, ..".
    pub(super) fn words(&self) -> Vec<String> {
        let doc = self.entry.map_or("", |entry| &entry.doc);
        let section =
            doc.split("# Arguments\n").nth(1).and_then(|rest| rest.split("\n\n# ").next()).unwrap_or_default();
        let is_own = |item: &&str| self.names.iter().any(|name| item.starts_with(&format!("`{name}`:")));
        let items = section.split("- ").filter(is_own);
        let quoted = items.flat_map(|item| item.split('`').skip(3).step_by(2));
        quoted.filter_map(|word| Some(word.strip_prefix('"')?.strip_suffix('"')?.to_owned())).collect()
    }
}

/// The argument being written, where no other bracket is open in it.
pub(super) fn argument<'a>(runtime: &'a Runtime, text: &'a str, before: &[Piece]) -> Argument<'a> {
    let Some(call) = open(text, before).pop().filter(|call| !call.called.is_empty()) else {
        return Argument::default();
    };
    let is_method = call.at >= 2 && &text[before[call.at - 2].range.clone()] == ".";
    let position = call.commas + usize::from(is_method);
    let entry = runtime.catalog().get(&call.called);
    let forms = entry.into_iter().flat_map(|entry| &entry.forms);
    Argument {
        entry,
        names: forms.filter_map(|form| parameter(form, position)).map(|(name, _)| name).collect(),
        receiver: is_method.then(|| receiver(text, &before[..call.at - 2])),
    }
}

/// The columns of the table that is the first argument of the call in whose options a text ends.
pub(super) fn columns(runtime: &Runtime, text: &str, before: &[Piece]) -> Vec<String> {
    let call = open(text, before).into_iter().rfind(|bracket| !bracket.called.is_empty());
    let file = call.and_then(|call| before.get(call.at + 1)).filter(|piece| piece.kind == Kind::String);
    file.map(|file| runtime.columns(text[file.range.clone()].trim_matches('"'))).unwrap_or_default()
}
