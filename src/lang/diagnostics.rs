//! Errors in words: what was wrong, where (with the source line and a caret), and the way out.

use codespan_reporting::diagnostic::{Diagnostic as Report, Label};
use codespan_reporting::files::SimpleFiles;
use codespan_reporting::term;
use rhai::{Engine, EvalAltResult, ParseErrorType, Position, Scope};

use super::catalog::Catalog;
use super::failure::Failure;
pub use super::sources::Place;
use super::sources::Sources;
use super::stop::Stop;
use crate::error::{Error, nearest};

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

    /// The text shown to the user, with colours for a terminal or without.
    pub fn render(&self, colour: bool) -> String {
        let mut files = SimpleFiles::new();
        let mut labels = Vec::new();
        for (i, (place, note)) in self.places.iter().enumerate() {
            let file = files.add(place.name.clone(), place.text.clone());
            let range = place.range();
            labels.push(match i {
                0 => Label::primary(file, range).with_message(note),
                _ => Label::secondary(file, range).with_message(note),
            });
        }
        let report = Report::error().with_message(&self.message).with_labels(labels).with_notes(self.hints.clone());
        let config = term::Config::default();
        let plain = || term::emit_into_string(&config, &files, &report).unwrap_or_else(|_| self.message.clone());
        if !colour {
            return plain();
        }
        let mut buffer = term::termcolor::Buffer::ansi();
        match term::emit_to_write_style(&mut buffer, &config, &files, &report) {
            Ok(()) => String::from_utf8_lossy(buffer.as_slice()).into_owned(),
            Err(_) => plain(),
        }
    }
}

impl Place {
    /// Bytes of the word at this place.
    fn range(&self) -> std::ops::Range<usize> {
        let start_of_line: usize = self.text.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let line = self.text[start_of_line.min(self.text.len())..].lines().next().unwrap_or_default();
        let start: usize = line.chars().take(self.column.saturating_sub(1)).map(char::len_utf8).sum();
        let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
        let word: usize = line[start..].chars().take_while(is_word).map(char::len_utf8).sum();
        let width = word.max(line[start..].chars().next().map_or(0, char::len_utf8));
        start_of_line + start..start_of_line + start + width
    }

    /// The place of the option or argument `name` inside the call that begins here: `name:` before the call's end.
    fn option(&self, name: &str) -> Option<Self> {
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
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let found = call.match_indices(name).map(|(i, _)| i).find(|&i| {
            let before = call[..i].chars().next_back();
            let after = call[i + name.len()..].trim_start();
            !before.is_some_and(is_word) && after.starts_with(':') && !after.starts_with("::")
        })?;
        let before = &self.text[..from + found];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Some(Self { line, column, ..self.clone() })
    }

    fn is_standard_library(&self) -> bool {
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

/// What was wrong and the way out, for errors that need no knowledge of the session.
pub(super) fn words(error: &EvalAltResult) -> String {
    let mut inner = error;
    while let EvalAltResult::ErrorInFunctionCall(_, _, next, _) | EvalAltResult::ErrorInModule(_, next, _) = inner {
        inner = next;
    }
    let mut diagnostic = Diagnostic::plain(String::new());
    explain_plainly(inner, &mut diagnostic);
    [vec![diagnostic.message], diagnostic.hints].concat().join("; ")
}

/// What is known where an error is put into words.
pub(super) struct Frame<'a> {
    pub(super) engine: &'a Engine,
    pub(super) sources: &'a Sources,
    pub(super) scope: &'a Scope<'static>,
    pub(super) catalog: &'a Catalog,
}

impl Frame<'_> {
    /// The error in words.
    pub(super) fn diagnose(&self, error: &EvalAltResult) -> Diagnostic {
        let (core, mut places) = self.unwrap(error);
        // Where the standard library stumbles over a user's value, the user's own line is what to look at.
        if places.iter().any(|(place, _)| !place.is_standard_library()) {
            places.retain(|(place, _)| !place.is_standard_library());
        }
        let mut diagnostic = Diagnostic { places, ..Diagnostic::plain(String::new()) };
        self.explain(core, &mut diagnostic);
        diagnostic
    }

