//! The line editor: history, completion, colours, and when Enter submits.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, EventHandler, KeyCode, KeyEvent, Modifiers};

use tumble::lang::assist;

use super::colours::{coloured, marked};
use super::complete::complete;
use super::keys::{Enter, Remembered, Search};
use super::session::Session;
use crate::cli::terminal;

/// Columns of the mark before an input.
const MARK: usize = 2;
/// Inputs remembered.
const REMEMBERED: usize = 10_000;

/// Reads inputs, of one line or more, from the terminal.
pub(crate) struct Prompt {
    editor: Editor<Helper, DefaultHistory>,
    remembered: Remembered,
    history: Option<PathBuf>,
}

impl Prompt {
    /// An editor that knows the names of `session`.
    pub(crate) fn new(session: Rc<RefCell<Session>>, history: Option<PathBuf>) -> rustyline::Result<Self> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .max_history_size(REMEMBERED)?
            .build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(Helper { session, cursor: RefCell::default() }));
        if let Some(file) = &history {
            // There is none before the first run.
            let _ = editor.load_history(file);
        }
        let remembered = Remembered::default();
        if let Ok(mut known) = remembered.lock() {
            known.extend(editor.history().iter().cloned());
        }
        let key = |code| KeyEvent(code, Modifiers::NONE);
        for (code, is_up) in [(KeyCode::Up, true), (KeyCode::Down, false)] {
            let search = Search { is_up, remembered: remembered.clone() };
            editor.bind_sequence(key(code), EventHandler::Conditional(Box::new(search)));
        }
        editor.bind_sequence(key(KeyCode::Enter), EventHandler::Conditional(Box::new(Enter)));
        Ok(Self { editor, remembered, history })
    }

    /// The next input.
    pub(crate) fn read(&mut self) -> rustyline::Result<String> {
        let input = self.editor.readline(&("> ", "\x1b[1m> \x1b[0m"))?;
        let entry = input.trim_end();
        if let Ok(mut known) = self.remembered.lock() {
            known.insert(entry.to_owned());
        }
        if !entry.is_empty()
            && self.editor.add_history_entry(entry)?
            && let Some(file) = &self.history
        {
            // A full disk or a read-only home must not end the session.
            let _ = self.editor.append_history(file);
        }
        Ok(input)
    }
}

struct Helper {
    session: Rc<RefCell<Session>>,
    /// Where the cursor stands, for the matching bracket; nowhere in the final drawing.
    cursor: RefCell<Option<usize>>,
}

impl rustyline::Helper for Helper {}

/// What a call still takes, which no key turns into a part of the input.
struct Signature(String);

impl Hint for Signature {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Helper {
    type Hint = Signature;

    /// As much as there is room for in the line. Without colours it would look as if it were typed.
    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<Signature> {
        if position < line.len() || line.starts_with(':') || !terminal::colour() {
            return None;
        }
        let signature = assist::signature(&self.session.borrow().runtime, line)?;
        let typed = line.lines().last().map_or(0, |last| last.chars().count());
        let room = terminal::width().saturating_sub(typed + MARK + 1);
        Some(Signature(signature.chars().take(room).collect()))
    }
}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(complete(&self.session.borrow(), &line[..position]))
    }
}

impl Highlighter for Helper {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> std::borrow::Cow<'l, str> {
        marked(&coloured(line, *self.cursor.borrow())).into()
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> std::borrow::Cow<'h, str> {
        format!("\x1b[2m{hint}\x1b[0m").into()
    }

    fn highlight_char(&self, _: &str, position: usize, kind: CmdKind) -> bool {
        *self.cursor.borrow_mut() = (kind != CmdKind::ForcedRefresh).then_some(position);
        true
    }
}

impl Validator for Helper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match self.session.borrow().wants_more(context.input()) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}
