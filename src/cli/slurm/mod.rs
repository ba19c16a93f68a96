//! `tumble submit`: the points of a sweep as an array of tasks of Slurm.

mod batch;
mod queue;
mod submissions;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tumble::sweep::{Folder, Part, Plan, Planned, State};
use tumble::{Error, Host};

use super::job::Job;
use super::terminal;
use batch::Batch;
pub(super) use queue::{Waiting, waiting};
pub(super) use submissions::Submissions;

/// What the command line says of a submission.
#[derive(clap::Args)]
pub(super) struct Submit {
    /// The script
    pub(super) file: PathBuf,
    /// What `sbatch` is told, such as "--time=1:00:00 --mem=4G"
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true)]
    slurm: Vec<String>,
    /// Tasks that run at a time, at most
    #[arg(long, value_name = "N")]
    at_once: Option<usize>,
    /// Print the batch file, and write and submit nothing
    #[arg(long)]
    dry_run: bool,
    /// Submit again what failed or is missing, and neither runs nor waits
    #[arg(long)]
    retry: bool,
    /// What the script sees as the constant array `args`; behind `--`, also what begins with a dash
    pub(super) args: Vec<String>,
}

/// Submits the points that have no result, and returns the exit code. `plan` runs the script as that part of its
/// sweeps, and `flags` are those of the program that tasks get.
///
/// # Errors
/// When the script has no such sweep or was submitted before, and when Slurm is not there or refuses.
pub(super) fn submit(
    order: &Submit,
    script: &Job,
    flags: &[String],
    host: &Host,
    plan: impl FnOnce(Part) -> tumble::Result<u8>,
) -> tumble::Result<u8> {
    let options = batch::options(&order.slurm)?;
    let Plan { is_dry, found } = Plan { is_dry: order.dry_run, ..Plan::default() };
    let code = plan(Part::Plan(Plan { is_dry, found: found.clone() }))?;
    match found.get() {
        Some(planned) => submit_missing(order, script, flags, &options, host, planned),
        None => {
            if code == 0 {
                terminal::print("nothing to submit: the script has no sweep with a folder that lacks results");
            }
            Ok(code)
        }
    }
}

/// Submits what is missing of a sweep, as far as nobody computes it.
fn submit_missing(
    order: &Submit,
    script: &Job,
    flags: &[String],
    options: &[String],
    host: &Host,
    planned: &Planned,
) -> tumble::Result<u8> {
    batch::check(&planned.folder)?;
    let submissions = Submissions::read(&planned.folder, host)?;
    if !submissions.is_empty() && !order.retry {
        let problem = format!("the sweep in `{}` was submitted before", planned.folder.display());
        return Err(Error::refused(problem).with_hint("--retry submits what failed or is missing, and does not run"));
    }
    let waiting = if submissions.is_empty() { Waiting::default() } else { waiting()? };
    let points = open(planned, &submissions.waiting(&waiting), host)?;
    if points.is_empty() {
        terminal::print(&format!("nothing to submit: every point of `{}` runs or waits", planned.folder.display()));
        return Ok(0);
    }
    let count = points.len();
    let folder = planned.folder.clone();
    // No name is taken for an option.
    let place = Path::new(".").join(submissions.next());
    let batch = Batch { folder: &folder, points: &points, at_once: order.at_once, options, flags, job: &place };
    let batch = batch.text(&std::env::current_exe().map_err(|error| Error::file("find", "tumble".as_ref(), error))?);
    if order.dry_run {
        terminal::print(batch.trim_end());
        return Ok(0);
    }
    let job = Job { folder: folder.clone(), points, ..script.clone() };
    let file = submissions.write(&job, &batch, host)?;
    let id = queue::submit(&Path::new(".").join(file))?;
    submissions.note(&id, host)?;
    let folder = folder.display();
    terminal::print(&format!(
        "submitted {count} of {} points of `{folder}` as job {id}; `tumble status {folder}` shows how they do",
        planned.count
    ));
    Ok(0)
}

/// The points that nobody computes and that do not wait for it, by their places.
fn open(planned: &Planned, waiting: &BTreeSet<String>, host: &Host) -> tumble::Result<BTreeMap<usize, String>> {
    let folder = Folder::new(&planned.folder, host);
    let mut open = BTreeMap::new();
    for (index, name) in planned.missing.iter().filter(|(_, name)| !waiting.contains(name)) {
        if !matches!(folder.state_of(name)?, State::Running(_) | State::Done) {
            open.insert(*index, name.clone());
        }
    }
    Ok(open)
}
