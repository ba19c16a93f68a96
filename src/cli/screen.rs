//! To whom a session speaks: the terminal, or a room above that has a screen of its own.

use tumble::lang::assist::Page;
use tumble::{Diagnostic, Runtime, Value};

use super::terminal;

/// Who is told what scripts print and what becomes of inputs.
pub(crate) trait Screen {
    /// How help is laid out.
    fn page(&self) -> Page;

    /// Shows a line of a script, or a value as text.
    fn print(&self, text: &str);

    /// Shows lines of the program's own, colours and all.
    fn print_page(&self, text: &str);

    /// Shows a line that is no result.
    fn complain(&self, text: &str);

    /// Shows the value of an input; `text` is what it is in characters.
    fn show(&self, runtime: &Runtime, value: &Value, text: &str);

    /// Shows why an input failed, and returns the exit code that says the same.
    fn report(&self, diagnostic: &Diagnostic) -> u8;
}

/// The terminal, or the files in its place.
pub(super) struct Terminal;

impl Screen for Terminal {
    fn page(&self) -> Page {
        Page { width: terminal::width(), colour: terminal::colour() }
    }

    fn print(&self, text: &str) {
        terminal::print(text);
    }

    fn print_page(&self, text: &str) {
        terminal::print_page(text);
    }

    fn complain(&self, text: &str) {
        terminal::complain(text);
    }

    fn show(&self, _: &Runtime, _: &Value, text: &str) {
        terminal::print(text);
    }

    fn report(&self, diagnostic: &Diagnostic) -> u8 {
        terminal::report(diagnostic)
    }
}
