//! `tumble check`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tumble::host::{Access, Policy};
use tumble::{Diagnostic, Limits};

use super::setup::Setup;
use super::{run, terminal};

/// How long the rehearsal of a script may take.
const TIME: Duration = Duration::from_secs(10);

/// Files are read, and none is written.
struct ReadOnly;

impl Policy for ReadOnly {
    fn name(&self) -> &str {
        "read only"
    }

    fn allows(&self, access: Access, _: &Path) -> bool {
        access == Access::Read
    }
}

/// What scripts that are checked may do to files that they may read and write when they run.
pub(super) fn read_only() -> Arc<dyn Policy> {
    Arc::new(ReadOnly)
}

/// The limits of scripts that are checked.
pub(super) fn limits() -> Limits {
    Limits { time: Some(TIME), ..Limits::default() }
}

/// Reports what is wrong with every file, and returns the exit code.
pub(crate) fn files(setup: &Setup, files: &[PathBuf]) -> u8 {
    let check = |path: &PathBuf| -> tumble::Result<Vec<Diagnostic>> {
        let (name, text) = run::read(path)?;
        // What one script defines another does not know.
        let mut runtime = setup.runtime()?;
        runtime.set_arguments(Vec::new());
        Ok(runtime.inspect(&name, &text))
    };
    let found: Vec<_> = files.iter().flat_map(|path| check(path).unwrap_or_else(|error| vec![error.into()])).collect();
    let codes: Vec<u8> = found.iter().map(terminal::report).collect();
    codes.into_iter().max().unwrap_or(0)
}
