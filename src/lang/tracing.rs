//! Runs a closure of a script once, on symbols.

use rhai::{Dynamic, FnPtr, Map, NativeCallContext};

use super::catalog;
use super::failure::{Outcome, Raise};
use super::options::{kind, number};
use crate::error::Error;
use crate::expr::Expression;

/// The state inside a closure: `s.x`, `s.eta`.
#[derive(Debug, Clone)]
pub(super) struct StateSymbols(pub(super) Vec<String>);

/// The parameters inside a closure: `p.k`, `p.tau`.
#[derive(Debug, Clone)]
pub(super) struct ParameterSymbols(pub(super) Vec<String>);

/// Calls `closure` with as many of `arguments` as it takes; it must return a map.
pub(super) fn trace(
    ctx: &NativeCallContext,
    name: &str,
    closure: &FnPtr,
    arguments: &[(&str, Dynamic)],
) -> Outcome<Map> {
    let result = call(ctx, name, closure, arguments)?;
    let found = kind(ctx, &result);
    match result.try_cast::<Map>() {
        Some(map) => Ok(map),
        None => {
            let error = Error::argument(name, format!("must return a map with one entry per block, got {found}"));
            Err(error.with_hint(format!("write {name}: |s, t, p| #{{ x: .. }}"))).raise(ctx)
        }
    }
}

/// Calls `closure` with as many of `arguments` as it takes.
pub(super) fn call(
    ctx: &NativeCallContext,
    name: &str,
    closure: &FnPtr,
    arguments: &[(&str, Dynamic)],
) -> Outcome<Dynamic> {
    let parameters = catalog::parameters(ctx, closure);
    let takes = parameters.as_ref().map_or(arguments.len(), Vec::len);
    let names = || arguments.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    if takes > arguments.len() {
        let problem = format!("takes {takes} parameters, but a {name} closure gets |{}|", names());
        return Err(Error::argument(name, problem)).raise(ctx);
    }
    // `|s, p|` would get the time as its parameters.
    let is_elsewhere = |(own, (place, _)): &(&String, &(&str, Dynamic))| {
        own != place && arguments.iter().any(|(other, _)| own == other)
    };
    if let Some((own, (place, _))) = parameters.iter().flatten().zip(arguments).find(is_elsewhere) {
        let problem = format!("calls `{own}` what is `{place}`: a {name} closure gets |{}| in this order", names());
        return Err(Error::argument(name, problem)).raise(ctx);
    }
    let values: Vec<Dynamic> = arguments[..takes].iter().map(|(_, value)| value.clone()).collect();
    closure.call_raw(ctx, None, values)
}

/// A number or symbol as an expression.
pub(super) fn expression(value: &Dynamic) -> Option<Expression> {
    number(value).map(Expression::constant).or_else(|| value.read_lock::<Expression>().map(|e| e.clone()))
}

/// The entry of `map` as an expression; the entry is named `{name} of {block}` in errors.
pub(super) fn entry(ctx: &NativeCallContext, name: &str, block: &str, value: &Dynamic) -> Outcome<Expression> {
    match expression(value) {
        Some(expression) => Ok(expression),
        None => {
            let problem =
                format!("gives {} for the block `{block}` where a number or an expression belongs", kind(ctx, value));
            Err(Error::argument(name, problem)).raise(ctx)
        }
    }
}

/// Refuses entries that name no block.
pub(super) fn check_blocks(ctx: &NativeCallContext, name: &str, map: &Map, blocks: &[String]) -> Outcome<()> {
    match map.keys().find(|key| !blocks.iter().any(|block| block == key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let problem = format!("returns an entry `{key}`, which is not a block of the state");
            let hint = format!("the blocks are {}", blocks.join(", "));
            Err(Error::argument(name, problem).with_hint(hint)).raise(ctx)
        }
    }
}
