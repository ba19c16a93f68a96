//! One computation at many values of its parameters.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, FnPtr, INT, Map};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::host::Source;
use crate::lang::code::Code;
use crate::lang::failure::{Outcome, Raise, refuse};
use crate::lang::options::{Tables, kind, read};
use crate::lang::surroundings::{host, is_rehearsal, part, printed, sources, task};
use crate::lang::tracing::call as call_closure;
use crate::lang::{apart, catalog, caught, code, json, long, stop};
use crate::sweep::{self, Axis, Description, End, Folder, Grid, MOST, Place, Point, SETTINGS, Sweep, Table};
use crate::tensor::Tensor;

/// Registers the function.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    let functions = tables.module("", rhai::exported_manifest!(functions), &[("sweep", &[SETTINGS])]);
    engine.register_global_module(functions.into());
}

/// Entries of an array or a map that a closure captures, beyond which they are not compared.
const LONGEST: usize = 1000;
/// By what name a script finds what it was given.
const ARGUMENTS: &str = "args";

#[export_module(manifest)]
mod functions {
    /// Computes one thing at many values of its parameters, and says what comes of each point as it comes. The points
    /// are all combinations of the values, in the order of the names of the axes, the last one fastest.
    ///
    /// With `folder: "runs"` each point has a folder there, named by its values, such as `seed=3,tau=0.1`, with its
    /// result, what it prints, and for files that the closure writes below `point.folder`, checkpoints for example.
    /// What is there is not computed again: a sweep that was stopped goes on, and one that gets more values computes
    /// these. A point that fails, by `exit` too, does not end the others; its folder says why, in `error.txt`, and the
    /// next run tries it again. A result that somebody has changed is set aside, and the point computed again. At the
    /// end `table.csv` and `table.json` have all results.
    ///
    /// A folder belongs to one sweep. It is refused, with the difference, where an axis is gone or lacks a value (1,
    /// 1.0 and "1" are not the same), or where something else is that results may depend on: the script up to the sweep
    /// and the functions that it uses, numbers and texts that the closure captures, files that were read or imported
    /// before. Each result knows what the closure read and imported for it, but for what the script itself wrote:
    /// results of an old and of a new file are refused, too. What stands behind the sweep may change, and so may
    /// comments, lines and options.
    ///
    /// With `jobs: 4` that many processes run the script up to the sweep and take the points that nobody else computes,
    /// each with its part of the threads. As tasks of a Slurm array `tumble submit` runs the same script. Any number of
    /// runs may share a folder. Each point sees what the closure captured as it was before the sweep, scores too,
    /// whatever other points do with theirs; so the table has the same bits in each case.
    ///
    /// # Arguments
    /// - `axes`: a map of names with arrays or ranges of numbers, strings or truth values
    /// - `compute`: a closure of the point, a map of its values, `index`, and `folder` where there is one; it gives a
    ///   map of finite numbers, strings, truth values and arrays of these
    ///
    /// # Returns
    /// A table: an array of maps, each of the values of a point and what was found there. Points that failed are left
    /// out, with a warning.
    ///
    /// # Errors
    /// When all points fail, the folder has another sweep or cannot be written, or `jobs` asks for processes where none
    /// can be started, as at the prompt.
    ///
    /// # Example
    /// ```rhai
    /// let table = sweep(#{ tau: [0.1, 0.5], seed: 0..2 }, |point| {
    ///     let p = process::active(#{ tau: point.tau });
    ///     #{ variance: p.kernel(1).cov[0][0] }
    /// });
    /// assert(table.len() == 4 && table[1].tau == 0.5 && table[1].seed == 0);
    /// assert(table[0].variance > table[1].variance);
    /// // sweep(#{ tau: [0.1, 0.5], seed: 0..5 }, |point| #{ .. }, #{ folder: "runs", jobs: 2 });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sweep(ctx: NativeCallContext, axes: Map, compute: FnPtr, options: Map) -> Outcome<Array> {
        let (folder, jobs) = read(&ctx, options, &[SETTINGS], |given| {
            Ok((given.text_if_given("folder").map(PathBuf::from), given.count("jobs")))
        })?;
        let grid = grid(&ctx, &axes).raise(&ctx)?;
        if is_rehearsal(&ctx) {
            call(&ctx, &compute, &grid.points()[0], folder)?;
            return Err(long::beyond(ctx.call_position()));
        }
        let kept = folder.map(|folder| {
            let folder = Folder::new(&folder, &host(&ctx)).with_essence(code::essence);
            (folder, describe(&ctx, &grid, &compute))
        });
        run(&ctx, &Sweep { grid, kept, jobs }, &compute)
    }
}