    /// The innermost error, and the places from there outwards.
    fn unwrap<'e>(&self, error: &'e EvalAltResult) -> (&'e EvalAltResult, Vec<(Place, String)>) {
        let mut outer = Vec::new();
        let mut current = error;
        let mut source = String::new();
        loop {
            match current {
                EvalAltResult::ErrorInFunctionCall(name, inner_source, inner, position) => {
                    let called = if name.starts_with("anon$") { "a closure".into() } else { format!("`{name}`") };
                    outer.push((source, *position, format!("{called} called here")));
                    source = inner_source.clone();
                    current = inner;
                }
                EvalAltResult::ErrorInModule(name, inner, position) => {
                    outer.push((source, *position, format!("`{name}` imported here")));
                    source = name.clone();
                    current = inner;
                }
                _ => break,
            }
        }
        outer.push((source, current.position(), String::new()));
        let locate = |(source, position, note): (String, Position, String)| {
            self.sources.locate(&source, position).map(|place| (place, note))
        };
        let mut places: Vec<_> = outer.into_iter().rev().filter_map(locate).collect();
        // A builtin called by a closure reports the position of the call twice.
        places.dedup_by(|a, b| a.0 == b.0);
        (current, places)
    }

    fn explain(&self, error: &EvalAltResult, to: &mut Diagnostic) {
        match error {
            EvalAltResult::ErrorFunctionNotFound(signature, _) => self.explain_function(signature, to),
            EvalAltResult::ErrorVariableNotFound(name, _) => self.explain_variable(name, to),
            EvalAltResult::ErrorMismatchDataType(expected, actual, _) if !is_symbolic_condition(expected, actual) => {
                let name = |kind: &str| self.engine.map_type_name(kind).to_owned();
                to.message = format!("expected {}, got {}", name(expected), name(actual));
            }
            EvalAltResult::ErrorParsing(kind, position) => explain_syntax(kind, *position, to),
            EvalAltResult::ErrorModuleNotFound(name, _) => {
                to.message = format!("there is no module `{name}`");
                let module = |entry: &super::catalog::Entry| Some(entry.name.split_once("::")?.0.to_owned());
                let modules = self.catalog.entries().filter_map(module);
                to.hints.extend(nearest(name, modules).map(|near| format!("did you mean `{near}`?")));
            }
            other => explain_plainly(other, to),
        }
    }

    fn explain_function(&self, signature: &str, to: &mut Diagnostic) {
        let (name, arguments) = signature.split_once(" (").unwrap_or((signature, ")"));
        let arguments = arguments.trim_end_matches(')').replace("i64", "number").replace("f64", "number");
        if name.starts_with("anon$") {
            to.message = "the closure takes another number of arguments".into();
            return;
        }
        if let Some(entry) = self.catalog.get(name) {
            to.message = format!("`{name}` cannot take ({arguments})");
            to.hints.push(format!("it is called as {}", entry.forms.join("\n             or ")));
            return;
        }
        to.message = match arguments.is_empty() {
            true => format!("there is no function `{name}`"),
            false => format!("there is no function `{name}` of ({arguments})"),
        };
        if self.scope.contains(name) {
            to.hints.push(format!("`{name}` is a variable; a closure is called as {name}.call(..)"));
        } else if let Some(near) = nearest(name, self.catalog.names()) {
            to.hints.push(format!("did you mean `{near}`?"));
        } else if let Some(near) = self.same_last_part(name) {
            to.hints.push(format!("did you mean `{near}`?"));
        }
    }

    /// `diamond` for `dataset::diamond`, `process::kernel` for `kernel`.
    fn same_last_part(&self, name: &str) -> Option<String> {
        let last = name.rsplit("::").next()?;
        self.catalog.names().find(|known| known.rsplit("::").next() == Some(last)).map(str::to_owned)
    }

    fn explain_variable(&self, name: &str, to: &mut Diagnostic) {
        to.message = format!("there is no variable `{name}` here");
        if self.scope.contains(name) {
            to.hints.push(format!(
                "a function sees its parameters only: pass `{name}` to it, or use a closure |..| which captures it"
            ));
        } else if let Some(near) = nearest(name, self.scope.iter().map(|(known, _, _)| known)) {
            to.hints.push(format!("did you mean `{near}`?"));
        } else if let Some(entry) = self.catalog.get(name) {
            to.hints.push(format!("`{name}` is a function: {}", entry.forms[0]));
        }
    }
}

