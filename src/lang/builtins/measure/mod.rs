//! Measures: distances between samples, their moments, observables of lattices, and what noise does to what data say.

mod classes;
mod distances;
mod hierarchy;
mod information;
mod lattices;
mod moments;

use rhai::plugin::*;
use rhai::{Dynamic, Map, Module};

use crate::lang::failure::Outcome;
use crate::lang::options::Tables;
use crate::lang::tensors::tensor_argument;
use crate::measure::Estimate;
use crate::settings::Setting;
use crate::tensor::Tensor;

/// The functions of the module; the standard library adds experiments written in the language.
pub(in crate::lang) fn module(tables: &mut Tables) -> Module {
    let parts = [
        (rhai::exported_manifest!(distances::module), distances::OPTIONS),
        (rhai::exported_manifest!(lattices::module), &[]),
        (rhai::exported_manifest!(moments::module), &[]),
        (rhai::exported_manifest!(information::module), information::OPTIONS),
        (rhai::exported_manifest!(classes::module), classes::OPTIONS),
        (rhai::exported_manifest!(hierarchy::module), hierarchy::OPTIONS),
    ];
    tables.joined("measure", &parts)
}

/// The part of a state that is looked at.
const OBSERVE: &[Setting] =
    &[Setting::texts("observe", "the blocks that are looked at, e.g. `[\"x\"]`").or_else("all")];

/// How what is not known in closed form is drawn.
const DRAWS: &[Setting] =
    &[Setting::count("count", "number of draws").between(2.0, 1e9).or(20_000.0), Setting::seed("seed of the draws")];

/// What is estimated, as scripts see it.
pub(super) fn estimate(estimate: Estimate) -> Map {
    numbers(&[("value", estimate.value), ("error", estimate.error)])
}

/// Numbers by their names.
fn numbers(named: &[(&str, f64)]) -> Map {
    named.iter().map(|(name, number)| ((*name).into(), Dynamic::from_float(*number))).collect()
}

/// Numbers as a vector.
fn list(numbers: crate::Result<Vec<f64>>) -> crate::Result<Tensor> {
    numbers.and_then(|numbers| Tensor::from_f64(&[numbers.len()], &numbers))
}

fn pair(ctx: &NativeCallContext, a: &Dynamic, b: &Dynamic) -> Outcome<(Tensor, Tensor)> {
    Ok((tensor_argument(ctx, "a", a)?, tensor_argument(ctx, "b", b)?))
}
