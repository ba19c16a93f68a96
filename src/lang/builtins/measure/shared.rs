//! What the functions of `measure` share: arguments, options and answers.

use rhai::plugin::*;
use rhai::{Dynamic, Map};

use crate::lang::failure::Outcome;
use crate::lang::tensors::tensor_argument;
use crate::measure::Estimate;
use crate::settings::Setting;
use crate::tensor::Tensor;

/// The part of a state that is looked at.
pub(super) const OBSERVE: &[Setting] =
    &[Setting::texts("observe", "the blocks that are looked at, e.g. `[\"x\"]`").or_else("all")];

/// What is estimated, as scripts see it.
pub(in crate::lang::builtins) fn estimate(estimate: Estimate) -> Map {
    numbers(&[("value", estimate.value), ("error", estimate.error)])
}

/// Numbers by their names.
pub(super) fn numbers(named: &[(&str, f64)]) -> Map {
    named.iter().map(|(name, number)| ((*name).into(), Dynamic::from_float(*number))).collect()
}

/// Numbers as a vector.
pub(super) fn list(numbers: crate::Result<Vec<f64>>) -> crate::Result<Tensor> {
    numbers.and_then(|numbers| Tensor::from_f64(&[numbers.len()], &numbers))
}

pub(super) fn pair(ctx: &NativeCallContext, a: &Dynamic, b: &Dynamic) -> Outcome<(Tensor, Tensor)> {
    Ok((tensor_argument(ctx, "a", a)?, tensor_argument(ctx, "b", b)?))
}
