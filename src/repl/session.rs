//! What the prompt knows: the runtime, and the inputs that succeeded.

use std::collections::HashSet;
use std::path::PathBuf;

use tumble::lang::assist::{self, Page};
use tumble::{Diagnostic, Runtime, Value};

use super::script::Input;
use crate::cli::Setup;

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was carried out.
    Done,
    /// It was not; the exit code that says why.
    Failed(u8),
    /// The user wants to leave, with this exit code.
    Leave(u8),
}

/// One run of the prompt.
pub(crate) struct Session {
    pub(crate) runtime: Runtime,
    pub(crate) setup: Setup,
    pub(crate) inputs: Vec<Input>,
    /// Files that have them as a script.
    pub(crate) saved: HashSet<PathBuf>,
    /// A value is shown in at most this many lines.
    pub(crate) lines: usize,
    /// Steps of the tour that were taken.
    pub(crate) toured: usize,
    /// Whether what ran last was asked to stop; it may have given a value all the same, as a training does.
    pub(crate) was_stopped: bool,
    /// Inputs so far; errors name them by their number.
    pub(crate) entered: usize,
}

/// A value is shown in at most this many lines, until another number is set, and in this many characters.
const SHOWN_LINES: usize = 60;
const SHOWN_CHARACTERS: usize = 4000;

impl Session {
    pub(crate) fn new(runtime: Runtime, setup: Setup) -> Self {
        Self {
            runtime,
            setup,
            inputs: Vec::new(),
            saved: HashSet::new(),
            lines: SHOWN_LINES,
            toured: 0,
            was_stopped: false,
            entered: 0,
        }
    }

    /// How help is laid out here.
    pub(crate) fn page(&self) -> Page {
        self.setup.screen.page()
    }

    /// Whether an input ends in the middle of something.
    pub(crate) fn is_incomplete(&self, input: &str) -> bool {
        !input.trim_start().starts_with(':') && self.runtime.is_incomplete(input)
    }

    /// Whether the prompt should ask for more. An empty line submits whatever there is: who typed a bracket too many
    /// needs a way out.
    pub(crate) fn wants_more(&self, input: &str) -> bool {
        let last = input.rsplit_once('\n').map_or(input, |(_, last)| last);
        (last.len() == input.len() || !last.trim().is_empty()) && self.is_incomplete(input)
    }

    /// Evaluates an input and shows its value.
    pub(crate) fn evaluate(&mut self, input: &str) -> Outcome {
        let result = self.run(input);
        let outcome = self.conclude(input, result);
        self.setup.interrupt.leaving().map_or(outcome, Outcome::Leave)
    }

    /// Evaluates an input whose value is shown by `show`, and not kept in `ans`.
    pub(crate) fn evaluate_with(&mut self, input: &str, show: impl FnOnce(&Self, &Value)) -> Outcome {
        let result = self.run(input).map(|value| {
            show(self, &value);
            Value::UNIT
        });
        let outcome = self.conclude(input, result);
        self.setup.interrupt.leaving().map_or(outcome, Outcome::Leave)
    }

    fn run(&mut self, input: &str) -> Result<Value, Box<Diagnostic>> {
        self.entered += 1;
        self.run_named(&format!("input {}", self.entered), input)
    }

    /// Runs a text that an interrupt stops.
    pub(crate) fn run_named(&mut self, name: &str, text: &str) -> Result<Value, Box<Diagnostic>> {
        let result = self.setup.interrupt.during(|| self.runtime.run_named(name, text));
        // What comes next clears the flag, be it a value that is shown.
        self.was_stopped = self.setup.interrupt.is_asked();
        result
    }

    /// Shows the value and remembers the input, or shows the error.
    pub(crate) fn conclude(&mut self, input: &str, result: Result<Value, Box<Diagnostic>>) -> Outcome {
        match result {
            Ok(value) => {
                let gave_value = !value.is_unit();
                let is_shown = gave_value && !assist::is_silent(input);
                let unfinished = self.runtime.unfinished();
                self.inputs.push(Input { text: input.to_owned(), gave_value, is_shown, unfinished });
                if gave_value {
                    if is_shown {
                        let text = shorten(&self.runtime.show(&value, self.page().width), self.lines);
                        self.setup.screen.show(&self.runtime, &value, &text);
                    }
                    self.runtime.set("ans", value);
                }
                Outcome::Done
            }
            Err(diagnostic) => {
                // What follows a training that was stopped is not done, but the model keeps what it learned.
                if let Some(unfinished) = self.runtime.unfinished() {
                    let text = assist::up_to_training(input).unwrap_or(input).to_owned();
                    self.inputs.push(Input { text, unfinished: Some(unfinished), ..Input::default() });
                } else if let Some(done) = self.done_before(input, &diagnostic) {
                    self.inputs.push(Input { text: done.to_owned(), ..Input::default() });
                }
                let code = self.setup.screen.report(&diagnostic);
                match diagnostic.ending {
                    tumble::lang::diagnostics::Ending::Exit(_) => Outcome::Leave(code),
                    _ => Outcome::Failed(code),
                }
            }
        }
    }

    /// The statements of an input that were done before one of them failed, if there are any.
    fn done_before<'a>(&mut self, input: &'a str, diagnostic: &Diagnostic) -> Option<&'a str> {
        let own = format!("input {}", self.entered);
        let (place, _) = diagnostic.places.iter().rfind(|(place, _)| place.name == own)?;
        let at = assist::statement_at(input, place.range().start);
        let done = Some(input[..at].trim_end()).filter(|done| !done.is_empty())?;
        // Of a text that does not parse nothing was done.
        self.runtime.check(&own, input).is_ok().then_some(done)
    }
}

/// A value cut to a length that can be read; `print` shows all of it.
fn shorten(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() > most {
        let kept = lines[..most].join("\n");
        return format!("{}\n... {} more lines; print(ans) shows all", shorten(&kept, most), lines.len() - most);
    }
    let length = text.chars().count();
    if length <= SHOWN_CHARACTERS {
        return text.to_owned();
    }
    let head: String = text.chars().take(SHOWN_CHARACTERS / 4).collect();
    format!("{head} ... {} more characters; print(ans) shows all", length - SHOWN_CHARACTERS / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut() {
        assert_eq!(shorten("[1, 2]", 60), "[1, 2]");
        let long = shorten(&"x".repeat(10_000), 60);
        assert!(long.len() < 1100 && long.ends_with("9000 more characters; print(ans) shows all"));
        let many = shorten(&"y\n".repeat(100), 60);
        assert!(many.ends_with("... 40 more lines; print(ans) shows all"));
    }
}
