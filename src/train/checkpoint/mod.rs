//! Checkpoints: the state of a training in a folder, from which it goes on as if it had never stopped.
//!
//! What a step draws is a function of the seed and its number, so the state is the weights with what the optimiser
//! keeps, and the loss so far. A checkpoint is a saved model that has the rest beside it. A file takes its name when
//! its bytes are on the disk, so that a process may end at any moment, and has a checksum for what happens to it later.

mod difference;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Options;
use super::history::Curve;
use super::log::Log;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::nn::Weights;
use crate::score::Learned;
use crate::task::Task;
use difference::{Origin, differences};

/// How far a training is.
pub(super) struct Stand {
    pub(super) weights: Weights,
    pub(super) curve: Curve,
    /// Time that the steps so far took.
    pub(super) elapsed: Duration,
}

impl Stand {
    /// Before the first step.
    pub(super) fn new(weights: Weights) -> Self {
        Self { weights, curve: Curve::default(), elapsed: Duration::ZERO }
    }
}

/// What a checkpoint says besides the model.
#[derive(Serialize, Deserialize)]
struct Run {
    /// Version of the program.
    program: String,
    origin: Origin,
    curve: Curve,
    elapsed: Duration,
}

/// The folder of a training.
pub(super) struct Checkpoints<'a> {
    folder: PathBuf,
    model: &'a Learned,
    origin: Origin,
    host: Host,
    every: u64,
    steps: u64,
    keep: usize,
    /// Those that stay until newer ones take their place, and last the one that a run would go on from.
    kept: Vec<PathBuf>,
}

impl<'a> Checkpoints<'a> {
    /// Opens `folder`, which is made where it does not exist, and finds out where the training of `model` stands.
    ///
    /// # Errors
    /// When the folder cannot be used, has checkpoints and is not to be resumed, has those of another training, or none
    /// of them can be read.
    pub(super) fn open(
        folder: &Path,
        model: &'a Learned,
        data: &Dataset,
        options: &Options,
        task: &Task,
    ) -> Result<(Self, Stand)> {
        let host = task.host().clone();
        host.create_folder(folder)?;
        let weights = (*model.weights()).clone();
        let mut own = Self {
            folder: folder.to_owned(),
            model,
            origin: Origin::new(options, data, &weights),
            every: options.every.unwrap_or(Options::EVERY),
            steps: options.steps,
            keep: options.keep.unwrap_or(Options::KEEP),
            kept: found(folder, &host)?,
            host,
        };
        match own.kept.last() {
            None => Ok((own, Stand::new(weights))),
            Some(_) if options.resume => own.resume(task).map(|stand| (own, stand)),
            Some(newest) => {
                Err(Error::argument("checkpoint", format!("has a training already, `{}`", newest.display()))
                    .with_hint("resume: true goes on from there; another training needs another folder"))
            }
        }
    }

    /// The state of the newest checkpoint that can be read.
    fn resume(&mut self, task: &Task) -> Result<Stand> {
        let mut damaged: Vec<(PathBuf, Error)> = Vec::new();
        while let Some(path) = self.kept.pop() {
            // Not being allowed to read, or having no memory, says nothing of the file.
            let bytes = self.host.peek(&path)?;
            match self.decode(&path, &bytes) {
                Ok((model, run)) => {
                    self.host.take(&path, &bytes)?;
                    self.check(&path, &model, &run)?;
                    // Newer ones will take their names.
                    for (damaged, error) in damaged {
                        let aside = self.host.set_aside(&damaged)?;
                        let (aside, path) = (aside.display(), path.display());
                        task.warn(&format!("{error}; it is kept as `{aside}`, and `{path}` is taken"));
                    }
                    self.tell(&path, &run, task);
                    self.kept.push(path);
                    let Run { origin, curve, elapsed, .. } = run;
                    self.origin = origin;
                    return Ok(Stand { weights: (*model.weights()).clone(), curve, elapsed });
                }
                Err(error) => damaged.push((path, error)),
            }
        }
        let problems: Vec<_> = damaged.iter().map(|(_, error)| error.to_string()).collect();
        Err(Error::argument("checkpoint", format!("has nothing to resume: {}", problems.join("; ")))
            .with_hint("remove these files to begin anew"))
    }

