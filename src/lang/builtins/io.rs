//! Tensors, tables, values and texts in files.

use std::path::Path;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, ImmutableString, Map};

use crate::data::formats::{self, Column, Options};
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::json;
use crate::lang::options::{Given, Table, Tables, as_whole, read as read_options};
use crate::lang::surroundings::{host, task};
use crate::lang::tensors::{give, nested_numbers, tensor_argument};
use crate::tensor::Tensor;

/// Registers the module `io`.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    let module = tables.module("io", rhai::exported_manifest!(module), OPTIONS);
    engine.register_static_module("io", module.into());
}

const OPTIONS: &[(&str, Table)] = &[("read", &[Options::SETTINGS]), ("table", &[Options::SETTINGS])];

/// The options of a file that is read.
pub(super) fn file_options(ctx: &NativeCallContext, options: Map) -> Outcome<Options> {
    read_options(ctx, options, &[Options::SETTINGS], |given| {
        let columns = given.cast("columns", |value| {
            value.read_lock::<Array>().and_then(|items| items.iter().map(column).collect::<Option<_>>())
        })?;
        let labels = given.cast("labels", column)?;
        Ok(Options::read(given as &Given, columns, labels))
    })
}

/// A name or a position.
fn column(value: &Dynamic) -> Option<Column> {
    match value.clone().into_string() {
        Ok(name) => Some(Column::Named(name)),
        Err(_) => as_whole(value).map(Column::At),
    }
}

