//! Measures: distances between samples, their moments, and observables of lattices.

mod distances;
mod lattices;
mod moments;

use rhai::plugin::*;
use rhai::{Dynamic, Engine, Map};

use crate::lang::failure::Outcome;
use crate::lang::options::Tables;
use crate::lang::tensors::tensor_argument;
use crate::tensor::Tensor;

/// Registers the module `measure`.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    let parts = [
        (rhai::exported_manifest!(distances::module), distances::OPTIONS),
        (rhai::exported_manifest!(lattices::module), &[]),
        (rhai::exported_manifest!(moments::module), &[]),
    ];
    engine.register_static_module("measure", tables.joined("measure", &parts).into());
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
