//! `tumble replay`.

use std::path::{Path, PathBuf};

use tumble::artefact::{self, Comparison};
use tumble::host::{Provenance, Source, Stage, inputs};
use tumble::{Error, Host, Runtime};

use super::exit::FAILURE;
use super::interrupt::Interrupt;
use super::{run, terminal};

/// A file that is going to be made again.
pub(crate) struct Job {
    file: PathBuf,
    bytes: Vec<u8>,
    provenance: Provenance,
    /// Name and text of what runs.
    script: (PathBuf, String),
    stage: Stage,
}

impl Job {
    /// Finds what made `file`; `script` is where that is, if its name does not tell. What it writes goes to the
    /// `stage`.
    ///
    /// # Errors
    /// When it is not known or not to be had.
    pub(crate) fn find(file: &Path, script: Option<&Path>, stage: Stage) -> Result<Self, Error> {
        let host = Host::default();
        let bytes = host.read(file)?;
        let refuse = |problem: &str, hint: &str| Err(Error::file("replay", file, problem).with_hint(hint));
        let Some(written) = host.written(file)? else {
            return refuse("there is no record of it", "records are in the folder `.tumble` beside what tumble writes");
        };
        let Some(provenance) = written.provenance else {
            return refuse("its record does not say what made it", "write it again with this version");
        };
        if !host.is_same_file(&written.name, file) {
            let problem =
                format!("it was written as `{}`, which does not lead to it from here", written.name.display());
            return refuse(&problem, "replay it from the folder in which the script ran");
        }
        let Source { name, sha256 } = &provenance.script;
        let path = script.map_or_else(|| PathBuf::from(name), Path::to_owned);
        let now = if host.has_file(&path).unwrap_or(false) { Some(run::read(&path)?.1) } else { None };
        let text = match now.filter(|text| Source::of_text(name, text) == provenance.script) {
            Some(text) => text,
            None => match host.kept_script(file, sha256)? {
                Some(text) => text,
                None => {
                    let problem = format!("the script that made it, of SHA-256 {sha256}, is not kept beside it");
                    return refuse(&problem, "give it with --script PATH");
                }
            },
        };
        Ok(Self { file: file.to_owned(), bytes, script: (path, text), provenance, stage })
    }

    /// Where files are written.
    pub(crate) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Runs the script again, says how the file that it makes compares, and returns the exit code.
    pub(crate) fn run(self, mut runtime: Runtime, interrupt: &Interrupt) -> u8 {
        let Self { file, bytes, provenance, script: (name, text), stage } = self;
        runtime.set_arguments(provenance.arguments.clone());
        let name = name.display().to_string();
        for text in inputs(&text) {
            match run::finish(interrupt, || runtime.run_named(&name, text)) {
                Ok(_) => {}
                // What was entered at a prompt after an error still ran.
                Err(FAILURE) => terminal::complain("the script ended in this error, perhaps as it did before"),
                Err(code) => return code,
            }
        }
        let now = runtime.host().provenance();
        changes(&provenance, now.as_ref()).iter().for_each(|change| terminal::print(change));
        let host = Host::default();
        let made = stage.path(&file).map_err(|error| Error::file("read", &file, error));
        let again = made.and_then(|path| Ok((host.read(&path)?, path)));
        let compared = match &again {
            Err(_) => Ok(Comparison::Different("this time it was not made at all".to_owned())),
            Ok((again, _)) => artefact::compare(&file, &bytes, again, &host),
        };
        let shown = file.display();
        let code = match compared {
            Ok(Comparison::Identical) => {
                terminal::print(&format!("{shown}: made again, all {} bytes are the same", bytes.len()));
                0
            }
            Ok(Comparison::SameContent) => {
                terminal::print(&format!("{shown}: made again, the same but for what it says of where it comes from"));
                0
            }
            Ok(Comparison::Different(how)) => {
                terminal::print(&format!("{shown}: different, {how}"));
                FAILURE
            }
            Err(error) => terminal::report(&error.into()),
        };
        if let Some((_, path)) = again.ok().filter(|_| code != 0) {
            terminal::print(&format!("what was made again is {}", path.display()));
        }
        code
    }
}

/// What is no longer as it was: a line each.
fn changes(before: &Provenance, now: Option<&Provenance>) -> Vec<String> {
    let mut lines = Vec::new();
    if before.tumble != env!("CARGO_PKG_VERSION") {
        lines.push(format!("it was made by tumble {}, this is {}", before.tumble, env!("CARGO_PKG_VERSION")));
    }
    for now in now.iter().flat_map(|now| now.modules.iter().chain(&now.inputs)) {
        let mut known = before.modules.iter().chain(&before.inputs);
        if known.any(|source| source.name == now.name && source.sha256 != now.sha256) {
            lines.push(format!("`{}` has changed since", now.name));
        }
    }
    lines
}