#[export_module(manifest)]
mod module {
    /// Reads a tensor from a .npy or .npz file or a table in text: .csv, .tsv, .txt, .dat, or any other name; or a
    /// value from a .json file.
    ///
    /// A table may have a line of names, comments, and blanks, commas, semicolons, tabs or bars between its fields:
    /// what the options do not say is found out. A first line with a number in it is data. Warnings say what was taken
    /// one way and may have been meant another way, and what single precision loses.
    ///
    /// # Shapes
    /// -> what the file has; a table [rows, columns]
    ///
    /// # Arguments
    /// - `path`: the file
    /// - `options`: a map, or the name of the array in a .npz file that holds several
    ///
    /// # Returns
    /// A `Tensor`; of a file that holds a single number, the number. Of a .json file what was written: maps, arrays,
    /// numbers in double precision, strings, truth values.
    ///
    /// # Errors
    /// When the file is missing, may not be read, is truncated, ragged or not numeric, holds no array or column of that
    /// name, or a number beyond single precision.
    ///
    /// # Example
    /// ```rhai
    /// // let x = io::read("run.csv", #{ columns: ["x", "y"], decimal: "," });
    /// assert_fails(|| io::read("samples.png"), "use .npy, .npz or .csv");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn read(ctx: NativeCallContext, path: &str, options: Map) -> Outcome<Dynamic> {
        if json::is_json(Path::new(path)) && options.is_empty() {
            return json::load(Path::new(path), &host(&ctx)).raise(&ctx);
        }
        tensor_of(&ctx, path, &file_options(&ctx, options)?)
    }

    #[rhai_fn(name = "read", return_raw)]
    pub fn read_array(ctx: NativeCallContext, path: &str, array: &str) -> Outcome<Dynamic> {
        tensor_of(&ctx, path, &Options::of_array(array))
    }

    /// Reads a file as `io::read` does, but keeps double precision, names and labels: for the parameters and matrices
    /// of a process, and for labelled rows.
    ///
    /// # Arguments
    /// - `path`: the file
    /// - `options`: a map
    ///
    /// # Returns
    /// `#{ values, names, labels, notes }`: nested arrays of numbers, the names of the columns and the labels of the
    /// rows, which are empty where the file has none, and what `io::read` would warn of in how the table was read.
    ///
    /// # Errors
    /// As for `io::read`, but for the precision.
    ///
    /// # Example
    /// ```rhai
    /// // let friction = io::table("gle.A").values;
    /// // let p = sde(#{ drift: |s| #{ x: -friction[0][0] * s.x }, noise: |s| #{ x: 1 }, horizon: 1 });
    /// assert_fails(|| io::table("no_such.txt"), "no such file");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn table(ctx: NativeCallContext, path: &str, options: Map) -> Outcome<Map> {
        let options = file_options(&ctx, options)?;
        let array = formats::read(Path::new(path), &options, &host(&ctx)).raise(&ctx)?;
        let texts = |texts: Vec<String>| texts.into_iter().map(Dynamic::from).collect::<Array>().into();
        Ok(Map::from([
            ("values".into(), nested_numbers(&array.shape, &array.values, &host(&ctx)).raise(&ctx)?),
            ("names".into(), texts(array.names)),
            ("labels".into(), texts(array.labels)),
            ("notes".into(), texts(array.notes)),
        ]))
    }

    /// Writes a tensor to a .npy, .csv, .tsv, .txt or .dat file, a map of tensors to a .npz file, any value to a .json
    /// file, or a string to a file of any other name, whole or not at all.
    ///
    /// # Arguments
    /// - `path`: the file
    /// - `value`: a tensor, an array of numbers, or `#{ name: tensor, .. }`; for .json numbers, strings, truth values,
    ///   arrays and maps of these to any depth, and tensors, which become nested arrays; or a string, written as it is
    ///
    /// # Errors
    /// When the file may not be written, the folder does not exist, the ending does not fit, or JSON does not have a
    /// value, such as an infinite number.
    ///
    /// # Example
    /// ```rhai
    /// // io::write("samples.npz", #{ x: s.x, eta: s.eta });
    /// // io::write("result.json", #{ tau: 0.5, distance: #{ value: 0.0063, error: 0.0002 } });
    /// assert_fails(|| io::write("no_such_folder/x.npy", [1, 2]), "does not exist");
    /// assert_fails(|| io::write("result.json", #{ distance: [0.1, 0.0 / 0.0] }), "`value.distance[1]` is NaN");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn write(ctx: NativeCallContext, path: &str, value: Dynamic) -> Outcome<()> {
        let (path, host) = (Path::new(path), host(&ctx));
        if json::is_json(path) {
            let text = json::write(&ctx, "value", &value, &host).raise(&ctx)?;
            return host.write_bytes(path, text.as_bytes()).raise(&ctx);
        }
        if let Some(text) = value.read_lock::<ImmutableString>() {
            if formats::is_binary(path) {
                let problem = Error::file("write", path, "its ending is that of arrays, the value is a string");
                return Err(problem.with_hint("use .md, .html or another ending of texts")).raise(&ctx);
            }
            return host.write_bytes(path, text.as_bytes()).raise(&ctx);
        }
        let Some(map) = value.read_lock::<Map>() else {
            return formats::write(path, &tensor_argument(&ctx, "value", &value)?, &host).raise(&ctx);
        };
        let mut tensors: Vec<(&str, Tensor)> = Vec::new();
        for (name, value) in map.iter() {
            tensors.push((name, tensor_argument(&ctx, name, value)?));
        }
        let named: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
        formats::write_named(path, &named, &host).raise(&ctx)
    }

    /// Whether there is a file of that name.
    ///
    /// # Errors
    /// When the file may not be read.
    ///
    /// # Example
    /// ```rhai
    /// assert(!io::exists("no_such_file.npy"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn exists(ctx: NativeCallContext, path: &str) -> Outcome<bool> {
        host(&ctx).has_file(Path::new(path)).raise(&ctx)
    }
}

fn tensor_of(ctx: &NativeCallContext, path: &str, options: &Options) -> Outcome<Dynamic> {
    let (path, task) = (Path::new(path), task(ctx));
    let array = formats::read(path, options, task.host()).raise(ctx)?;
    let (tensor, notes) = array.rounded(path).raise(ctx)?;
    array.notes.iter().chain(&notes).for_each(|note| task.warn(note));
    Ok(give(tensor))
}
