//! The folder of a sweep: what is swept, and below it a folder for each point with its result or its error.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::description::Description;
use super::found::{self, Found};
use super::grid::{Grid, Point};
use super::reading::{Essence, Reading, parted, readings, stale};
use super::table::Table;
use crate::error::{Error, Result};
use crate::host::{Hold, Host, Reads};
use crate::task::Task;

/// What is swept.
const DESCRIPTION: &str = "sweep.json";
/// Attempts to be the one who says it, each of which waits for some milliseconds.
const CLAIMS: usize = 200;
/// In the folder of a point: what its closure gave, why it failed, and what it printed.
const RESULT: &str = "result.json";
const ERROR: &str = "error.txt";
const OUTPUT: &str = "output.txt";

/// The folder of a sweep, in which several processes may work at a time.
#[derive(Clone)]
pub struct Folder {
    path: PathBuf,
    host: Host,
    /// What counts of the texts of modules. Without it these are not compared with what they are now.
    essence: Option<Essence>,
}

/// How a point is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its result is there.
    Done,
    /// Somebody of this name computes it.
    Running(String),
    /// It failed, for this reason.
    Failed(String),
    /// It was begun, and is not being computed.
    Interrupted,
    /// Its result cannot be used, for this reason.
    Damaged(String),
    /// None of these.
    Missing,
}

impl Folder {
    /// The folder at a path, where there need not be any yet.
    pub fn new(path: &Path, host: &Host) -> Self {
        Self { path: path.to_owned(), host: host.clone(), essence: None }
    }

    /// The same folder where `essence` says what counts of the text of a module.
    #[must_use]
    pub(crate) fn with_essence(self, essence: fn(&str) -> String) -> Self {
        Self { essence: Some(essence), ..self }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says that its results are of.
    ///
    /// # Errors
    /// When there is no sweep, or what is there cannot be read.
    pub fn description(&self) -> Result<Description> {
        let hint = "sweep(axes, closure, #{ folder: \"runs\" }) makes one";
        self.known()?.ok_or_else(|| Error::file("read", &self.path, "there is no sweep").with_hint(hint))
    }

    fn known(&self) -> Result<Option<Description>> {
        let path = self.path.join(DESCRIPTION);
        let Some(bytes) = self.bytes(&path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|problem| {
            let hint = "if the results there are of this sweep, remove it: it is written anew";
            Error::file("read", &path, problem).with_hint(hint)
        })
    }

    /// What is in a file, the same for all ranks, if it is there.
    fn bytes(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        let read = || if self.host.has_file(path)? { self.host.peek(path).map(Some) } else { Ok(None) };
        match self.host.ranks().is_alone() {
            true => read(),
            false => self.host.ranks().first(&format!("reading `{}`", path.display()), read),
        }
    }

    /// Refuses what is asked for `now` where the folder has results of something else; what it has any of.
    ///
    /// # Errors
    /// When it has, with the differences; when the folder cannot be read.
    pub fn check(&self, now: &Description) -> Result<Option<Description>> {
        let known = self.known()?;
        let differences = known.as_ref().map(|known| known.differences(now)).unwrap_or_default();
        self.refuse(&differences).map(|()| known)
    }

    /// The same for a sweep that may have fewer values than the folder has.
    pub(super) fn check_part(&self, now: &Description) -> Result<Option<Description>> {
        let known = self.known()?;
        let differences = known.as_ref().map(|known| known.differences_but_of_axes(now)).unwrap_or_default();
        self.refuse(&differences).map(|()| known)
    }

    fn refuse(&self, differences: &[String]) -> Result<()> {
        if differences.is_empty() {
            return Ok(());
        }
        let folder = self.path.display();
        let problem = format!("has results of another sweep, `{folder}`: {}", differences.join("; "));
        let hint = format!(
            "take another folder, or remove `{folder}` to begin anew; if its results hold all the same, remove \
             `{folder}/{DESCRIPTION}` alone"
        );
        Err(Error::argument("folder", problem).with_hint(hint))
    }

    /// Makes the folder that of the sweep that is described, and returns what it was that of before, if anything.
    ///
    /// # Errors
    /// As [`Folder::check`], and when the folder cannot be written.
    pub fn claim(&self, now: &Description) -> Result<Option<Description>> {
        if let Some(known) = self.check(now)?.filter(|known| known.is_as(now)) {
            return Ok(Some(known));
        }
        self.host.create_folder(&self.path)?;
        let path = self.path.join(DESCRIPTION);
        // Of two that come at the same time, one waits and then finds that it is the other's.
        let hold = (0..CLAIMS).find_map(|_| self.host.hold(&path, "the sweep").transpose());
        let _hold = hold.transpose()?.ok_or_else(|| {
            Error::file("write", &path, "another process has held it for too long").with_hint("try again")
        })?;
        let known = self.check(now)?;
        let accepted = match &known {
            Some(known) => known.accepted.clone(),
            None => self.stale(&now.axes)?,
        };
        let now = Description { accepted, ..now.clone() };
        self.write(&path, &serde_json::to_string_pretty(&now).expect("keys are strings"))?;
        Ok(known)
    }

    /// What results have read that has changed since: whoever takes away what they are of says that they hold.
    fn stale(&self, axes: &Grid) -> Result<BTreeSet<Reading>> {
        let found: Vec<Found> =
            axes.points().iter().filter_map(|point| self.result(point).transpose()).collect::<Result<_>>()?;
        Ok(stale(found.iter().flat_map(|found| &found.read), &self.host, self.essence))
    }

    /// Refuses results which are not of the same files, or not of what these are now.
    ///
    /// # Errors
    /// When they are not, with the differences; when the folder cannot be read.
    pub(super) fn check_results<'a>(&self, found: impl Iterator<Item = (&'a Point, &'a Found)>) -> Result<()> {
        let accepted = self.known()?.map(|known| known.accepted).unwrap_or_default();
        self.refuse_parted(found, &accepted, |reading| reading.now(&self.host, self.essence))
    }

