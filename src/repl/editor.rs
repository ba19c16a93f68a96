//! The line editor: history, completion, colours, and when Enter submits.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor};

use super::colours::coloured;
use super::complete::complete;
use super::session::Session;

/// Inputs remembered.
const REMEMBERED: usize = 10_000;

/// Reads inputs, of one line or more, from the terminal.
pub(crate) struct Prompt {
    editor: Editor<Helper, DefaultHistory>,
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
        Ok(Self { editor, history })
    }

    /// The next input.
    pub(crate) fn read(&mut self) -> rustyline::Result<String> {
        let input = self.editor.readline(&("> ", "\x1b[1m> \x1b[0m"))?;
        let entry = input.trim_end();
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

impl Hinter for Helper {
    type Hint = String;
}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(complete(&self.session.borrow(), &line[..position]))
    }
}

impl Highlighter for Helper {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> std::borrow::Cow<'l, str> {
        coloured(line, *self.cursor.borrow()).into()
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
