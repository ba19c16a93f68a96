//! `tumble check`.

use std::path::PathBuf;

use tumble::{Diagnostic, Runtime};

use super::exit::FAILURE;
use super::{run, terminal};

/// Reports the first syntax error of every file, and returns the exit code.
pub(crate) fn files(mut runtime: Runtime, files: &[PathBuf]) -> u8 {
    let mut check = |path: &PathBuf| -> Result<(), Box<Diagnostic>> {
        let (name, text) = run::read(path).map_err(|error| Box::new(Diagnostic::from(error)))?;
        runtime.check(&name, &text)
    };
    let failed = files.iter().filter_map(|path| check(path).err()).inspect(|diagnostic| {
        terminal::report(diagnostic);
    });
    match failed.count() {
        0 => 0,
        _ => FAILURE,
    }
}
