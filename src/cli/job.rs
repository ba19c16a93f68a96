//! What a process is told that computes points of a sweep: by whoever started it, or by the file of a Slurm array.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tumble::sweep::{Part, Share, Wanted};
use tumble::{Error, Host};

use super::interrupt::Interrupt;

/// Which task of an array this process is, and of which job; Slurm sets them.
const TASK: &str = "SLURM_ARRAY_TASK_ID";
const ARRAY: &str = "SLURM_ARRAY_JOB_ID";

/// A script, as it was when the sweep began, and the folder of that.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::cli) struct Job {
    /// The name of the script, by which its imports are found.
    pub(super) script: String,
    pub(super) text: String,
    pub(super) arguments: Vec<String>,
    #[serde(default)]
    pub(super) folder: PathBuf,
    /// How many points the sweep has of which all are for whoever takes them.
    #[serde(default)]
    pub(super) count: usize,
    /// The names of points, by the numbers of the tasks that compute them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) points: BTreeMap<usize, String>,
}

impl Job {
    /// The job in the file of an array, or that of the process which started this one: from standard input, whose end
    /// is that of the other process, with which this one ends too.
    ///
    /// # Errors
    /// When nobody started this process so, or the file cannot be read.
    pub(super) fn read(file: Option<&Path>, interrupt: &Interrupt) -> tumble::Result<(Self, Part)> {
        let Some(file) = file else {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            let job: Option<Self> = read.ok().and_then(|_| serde_json::from_str(&line).ok());
            let job = job.ok_or_else(|| Error::refused("`share` is for processes that tumble starts"))?;
            end_with_parent(interrupt);
            let share =
                Share { folder: job.folder.clone(), points: Wanted::All(job.count), name: name(std::process::id()) };
            return Ok((job, Part::Share(share)));
        };
        let job: Self = serde_json::from_str(&Host::default().read_text(file)?)
            .map_err(|problem| Error::file("read", file, problem))?;
        let [task, array] = [TASK, ARRAY].map(|name| std::env::var(name).ok());
        let point = task.as_ref().and_then(|task| job.points.get(&task.parse().ok()?)).cloned();
        let point = point.ok_or_else(|| {
            let hint = "`tumble submit` starts these";
            Error::refused(format!("no task of the array {} is asked for", file.display())).with_hint(hint)
        })?;
        let name = format!("task {}_{}", array.unwrap_or_default(), task.unwrap_or_default());
        let share = Share { folder: job.folder.clone(), points: Wanted::These(vec![point]), name };
        Ok((job, Part::Share(share)))
    }
}

/// What a process that was started by another is called.
pub(super) fn name(process: u32) -> String {
    format!("process {process}")
}

/// Stops, and ends, when the other end of standard input is gone.
fn end_with_parent(interrupt: &Interrupt) {
    let interrupt = interrupt.clone();
    let wait = move || {
        let mut nothing = [0];
        // Nothing more is written there: this returns at its end.
        while std::io::stdin().lock().read(&mut nothing).is_ok_and(|count| count > 0) {}
        interrupt.leave()
    };
    // Without it the process only ends later.
    drop(std::thread::Builder::new().name("parent".to_owned()).spawn(wait));
}
