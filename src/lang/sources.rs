//! The texts that positions point into.
//!
//! Rhai positions carry a line and a column but not which prompt input they belong to. All inputs of a session form
//! one growing document: each is compiled behind as many empty lines as were entered before it, so that a line number
//! names its input. Files loaded by `import` are told apart by their source name.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rhai::Position;

use super::rewrite::Insertions;

/// Rhai stores lines in 16 bits.
const LAST_LINE: usize = 65_000;

/// A place in a text the user can look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the file or input.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1; 0 when only the line is known.
    pub column: usize,
}

#[derive(Clone, Default)]
pub(super) struct Sources(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    inputs: Vec<Input>,
    lines: usize,
    modules: BTreeMap<String, Input>,
}

struct Input {
    name: String,
    text: String,
    first: usize,
    insertions: Insertions,
}

impl Sources {
    /// Enters a text into the document and returns how many empty lines must precede it when it is compiled.
    pub(super) fn enter(&self, name: &str, text: &str, insertions: Insertions) -> usize {
        let mut inner = self.0.borrow_mut();
        let count = text.lines().count().max(1);
        if inner.lines + count > LAST_LINE {
            // Positions in functions of earlier inputs lose their meaning; nothing else is lost.
            inner.inputs.clear();
            inner.lines = 0;
        }
        let first = inner.lines;
        inner.lines += count;
        inner.inputs.push(Input { name: name.to_owned(), text: text.to_owned(), first, insertions });
        first
    }

    /// Enters the text of a module.
    pub(super) fn enter_module(&self, source: &str, text: &str, insertions: Insertions) {
        let input = Input { name: source.to_owned(), text: text.to_owned(), first: 0, insertions };
        self.0.borrow_mut().modules.insert(source.to_owned(), input);
    }

    /// Names and texts: of the inputs, the newest first, then of the modules.
    pub(super) fn texts(&self) -> Vec<(String, String)> {
        let inner = self.0.borrow();
        let all = inner.inputs.iter().rev().chain(inner.modules.values());
        all.map(|input| (input.name.clone(), input.text.clone())).collect()
    }

    /// The text of a module.
    pub(super) fn module(&self, source: &str) -> Option<String> {
        self.0.borrow().modules.get(source).map(|module| module.text.clone())
    }

    /// The place that a position points to; `source` names a module or else an input.
    pub(super) fn locate(&self, source: &str, position: Position) -> Option<Place> {
        let line = position.line()?;
        let inner = self.0.borrow();
        let input = match inner.modules.get(source) {
            Some(module) => module,
            None => inner.inputs.iter().rev().find(|input| input.first < line)?,
        };
        let line = line - input.first;
        let column = input.insertions.original_column(line, position.position().unwrap_or(0));
        Some(Place { name: input.name.clone(), text: input.text.clone(), line, column })
    }

    /// Where in the newest input a part of a value is asked for `function`, with a closure that captures the value, and
    /// the value's name: `p.a.map(|k| k + p.b)`.
    pub(super) fn clash(&self, function: &str) -> Option<(Place, String)> {
        let inner = self.0.borrow();
        let Input { name, text, .. } = inner.inputs.last()?;
        let call = format!(".{function}(");
        let is_part = |c: char| is_of_word(c) || ".[]\"".contains(c);
        text.match_indices(&call).find_map(|(at, _)| {
            let receiver = text[..at].rsplit(|c| !is_part(c)).next()?;
            let value = receiver.split(|c| !is_of_word(c)).next()?;
            let arguments = arguments(&text[at + call.len()..]);
            let captures = arguments.contains('|') && arguments.split(|c| !is_of_word(c)).any(|word| word == value);
            if value.is_empty() || value == receiver || !captures {
                return None;
            }
            let before = &text[..at + 1];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            Some((Place { name: name.clone(), text: text.clone(), line, column }, value.to_owned()))
        })
    }
}

/// Whether a character can be part of a name.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The text up to the bracket that closes one before it.
fn arguments(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|c| {
        depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
        depth == 0
    });
    &text[..end.unwrap_or(text.len())]
}