fn grid(ctx: &NativeCallContext, axes: &Map) -> Result<Grid> {
    let axis = |(name, values): (&rhai::Identifier, &Dynamic)| -> Result<Axis> {
        let values = if let Some(items) = values.read_lock::<Array>() {
            items.iter().map(|item| json::value(ctx.engine(), name, item, &host(ctx))).collect::<Result<_>>()?
        } else if let Some(range) = values.read_lock::<Range<INT>>() {
            counted(name, range.clone())?
        } else if let Some(range) = values.read_lock::<RangeInclusive<INT>>() {
            counted(name, range.clone())?
        } else {
            let error =
                Error::argument(name.as_str(), format!("must be an array or a range, got {}", kind(ctx, values)));
            return Err(error.with_hint(format!("write {name}: [0.1, 0.5] or {name}: 0..5")));
        };
        Ok(Axis { name: name.to_string(), values })
    };
    Grid::new(axes.iter().map(axis).collect::<Result<_>>()?)
}

/// The numbers of a range, which may be any.
fn counted(name: &str, range: impl Iterator<Item = INT>) -> Result<Vec<Value>> {
    let values: Vec<_> = range.take(MOST + 1).map(Value::from).collect();
    match values.len() > MOST {
        true => Err(Error::argument(name, format!("has more than {MOST} values"))),
        false => Ok(values),
    }
}

/// What results depend on, as far as it can be told.
fn describe(ctx: &NativeCallContext, axes: &Grid, compute: &FnPtr) -> Description {
    let (sources, source) = (sources(ctx), ctx.call_source().unwrap_or_default());
    let place = sources.locate(source, ctx.call_position());
    let natives: BTreeSet<String> = catalog::forms(ctx.engine()).into_iter().map(|form| form.name).collect();
    let is_native = |name: &str| natives.contains(name);
    let before = place.iter().map(|place| Code::before(&place.text, place.range().start, is_native));
    let mut all: Vec<Code> = before.collect();
    // What calls a module may give it anything.
    if sources.module(source).is_some()
        && let Some((_, script)) = sources.texts().first()
    {
        all.push(Code::all(script));
    }
    let captured = catalog::captured(ctx, compute).into_iter();
    let captured = captured.filter_map(|(name, value)| Some((name, comparable(ctx, value.flatten())?)));
    let is_given = |code: &Code| code.essence.lines().any(|word| word == ARGUMENTS);
    let arguments = host(ctx).provenance().filter(|_| all.iter().any(is_given)).map(|known| known.arguments);
    let arguments = arguments.map(|arguments| (ARGUMENTS.to_owned(), Value::from(arguments)));
    let captured = captured.chain(arguments).collect();
    Description {
        tumble: env!("CARGO_PKG_VERSION").to_owned(),
        script: place.map(|place| place.name).unwrap_or_default(),
        axes: axes.clone(),
        captured,
        sha256: sweep::hash(&all.iter().map(|code| code.essence.as_str()).collect::<Vec<_>>().join("\n")),
        code: all.into_iter().flat_map(|code| code.lines).collect(),
        sources: read_before(ctx),
        accepted: BTreeSet::new(),
    }
}

/// What the script has imported and read; a module by what counts of its text.
fn read_before(ctx: &NativeCallContext) -> BTreeSet<Source> {
    let host = host(ctx);
    let Some(known) = host.provenance() else { return BTreeSet::new() };
    let module =
        |source: Source| Source { sha256: sweep::hash_of_module(&source, &host, code::essence), name: source.name };
    known.modules.into_iter().map(module).chain(known.inputs).collect()
}

/// A value as it is compared with that of another run; nothing of what is long or only the language has.
fn comparable(ctx: &NativeCallContext, value: Dynamic) -> Option<Value> {
    let length = value.read_lock::<Array>().map(|items| items.len());
    let length = length.or_else(|| value.read_lock::<Map>().map(|map| map.len()));
    if value.is::<Tensor>() || length > Some(LONGEST) {
        return None;
    }
    json::value(ctx.engine(), "value", &value, &host(ctx)).ok()
}

