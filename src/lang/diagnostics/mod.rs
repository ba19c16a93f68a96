//! An error ready to be shown: what was wrong, where (with the source line and a caret), and the way out.

mod ansi;
mod cropped;
mod visible;
mod wrapped;

use codespan_reporting::diagnostic::{Diagnostic as Report, Label};
use codespan_reporting::term;
use rhai::Position;

use ansi::Ansi;
use cropped::Crops;

pub use super::sources::Place;
use super::sources::is_of_word;
use crate::error::Error;
pub use visible::visible;
pub(super) use wrapped::words_of;
pub use wrapped::{fitted, wrapped};

/// What stands before the message of an error.
const HEAD: &str = "error: ";
/// Columns before a hint, of lines with up to three digits.
const MARGIN: usize = 8;

/// How a text ended that gave no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Something was wrong.
    Failed,
    /// The user stopped it.
    Interrupted,
    /// The script called `exit(code)`.
    Exit(i32),
}

/// An error of a script, ready to be shown.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// What was wrong, in one sentence.
    pub message: String,
    /// The ways out and other remarks.
    pub hints: Vec<String>,
    /// Where it happened, then where that was called from, and so on.
    pub places: Vec<(Place, String)>,
    /// How the text ended.
    pub ending: Ending,
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        let mut diagnostic = Self::plain(error.to_string());
        diagnostic.hints.extend(error.hint().map(str::to_owned));
        diagnostic
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}

impl Diagnostic {
    /// A failure without a place.
    pub fn plain(message: String) -> Self {
        Self { message, hints: Vec::new(), places: Vec::new(), ending: Ending::Failed }
    }

    /// The text shown to the user, with colours for a terminal or without. Nothing else in it controls a terminal:
    /// what would, in the script or in the name of a file, is made [`visible`].
    pub fn render(&self, colour: bool) -> String {
        self.render_within(usize::MAX, colour)
    }

    /// The same for a window of `width` columns: source lines that are wider are cut around what is pointed at, and
    /// sentences go on in the next line.
    pub fn render_within(&self, width: usize, colour: bool) -> String {
        let mut files = Crops::new(width);
        let mut labels = Vec::new();
        for (i, (place, note)) in self.places.iter().enumerate() {
            let place = place.visible();
            let range = place.range();
            let (file, range) = files.add(place.name, place.text, range);
            let note = visible(note);
            labels.push(match i {
                0 => Label::primary(file, range).with_message(note),
                _ => Label::secondary(file, range).with_message(note),
            });
        }
        let message = wrapped(&format!("{HEAD}{}", visible(&self.message)), width);
        let message = message.strip_prefix(HEAD).unwrap_or(&message).to_owned();
        let notes = self.hints.iter().map(|hint| wrapped(&visible(hint), width.saturating_sub(MARGIN))).collect();
        let report = Report::error().with_message(&message).with_labels(labels).with_notes(notes);
        let config = term::Config::default();
        let plain = || term::emit_into_string(&config, &files, &report).unwrap_or_else(|_| message.clone());
        if !colour {
            return plain();
        }
        let mut buffer = Ansi::default();
        match term::emit_to_write_style(&mut buffer, &config, &files, &report) {
            Ok(()) => String::from_utf8_lossy(&buffer.0).into_owned(),
            Err(_) => plain(),
        }
    }
}

impl Place {
    /// The same place, of which nothing controls a terminal.
    fn visible(&self) -> Self {
        let text = |text: &str| visible(text).into_owned();
        Self { name: text(&self.name).replace('\n', "␊"), text: text(&self.text), ..*self }
    }

    /// Bytes of the word or string at this place.
    pub fn range(&self) -> std::ops::Range<usize> {
        let start_of_line: usize = self.text.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let line = self.text[start_of_line.min(self.text.len())..].lines().next().unwrap_or_default();
        let start: usize = line.chars().take(self.column.saturating_sub(1)).map(char::len_utf8).sum();
        // Of a property it is the dot that has the position.
        let is_dot = line[start..].strip_prefix('.').is_some_and(|rest| rest.starts_with(is_of_word));
        let start = start + usize::from(is_dot);
        let word: usize = match line[start..].strip_prefix('"') {
            Some(string) => string.find('"').map_or(line.len() - start, |end| end + 2),
            None => line[start..].chars().take_while(|c| is_of_word(*c)).map(char::len_utf8).sum(),
        };
        let width = word.max(line[start..].chars().next().map_or(0, char::len_utf8));
        start_of_line + start..start_of_line + start + width
    }

    /// The place of the option or argument `name` inside the call that begins here: `name:` before the call's end.
    pub(super) fn option(&self, name: &str) -> Option<Self> {
        let from = self.range().start;
        let mut depth = 0_i32;
        let mut end = self.text.len();
        for (i, c) in self.text[from..].char_indices() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth <= 1 => {
                    end = from + i;
                    break;
                }
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
        }
        let call = &self.text[from..end];
        let found = call.match_indices(name).map(|(i, _)| i).find(|&i| {
            let before = call[..i].chars().next_back();
            let after = call[i + name.len()..].trim_start();
            !before.is_some_and(is_of_word) && after.starts_with(':') && !after.starts_with("::")
        })?;
        Some(self.at(from + found))
    }

    /// Another place in the same text, by its byte.
    pub(super) fn at(&self, byte: usize) -> Self {
        let before = &self.text[..byte];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line, column, ..self.clone() }
    }

    /// The name that the dot at, or just before, this place belongs to: `m` in `m.key`.
    pub(super) fn receiver(&self) -> Option<&str> {
        let before = &self.text[..self.range().start];
        let before = before.strip_suffix('.').unwrap_or(before);
        let start =
            before.rfind(|c| !is_of_word(c)).map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
        (!before[..start].ends_with('.')).then_some(&before[start..])
    }

    pub(super) fn is_standard_library(&self) -> bool {
        self.name.starts_with("stdlib/")
    }
}

/// Whether a position is that of the last character or behind it.
pub(super) fn points_to_the_end(text: &str, position: Position) -> bool {
    let Some(line) = position.line() else { return true };
    let mut rest = text.split('\n').skip(line - 1);
    let column = position.position().unwrap_or(1).saturating_sub(1);
    let first: String = rest.next().unwrap_or_default().chars().skip(column).collect();
    first.trim().is_empty() && rest.all(|line| line.trim().is_empty())
}
