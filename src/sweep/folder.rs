//! The folder of a sweep: what is swept, and below it a folder for each point with its result or its error.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::description::Description;
use super::grid::{Point, text};
use super::table::Table;
use crate::error::{Error, Result};
use crate::host::{Hold, Host};

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
    /// None of these.
    Missing,
}

/// The file of a result.
#[derive(Deserialize)]
struct Kept {
    point: Map<String, Value>,
    result: Map<String, Value>,
}

impl Folder {
    /// The folder at a path, where there need not be any yet.
    pub fn new(path: &Path, host: &Host) -> Self {
        Self { path: path.to_owned(), host: host.clone() }
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
        if self.host.has_file(&path)? { self.read(&path).map(Some) } else { Ok(None) }
    }

    fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<T> {
        let bytes = self.host.peek(path)?;
        serde_json::from_slice(&bytes).map_err(|problem| Error::file("read", path, problem))
    }

    /// Refuses what is asked for `now` where the folder has results of something else; what it has any of.
    ///
    /// # Errors
    /// When it has, with the differences; when the folder cannot be read.
    pub fn check(&self, now: &Description) -> Result<Option<Description>> {
        let known = self.known()?;
        let differences = known.as_ref().map(|known| known.differences(now)).unwrap_or_default();
        if differences.is_empty() {
            return Ok(known);
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
        let known = self.check(now)?;
        if known.as_ref() == Some(now) {
            return Ok(known);
        }
        self.host.create_folder(&self.path)?;
        let path = self.path.join(DESCRIPTION);
        // Of two that come at the same time, one waits and then finds that it is the other's.
        let hold = (0..CLAIMS).find_map(|_| self.host.hold(&path, "the sweep").transpose());
        let _hold = hold.transpose()?.ok_or_else(|| {
            Error::file("write", &path, "another process has held it for too long").with_hint("try again")
        })?;
        let known = self.check(now)?;
        self.write(&path, &serde_json::to_string_pretty(now).expect("keys are strings"))?;
        Ok(known)
    }

    fn write(&self, path: &Path, text: &str) -> Result<()> {
        self.host.write_bytes(path, (text.trim_end().to_owned() + "\n").as_bytes())
    }

    /// The folder of a point, which need not exist.
    pub fn point(&self, point: &Point) -> PathBuf {
        self.path.join(point.name())
    }

    /// Makes the folder of a point.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn begin(&self, point: &Point) -> Result<()> {
        self.host.create_folder(&self.point(point))
    }

    /// The result of a point, if it has one.
    ///
    /// # Errors
    /// When it cannot be read, or is that of another point.
    pub fn result(&self, point: &Point) -> Result<Option<Map<String, Value>>> {
        let path = self.point(point).join(RESULT);
        if !self.host.has_file(&path)? {
            return Ok(None);
        }
        let Kept { point: kept, result } = self.read(&path)?;
        let is_own = kept.len() == point.values.len()
            && point.values.iter().all(|(name, value)| kept.get(name).is_some_and(|kept| text(kept) == text(value)));
        if !is_own {
            let error = Error::file("use", &path, "it is the result of another point");
            return Err(error.with_hint("remove it, to compute it again"));
        }
        Ok(Some(result))
    }

    /// Notes that the result of a point is used, with what its computation had read and called.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn take(&self, point: &Point) -> Result<()> {
        let path = self.point(point).join(RESULT);
        self.host.take(&path, &self.host.peek(&path)?)
    }

    /// Keeps the result of a point.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, point: &Point, result: &Map<String, Value>) -> Result<()> {
        let values: Map<String, Value> = point.values.iter().cloned().collect();
        let kept = json!({ "point": values, "result": result });
        self.write(&self.point(point).join(RESULT), &serde_json::to_string_pretty(&kept).expect("keys are strings"))
    }

    /// Keeps what a point printed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_output(&self, point: &Point, printed: &str) -> Result<()> {
        self.write(&self.point(point).join(OUTPUT), printed)
    }

    /// Keeps why a point failed; the first line says it briefly.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_error(&self, point: &Point, error: &str) -> Result<()> {
        self.begin(point)?;
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
        let path = self.path.join(name).join(ERROR);
        if !self.host.has_file(&path)? {
            return Ok(None);
        }
        let bytes = self.host.peek(&path)?;
        let text = String::from_utf8_lossy(&bytes);
        let first = text.lines().next().unwrap_or_default();
        Ok(Some(first.strip_prefix("error: ").unwrap_or(first).to_owned()))
    }

    /// Forgets that a point failed: it is going to be tried again.
    ///
    /// # Errors
    /// When that cannot be removed.
    pub fn forget_error(&self, point: &Point) -> Result<()> {
        let path = self.error_of(point);
        if self.host.has_file(&path)? { self.host.remove_file(&path) } else { Ok(()) }
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
        self.state_of(&point.name())
    }

    /// How the point of this name is doing.
    ///
    /// # Errors
    /// As [`Folder::state`].
    pub fn state_of(&self, name: &str) -> Result<State> {
        let path = self.path.join(name).join(RESULT);
        if self.host.has_file(&path)? {
            return Ok(State::Done);
        }
        let holder = self.host.holder(&path)?.filter(|holder| holder.is_alive);
        Ok(match (holder, self.error_at(name)?) {
            (Some(holder), _) => State::Running(holder.name),
            (None, Some(error)) => State::Failed(error),
            (None, None) => State::Missing,
        })
    }

    /// Writes `table.csv` and `table.json`.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_table(&self, table: &Table) -> Result<()> {
        self.host.write_bytes(&self.path.join("table.csv"), table.csv().as_bytes())?;
        self.write(&self.path.join("table.json"), &table.json())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::grid::{Axis, Grid};
    use super::*;

    fn grid(values: Value) -> Grid {
        Grid::new(vec![Axis { name: "tau".into(), values: values.as_array().unwrap().clone() }]).unwrap()
    }

    fn description(axes: Grid) -> Description {
        let (captured, code, sources) = Default::default();
        Description { tumble: "0".into(), script: "a.rhai".into(), axes, captured, code, sources }
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
        assert_eq!(folder.state(point).unwrap(), State::Missing);
        let result: Map<_, _> = [("x".to_owned(), json!(0.1))].into_iter().collect();
        folder.keep(point, &result).unwrap();
        assert_eq!(folder.state(point).unwrap(), State::Done);
        assert_eq!(folder.result(point).unwrap(), Some(result));
        assert_eq!(folder.result(&grid.points()[1]).unwrap(), None);
    }

    /// The result of a point is known by its values, whatever its place among the points.
    #[test]
    fn a_sweep_grows_and_keeps_its_results() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path(), &Host::default());
        folder.claim(&description(grid(json!([0.5])))).unwrap();
        let first = &grid(json!([0.5])).points()[0];
        folder.begin(first).unwrap();
        folder.keep(first, &Map::new()).unwrap();
        let more = grid(json!([0.1, 0.5]));
        assert!(folder.claim(&description(more.clone())).unwrap().is_some());
        let there: Vec<_> = more.points().iter().map(|point| folder.result(point).unwrap().is_some()).collect();
        assert_eq!(there, [false, true]);
        let error = folder.claim(&description(grid(json!([0.1, 0.7])))).unwrap_err();
        assert!(error.to_string().contains("the axis `tau` no longer has 0.5"), "{error}");
        std::fs::rename(place.path().join("tau=0.5"), place.path().join("tau=0.1")).unwrap();
        assert!(folder.result(&more.points()[0]).unwrap_err().to_string().contains("of another point"));
    }
}
