//! What a run has done so far: which texts ran, what they imported, read and computed. What it writes says so.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::hash::{digits, hash_of};
use super::provenance::{self, Calls, Provenance, Source};

/// What a run has done so far. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Run>>);

/// What a run had done at a moment.
#[derive(Clone)]
pub(crate) struct Mark(Provenance);

impl Mark {
    /// The same with what was done up to another moment.
    pub(crate) fn add(&mut self, Mark(other): Mark) {
        self.0.inherit(other);
    }
}

/// What a part of a run took from files, by the paths that it named: each with the hash of its bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    /// The files that it read, but for those that a run of the same script wrote.
    pub(crate) files: BTreeSet<Source>,
    /// The modules that it imported.
    pub(crate) modules: BTreeSet<Source>,
}

struct Run {
    /// How many texts ran.
    count: usize,
    /// All of them, unless they are longer than what is kept.
    script: Option<String>,
    /// Their hash so far.
    hash: Sha256,
    /// The texts of modules, by their hash.
    texts: BTreeMap<String, String>,
    so_far: Provenance,
    /// What was read by each part of the run that is watched, of which one may be inside another.
    watched: Vec<Reads>,
}

impl Journal {
    /// A text is going to run; the first gives all its name.
    pub(crate) fn enter(&self, name: &str, text: &str) {
        let run = &mut *self.lock();
        let between = if run.count == 0 { "" } else { provenance::NEXT };
        for part in [between, text] {
            run.hash.update(part);
            run.script =
                run.script.take().filter(|script| script.len() + part.len() <= LONGEST).map(|script| script + part);
        }
        if run.count == 0 {
            run.so_far.script.name = shown(Path::new(name));
        }
        run.so_far.script.sha256 = digits(run.hash.clone());
        run.count += 1;
    }

    /// What the script sees as `args`.
    pub(crate) fn give(&self, arguments: &[String]) {
        self.lock().so_far.arguments = arguments.to_vec();
    }

    /// A module was imported.
    pub(crate) fn import(&self, path: &Path, text: &str) {
        let mut run = self.lock();
        let sha256 = hash_of(text.as_bytes());
        run.texts.insert(sha256.clone(), text.to_owned());
        let named = Source { name: path.display().to_string(), sha256: sha256.clone() };
        for reads in &mut run.watched {
            reads.modules.insert(named.clone());
        }
        run.so_far.modules.insert(Source { name: shown(path), sha256 });
    }

    /// Takes down what is read from now on.
    pub(crate) fn watch(&self) {
        self.lock().watched.push(Reads::default());
    }

    /// What was read since this began.
    pub(crate) fn seen(&self) -> Reads {
        self.lock().watched.pop().unwrap_or_default()
    }

    /// Whether a part of the run is watched.
    pub(crate) fn is_watched(&self) -> bool {
        !self.lock().watched.is_empty()
    }

    /// What was read for a part of the run that is watched, by whomever.
    pub(crate) fn see(&self, reads: &Reads) {
        for watched in &mut self.lock().watched {
            watched.files.extend(reads.files.iter().cloned());
            watched.modules.extend(reads.modules.iter().cloned());
        }
    }

    /// The text of a module that was imported, by its hash.
    pub(crate) fn text(&self, sha256: &str) -> Option<String> {
        self.lock().texts.get(sha256).cloned()
    }

    /// A file was read that has this `hash`, and with that comes from `other`, if tumble made it. Neither is asked for
    /// before a text runs.
    pub(super) fn read(
        &self,
        path: &Path,
        hash: impl FnOnce() -> io::Result<String>,
        other: impl FnOnce(&str) -> Option<Provenance>,
    ) -> io::Result<()> {
        if self.lock().count == 0 {
            return Ok(());
        }
        let sha256 = hash()?;
        let other = other(&sha256);
        let run = &mut *self.lock();
        let is_own = other.as_ref().is_some_and(|other| run.so_far.is_of_same_run(other));
        // What another state of the script wrote follows from the script too.
        if !is_own && !other.as_ref().is_some_and(|other| is_script(&other.script, &run.so_far.script)) {
            let named = Source { name: path.display().to_string(), sha256: sha256.clone() };
            for reads in &mut run.watched {
                reads.files.insert(named.clone());
            }
        }
        run.so_far.inputs.extend((!is_own).then(|| Source { name: shown(path), sha256 }));
        if run.so_far.inputs.len() > MOST_NOTED {
            run.so_far.inputs.pop_last();
        }
        if let Some(other) = other {
            run.so_far.inherit(other);
        }
        Ok(())
    }

