//! `tumble run` and `tumble -e`.

use std::io::Read;
use std::path::Path;

use tumble::{Diagnostic, Error, Runtime, Value, host};

use super::interrupt::Interrupt;
use super::job::Job;
use super::terminal;

/// What errors call the text behind `-e`.
pub(super) const COMMAND_LINE: &str = "command line";

/// Runs a script and returns the exit code.
pub(crate) fn script(mut runtime: Runtime, interrupt: &Interrupt, script: Job) -> u8 {
    let Job { script: name, text, arguments, .. } = script;
    runtime.set_arguments(arguments);
    finish(interrupt, || runtime.run_named(&name, &text)).map_or_else(|code| code, |_| 0)
}

/// Runs `code`, prints the value of its last expression, and returns the exit code.
pub(crate) fn code(mut runtime: Runtime, interrupt: &Interrupt, code: &str) -> u8 {
    match finish(interrupt, || runtime.run_named(COMMAND_LINE, code)) {
        Ok(value) if value.is_unit() => 0,
        Ok(value) => {
            terminal::print(&runtime.display(&value));
            0
        }
        Err(code) => code,
    }
}

/// What a run gives, or the exit code of what ended it, which is reported.
pub(super) fn finish(interrupt: &Interrupt, run: impl FnOnce() -> Result<Value, Box<Diagnostic>>) -> Result<Value, u8> {
    let value = interrupt.during(run).map_err(|diagnostic| terminal::report(&diagnostic))?;
    // A training that was stopped gives a record; as the last thing that a script does it must not look finished.
    match interrupt.is_asked() {
        true => Err(terminal::interrupted()),
        false => Ok(value),
    }
}

/// Name and text of a script file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<(String, String), Error> {
    if path != Path::new("-") {
        return Ok((path.display().to_string(), host::read_script(path)?));
    }
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| Error::file("read", Path::new("standard input"), error))?;
    Ok(("standard input".to_owned(), text))
}
