//! Script values as JSON, and back.

use std::path::Path;

use rhai::{Array, Dynamic, Engine, Map, NativeCallContext};
use serde_json::{Number, Value};

use super::options::kind_of;
use super::tensors::nested;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::tensor::Tensor;

/// Levels of arrays and maps inside each other; readers of JSON stop soon after, this one too.
const DEEPEST: usize = 100;

/// Whether a file's name says that it is JSON.
pub(crate) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

/// The value in a .json file.
///
/// # Errors
/// When it cannot be read or is not JSON.
pub(crate) fn load(path: &Path, host: &Host) -> Result<Dynamic> {
    read(&host.read_text(path)?).map_err(|problem| Error::file("read", path, problem))
}

/// A value of a script as JSON text, which [`read`] turns into the same value; a tensor becomes nested arrays.
///
/// # Errors
/// When something in it has no JSON: a number that is not finite, a closure, a process; the error says where in `name`.
pub(crate) fn write(ctx: &NativeCallContext, name: &str, value: &Dynamic, host: &Host) -> Result<String> {
    let json = self::value(ctx.engine(), name, value, host)?;
    Ok(serde_json::to_string_pretty(&json).expect("keys are strings") + "\n")
}

/// The same as a value of `serde_json`.
///
/// # Errors
/// As [`write`].
pub(super) fn value(engine: &Engine, name: &str, value: &Dynamic, host: &Host) -> Result<Value> {
    to_json(engine, value, &mut vec![name.into()], host)
}

fn to_json(engine: &Engine, value: &Dynamic, path: &mut Vec<String>, host: &Host) -> Result<Value> {
    if path.len() > DEEPEST {
        return Err(Error::argument("value", format!("has more than {DEEPEST} levels of arrays and maps")));
    }
    if let Some(map) = value.read_lock::<Map>() {
        let entries = map.iter().map(|(key, value)| {
            let inner = at(path, format!(".{key}"), |path| to_json(engine, value, path, host))?;
            Ok((key.to_string(), inner))
        });
        return Ok(Value::Object(entries.collect::<Result<_>>()?));
    }
    if let Some(items) = value.read_lock::<Array>() {
        let items = items.iter().enumerate();
        let items = items.map(|(i, item)| at(path, format!("[{i}]"), |path| to_json(engine, item, path, host)));
        return Ok(Value::Array(items.collect::<Result<_>>()?));
    }
    if let Some(tensor) = value.read_lock::<Tensor>() {
        return to_json(engine, &nested(&tensor, host)?, path, host);
    }
    if let Ok(text) = value.clone().into_string() {
        return Ok(Value::String(text));
    }
    let plain = match (value.as_int(), value.as_float(), value.as_bool()) {
        (Ok(whole), ..) => Some(Value::Number(whole.into())),
        (_, Ok(number), _) => Number::from_f64(number).map(Value::Number),
        (.., Ok(truth)) => Some(Value::Bool(truth)),
        _ if value.is_unit() => Some(Value::Null),
        _ => None,
    };
    plain.ok_or_else(|| {
        let shown = value.as_float().map_or_else(|_| kind_of(engine, value), |number| number.to_string());
        Error::argument(path.concat().trim_start_matches('.'), format!("is {shown}, which JSON does not have"))
            .with_hint("write numbers, texts, truth values, arrays and maps of these, or tensors")
    })
}

/// What `inner` makes with one step more on the `path`.
fn at<T>(path: &mut Vec<String>, step: String, inner: impl FnOnce(&mut Vec<String>) -> T) -> T {
    path.push(step);
    let result = inner(path);
    path.pop();
    result
}

/// The value that JSON `text` stands for; whole numbers stay whole.
///
/// # Errors
/// When it is not JSON, or has a number beyond double precision; the error says the line.
pub(crate) fn read(text: &str) -> std::result::Result<Dynamic, String> {
    serde_json::from_str(text).map(dynamic).map_err(|error| error.to_string())
}

/// The value that one of `serde_json` stands for; whole numbers stay whole.
pub(super) fn dynamic(value: Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(truth) => truth.into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().expect("numbers are 64 bits wide").into(),
        },
        Value::String(text) => text.into(),
        Value::Array(items) => items.into_iter().map(dynamic).collect::<Array>().into(),
        Value::Object(entries) => {
            entries.into_iter().map(|(key, value)| (key.into(), dynamic(value))).collect::<Map>().into()
        }
    }
}
