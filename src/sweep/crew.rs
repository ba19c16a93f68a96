//! Points that other processes compute.

use std::time::Duration;

use super::folder::{Folder, State};
use super::work::{LOOK, Work};
use crate::error::{Error, Result};
use crate::host::{Companion, Ended, Launcher};
use crate::task::{Report, Task};

/// Times that processes are started again where all have ended for want of anything to do.
const IDLE: usize = 2;

/// Lets other processes compute, up to `jobs` at a time.
///
/// # Errors
/// When one cannot be started, or all end before the points are done. [`Error::Interrupted`] when the user asks to
/// stop, and so are they.
pub(super) fn by_processes(work: &mut Work<'_>, launcher: &dyn Launcher, jobs: usize) -> Result<()> {
    let folder = work.folder.expect("without one there are no other processes");
    for point in &work.points {
        folder.forget_error(point)?;
    }
    let mut crew = Vec::new();
    let done = supervise(work, folder, launcher, jobs, &mut crew);
    // All of them, before one is waited for.
    crew.iter_mut().for_each(|companion| companion.stop());
    done
}

/// Starts processes, and looks after them until nothing is left to be done.
fn supervise(
    work: &mut Work<'_>,
    folder: &Folder,
    launcher: &dyn Launcher,
    jobs: usize,
    crew: &mut Vec<Box<dyn Companion>>,
) -> Result<()> {
    let threads = (work.task.threads() / jobs).max(1);
    let begin = work.task.host().now();
    let (mut places, mut early, mut last) = (jobs, None, None);
    // How often all have ended and found nothing to do, though nobody else does it.
    let mut idle = 0;
    loop {
        work.task.check()?;
        let look = work.task.host().now();
        let ended = retire(crew, work.task);
        for i in open(work) {
            work.look(i, true)?;
        }
        for (name, end) in ended.into_iter().filter(|(_, end)| !end.is_well) {
            // Each that is lost costs a point, so that this has an end.
            match blame(work, folder, &name, &end)? {
                true => places += 1,
                false => early = Some(end),
            }
        }
        let open = open(work).len();
        // Each time something has come: the speed is that of whole points.
        if last.replace(open) != Some(open) {
            idle = 0;
            report(work, begin);
        }
        if open == 0 {
            return Ok(());
        }
        while places > 0 && crew.len() < jobs.min(open) {
            crew.push(launcher.launch(folder.path(), work.points.len(), threads)?);
            places -= 1;
        }
        if crew.is_empty() && !are_others_at_work(work, folder)? {
            idle += 1;
            if early.is_some() || idle > IDLE {
                return Err(all_ended(early.as_ref()));
            }
            // They ended while somebody else had the points, who is gone now.
            places = jobs;
        }
        // In a folder of many points a look takes long.
        work.pause(LOOK.max(work.task.host().since(look)))?;
    }
}

/// The points that nobody has settled.
fn open(work: &Work<'_>) -> Vec<usize> {
    (0..work.points.len()).filter(|&i| !work.is_settled(i)).collect()
}

/// Takes those that have ended out of the crew, with how they did, and passes on what any of them said.
fn retire(crew: &mut Vec<Box<dyn Companion>>, task: &Task) -> Vec<(String, Ended)> {
    let mut ended = Vec::new();
    crew.retain_mut(|companion| {
        let end = companion.ended();
        for line in companion.said() {
            match line.strip_prefix("warning: ") {
                Some(warning) => task.warn(warning),
                None => task.note(&line),
            }
        }
        let is_there = end.is_none();
        ended.extend(end.map(|end| (companion.name(), end)));
        is_there
    });
    ended
}

/// Gives the point up that a lost process had; whether it had one.
fn blame(work: &mut Work<'_>, folder: &Folder, name: &str, end: &Ended) -> Result<bool> {
    for i in open(work) {
        if folder.was_left(&work.points[i], name)? {
            let brief = format!("the process that computed it {}", end.how);
            let report = format!("error: {brief}");
            work.fail(i, brief, &report)?;
            work.tell(i);
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether other processes compute what is left.
fn are_others_at_work(work: &Work<'_>, folder: &Folder) -> Result<bool> {
    for i in open(work) {
        if let State::Running(_) = folder.state(&work.points[i])? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn all_ended(early: Option<&Ended>) -> Error {
    let how = early.map_or("found nothing to do", |end| &end.how);
    let problem = format!("the processes of the sweep ended before it was done: the last one {how}");
    Error::refused(problem).with_hint("`jobs: 1` computes in this process, where more is to be seen")
}

fn report(work: &Work<'_>, begin: Duration) {
    let elapsed = work.task.host().since(begin);
    let (done, total) = (work.settled() as u64, work.points.len() as u64);
    let report = Report { task: "sweep", unit: "point", done, total, elapsed, loss: None };
    if done == total { work.task.finish(&report) } else { work.task.report(&report) }
}
