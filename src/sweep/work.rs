//! Points that are worked off: what became of each, and the table of all.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::description::Description;
use super::folder::Folder;
use super::found::Found;
use super::grid::{Grid, Point, is_plain, text};
use super::reading::reads;
use super::table::Table;
use crate::error::{Error, Result};
use crate::host::Mark;
use crate::task::Task;
use crate::tensor::number;

/// What computing a point came to.
pub enum Outcome {
    /// What was found.
    Result(Map<String, Value>),
    /// It cannot be computed.
    Failed {
        /// Why, in one line.
        brief: String,
        /// Why, at length.
        report: String,
    },
    /// The whole script is to end.
    Stopped,
}

/// What a point has of its own.
pub struct Place {
    /// A folder.
    pub folder: PathBuf,
    /// What takes the lines that it prints.
    pub output: Box<dyn FnMut(&str)>,
}

/// Computes a point, which has a place of its own where results are kept.
pub type Compute<'a> = dyn FnMut(&Point, Option<Place>) -> Outcome + 'a;

/// Between two looks at what other processes have done.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// Between two looks at whether to stop.
const POLL: Duration = Duration::from_millis(20);
/// Numbers of an array that are shown.
const SHOWN: usize = 4;

/// What is done about points that other processes have begun.
#[derive(Clone, Copy)]
pub(super) struct Others {
    /// Whether they are waited for, and done again where nobody finishes them, or left to them.
    pub(super) are_awaited: bool,
    /// Whether those at which they have failed are left to them, too.
    pub(super) may_fail: bool,
}

/// A sweep that is being worked off.
pub(super) struct Work<'a> {
    pub(super) task: &'a Task,
    pub(super) folder: Option<&'a Folder>,
    pub(super) points: Vec<Point>,
    results: Vec<Option<Found>>,
    /// Why points failed in this run.
    pub(super) errors: BTreeMap<usize, String>,
    /// What the run had done before the first point. Files of a point say what was done up to there, and for that
    /// point: nothing of others that happen to be computed by the same process.
    before: Mark,
    /// The same with what was done for points that are not kept.
    done: Mark,
}

impl<'a> Work<'a> {
    /// With the results that are there.
    pub(super) fn begin(grid: &Grid, folder: Option<&'a Folder>, task: &'a Task) -> Result<Self> {
        let points = grid.points();
        let result = |point| folder.map_or(Ok(None), |folder| folder.result(point));
        let results = points.iter().map(result).collect::<Result<_>>()?;
        let before = task.host().journal().mark();
        let work = Self { task, folder, points, results, errors: BTreeMap::new(), done: before.clone(), before };
        work.check_results().map(|()| work)
    }

    /// Refuses results that are not of the same files as others, or as these are now.
    fn check_results(&self) -> Result<()> {
        let found = self.points.iter().zip(&self.results).filter_map(|(point, found)| Some((point, found.as_ref()?)));
        self.folder.map_or(Ok(()), |folder| folder.check_results(found))
    }

    /// Whether a point has its result, or has failed in this run.
    pub(super) fn is_settled(&self, i: usize) -> bool {
        self.results[i].is_some() || self.errors.contains_key(&i)
    }

    /// How many have.
    pub(super) fn settled(&self) -> usize {
        (0..self.points.len()).filter(|&i| self.is_settled(i)).count()
    }

    fn done(&self) -> usize {
        self.results.iter().flatten().count()
    }

    /// Tells what was there; `known` is what the folder was that of.
    pub(super) fn tell_start(&self, known: Option<&Description>) {
        let Some((folder, known)) = self.folder.zip(known) else { return };
        let (done, all, folder) = (self.done(), self.points.len(), folder.path().display());
        if done > 0 && known.tumble != env!("CARGO_PKG_VERSION") {
            let old = &known.tumble;
            self.task.warn(&format!("sweep: results in `{folder}` are of tumble {old}, not of this version"));
        }
        match done {
            0 => {}
            _ if done == all => self.task.note(&format!("sweep: all {all} points are there, in `{folder}`")),
            _ => self.task.note(&format!("sweep: goes on after {done} of {all} points, from `{folder}`")),
        }
    }

    /// Tells what is there when all is stopped.
    pub(super) fn tell_kept(&self) {
        if let Some(folder) = self.folder {
            let (done, all, folder) = (self.done(), self.points.len(), folder.path().display());
            self.task.note(&format!("sweep: {done} of {all} points are kept in `{folder}`; the same command goes on"));
        }
    }

    /// Tells what became of a point.
    pub(super) fn tell(&self, i: usize) {
        let (point, place, all) = (self.points[i].words(), self.settled(), self.points.len());
        let words = match (&self.results[i], self.errors.get(&i)) {
            (Some(found), _) => format!("{point}: {}", words(&found.result)),
            (None, Some(error)) => format!("{point} failed: {error}"),
            (None, None) => return,
        };
        self.task.note(&format!("sweep: {place}/{all}, {words}"));
    }

    /// Computes points in this process, each once; whether one of them ends the script.
    pub(super) fn here(&mut self, wanted: &[usize], name: &str, others: Others, compute: &mut Compute) -> Result<bool> {
        loop {
            let mut is_held = false;
            for &i in wanted {
                if self.is_settled(i) {
                    continue;
                }
                self.task.check()?;
                let hold = self.folder.map(|folder| folder.hold(&self.points[i], name)).transpose()?;
                if matches!(hold, Some(None)) {
                    is_held = true;
                } else if !self.look(i, others.may_fail)? && self.attempt(i, compute)? {
                    return Ok(true);
                }
            }
            if !is_held || !others.are_awaited {
                return Ok(false);
            }
            self.pause(LOOK)?;
        }
    }

