//! Reading arguments and option maps: every number accepts `1` and `1.0`, every wrong value is named.

mod declared;
mod tables;

pub(crate) use declared::{Given, read};
pub(crate) use tables::{Table, Tables};

use rhai::{Array, Dynamic, FnPtr, Map, NativeCallContext};

use crate::error::{Error, Result, nearest, suggestion};
use crate::lang::failure::{Outcome, Raise};

/// What is wrong with a key of an option map that the function does not have.
pub(crate) const UNKNOWN: &str = "is not an option here";

/// How a doc comment says of an option that it is not optional.
pub(crate) const MUST_BE_GIVEN: &str = "must be given";

/// A number, whole or not.
pub(crate) fn number(value: &Dynamic) -> Option<f64> {
    value.as_float().ok().or_else(|| value.as_int().ok().map(|n| n as f64))
}

/// The user's name for the type of a value.
pub(crate) fn kind(ctx: &NativeCallContext, value: &Dynamic) -> String {
    match value.type_name() {
        "i64" => "a whole number".into(),
        "f64" => "a number".into(),
        "string" => format!("the string {:?}", value.to_string()),
        "bool" => format!("the truth value {value}"),
        "()" => "nothing".into(),
        "array" => "an array".into(),
        "map" => "a map".into(),
        "Fn" => "a closure".into(),
        other => {
            let name = ctx.engine().map_type_name(other);
            let article = if name.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
            format!("{article} {name}")
        }
    }
}

fn expected(ctx: &NativeCallContext, name: &str, wanted: &str, value: &Dynamic) -> Error {
    Error::argument(name, format!("must be {wanted}, got {}", kind(ctx, value)))
}