    /// Says from where the run goes on.
    fn tell(&self, path: &Path, run: &Run, task: &Task) {
        let (path, done, steps) = (path.display(), run.curve.done, self.steps);
        let (kept, own) = (&run.program, env!("CARGO_PKG_VERSION"));
        if kept != own {
            task.warn(&format!("`{path}` is of version {kept}, this is {own}: the bits may not be those of one run"));
        }
        task.note(&match done == steps {
            true => format!("train: all {steps} steps are done, in `{path}`"),
            false => format!("train: goes on after step {done} of {steps}, from `{path}`"),
        });
    }

    fn decode(&self, path: &Path, bytes: &[u8]) -> Result<(Learned, Run)> {
        let (model, run) = Learned::decode_run(path, bytes, &self.host)?;
        let run =
            run.ok_or_else(|| Error::file("read", path, "it is a saved model, but no checkpoint of a training"))?;
        let run = serde_json::from_value(run).map_err(|e| Error::file("read", path, e))?;
        Ok((model, run))
    }

    /// Refuses the checkpoint of another training.
    fn check(&self, path: &Path, model: &Learned, run: &Run) -> Result<()> {
        let differences = differences((model, &run.origin), (self.model, &self.origin));
        match differences.is_empty() {
            true => Ok(()),
            false => {
                let what = format!("has another training, `{}`: {}", path.display(), differences.join("; "));
                Err(Error::argument("checkpoint", what).with_hint("give what it was begun with, or another folder"))
            }
        }
    }

    /// Whether a checkpoint should follow after that many steps.
    pub(super) fn is_due(&self, done: u64) -> bool {
        done.is_multiple_of(self.every) || done == self.steps
    }

    /// Writes a checkpoint and removes those that are too old now.
    ///
    /// # Errors
    /// When it cannot be written; those before it are still there.
    pub(super) fn save(&mut self, weights: &Weights, curve: &Curve, elapsed: Duration) -> Result<()> {
        let path = self.folder.join(format!("{PREFIX}{:08}{SUFFIX}", curve.done));
        if self.kept.last() == Some(&path) {
            return Ok(());
        }
        let run = Run {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            origin: self.origin.clone(),
            curve: curve.clone(),
            elapsed,
        };
        let run = serde_json::to_value(run).map_err(|e| Error::file("write", &path, e))?;
        self.host.write_bytes(&path, &self.model.encode_run(weights, Some(run), self.host.provenance())?)?;
        self.kept.retain(|kept| *kept != path);
        self.kept.push(path);
        let old = self.kept.len().saturating_sub(self.keep);
        self.kept.drain(..old).try_for_each(|old| self.host.remove_file(&old))
    }

    /// The log of the training in its folder, which goes on after the steps `done`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn log(&self, done: u64, options: &Options) -> Result<Log> {
        Log::open(&self.folder, done, options, &self.host)
    }

    /// The newest checkpoint that was written or read; the folder before there is any.
    pub(super) fn newest(&self) -> &Path {
        self.kept.last().unwrap_or(&self.folder)
    }
}

const PREFIX: &str = "step-";
const SUFFIX: &str = ".safetensors";

/// The checkpoints in a folder in the order of their steps, without what a process left behind that was killed while it
/// wrote one.
fn found(folder: &Path, host: &Host) -> Result<Vec<PathBuf>> {
    let step = |name: &str| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse::<u64>().ok();
    host.sweep(folder, |name| step(name).is_some() || Log::is_file(name))?;
    let mut found = Vec::new();
    for entry in host.entries(folder)?.into_iter().filter(|entry| !entry.is_folder) {
        if let Some(step) = entry.path.file_name().and_then(|name| step(name.to_str()?)) {
            found.push((step, entry.path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}
