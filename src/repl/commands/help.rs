//! `:help`, `:search` and `:source`.

use tumble::Diagnostic;
use tumble::lang::assist;

use super::{Command, named, required, rows};
use crate::cli::terminal;
use crate::repl::colours::coloured;
use crate::repl::session::{Outcome, Session};

const KEYS: &[(&str, &str)] = &[
    ("Tab", "complete names, options, properties, files"),
    ("Enter", "evaluate; in an unfinished input a new line, in an empty one evaluate anyway"),
    ("Up, Down", "earlier inputs; of those that begin with what is typed"),
    ("Ctrl-R", "search earlier inputs"),
    ("Ctrl-C", "clear the input; stop a computation, keeping what is defined"),
    ("Ctrl-D", "leave"),
];

pub(super) fn help(session: &mut Session, name: &str) -> Result<Outcome, Diagnostic> {
    let page = session.page();
    if name.is_empty() {
        overview(session);
        return Ok(Outcome::Done);
    }
    let command: Option<&Command> = named(&format!(":{}", name.trim_start_matches(':')));
    let row = command.map(|command| page.table(&[(command.form, command.about)]));
    let entry = page.named(session.runtime.catalog(), name);
    // A command may bear the name of a function: `:save` and `save`.
    let text = match (row, entry) {
        (Some(row), Ok(entry)) if !name.starts_with(':') => format!("{row}\n{entry}"),
        (Some(row), _) => row,
        (None, entry) => entry?,
    };
    terminal::print_page(text.trim_end());
    Ok(Outcome::Done)
}

fn overview(session: &Session) {
    let page = session.page();
    let catalog = session.runtime.catalog();
    let modules: Vec<_> = catalog.modules().collect();
    let is_function = |name: &&str| !name.contains("::") && !name.contains('.');
    let functions: Vec<_> = catalog.entries().map(|entry| entry.name.as_str()).filter(is_function).collect();
    let intro = "Inputs are statements of the Rhai language; the value of an expression is shown and kept in `ans`.";
    let section = |heading: &str, body: String| format!("{}{body}", page.doc(heading));
    let text = [
        page.doc(intro),
        section("# Commands", page.table(&rows())),
        section("# Keys", page.table(KEYS)),
        section("# Modules (:help NAME lists one)", page.doc(&modules.join(", "))),
        section("# Functions", page.doc(&functions.join(", "))),
    ];
    terminal::print_page(text.join("\n").trim_end());
}

pub(super) fn search(session: &mut Session, words: &str) -> Result<Outcome, Diagnostic> {
    let words = required(words, ":search")?;
    let found = session.page().found(session.runtime.catalog(), words)?;
    terminal::print_page(found.trim_end());
    Ok(Outcome::Done)
}

pub(super) fn source(session: &mut Session, name: &str) -> Result<Outcome, Diagnostic> {
    let name = required(name, ":source")?.trim_end_matches("()");
    let found = assist::source(&session.runtime, name);
    if found.is_empty() {
        // What nothing has is an error with the nearest name.
        session.page().named(session.runtime.catalog(), name)?;
        let mut diagnostic = Diagnostic::plain(format!("`{name}` is built in, and has no script text"));
        diagnostic.hints.push(format!("`:help {name}` shows what it takes"));
        return Err(diagnostic);
    }
    for source in found {
        terminal::print(&format!("// {}, line {}", source.file, source.line));
        let text = if terminal::colour() { coloured(&source.text, None) } else { source.text };
        terminal::print_page(&text);
    }
    Ok(Outcome::Done)
}
