//! Where the examples of the book run: a folder for temporary files, which is all that they may touch.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tumble::host::{Permissions, Stage};
use tumble::lang::assist;
use tumble::task::{Progress, Report};
use tumble::{Diagnostic, Error, Host, Result, Runtime};

use crate::cli::setup::Setup;

/// A folder for temporary files.
pub(super) struct Workshop<'a> {
    setup: &'a Setup,
    stage: Stage,
}

/// What an example printed, and what it was warned of.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<String>>);

impl Said {
    fn line(&self, text: &str) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.push_str(text);
        said.push('\n');
    }

    fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Progress for Said {
    fn update(&self, _: &Report) {}

    fn finish(&self, _: &Report) {}

    fn warn(&self, warning: &str) {
        self.line(&format!("warning: {warning}"));
    }
}

impl<'a> Workshop<'a> {
    /// A new folder.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn open(setup: &'a Setup) -> Result<Self> {
        Ok(Self { setup, stage: Stage::below(&std::env::temp_dir())? })
    }

    /// Removes the folder.
    pub(super) fn close(self) {
        // Some systems keep the folder that a process is in.
        let _ = std::env::set_current_dir(std::env::temp_dir());
        self.stage.remove(true);
    }

    /// A bench for the examples of one chapter, which know what those before them defined.
    ///
    /// # Errors
    /// When its folder cannot be created, or the operating system refuses threads.
    pub(super) fn bench(&self, name: &str) -> Result<Bench> {
        let folder = self.stage.folder().join(name);
        Host::default().create_folder(&folder)?;
        std::env::set_current_dir(&folder).map_err(|error| Error::file("read", &folder, error))?;
        let host = Host::default().with_permissions(Permissions::none().working_folder(&folder)?);
        let said = Said::default();
        let prints = said.clone();
        let runtime = self
            .setup
            .builder()
            .progress(Arc::new(said.clone()))
            .print(move |text| prints.line(text))
            .host(host)
            .build()?;
        Ok(Bench { folder, runtime, said, seen: Vec::new() })
    }
}

/// Where the examples of a chapter run.
pub(super) struct Bench {
    folder: PathBuf,
    runtime: Runtime,
    said: Said,
    /// The pictures that earlier examples wrote.
    seen: Vec<PathBuf>,
}

/// What an example left.
pub(super) struct Outcome {
    /// What it printed, and the value of its last expression as `print` shows it.
    pub(super) text: String,
    /// The pictures that it wrote.
    pub(super) pictures: Vec<PathBuf>,
}

impl Bench {
    /// Runs an example.
    ///
    /// # Errors
    /// What went wrong in it.
    pub(super) fn run(&mut self, name: &str, code: &str) -> std::result::Result<Outcome, Box<Diagnostic>> {
        let value = self.runtime.run_named(name, code)?;
        // As at a prompt: a `;` behind the last value hides it.
        if !value.is_unit() && !assist::is_silent(code) {
            self.said.line(&self.runtime.display(&value));
        }
        let pictures = self.new_pictures().map_err(|error| Box::new(Diagnostic::from(error)))?;
        Ok(Outcome { text: self.neutral(&self.said.take()), pictures })
    }

    /// A text that does not say where the folder was.
    pub(super) fn neutral(&self, text: &str) -> String {
        let folder = format!("{}{}", self.folder.display(), std::path::MAIN_SEPARATOR);
        text.replace(&folder, "")
    }

    /// Saves a file that later examples import or read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn save(&self, name: &str, text: &str) -> Result<()> {
        Host::default().write_bytes(&self.folder.join(name), text.as_bytes())
    }

    fn new_pictures(&mut self) -> Result<Vec<PathBuf>> {
        let is_picture = |path: &Path| path.extension().is_some_and(|e| e == "png" || e == "svg" || e == "gif");
        let files = Host::default().entries(&self.folder)?.into_iter().map(|entry| entry.path);
        let new: Vec<_> = files.filter(|path| is_picture(path) && !self.seen.contains(path)).collect();
        self.seen.extend(new.iter().cloned());
        Ok(new)
    }
}

/// An error of the program as one of an example.
pub(super) fn failed(error: Error) -> Box<Diagnostic> {
    Box::new(error.into())
}
