//! A sweep from its beginning to its end, or the part of it that this run does.

use super::crew::by_processes;
use super::description::Description;
use super::folder::Folder;
use super::grid::{Grid, Point};
use super::part::{Part, Plan, Planned, Share, Wanted};
use super::table::Table;
use super::work::{Compute, Others, Work};
use crate::error::{Error, Result};
use crate::host::Launcher;
use crate::task::Task;

/// A sweep that a script asks for.
pub struct Sweep {
    /// What is swept.
    pub grid: Grid,
    /// Where results are kept, if anywhere, and what they depend on.
    pub kept: Option<(Folder, Description)>,
    /// How many processes compute at a time.
    pub jobs: usize,
}

impl Sweep {
    fn folder(&self) -> Option<&Folder> {
        self.kept.as_ref().map(|(folder, _)| folder)
    }
}

/// How a sweep ended.
pub enum End {
    /// With the results.
    Table(Table),
    /// The script has nothing to do behind it; whether all went well.
    Leave(bool),
    /// As the outcome of a point asked for.
    Stopped,
    /// Without any result.
    Failed(Error),
}

/// Does its `part` of a sweep.
///
/// # Errors
/// When the folder belongs to another sweep or cannot be used, or processes are asked for and cannot be had.
/// [`Error::Interrupted`] when the user asks to stop: what is done is kept.
pub fn run(sweep: &Sweep, part: &Part, task: &Task, compute: &mut Compute) -> Result<End> {
    let host = task.host();
    // Other processes would wait for the point in which they are started; ranks compute each point together.
    let is_alone = host.journal().is_watched() || !host.ranks().is_alone();
    let part = if is_alone { &Part::Alone } else { part };
    // What other processes are started for comes later: what is here is for them as it was for who started them.
    let is_earlier = matches!(part, Part::Share(_));
    if let Some((folder, now)) = &sweep.kept {
        match part {
            Part::Share(share) if is_shared(share, folder, sweep, task) => {
                return share_of(sweep, folder, now, share, task, compute);
            }
            Part::Plan(plan) => {
                if let Some(end) = plan_of(sweep, folder, now, plan)? {
                    return Ok(end);
                }
            }
            _ => {}
        }
    }
    let launcher = if matches!(part, Part::Whole) { launcher(sweep, task)? } else { None };
    let claim = |(folder, now): &(Folder, Description)| match is_earlier {
        true => folder.check_part(now),
        false => folder.claim(now),
    };
    let known = sweep.kept.as_ref().map(claim).transpose()?.flatten();
    let mut work = Work::begin(&sweep.grid, sweep.folder(), task)?;
    work.tell_start(known.as_ref());
    let name = format!("process {}", std::process::id());
    let all: Vec<usize> = (0..work.points.len()).collect();
    let done = match launcher {
        Some(launcher) => by_processes(&mut work, launcher, sweep.jobs).map(|()| false),
        None => work.here(&all, &name, Others { are_awaited: true, may_fail: is_earlier }, compute),
    };
    if done.as_ref().map_or_else(|error| matches!(error, Error::Interrupted), |is_stopped| *is_stopped) {
        work.tell_kept();
    }
    if done? {
        return Ok(End::Stopped);
    }
    Ok(work.table(&sweep.grid, !is_earlier)?.map_or_else(End::Failed, End::Table))
}

/// Whether a sweep is the one of which a process computes a share: not one that a script makes in the same folder
/// before it gives an axis more values.
fn is_shared(share: &Share, folder: &Folder, sweep: &Sweep, task: &Task) -> bool {
    let is_wanted = match &share.points {
        Wanted::All(count) => sweep.grid.count() == *count,
        Wanted::These(names) => {
            let points = sweep.grid.points();
            names.iter().all(|name| points.iter().any(|point| point.name() == *name))
        }
    };
    is_wanted && task.host().is_same_file(&share.folder, folder.path())
}

/// What starts processes, where several are asked for.
fn launcher<'a>(sweep: &Sweep, task: &'a Task) -> Result<Option<&'a dyn Launcher>> {
    if sweep.jobs == 1 {
        return Ok(None);
    }
    let refuse = |problem: &str| Error::argument("jobs", format!("is {}, and {problem}", sweep.jobs));
    if sweep.kept.is_none() {
        return Err(refuse("processes share their results in a folder").with_hint("add folder: \"runs\""));
    }
    let none = || refuse("here no processes can be started").with_hint("`tumble run` can; or leave `jobs` out");
    task.host().launcher().ok_or_else(none).map(Some)
}

fn share_of(
    sweep: &Sweep,
    folder: &Folder,
    now: &Description,
    share: &Share,
    task: &Task,
    compute: &mut Compute,
) -> Result<End> {
    // The sweep may have got more values since the process was started.
    folder.check_part(now)?;
    let mut work = Work::begin(&sweep.grid, sweep.folder(), task)?;
    let is_wanted = |point: &Point| match &share.points {
        Wanted::All(_) => true,
        Wanted::These(names) => names.contains(&point.name()),
    };
    let wanted: Vec<usize> = (0..work.points.len()).filter(|&i| is_wanted(&work.points[i])).collect();
    let is_any = matches!(share.points, Wanted::All(_));
    let others = Others { are_awaited: false, may_fail: is_any };
    match work.here(&wanted, &share.name, others, compute)? {
        true => Ok(End::Stopped),
        false => Ok(End::Leave(is_any || work.errors.is_empty())),
    }
}

fn plan_of(sweep: &Sweep, folder: &Folder, now: &Description, plan: &Plan) -> Result<Option<End>> {
    folder.check(now)?;
    let (mut missing, mut there) = (Vec::new(), Vec::new());
    for point in sweep.grid.points() {
        match folder.result(&point)? {
            Some(found) => there.push((point, found)),
            None => missing.push((point.index, point.name())),
        }
    }
    folder.check_results(there.iter().map(|(point, found)| (point, found)))?;
    if missing.is_empty() {
        return Ok(None);
    }
    if !plan.is_dry {
        folder.claim(now)?;
    }
    let planned = Planned { folder: folder.path().to_owned(), count: sweep.grid.count(), missing };
    // Behind the first there is none, since the script ends.
    let _ = plan.found.set(planned);
    Ok(Some(End::Leave(true)))
}