    /// Looks whether other processes have settled a point by now.
    pub(super) fn look(&mut self, i: usize, with_errors: bool) -> Result<bool> {
        let Some(folder) = self.folder else { return Ok(false) };
        let point = &self.points[i];
        self.results[i] = folder.result(point)?;
        if self.results[i].is_none()
            && with_errors
            && let Some(error) = folder.error(point)?
        {
            self.errors.insert(i, error);
        }
        if self.is_settled(i) {
            self.tell(i);
        }
        Ok(self.is_settled(i))
    }

    /// Computes a point that nobody else does; whether it ends the script.
    fn attempt(&mut self, i: usize, compute: &mut Compute) -> Result<bool> {
        let (point, journal) = (&self.points[i], self.task.host().journal());
        let place = |folder: &Folder| -> Result<Place> {
            folder.begin(point)?.iter().for_each(|problem| self.task.warn(&format!("sweep: {problem}")));
            Ok(Place { folder: folder.point(point), output: folder.output(point, self.task) })
        };
        let place = self.folder.map(place).transpose()?;
        journal.watch();
        let outcome = compute(point, place);
        let reads = journal.seen();
        // What was stopped half way is no result.
        self.task.check()?;
        match outcome {
            Outcome::Stopped => return Ok(true),
            Outcome::Result(result) => {
                let read = self.folder.map(|folder| folder.readings(point, &reads)).unwrap_or_default();
                let found = Found { result, read };
                match self.folder {
                    Some(folder) => folder.keep(point, &found)?,
                    None => self.done.add(journal.mark()),
                }
                self.results[i] = Some(found);
            }
            Outcome::Failed { brief, report } => self.fail(i, brief, &report)?,
        }
        self.task.host().journal().go_back(&self.before);
        self.tell(i);
        Ok(false)
    }

    /// Gives up a point.
    pub(super) fn fail(&mut self, i: usize, brief: String, report: &str) -> Result<()> {
        self.folder.map_or(Ok(()), |folder| folder.keep_error(&self.points[i], report))?;
        self.errors.insert(i, brief);
        Ok(())
    }

    /// Waits, but for who asks to stop.
    pub(super) fn pause(&self, time: Duration) -> Result<()> {
        let start = self.task.host().now();
        while self.task.host().since(start) < time {
            self.task.check()?;
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// The table, when nothing is left to be done, which is written if it `is_kept`; or why there is none.
    pub(super) fn table(self, grid: &Grid, is_kept: bool) -> Result<Result<Table>> {
        let (failed, all) = (self.errors.len(), self.points.len());
        let first = self.errors.iter().next().map(|(&i, error)| (&self.points[i], error));
        let place = first.zip(self.folder).map(|((point, _), folder)| folder.error_of(point).display().to_string());
        let place = place.map(|place| format!(", see `{place}`")).unwrap_or_default();
        match first {
            Some((_, error)) if failed == all => {
                return Ok(Err(Error::refused(format!("all {all} points failed, the first: {error}{place}"))));
            }
            Some((point, _)) => {
                let which = format!("{failed} of {all} points failed, the first at {}", point.words());
                self.task.warn(&format!("sweep: {which}{place}; the same command tries them again"));
            }
            None => {}
        }
        self.check_results()?;
        self.note_what_was_done()?;
        let rows = self.points.iter().cloned().zip(self.results.iter().cloned());
        let rows = rows.filter_map(|(point, found)| Some((point, found?.result))).collect();
        let table = Table::new(grid, rows);
        if let Some(folder) = self.folder.filter(|_| is_kept) {
            // The results are there all the same.
            folder.write_table(&table).or_else(|error| self.warn_of_table(error))?;
        }
        Ok(Ok(table))
    }

    /// That somebody has edited the files of a table, or that a folder cannot be written, ends no script.
    fn warn_of_table(&self, error: Error) -> Result<()> {
        if !matches!(error, Error::File { .. }) {
            return Err(error);
        }
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        self.task.warn(&format!("sweep: the table is not written anew: {error}{hint}"));
        Ok(())
    }

    /// What comes behind a sweep comes of all its points, whoever computed them.
    fn note_what_was_done(&self) -> Result<()> {
        let journal = self.task.host().journal();
        journal.join(self.done.clone());
        // A sweep in a point of another has read it for that one.
        self.results.iter().flatten().for_each(|found| journal.see(&reads(&found.read)));
        let Some(folder) = self.folder else { return Ok(()) };
        let mut with_result = self.points.iter().zip(&self.results).filter(|(_, result)| result.is_some());
        with_result.try_for_each(|(point, _)| folder.take(point))
    }
}

/// Whether a value can be a result: one value, or an array of such.
pub(crate) fn is_finding(value: &Value) -> bool {
    is_plain(value) || value.as_array().is_some_and(|items| items.iter().all(is_plain))
}

/// "distance 0.0321, good true"
fn words(result: &Map<String, Value>) -> String {
    let value = |value: &Value| match value {
        Value::Number(x) => x.as_f64().map_or_else(|| x.to_string(), number),
        Value::Array(items) if items.len() > SHOWN => format!("{} values", items.len()),
        other => text(other),
    };
    result.iter().map(|(name, found)| format!("{name} {}", value(found))).collect::<Vec<_>>().join(", ")
}
