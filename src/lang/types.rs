//! How types of the rooms below get a name in the language.

use rhai::{Array, Dynamic, Engine, ImmutableString, Map, NativeCallContext, Variant};

use super::failure::{Outcome, Raise};
use crate::error::Error;
use crate::tensor::Tensor;

/// Gives a type the name by which messages and help call it; `way_out` is told to whoever sets a property of it.
///
/// Rhai hands out copies of properties, and where nothing takes one back it drops what `p.params.tau = 1` or
/// `d.mean[0] = 1` made of it without a word. So that all types do say it, each takes every property back.
pub(super) fn register<T: Variant + Clone>(engine: &mut Engine, name: &'static str, way_out: &'static str) {
    engine.register_type_with_name::<T>(name).register_indexer_set(
        move |ctx: NativeCallContext, owner: &mut T, property: ImmutableString, value: Dynamic| -> Outcome<()> {
            if is_unchanged(&ctx, owner, &property, &value) {
                return Ok(());
            }
            let problem = format!("the property `{property}` of a {name} cannot be set: what is read is a copy of it");
            Err(Error::refused(problem).with_hint(way_out)).raise(&ctx)
        },
    );
}

/// Whether `value` is what the property of its `owner` is. Rhai gives a property back after whatever was called of it,
/// such as `p.params.keys()`.
pub(super) fn is_unchanged<T: Variant + Clone>(
    ctx: &NativeCallContext,
    owner: &T,
    property: &str,
    value: &Dynamic,
) -> bool {
    let getter = format!("get${property}");
    let own = ctx.call_native_fn_raw(getter, true, &mut [&mut Dynamic::from(owner.clone())]);
    own.is_ok_and(|own| is_same(&own, value))
}

fn is_same(a: &Dynamic, b: &Dynamic) -> bool {
    if let (Some(a), Some(b)) = (a.read_lock::<Array>(), b.read_lock::<Array>()) {
        return a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is_same(a, b));
    }
    if let (Some(a), Some(b)) = (a.read_lock::<Map>(), b.read_lock::<Map>()) {
        let pairs = a.iter().zip(b.iter());
        return a.len() == b.len() && pairs.into_iter().all(|(a, b)| a.0 == b.0 && is_same(a.1, b.1));
    }
    if let (Some(a), Some(b)) = (a.read_lock::<Tensor>(), b.read_lock::<Tensor>()) {
        let bits = |tensor: &Tensor| tensor.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        return a.shape() == b.shape() && bits(&a) == bits(&b);
    }
    // Of the other types none can be changed in place.
    a.type_id() == b.type_id() && a.to_string() == b.to_string()
}
