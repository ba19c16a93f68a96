//! Any text at all: checked, run, completed, coloured, asked help on.

use tumble::lang::assist::{Completion, Page, complete, highlight};

use super::choices::Choices;
use super::tokens::{changed_script, spliced};
use super::trial::{Trial, check_shown};

/// Texts longer than this are cut: time goes by their length.
const LONGEST: usize = 4_000;

/// The target.
pub fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let kind = choices.below(4);
    let cursor = choices.below(1 << 12);
    let text = match kind {
        0 => String::from_utf8_lossy(&choices.rest()[..choices.rest().len().min(LONGEST)]).into_owned(),
        1 => spliced(&mut choices, LONGEST),
        _ => changed_script(&mut choices, 8),
    };
    let trial = Trial::default();
    let mut runtime = trial.runtime();
    if let Err(diagnostic) = runtime.check("a text", &text) {
        check_shown(&diagnostic);
    }
    let _ = runtime.is_incomplete(&text);
    let cursor = text.floor_char_boundary(cursor);
    let mut end = 0;
    for (range, _) in highlight(&text, Some(cursor)) {
        assert!(range.start >= end && text.get(range.clone()).is_some(), "{range:?}");
        end = range.end;
    }
    if let Completion::Names { start, candidates } = complete(&runtime, &text[..cursor]) {
        let word = &text[start..cursor];
        assert!(candidates.iter().all(|candidate| candidate.name.starts_with(word)));
    }
    let page = Page { width: 20 + cursor % 100, colour: cursor % 2 == 0 };
    let _ = page.doc(&text);
    match page.named(runtime.catalog(), &text[..cursor]) {
        Ok(help) => assert!(!help.is_empty()),
        Err(diagnostic) => check_shown(&diagnostic),
    }
    if let Err(diagnostic) = runtime.run(&text) {
        check_shown(&diagnostic);
    }
    // What was defined before an error stays, and is completed.
    let _ = complete(&runtime, &text[..cursor]);
}
