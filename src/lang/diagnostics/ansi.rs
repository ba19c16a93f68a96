//! Colours of rendered errors, as ANSI sequences: the renderer's own need a crate for terminals.

use std::io::{self, Write};

use codespan_reporting::diagnostic::{LabelStyle, Severity};
use codespan_reporting::term::WriteStyle;

/// Text with ANSI colours.
#[derive(Debug, Default)]
pub(super) struct Ansi(pub(super) Vec<u8>);

const RESET: &str = "0";
const BOLD: &str = "1";
const BLUE: &str = "34";
const BOLD_RED: &str = "1;91";
const RED: &str = "31";

impl Ansi {
    fn set(&mut self, code: &str) -> io::Result<()> {
        write!(self.0, "\x1b[{code}m")
    }
}

impl Write for Ansi {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Only errors are reported, so the severity does not matter.
impl WriteStyle for Ansi {
    fn set_header(&mut self, _: Severity) -> io::Result<()> {
        self.set(BOLD_RED)
    }

    fn set_header_message(&mut self) -> io::Result<()> {
        self.set(BOLD)
    }

    fn set_line_number(&mut self) -> io::Result<()> {
        self.set(BLUE)
    }

    fn set_note_bullet(&mut self) -> io::Result<()> {
        self.set(BLUE)
    }

    fn set_source_border(&mut self) -> io::Result<()> {
        self.set(BLUE)
    }

    fn set_label(&mut self, _: Severity, style: LabelStyle) -> io::Result<()> {
        match style {
            LabelStyle::Primary => self.set(RED),
            LabelStyle::Secondary => self.set(BLUE),
        }
    }

    fn reset(&mut self) -> io::Result<()> {
        self.set(RESET)
    }
}
