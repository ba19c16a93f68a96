//! Option maps read against the tables that declare them.

use std::collections::BTreeMap;
use std::ops::Deref;

use rhai::{Dynamic, Map, NativeCallContext};

use super::{expected, kind, read_number, read_whole};
use crate::error::{Error, Result, nearest, suggestion};
use crate::lang::failure::{Outcome, Raise};
use crate::settings::{self, Choice, Kind, Setting, Value, Values};

/// The values of an option map, and those that only the language has.
pub(crate) struct Given<'a> {
    ctx: &'a NativeCallContext<'a>,
    values: Values,
    others: BTreeMap<&'static str, Dynamic>,
}

/// Reads a map against `tables` and hands the values to `take`, which must ask for every one of them.
///
/// # Errors
/// For a key that is not declared, a value of another kind or out of range, a missing one, and those of `take`.
///
/// # Panics
/// When `take` succeeds without having asked for a setting that is declared, or asks for one that is not: a documented
/// option that does nothing, or one that is not documented. The documented examples run into it.
pub(crate) fn read<T>(
    ctx: &NativeCallContext,
    mut map: Map,
    tables: &[&'static [Setting]],
    take: impl FnOnce(&mut Given) -> Outcome<T>,
) -> Outcome<T> {
    let mut others = BTreeMap::new();
    let values = Values::read(tables, |setting| {
        // `()` counts as not given.
        let Some(value) = map.remove(setting.name).filter(|value| !value.is_unit()) else { return Ok(None) };
        if let Kind::Other(_) = setting.kind {
            others.insert(setting.name, value);
            // Known to be there; what it is stands in `others`.
            return Ok(Some(Value::Flag(true)));
        }
        convert(ctx, setting, value).map(Some)
    });
    let values = values.map_err(|error| explain_missing(error, &map)).raise(ctx)?;
    refuse_unknown(&map, &values, tables).raise(ctx)?;
    let mut given = Given { ctx, values, others };
    let result = take(&mut given)?;
    let unasked = given.values.unasked();
    assert!(unasked.is_empty(), "{}: declared but not read: {unasked:?}", ctx.fn_name());
    Ok(result)
}

impl Deref for Given<'_> {
    type Target = Values;

    fn deref(&self) -> &Values {
        &self.values
    }
}

impl Given<'_> {
    /// The raw value of a setting that only the language has.
    pub(crate) fn other(&mut self, name: &'static str) -> Option<Dynamic> {
        self.values.ask(name);
        self.others.remove(name)
    }

    /// Raises "must be {wanted}" for a value that was taken by [`Given::other`].
    pub(crate) fn refuse<T>(&self, name: &str, wanted: &str, value: &Dynamic) -> Outcome<T> {
        Err(expected(self.ctx, name, wanted, value)).raise(self.ctx)
    }
}

/// A value of the kind that `setting` takes.
fn convert(ctx: &NativeCallContext, setting: &Setting, value: Dynamic) -> Result<Value> {
    let name = setting.name;
    let refuse = |wanted: &str, value: &Dynamic| Err(expected(ctx, name, wanted, value));
    match setting.kind {
        Kind::Number(_) => read_number(ctx, name, &value).map(Value::Number),
        Kind::Whole(_) => read_whole(ctx, name, &value).map(Value::Whole),
        Kind::Flag => value.as_bool().map(Value::Flag).or_else(|_| refuse("true or false", &value)),
        Kind::Text | Kind::Choice(_) => match value.clone().into_string() {
            Ok(text) => Ok(Value::Text(text)),
            Err(_) => refuse("a string", &value),
        },
        Kind::Numbers(_) | Kind::Wholes(_) => {
            let Some(items) = value.read_lock::<rhai::Array>() else { return refuse("an array", &value) };
            let read = |item: &Dynamic| match setting.kind {
                Kind::Wholes(_) => read_whole(ctx, name, item).map(|whole| whole as f64),
                _ => read_number(ctx, name, item),
            };
            items.iter().map(read).collect::<Result<_>>().map(Value::Numbers)
        }
        Kind::Texts => {
            let Some(items) = value.read_lock::<rhai::Array>() else { return refuse("an array", &value) };
            let read = |item: &Dynamic| {
                item.clone().into_string().map_err(|_| expected(ctx, name, "an array of strings", item))
            };
            items.iter().map(read).collect::<Result<_>>().map(Value::Texts)
        }
        Kind::Other(wanted) => Err(Error::argument(name, format!("must be {wanted}, got {}", kind(ctx, &value)))),
    }
}

/// A misspelt key is the likeliest reason for a missing one.
fn explain_missing(error: Error, map: &Map) -> Error {
    match &error {
        Error::Argument { name, problem, .. } if problem == "is missing" => {
            match nearest(name, map.keys().map(|key| key.as_str())) {
                Some(near) => {
                    let hint = format!("`{near}` is given: did you mean `{name}`?");
                    error.with_hint(hint)
                }
                None => error,
            }
        }
        _ => error,
    }
}

/// Refuses keys that are not declared, with the nearest that is, and those that belong to a word that was not chosen.
fn refuse_unknown(map: &Map, values: &Values, tables: &[&'static [Setting]]) -> Result<()> {
    let Some(name) = map.keys().next() else { return Ok(()) };
    let error = Error::argument(name.as_str(), "is not an option here");
    let all = settings::all(tables);
    let owners: Vec<_> = all.iter().filter(|(setting, _)| setting.name == name.as_str()).collect();
    if let Some((_, Some(_))) = owners.first() {
        let words: Vec<_> = owners.iter().filter_map(|(_, owner)| owner.map(|owner| brought_by(&all, owner))).collect();
        return Err(error.with_hint(format!("it belongs to {}", words.join(" and "))));
    }
    let known: Vec<_> = all.iter().map(|(setting, _)| setting.name).filter(|name| values.has(name)).collect();
    Err(error.with_hint(match known.is_empty() {
        true => "there are no options".to_owned(),
        false => suggestion(name, &known, "the options are"),
    }))
}

/// `method: "exponential"` for the word "exponential" of the choice `method`.
fn brought_by(all: &[(&'static Setting, Option<&'static Choice>)], owner: &Choice) -> String {
    let choice = all.iter().find(|(setting, _)| setting.choices().iter().any(|choice| choice == owner));
    let name = choice.map_or("", |(setting, _)| setting.name);
    format!("`{name}: \"{}\"`", owner.word)
}
