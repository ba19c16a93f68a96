//! `tumble gather` and `tumble status`: what has become of a sweep so far.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tumble::Host;
use tumble::host::Permissions;
use tumble::sweep::{Description, Folder, Point, State};

use super::slurm::{Submissions, Waiting, waiting};
use super::terminal;

/// Points of one kind that are listed.
const LISTED: usize = 20;

/// How points are doing, in the order in which they are told of.
const KINDS: [&str; 7] = ["done", "running", "waiting", "failed", "interrupted", "damaged", "missing"];

/// Writes the table of a sweep from the results that are there, and returns the exit code.
///
/// # Errors
/// When there is no sweep, or the table cannot be written.
pub(super) fn gather(path: &Path) -> tumble::Result<u8> {
    // With permissions there are records of what is written, by which the next run may replace it.
    let host = Host::default().with_permissions(Permissions::none().with_flags().working_folder(path)?);
    let (folder, description) = open(path, &host)?;
    let table = folder.table(&description)?;
    let found: BTreeSet<usize> = table.rows().iter().map(|(point, _)| point.index).collect();
    let mut states = Vec::new();
    for point in description.axes.points().iter().filter(|point| !found.contains(&point.index)) {
        states.push(kind(&folder.state(point)?));
    }
    let (done, all, path) = (found.len(), description.axes.count(), path.display());
    folder.write_table(&table)?;
    let others = counts(&states);
    let others = if others.is_empty() { others } else { format!("; {others}") };
    terminal::print(&format!("{done} of {all} points are in `{path}/table.csv`{others}"));
    Ok(0)
}

/// Shows how the points of a sweep are doing, and returns the exit code.
///
/// # Errors
/// When there is no sweep, or its folder cannot be read.
pub(super) fn status(path: &Path) -> tumble::Result<u8> {
    let host = Host::default();
    let (folder, description) = open(path, &host)?;
    let submissions = Submissions::read(path, &host)?;
    let queue = if submissions.is_empty() { Ok(Waiting::default()) } else { waiting() };
    if let Err(error) = &queue {
        terminal::complain(&format!("what waits is not known: {error}"));
    }
    let queue = queue.unwrap_or_default();
    let tasks: BTreeMap<_, _> = submissions.tasks(&queue).map(|(name, task, word)| (name, (task, word))).collect();
    let mut all = Vec::new();
    for point in description.axes.points() {
        let task = tasks.get(point.name().as_str());
        let state = folder.state(&point)?;
        all.push(match (&state, task) {
            (State::Done | State::Running(_), _) => (kind(&state), point, words(state)),
            (_, Some((task, "RUNNING"))) => ("running", point, format!("task {task}")),
            (_, Some((task, _))) => ("waiting", point, format!("task {task}")),
            (State::Missing | State::Interrupted, None) => {
                let last = submissions.last_words(&point.name(), &host);
                let words = last.map(|(words, file)| format!("`{}` ends: {words}", file.display()));
                (kind(&state), point, words.unwrap_or_default())
            }
            _ => (kind(&state), point, words(state)),
        });
    }
    show(path, &description, &all);
    Ok(0)
}

fn open(path: &Path, host: &Host) -> tumble::Result<(Folder, Description)> {
    let folder = Folder::new(path, host);
    let description = folder.description()?;
    Ok((folder, description))
}

fn kind(state: &State) -> &'static str {
    match state {
        State::Done => KINDS[0],
        State::Running(_) => KINDS[1],
        State::Failed(_) => KINDS[3],
        State::Interrupted => KINDS[4],
        State::Damaged(_) => KINDS[5],
        State::Missing => KINDS[6],
    }
}

fn words(state: State) -> String {
    match state {
        State::Running(words) | State::Failed(words) | State::Damaged(words) => words,
        State::Done | State::Interrupted | State::Missing => String::new(),
    }
}

/// "18 done, 2 failed"
fn counts(kinds: &[&str]) -> String {
    let counted = KINDS.map(|kind| (kind, kinds.iter().filter(|other| **other == kind).count()));
    let counted = counted.into_iter().filter(|(_, count)| *count > 0);
    counted.map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

fn show(path: &Path, description: &Description, all: &[(&str, Point, String)]) {
    let kinds: Vec<_> = all.iter().map(|(kind, ..)| *kind).collect();
    let (count, script) = (all.len(), &description.script);
    terminal::print(&format!("{}: {count} points of {script}: {}", path.display(), counts(&kinds)));
    let width = kinds.iter().filter(|kind| **kind != KINDS[0]).map(|kind| kind.len()).max().unwrap_or(0).max(7);
    for wanted in &KINDS[1..] {
        let of_kind: Vec<_> = all.iter().filter(|(kind, ..)| kind == wanted).collect();
        for (kind, point, words) in of_kind.iter().take(LISTED) {
            let line = format!("  {kind:width$}  {}", point.words());
            terminal::print(&if words.is_empty() { line } else { format!("{line}: {words}") });
        }
        if of_kind.len() > LISTED {
            terminal::print(&format!("  {wanted:width$}  and {} more", of_kind.len() - LISTED));
        }
    }
}
