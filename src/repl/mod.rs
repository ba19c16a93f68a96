//! The prompt.

mod colours;
mod commands;
pub(crate) mod complete;
mod editor;
mod keys;
mod script;
pub(crate) mod session;
mod tour;

use std::cell::RefCell;
use std::io::{BufRead, IsTerminal};
use std::rc::Rc;

use rustyline::error::ReadlineError;
use tumble::Runtime;
use tumble::lang::diagnostics::wrapped;

use crate::cli::{FAILURE, Setup, terminal};
use session::{Outcome, Session};

/// What the prompt says first.
const GREETING: &str =
    concat!("tumble ", env!("CARGO_PKG_VERSION"), " - :help shows what there is, Tab completes, Ctrl-D leaves");

/// Three things to try.
const TRY: &[(&str, &str)] = &[
    ("  :tour", "ten short steps, from noise to samples"),
    ("  print(process::active())", "a process: equations, class, warnings"),
    ("  :search wasserstein", "what has that word in its help"),
];

/// What `tumble repl --help` says of the commands.
pub(crate) fn commands() -> String {
    let page = tumble::lang::assist::Page { width: terminal::width(), colour: false };
    format!("At the prompt:\n{}", page.table(&commands::rows()))
}

/// Runs the prompt until the user leaves, or standard input as its inputs, and returns the exit code.
pub(crate) fn start(runtime: Runtime, setup: Setup) -> u8 {
    let session = Session::new(runtime, setup);
    if std::io::stdin().is_terminal() { converse(session) } else { replay(session) }
}

fn converse(session: Session) -> u8 {
    session.setup.interrupt.stay();
    let history = session.setup.history.clone();
    let session = Rc::new(RefCell::new(session));
    let mut editor = match editor::Prompt::new(session.clone(), history) {
        Ok(editor) => editor,
        Err(error) => {
            terminal::complain(&format!("error: the terminal cannot be used for a prompt: {error}"));
            return FAILURE;
        }
    };
    terminal::print(&wrapped(GREETING, terminal::width()));
    terminal::print_page(session.borrow().page().table(TRY).trim_end());
    loop {
        match editor.read() {
            Ok(input) => {
                // The editor borrows the session only while it reads.
                if let Outcome::Leave(code) = enter(&mut session.borrow_mut(), &input) {
                    return code;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return 0,
            // A stray byte, as text in another encoding has them, must not end the session.
            Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                terminal::complain("error: what was typed is no UTF-8, and is forgotten");
            }
            Err(error) => {
                terminal::complain(&format!("error: {error}"));
                return FAILURE;
            }
        }
    }
}

/// Inputs from a pipe or a file: the same as typed, but the first failure ends it, and an empty line ends nothing.
fn replay(mut session: Session) -> u8 {
    let mut input = String::new();
    let mut lines = std::io::stdin().lock().lines();
    loop {
        let line = match lines.next().transpose() {
            Ok(line) => line,
            Err(error) => {
                terminal::complain(&format!("error: cannot read standard input: {error}"));
                return FAILURE;
            }
        };
        let at_end = line.is_none();
        if let Some(line) = line {
            if !input.is_empty() {
                input.push('\n');
            }
            input.push_str(&line);
        }
        if !at_end && session.is_incomplete(&input) {
            continue;
        }
        match enter(&mut session, &std::mem::take(&mut input)) {
            Outcome::Leave(code) => return code,
            Outcome::Failed(code) => return code,
            // A network half trained must not be gone on with.
            Outcome::Done if session.was_stopped => return terminal::interrupted(),
            Outcome::Done if at_end => return 0,
            Outcome::Done => {}
        }
    }
}

/// Carries out a command, or evaluates an input and shows its value.
pub(crate) fn enter(session: &mut Session, input: &str) -> Outcome {
    let input = input.trim_end();
    match input.trim_start() {
        "" => Outcome::Done,
        command if command.starts_with(':') => commands::run(session, command),
        _ => session.evaluate(input),
    }
}
