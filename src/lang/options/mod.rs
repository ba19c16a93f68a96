//! Reading arguments and option maps: every number accepts `1` and `1.0`, every wrong value is named.

mod declared;
mod noted;
mod tables;

pub(in crate::lang) use declared::known_as;
pub(crate) use declared::{Given, read};
pub(crate) use noted::number as json_number;
pub(crate) use tables::{Table, Tables};

use rhai::{Dynamic, Engine, NativeCallContext};

use crate::error::{Error, Result};
use crate::lang::failure::{Outcome, Raise};
use crate::settings::written;

/// What is wrong with a key of an option map that the function does not have.
pub(crate) const UNKNOWN: &str = "is not an option here";

/// How a doc comment says of an option that it is not optional.
pub(crate) const MUST_BE_GIVEN: &str = "must be given";

/// A number, whole or not.
pub(crate) fn number(value: &Dynamic) -> Option<f64> {
    value.as_float().ok().or_else(|| value.as_int().ok().map(|n| n as f64))
}

/// A whole number, as an integer or a float, if it is one.
pub(crate) fn as_whole(value: &Dynamic) -> Option<i64> {
    let is_whole = |x: &f64| x.fract() == 0.0 && x.abs() <= LARGEST_WHOLE;
    value.as_int().ok().or_else(|| number(value).filter(is_whole).map(|x| x as i64))
}

/// Beyond 2⁵³ not every whole number is a float.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The user's name for the type of a value.
pub(crate) fn kind(ctx: &NativeCallContext, value: &Dynamic) -> String {
    kind_of(ctx.engine(), value)
}

/// What a value is, as `engine` names it.
pub(crate) fn kind_of(engine: &Engine, value: &Dynamic) -> String {
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
            let name = engine.map_type_name(other);
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

fn read_whole(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Result<i64> {
    if let Ok(n) = value.as_int() {
        return Ok(n);
    }
    whole(name, number(value).ok_or_else(|| expected(ctx, name, "a whole number", value))?)
}

/// The whole number that a float is: 1e4 is a float in Rhai and a count to everybody.
pub(crate) fn whole(name: &str, x: f64) -> Result<i64> {
    if x.fract() == 0.0 && x.abs() <= LARGEST_WHOLE {
        Ok(x as i64)
    } else if x.abs() > LARGEST_WHOLE {
        Err(Error::argument(name, format!("must be a whole number of size 2^53 at most, got {x:e}")))
    } else {
        Err(Error::argument(name, format!("must be a whole number, got {}", written(x))))
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

/// A whole-number argument, 0 or above, such as a seed.
pub(crate) fn natural_argument(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<u64> {
    let natural = read_natural(ctx, name, value).raise(ctx)?;
    if name == noted::SEED {
        noted::seed(ctx, natural);
    }
    Ok(natural)
}
