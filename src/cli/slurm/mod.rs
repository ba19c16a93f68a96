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
    let folder = planned.folder.as_path();
    // Of two that come at the same time the second would submit the same.
    let _hold = if order.dry_run { None } else { Some(Submissions::hold(folder, host)?) };
    let mut submissions = Submissions::read(folder, host)?;
    if !submissions.is_empty() && !order.retry {
        let problem = format!("the sweep in `{}` was submitted before", folder.display());
        return Err(Error::refused(problem).with_hint("--retry submits what failed or is missing, and does not run"));
    }
    let waiting = if submissions.is_empty() { Waiting::default() } else { waiting()? };
    let points = open(planned, &submissions.waiting(&waiting), host)?;
    if points.is_empty() {
        terminal::print(&format!("nothing to submit: every point of `{}` runs or waits", folder.display()));
        return Ok(0);
    }
    let program = std::env::current_exe().map_err(|error| Error::file("find", "tumble".as_ref(), error))?;
    let (count, arrays) = (points.len(), arrays(points, queue::limit()));
    let mut ids: Vec<String> = Vec::new();
    for points in arrays {
        // No name is taken for an option.
        let file = &Path::new(".").join(submissions.next());
        // What may run at a time is said for each array.
        let behind = ids.last().filter(|_| order.at_once.is_some()).map(String::as_str);
        let batch = Batch { folder, points: &points, at_once: order.at_once, behind, options, flags, job: file };
        let batch = batch.text(&program);
        let job = Job { folder: folder.to_owned(), points, ..script.clone() };
        if order.dry_run {
            terminal::print(batch.trim_end());
            submissions.pass(job);
            ids.push("JOB".to_owned());
        } else {
            ids.push(submit_array(&mut submissions, job, &batch, host, &ids)?);
        }
    }
    if !order.dry_run {
        let (folder, jobs) = (folder.display(), if ids.len() == 1 { "job" } else { "jobs" });
        terminal::print(&format!(
            "submitted {count} of {} points of `{folder}` as {jobs} {}; `tumble status {folder}` shows how they do",
            planned.count,
            ids.join(", ")
        ));
    }
    Ok(0)
}

/// Submits an array behind others, and returns its number. What Slurm does not take leaves nothing.
fn submit_array(
    submissions: &mut Submissions,
    job: Job,
    batch: &str,
    host: &Host,
    others: &[String],
) -> tumble::Result<String> {
    let file = submissions.write(&job, batch, host)?;
    let id = queue::submit(&Path::new(".").join(file)).or_else(|error| {
        submissions.withdraw(host)?;
        if !others.is_empty() {
            terminal::print(&format!("submitted as {} only; --retry submits the rest", others.join(", ")));
        }
        Err(error)
    })?;
    submissions.note(job, &id, host)?;
    Ok(id)
}

/// The tasks of each array, where one has less than `limit` and numbers below that: as many as are needed.
fn arrays(points: BTreeMap<usize, String>, limit: Option<usize>) -> Vec<BTreeMap<usize, String>> {
    match limit.filter(|limit| points.keys().any(|index| index >= limit)) {
        None => vec![points],
        Some(limit) => {
            let names: Vec<String> = points.into_values().collect();
            names.chunks(limit).map(|part| part.iter().cloned().enumerate().collect()).collect()
        }
    }
}

/// The points that nobody computes and that do not wait for it, by their places.
fn open(planned: &Planned, waiting: &BTreeSet<String>, host: &Host) -> tumble::Result<BTreeMap<usize, String>> {
    let folder = Folder::new(&planned.folder, host);
    let mut open = BTreeMap::new();
    for (index, name) in planned.missing.iter().filter(|(_, name)| !waiting.contains(name)) {
        if !matches!(folder.state_of(name, None)?, State::Running(_) | State::Done) {
            open.insert(*index, name.clone());
        }
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_as_long_as_slurm_takes_them() {
        let points = |numbers: &[usize]| numbers.iter().map(|number| (*number, format!("a={number}"))).collect();
        let of = |numbers: &[usize], limit| {
            let arrays = arrays(points(numbers), limit).into_iter();
            arrays.map(|array| array.into_iter().collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        let task = |number: usize, point: usize| (number, format!("a={point}"));
        assert_eq!(of(&[0, 3], Some(4)), [[task(0, 0), task(3, 3)]]);
        assert_eq!(of(&[0, 4], None), [[task(0, 0), task(4, 4)]]);
        assert_eq!(of(&[0, 4], Some(4)), [[task(0, 0), task(1, 4)]]);
        assert_eq!(of(&[0, 1, 5, 6, 7], Some(2))[1..], [vec![task(0, 5), task(1, 6)], vec![task(0, 7)]]);
    }
}
