//! What a run computes with settings and seeds, noted for the files that it writes.

use std::collections::BTreeMap;

use rhai::NativeCallContext;
use serde_json::Value as Json;

use crate::host::Call;
use crate::lang::surroundings::journal;
use crate::settings::{Value, Values};

/// The name of every seed. What takes one is random, and worth noting.
pub(super) const SEED: &str = "seed";

/// Notes a call with the settings that were given.
pub(super) fn call(ctx: &NativeCallContext, values: &Values) {
    let seed = match values.ask(SEED) {
        Some(Value::Whole(seed)) => u64::try_from(*seed).ok(),
        Some(Value::Number(seed)) => Some(*seed as u64),
        _ => None,
    };
    let settings = values.given().filter(|(name, _)| *name != SEED);
    let settings = settings.filter_map(|(name, value)| Some((name.to_owned(), json(value)?))).collect();
    if let Some(journal) = journal(ctx) {
        journal.compute(Call::new(ctx.fn_name(), &settings), seed);
    }
}

/// Notes a call with an argument that is a seed.
pub(super) fn seed(ctx: &NativeCallContext, seed: u64) {
    if let Some(journal) = journal(ctx) {
        journal.compute(Call::new(ctx.fn_name(), &BTreeMap::new()), Some(seed));
    }
}

/// A value as JSON has it; nothing for what only the language has.
fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Number(x) => number(*x),
        Value::Whole(n) => (*n).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Numbers(numbers) => numbers.iter().copied().map(number).collect(),
        Value::Texts(texts) => texts.iter().map(String::as_str).collect(),
        Value::Kept => return None,
    })
}

/// A whole number without its fraction: whoever wrote `2` does not look for `2.0`.
pub(crate) fn number(x: f64) -> Json {
    if x.fract() == 0.0 && x.abs() < 1e15 { (x as i64).into() } else { x.into() }
}
