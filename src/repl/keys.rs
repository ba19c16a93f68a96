//! Keys that mean more at this prompt than to the editor.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, RepeatCount};
use tumble::lang::assist;

/// Columns by which a bracket indents.
const INDENT: usize = 4;

/// Enter: within brackets the next line is indented.
pub(super) struct Enter;

impl ConditionalEventHandler for Enter {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let line = context.line();
        let last = line.rsplit_once('\n').map_or(line, |(_, last)| last);
        let is_command = line.trim_start().starts_with(':');
        let depth = assist::depth(line);
        // An empty line submits.
        let goes_on = depth > 0 && context.pos() == line.len() && !last.trim().is_empty() && !is_command;
        goes_on.then(|| Cmd::Insert(1, format!("\n{}", " ".repeat(INDENT * depth))))
    }
}

/// The inputs that are remembered.
pub(super) type Remembered = Arc<Mutex<HashSet<String>>>;

/// Up and Down: earlier inputs; of those that begin like what stands before the cursor, where something was typed.
pub(super) struct Search {
    pub(super) is_up: bool,
    pub(super) remembered: Remembered,
}

impl ConditionalEventHandler for Search {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let (line, before) = (context.line(), &context.line()[..context.pos()]);
        // An input that was fetched whole is left for the next one.
        let is_fetched = || self.remembered.lock().is_ok_and(|remembered| remembered.contains(line));
        if before.is_empty() || before.contains('\n') || (before == line && is_fetched()) {
            return None;
        }
        Some(if self.is_up { Cmd::HistorySearchBackward } else { Cmd::HistorySearchForward })
    }
}
