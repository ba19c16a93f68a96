//! Tensors: arrays of single precision, and how scripts index them.

mod creation;
mod matrix;
mod methods;
mod operators;
mod order;

use rhai::{Dynamic, Engine, Module, NativeCallContext};

use crate::error::{Error, suggestion};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::tensors::{give, index_argument, operand};
use crate::tensor::{Index, Tensor};

/// Registers the type, its operators and its functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_type_with_name::<Tensor>("Tensor");
    engine.register_indexer_get(|ctx: NativeCallContext, t: &mut Tensor, index: Dynamic| -> Outcome<Dynamic> {
        if index.is_string() {
            return Err(no_property(&index.to_string())).raise(&ctx);
        }
        t.get(&index_argument(&ctx, &index)?).raise(&ctx).map(give)
    });
    engine.register_indexer_set(
        |ctx: NativeCallContext, t: &mut Tensor, index: Dynamic, value: Dynamic| -> Outcome<()> {
            if index.is_string() {
                return Err(no_property(&index.to_string())).raise(&ctx);
            }
            t.set(&index_argument(&ctx, &index)?, &operand(&ctx, "value", &value)?).raise(&ctx)
        },
    );
    let mut rows = Module::new();
    rows.set_iter(std::any::TypeId::of::<Tensor>(), |tensor| Box::new(rows_of(tensor)));
    engine.register_global_module(rows.into());
    creation::install(engine);
    matrix::install(engine);
    methods::install(engine);
    operators::install(engine);
    order::install(engine);
}

fn no_property(name: &str) -> Error {
    let known = ["shape", "rank", "len"];
    let error = Error::argument(name, "is not a property of a tensor");
    error.with_hint(suggestion(name, &known, "the properties are"))
}

/// What `for row in t` goes through.
fn rows_of(tensor: Dynamic) -> impl Iterator<Item = Dynamic> {
    let tensor = tensor.try_cast::<Tensor>();
    let count = tensor.as_ref().and_then(|t| t.shape().first().copied()).unwrap_or(0);
    (0..count as i64).filter_map(move |i| tensor.as_ref()?.get(&[Index::At(i)]).ok().map(give))
}
