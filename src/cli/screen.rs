//! To whom a session speaks: the terminal, or a room above that has a screen of its own.

use std::cell::Cell;
use std::io::IsTerminal;

use tumble::lang::assist::Page;
use tumble::{Diagnostic, Runtime, Value};

use super::images::{self, Protocol};
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

    /// How it shows figures, in a word.
    fn images(&self) -> &'static str;

    /// Shows figures so from now on.
    fn set_images(&self, word: &str) -> tumble::Result<()>;

    /// Shows why an input failed, and returns the exit code that says the same.
    fn report(&self, diagnostic: &Diagnostic) -> u8;
}

/// The terminal, or the files in its place.
pub(super) struct Terminal {
    /// How it shows figures, if it can.
    images: Cell<Option<&'static Protocol>>,
}

impl Terminal {
    pub(super) fn new(images: Option<&'static Protocol>) -> Self {
        Self { images: Cell::new(images) }
    }
}

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

    fn show(&self, runtime: &Runtime, value: &Value, text: &str) {
        terminal::print(text);
        let Some(protocol) = self.images.get().filter(|_| std::io::stdout().is_terminal()) else { return };
        // A figure that cannot be drawn said so when it was saved, or will.
        if let Some(Ok((png, _))) = runtime.picture(value) {
            let in_tmux = std::env::var_os("TMUX").is_some();
            terminal::print_page(&protocol.text(&png, terminal::size(), in_tmux).unwrap_or_default());
        }
    }

    fn images(&self) -> &'static str {
        self.images.get().map_or("none", Protocol::name)
    }

    fn set_images(&self, word: &str) -> tumble::Result<()> {
        self.images.set(images::chosen(word)?);
        Ok(())
    }

    fn report(&self, diagnostic: &Diagnostic) -> u8 {
        terminal::report(diagnostic)
    }
}