fn run(ctx: &NativeCallContext, sweep: &Sweep, compute: &FnPtr) -> Outcome<Array> {
    let (mut stopped, mut first, printed) = (None, None, printed(ctx));
    let mut attempt = |point: &Point, place: Option<Place>| {
        let (folder, output) = place.map(|place| (place.folder, place.output)).unzip();
        printed.begin(output.unwrap_or_else(|| Box::new(|_| {})));
        let given = call(ctx, compute, point, folder);
        printed.end();
        match given.map_err(exit_as_error) {
            Ok(result) => sweep::Outcome::Result(result),
            Err(error) if matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..)) => {
                stopped = Some(error);
                sweep::Outcome::Stopped
            }
            Err(error) => {
                let (brief, report) = caught::report(ctx, &error);
                first.get_or_insert(error);
                sweep::Outcome::Failed { brief, report }
            }
        }
    };
    match sweep::run(sweep, &part(ctx), &task(ctx), &mut attempt).raise(ctx)? {
        End::Table(table) => Ok(rows(&table)),
        End::Leave(is_well) => stop::leave(if is_well { 0 } else { 1 }).map(|()| Array::new()),
        End::Stopped => Err(stopped.expect("it came from there")),
        End::Failed(error) => match first {
            // What was seen here knows its place.
            Some(first) => Err(first),
            None => Err(error).raise(ctx),
        },
    }
}

/// In place of the end of the script that a closure asks for, an error: in another process, or on another machine, it
/// would end that, and not the script.
fn exit_as_error(error: Box<EvalAltResult>) -> Box<EvalAltResult> {
    let position = error.unwrap_inner().position();
    match stop::exit_code(&error) {
        Some(code) => {
            let error = Error::refused(format!("exit({code}) ends no sweep, nor the script from inside of one"));
            let mut failure =
                refuse(error.with_hint("return ends a closure, and throw tells why a point has no result"));
            failure.set_position(position);
            failure
        }
        None => error,
    }
}

/// What the closure gives for a point.
fn call(
    ctx: &NativeCallContext,
    compute: &FnPtr,
    point: &Point,
    folder: Option<PathBuf>,
) -> Outcome<serde_json::Map<String, Value>> {
    let mut argument: Map =
        point.values.iter().map(|(name, value)| (name.into(), json::dynamic(value.clone()))).collect();
    argument.insert("index".into(), Dynamic::from_int(point.index as INT));
    if let Some(folder) = &folder {
        argument.insert("folder".into(), folder.display().to_string().into());
    }
    // What it changes of what it captured is its own, as it is in another process.
    let own = apart::closure(compute);
    let result = call_closure(ctx, "compute", &own, &[("point", argument.into())])?;
    let Some(found) = result.read_lock::<Map>() else {
        let problem = format!("must give a map of what was found, got {}", kind(ctx, &result));
        return Err(Error::argument("compute", problem).with_hint("write |point| #{ distance: .. }")).raise(ctx);
    };
    let mut all = serde_json::Map::new();
    for (name, value) in found.iter() {
        all.insert(name.to_string(), finding(ctx, point, name, value).raise(ctx)?);
    }
    Ok(all)
}

/// One thing that was found.
fn finding(ctx: &NativeCallContext, point: &Point, name: &str, value: &Dynamic) -> Result<Value> {
    if point.values.iter().any(|(axis, _)| axis == name) {
        return Err(Error::argument(name, "is the name of an axis").with_hint("give what was found another name"));
    }
    let found = json::value(ctx.engine(), name, value, &host(ctx))?;
    if sweep::is_finding(&found) {
        return Ok(found);
    }
    let problem = format!("must be a number, a string, a truth value or an array of these, got {}", kind(ctx, value));
    Err(Error::argument(name, problem).with_hint("take what is wanted out of it: accuracy: found.value"))
}

fn rows(table: &Table) -> Array {
    let row = |(point, result): &(Point, serde_json::Map<String, Value>)| -> Dynamic {
        let all = point.values.iter().map(|(name, value)| (name, value)).chain(result);
        all.map(|(name, value)| (name.into(), json::dynamic(value.clone()))).collect::<Map>().into()
    };
    table.rows().iter().map(row).collect()
}