    /// Something is going to be computed.
    pub(crate) fn compute(&self, call: provenance::Call, seed: Option<u64>) {
        self.lock().so_far.calls.add(call, seed);
    }

    /// A process was defined.
    pub(crate) fn define(&self, process: provenance::Call) {
        self.lock().so_far.define([process]);
    }

    /// What was done so far but for imports, to be gone back to.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.lock().so_far.clone())
    }

    /// Forgets what was done since.
    pub(crate) fn go_back(&self, Mark(before): &Mark) {
        let now = &mut self.lock().so_far;
        let Provenance { inputs, processes, calls, .. } = before.clone();
        (now.inputs, now.processes, now.calls) = (inputs, processes, calls);
    }

    /// What was done up to a moment of another part of the run was done too.
    pub(crate) fn join(&self, Mark(other): Mark) {
        self.lock().so_far.inherit(other);
    }

    /// All of it, once a text has run.
    pub(super) fn provenance(&self) -> Option<Provenance> {
        let run = self.lock();
        (run.count > 0).then(|| Provenance { inputs: together(&run.so_far.inputs), ..run.so_far.clone() })
    }

    /// The script and its modules: hash and text of each.
    pub(super) fn texts(&self) -> Vec<(String, String)> {
        let run = self.lock();
        let script = run.script.iter().map(|script| (run.so_far.script.sha256.clone(), script.clone()));
        run.texts.clone().into_iter().chain(script).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Run> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Run {
    fn default() -> Self {
        let so_far = Provenance {
            tumble: env!("CARGO_PKG_VERSION").to_owned(),
            script: Source { name: String::new(), sha256: hash_of(b"") },
            arguments: Vec::new(),
            modules: BTreeSet::new(),
            inputs: BTreeSet::new(),
            processes: BTreeSet::new(),
            calls: Calls::default(),
        };
        let (texts, watched) = (BTreeMap::new(), Vec::new());
        Self { count: 0, script: Some(String::new()), hash: Sha256::new(), texts, so_far, watched }
    }
}

/// Bytes of texts that are kept: a program that runs texts for days must not grow by them.
const LONGEST: usize = 4 << 20;
/// The inputs that are noted at all.
const MOST_NOTED: usize = 10_000;
/// The inputs of which a file names each.
const MOST_INPUTS: usize = 64;

/// The inputs as a file names them: of many the last ones by one hash, that of the names and hashes of all of them.
fn together(inputs: &BTreeSet<Source>) -> BTreeSet<Source> {
    if inputs.len() <= MOST_INPUTS {
        return inputs.clone();
    }
    let rest: String =
        inputs.iter().skip(MOST_INPUTS).map(|input| format!("{}  {}\n", input.sha256, input.name)).collect();
    let name = format!("{} more", inputs.len() - MOST_INPUTS);
    inputs.iter().take(MOST_INPUTS).cloned().chain([Source { name, sha256: hash_of(rest.as_bytes()) }]).collect()
}

/// Whether both are states of one file; what was typed has no file.
fn is_script(one: &Source, other: &Source) -> bool {
    one.name == other.name && one.name.ends_with(".rhai")
}

/// A name that is the same on every machine.
fn shown(path: &Path) -> String {
    let path = match path.file_name() {
        Some(name) if path.is_absolute() => Path::new(name),
        _ => path,
    };
    path.display().to_string()
}