    fn refuse_parted<'a>(
        &self,
        found: impl Iterator<Item = (&'a Point, &'a Found)>,
        accepted: &BTreeSet<Reading>,
        now: impl Fn(&Reading) -> Option<String>,
    ) -> Result<()> {
        let read = found.map(|(point, found)| (point, &found.read));
        let Some(parted) = parted(read, accepted, now) else { return Ok(()) };
        let (folder, first) = (self.path.display(), self.point(parted.first));
        let problem = format!("has results that are not of the same files: {}", parted.sentences.join("; "));
        let hint = format!(
            "remove the folders of these points, such as `{}`, to compute them again, or take another folder; if all \
             results hold all the same, remove `{folder}/{DESCRIPTION}` alone",
            first.display()
        );
        Err(Error::argument("folder", problem).with_hint(hint))
    }

    /// The table of the results that are there.
    ///
    /// # Errors
    /// When they are not of the same files, or cannot be read.
    pub fn table(&self, description: &Description) -> Result<Table> {
        let mut rows = Vec::new();
        for point in description.axes.points() {
            if let Some(found) = self.result(&point)? {
                rows.push((point, found));
            }
        }
        // Where scripts run is not known here, and so not what is there now.
        self.refuse_parted(rows.iter().map(|(point, found)| (point, found)), &description.accepted, |_| None)?;
        Ok(Table::new(&description.axes, rows.into_iter().map(|(point, found)| (point, found.result)).collect()))
    }

    fn write(&self, path: &Path, text: &str) -> Result<()> {
        self.host.write_bytes(path, (text.trim_end().to_owned() + "\n").as_bytes())
    }

    /// The folder of a point, which need not exist.
    pub fn point(&self, point: &Point) -> PathBuf {
        self.path.join(point.name())
    }

    /// Makes the folder of a point, without what an earlier attempt left there: its error, what it printed, a result
    /// that cannot be used; a sentence of that.
    ///
    /// # Errors
    /// When it cannot be created, or these are in the way.
    pub(super) fn begin(&self, point: &Point) -> Result<Option<String>> {
        let folder = self.point(point);
        self.host.create_folder(&folder)?;
        self.forget_error(point)?;
        self.clear(&folder.join(OUTPUT))?;
        let path = folder.join(RESULT);
        let Some(problem) = self.bytes(&path)?.and_then(|bytes| found::read(&bytes, Some(point)).err()) else {
            return Ok(None);
        };
        let aside = self.host.set_aside(&path)?;
        let (path, aside) = (path.display(), aside.display());
        Ok(Some(format!("`{path}` {problem}; it is now `{aside}`, and the point is computed again")))
    }

    /// Takes a file away; one that somebody has edited is set aside.
    fn clear(&self, path: &Path) -> Result<()> {
        if self.bytes(path)?.is_none() {
            return Ok(());
        }
        self.host.remove_file(path).or_else(|_| self.host.set_aside(path).map(drop))
    }

    /// The result of a point, if it has one that can be used.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn result(&self, point: &Point) -> Result<Option<Found>> {
        let bytes = self.bytes(&self.point(point).join(RESULT))?;
        Ok(bytes.and_then(|bytes| found::read(&bytes, Some(point)).ok()))
    }

    /// Notes that the result of a point is used, with what its computation had read and called.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn take(&self, point: &Point) -> Result<()> {
        let path = self.point(point).join(RESULT);
        self.host.take(&path, &self.host.peek(&path)?)
    }

    /// What was read for a point.
    pub(super) fn readings(&self, point: &Point, reads: &Reads) -> BTreeSet<Reading> {
        readings(reads, &self.point(point), &self.host, self.essence.unwrap_or(str::to_owned))
    }

    /// Keeps the result of a point.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(&self, point: &Point, found: &Found) -> Result<()> {
        self.write(&self.point(point).join(RESULT), &found.text(point))
    }

    /// Takes what a point prints, to be seen at once.
    pub(super) fn output(&self, point: &Point, task: &Task) -> Box<dyn FnMut(&str)> {
        let (path, host, task) = (self.point(point).join(OUTPUT), self.host.clone(), task.clone());
        let (mut file, mut is_well) = (None, true);
        Box::new(move |line| {
            let mut add = || -> Result<()> {
                if file.is_none() {
                    file = Some(host.begin(&path, b"")?);
                }
                file.as_mut().map_or(Ok(()), |file| file.add(format!("{line}\n").as_bytes()))
            };
            // What is printed is no result: that it is not kept ends nothing.
            if is_well && let Err(error) = add() {
                is_well = false;
                task.warn(&format!("sweep: {error}"));
            }
        })
    }

    /// Keeps why a point failed; the first line says it briefly.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_error(&self, point: &Point, error: &str) -> Result<()> {
        self.host.create_folder(&self.point(point))?;
        self.write(&self.error_of(point), error)
    }

    /// Where it says why a point failed.
    pub fn error_of(&self, point: &Point) -> PathBuf {
        self.point(point).join(ERROR)
    }

    /// Why a point failed, if it did, in one line.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn error(&self, point: &Point) -> Result<Option<String>> {
        self.error_at(&point.name())
    }

    fn error_at(&self, name: &str) -> Result<Option<String>> {
        let Some(bytes) = self.bytes(&self.path.join(name).join(ERROR))? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let first = text.lines().next().unwrap_or_default();
        Ok(Some(first.strip_prefix("error: ").unwrap_or(first).to_owned()))
    }

    /// Forgets that a point failed: it is going to be tried again.
    ///
    /// # Errors
    /// When that cannot be removed.
    pub fn forget_error(&self, point: &Point) -> Result<()> {
        self.clear(&self.error_of(point))
    }

    /// Holds a point for whoever is called `name`; nothing where somebody else computes it.
    ///
    /// # Errors
    /// As [`Host::hold`].
    pub fn hold(&self, point: &Point, name: &str) -> Result<Option<Hold>> {
        self.host.hold(&self.point(point).join(RESULT), name)
    }

    /// Whether whoever was called `name` was ended while it computed this point.
    ///
    /// # Errors
    /// As [`Host::holder`].
    pub fn was_left(&self, point: &Point, name: &str) -> Result<bool> {
        Ok(self
            .host
            .holder(&self.point(point).join(RESULT))?
            .is_some_and(|holder| holder.name == name && !holder.is_alive))
    }

    /// How a point is doing.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn state(&self, point: &Point) -> Result<State> {
        self.state_of(&point.name(), Some(point))
    }

    /// How the point of this name is doing, of which its values may be known.
    ///
    /// # Errors
    /// As [`Folder::state`].
    pub fn state_of(&self, name: &str, point: Option<&Point>) -> Result<State> {
        let folder = self.path.join(name);
        let path = folder.join(RESULT);
        let found = self.bytes(&path)?.map(|bytes| found::read(&bytes, point));
        if let Some(Ok(_)) = found {
            return Ok(State::Done);
        }
        let holder = self.host.holder(&path)?.filter(|holder| holder.is_alive);
        Ok(match (holder, found, self.error_at(name)?) {
            (Some(holder), ..) => State::Running(holder.name),
            (_, Some(Err(problem)), _) => State::Damaged(format!("`{}` {problem}", path.display())),
            (.., Some(error)) => State::Failed(error),
            // Whoever begins a point makes its folder.
            _ if self.host.entries(&folder).is_ok() => State::Interrupted,
            _ => State::Missing,
        })
    }

    /// Writes `table.csv` and `table.json`, where they are not there already.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_table(&self, table: &Table) -> Result<()> {
        for (name, text) in [("table.csv", table.csv()), ("table.json", table.json() + "\n")] {
            let path = self.path.join(name);
            if self.bytes(&path)?.is_none_or(|bytes| bytes != text.as_bytes()) {
                self.host.write_bytes(&path, text.as_bytes())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::grid::{Axis, Grid};
    use super::*;

    fn grid(values: Value) -> Grid {
        Grid::new(vec![Axis { name: "tau".into(), values: values.as_array().unwrap().clone() }]).unwrap()
    }

    fn description(axes: Grid) -> Description {
        let (captured, code, sha256, sources, accepted) = Default::default();
        Description { tumble: "0".into(), script: "a.rhai".into(), axes, captured, code, sha256, sources, accepted }
    }

    #[test]
    fn a_point_is_missing_running_failed_or_done() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(&place.path().join("runs"), &Host::default());
        assert!(folder.description().unwrap_err().to_string().contains("there is no sweep"));
        let grid = grid(json!([0.5, 1]));
        assert_eq!(folder.claim(&description(grid.clone())).unwrap(), None);
        let point = &grid.points()[0];
        assert_eq!(folder.state(point).unwrap(), State::Missing);
        let hold = folder.hold(point, "me").unwrap();
        assert_eq!(folder.state(point).unwrap(), State::Running("me".into()));
        drop(hold);
        folder.keep_error(point, "error: too hot\n  at line 3").unwrap();
        assert_eq!(folder.state(point).unwrap(), State::Failed("too hot".into()));
        folder.forget_error(point).unwrap();
        assert_eq!(folder.state(point).unwrap(), State::Interrupted);
        let result: Map<_, _> = [("x".to_owned(), json!(0.1))].into_iter().collect();
        let found = Found { result, read: BTreeSet::new() };
        folder.keep(point, &found).unwrap();
        assert_eq!(folder.state(point).unwrap(), State::Done);
        assert_eq!(folder.result(point).unwrap(), Some(found));
        assert_eq!(folder.result(&grid.points()[1]).unwrap(), None);
    }

    /// Seen to be used where only the syntax was looked at.
    #[test]
    fn what_somebody_changed_is_no_result() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path(), &Host::default());
        let point = &grid(json!([0.5])).points()[0];
        let file = place.path().join("tau=0.5/result.json");
        let result: Map<_, _> = [("x".to_owned(), json!(0.1))].into_iter().collect();
        folder.begin(point).unwrap();
        folder.keep(point, &Found { result, read: BTreeSet::new() }).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let cases = [
            (text.replace("0.1", "0.2"), "was edited"),
            (text.replace("\"x\"", "\"tau\""), "was edited"),
            (text[..text.len() / 2].to_owned(), "is damaged"),
            (text.replace("sha256", "sha"), "was edited"),
        ];
        for (changed, problem) in cases {
            std::fs::write(&file, &changed).unwrap();
            assert_eq!(folder.result(point).unwrap(), None, "{changed}");
            assert_eq!(folder.state(point).unwrap(), State::Damaged(format!("`{}` {problem}", file.display())));
            let told = folder.begin(point).unwrap().unwrap();
            assert!(told.contains(problem) && told.contains("result.json.damaged"), "{told}");
            assert_eq!(folder.state(point).unwrap(), State::Interrupted);
        }
    }

    /// The result of a point is known by its values, whatever its place among the points.
    #[test]
    fn a_sweep_grows_and_keeps_its_results() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path(), &Host::default());
        folder.claim(&description(grid(json!([0.5])))).unwrap();
        let first = &grid(json!([0.5])).points()[0];
        folder.begin(first).unwrap();
        folder.keep(first, &Found { result: Map::new(), read: BTreeSet::new() }).unwrap();
        let more = grid(json!([0.1, 0.5]));
        assert!(folder.claim(&description(more.clone())).unwrap().is_some());
        let there: Vec<_> = more.points().iter().map(|point| folder.result(point).unwrap().is_some()).collect();
        assert_eq!(there, [false, true]);
        let error = folder.claim(&description(grid(json!([0.1, 0.7])))).unwrap_err();
        assert!(error.to_string().contains("the axis `tau` no longer has 0.5"), "{error}");
        std::fs::rename(place.path().join("tau=0.5"), place.path().join("tau=0.1")).unwrap();
        assert_eq!(folder.result(&more.points()[0]).unwrap(), None);
        assert!(folder.begin(&more.points()[0]).unwrap().unwrap().contains("is that of another point"));
    }
}
