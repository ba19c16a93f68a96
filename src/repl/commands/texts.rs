//! `:search` and `:source`.

use tumble::Diagnostic;
use tumble::lang::assist;

use crate::repl::colours::coloured;
use crate::repl::session::{Outcome, Session};

pub(super) fn search(session: &mut Session, words: &str) -> Result<Outcome, Diagnostic> {
    let found = session.page().found(session.runtime.catalog(), words)?;
    session.setup.screen.print_page(found.trim_end());
    Ok(Outcome::Done)
}

pub(super) fn source(session: &mut Session, name: &str) -> Result<Outcome, Diagnostic> {
    let name = name.trim_end_matches("()");
    let found = assist::source(&session.runtime, name);
    if found.is_empty() {
        // What nothing has is an error with the nearest name.
        session.page().named(session.runtime.catalog(), name)?;
        let mut diagnostic = Diagnostic::plain(format!("`{name}` is built in, and has no script text"));
        diagnostic.hints.push(format!("`:help {name}` shows what it takes"));
        return Err(diagnostic);
    }
    for source in found {
        session.setup.screen.print(&format!("// {}, line {}", source.file, source.line));
        let text = if session.page().colour { coloured(&source.text, None) } else { source.text };
        session.setup.screen.print_page(&text);
    }
    Ok(Outcome::Done)
}