fn read_number(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Result<f64> {
    let x = number(value).ok_or_else(|| expected(ctx, name, "a number", value))?;
    if x.is_finite() { Ok(x) } else { Err(Error::argument(name, format!("must be finite, got {x}"))) }
}

fn read_positive(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Result<f64> {
    let x = read_number(ctx, name, value)?;
    if x > 0.0 { Ok(x) } else { Err(Error::argument(name, format!("must be above 0, got {x}"))) }
}

fn read_whole(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Result<i64> {
    if let Ok(n) = value.as_int() {
        return Ok(n);
    }
    // 1e4 is a float in Rhai and a count to everybody. Beyond 2⁵³ not every whole number is a float.
    let x = number(value).ok_or_else(|| expected(ctx, name, "a whole number", value))?;
    if x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0 {
        Ok(x as i64)
    } else {
        Err(Error::argument(name, format!("must be a whole number, got {x}")))
    }
}

fn read_count(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Result<usize> {
    match read_whole(ctx, name, value)? {
        n if n > 0 => Ok(n as usize),
        n => Err(Error::argument(name, format!("must be above 0, got {n}"))),
    }
}

fn read_natural(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Result<u64> {
    let n = read_whole(ctx, name, value)?;
    u64::try_from(n).map_err(|_| Error::argument(name, format!("must be 0 or above, got {n}")))
}

/// A number argument; finite.
pub(crate) fn number_argument(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<f64> {
    read_number(ctx, name, value).raise(ctx)
}

/// A whole-number argument.
pub(crate) fn whole_argument(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<i64> {
    read_whole(ctx, name, value).raise(ctx)
}

/// A whole-number argument above 0.
pub(crate) fn count_argument(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<usize> {
    read_count(ctx, name, value).raise(ctx)
}

/// A seed argument: a whole number, not negative.
pub(crate) fn seed_argument(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<u64> {
    read_natural(ctx, name, value).raise(ctx)
}

/// An option map being read. Each reader takes its key out of the map and remembers it as known; [`Options::finish`]
/// refuses what is left.
pub(crate) struct Options<'a> {
    ctx: &'a NativeCallContext<'a>,
    map: Map,
    known: Vec<&'static str>,
}

impl<'a> Options<'a> {
    pub(crate) fn new(ctx: &'a NativeCallContext<'a>, map: Map) -> Self {
        Self { ctx, map, known: Vec::new() }
    }

    /// The raw value of a key, if given. `()` counts as not given.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Dynamic> {
        self.known.push(name);
        self.map.remove(name).filter(|value| !value.is_unit())
    }

    /// The raw value of a key that must be given.
    pub(crate) fn required(&mut self, name: &'static str) -> Outcome<Dynamic> {
        match self.take(name) {
            Some(value) => Ok(value),
            None => {
                let error = Error::argument(name, "is missing");
                // A misspelt key is the likeliest reason.
                Err(match nearest(name, self.map.keys().map(|key| key.as_str())) {
                    Some(near) => error.with_hint(format!("`{near}` is given: did you mean `{name}`?")),
                    None => error,
                })
                .raise(self.ctx)
            }
        }
    }

    /// Raises `must be {wanted}` for a value that a caller read by [`Options::take`].
    pub(crate) fn refuse<T>(&self, name: &str, wanted: &str, value: &Dynamic) -> Outcome<T> {
        Err(expected(self.ctx, name, wanted, value)).raise(self.ctx)
    }

    fn read<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&NativeCallContext, &str, &Dynamic) -> Result<T>,
    ) -> Outcome<Option<T>> {
        match self.take(name) {
            Some(value) => read(self.ctx, name, &value).map(Some).raise(self.ctx),
            None => Ok(None),
        }
    }

    /// A finite number.
    pub(crate) fn number(&mut self, name: &'static str) -> Outcome<Option<f64>> {
        self.read(name, read_number)
    }

    /// A finite number, or the default.
    pub(crate) fn number_or(&mut self, name: &'static str, default: f64) -> Outcome<f64> {
        Ok(self.number(name)?.unwrap_or(default))
    }

    /// A number above 0.
    pub(crate) fn positive(&mut self, name: &'static str) -> Outcome<Option<f64>> {
        self.read(name, read_positive)
    }

    /// A number above 0, or the default.
    pub(crate) fn positive_or(&mut self, name: &'static str, default: f64) -> Outcome<f64> {
        Ok(self.positive(name)?.unwrap_or(default))
    }

    /// A whole number above 0.
    pub(crate) fn count(&mut self, name: &'static str) -> Outcome<Option<usize>> {
        self.read(name, read_count)
    }

    /// A whole number above 0, or the default.
    pub(crate) fn count_or(&mut self, name: &'static str, default: usize) -> Outcome<usize> {
        Ok(self.count(name)?.unwrap_or(default))
    }

    /// The option `seed`, or the default.
    pub(crate) fn seed_or(&mut self, default: u64) -> Outcome<u64> {
        Ok(self.read("seed", read_natural)?.unwrap_or(default))
    }

    /// A whole number not below 0, or the default.
    pub(crate) fn natural_or(&mut self, name: &'static str, default: u64) -> Outcome<u64> {
        Ok(self.read(name, read_natural)?.unwrap_or(default))
    }

    /// A truth value, or the default.
    pub(crate) fn flag_or(&mut self, name: &'static str, default: bool) -> Outcome<bool> {
        let read = |ctx: &NativeCallContext, name: &str, value: &Dynamic| {
            value.as_bool().map_err(|_| expected(ctx, name, "true or false", value))
        };
        Ok(self.read(name, read)?.unwrap_or(default))
    }

    /// A string.
    pub(crate) fn text(&mut self, name: &'static str) -> Outcome<Option<String>> {
        self.read(name, |ctx, name, value| {
            value.clone().into_string().map_err(|_| expected(ctx, name, "a string", value))
        })
    }

    /// One of a fixed set of words, or the first of them.
    pub(crate) fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&'static str, T)]) -> Outcome<T> {
        let words = || choices.iter().map(|(word, _)| *word);
        let list = words().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let Some(text) = self.text(name)? else { return Ok(choices[0].1) };
        match choices.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(*value),
            None => {
                let error = Error::argument(name, format!("must be one of {list}, got {text:?}"));
                Err(match nearest(&text, words()) {
                    Some(word) => error.with_hint(format!("did you mean \"{word}\"?")),
                    None => error,
                })
                .raise(self.ctx)
            }
        }
    }

    /// An array.
    pub(crate) fn array(&mut self, name: &'static str) -> Outcome<Option<Array>> {
        self.read(name, |ctx, name, value| {
            value.clone().into_array().map_err(|_| expected(ctx, name, "an array", value))
        })
    }

    /// An array of strings.
    pub(crate) fn texts(&mut self, name: &'static str) -> Outcome<Option<Vec<String>>> {
        let Some(items) = self.array(name)? else { return Ok(None) };
        let ctx = self.ctx;
        let read = |item: Dynamic| {
            let wrong = expected(ctx, name, "an array of strings", &item);
            item.into_string().map_err(|_| wrong)
        };
        items.into_iter().map(read).collect::<Result<Vec<_>>>().map(Some).raise(ctx)
    }

    /// An array of finite numbers.
    pub(crate) fn numbers(&mut self, name: &'static str) -> Outcome<Option<Vec<f64>>> {
        let Some(items) = self.array(name)? else { return Ok(None) };
        items.iter().map(|item| read_number(self.ctx, name, item)).collect::<Result<Vec<_>>>().map(Some).raise(self.ctx)
    }

    /// An array of whole numbers above 0.
    pub(crate) fn counts(&mut self, name: &'static str) -> Outcome<Option<Vec<usize>>> {
        let Some(items) = self.array(name)? else { return Ok(None) };
        items.iter().map(|item| read_count(self.ctx, name, item)).collect::<Result<Vec<_>>>().map(Some).raise(self.ctx)
    }

    /// A map.
    pub(crate) fn map(&mut self, name: &'static str) -> Outcome<Option<Map>> {
        self.read(name, |ctx, name, value| {
            value.clone().try_cast::<Map>().ok_or_else(|| expected(ctx, name, "a map #{ .. }", value))
        })
    }

    /// A closure.
    pub(crate) fn closure(&mut self, name: &'static str) -> Outcome<Option<FnPtr>> {
        self.read(name, |ctx, name, value| {
            value.clone().try_cast::<FnPtr>().ok_or_else(|| expected(ctx, name, "a closure", value))
        })
    }

    /// Refuses keys that nobody read, with the nearest known one.
    pub(crate) fn finish(self) -> Outcome<()> {
        let Some(name) = self.map.keys().next() else { return Ok(()) };
        let error = Error::argument(name.as_str(), UNKNOWN);
        let hint = match self.known.is_empty() {
            true => "there are no options".to_owned(),
            false => suggestion(name, &self.known, "the options are"),
        };
        Err(error.with_hint(hint)).raise(self.ctx)
    }
}