fn explain_syntax(kind: &ParseErrorType, position: Position, to: &mut Diagnostic) {
    to.message = kind.to_string();
    if let ParseErrorType::MissingToken(token, _) = kind
        && token == ";"
        && let Some((place, note)) = to.places.first_mut()
    {
        // Rhai notices at the next statement; the mark belongs behind the one that lacks it.
        let earlier = place.text.lines().take(place.line - 1).enumerate().filter(|(_, line)| !line.trim().is_empty());
        if let Some((i, line)) = earlier.last()
            && place.text.lines().nth(place.line - 1).is_some_and(|now| {
                now.chars().take(position.position().unwrap_or(1).saturating_sub(1)).all(char::is_whitespace)
            })
        {
            place.line = i + 1;
            place.column = line.trim_end().chars().count();
            *note = "a `;` is missing behind this".into();
        }
    }
}

fn is_symbolic_condition(expected: &str, actual: &str) -> bool {
    expected == "bool" && (actual.ends_with("Condition") || actual.ends_with("Expression"))
}

fn explain_plainly(error: &EvalAltResult, to: &mut Diagnostic) {
    match error {
        EvalAltResult::ErrorRuntime(value, _) => match value.read_lock::<Failure>() {
            Some(failure) => explain_failure(&failure, to),
            None => to.message = value.to_string(),
        },
        EvalAltResult::ErrorTerminated(value, _) => match value.clone().try_cast::<Stop>() {
            Some(Stop::StackExhausted) => to.message = "calls and expressions nest too deeply".into(),
            Some(Stop::Exit(code)) => to.ending = Ending::Exit(code),
            Some(Stop::Interrupted) | None => {
                to.message = "interrupted".into();
                to.ending = Ending::Interrupted;
            }
        },
        EvalAltResult::ErrorMismatchDataType(expected, actual, _) if is_symbolic_condition(expected, actual) => {
            to.message = "this condition depends on symbolic values, so it is neither true nor false".into();
            to.hints.push(
                "a closure of a process runs once, on symbols: write where(condition, a, b) instead of a branch, \
                 and `&`, `|` instead of `&&`, `||`"
                    .into(),
            );
        }
        EvalAltResult::ErrorStackOverflow(_) => to.message = "functions call each other too deeply".into(),
        other => {
            let text = other.to_string();
            let end = text.rfind(" (line ").unwrap_or(text.len());
            to.message = text[..end].to_owned();
        }
    }
}

fn explain_failure(failure: &Failure, to: &mut Diagnostic) {
    to.message = match &failure.error {
        // A property has no name of its own: Rhai calls it `get$x` or `index$get$`.
        Error::Argument { .. } if !failure.function.contains('$') => format!("{}: {}", failure.function, failure.error),
        error => error.to_string(),
    };
    to.hints.extend(failure.error.hint().map(str::to_owned));
    if let Error::Argument { name, .. } = &failure.error
        && let Some((place, _)) = to.places.first_mut()
        && let Some(option) = place.option(name)
    {
        *place = option;
    }
}
