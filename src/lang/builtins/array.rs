//! Arrays of the language in order, whatever numbers they hold.

use std::cmp::Ordering;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, FnPtr};

use crate::error::{Error, Result};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{kind, number};

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Sorts an array: numbers of any kind with NaN last, strings, characters, or truth values; or as `comparer` says.
    ///
    /// # Arguments
    /// - `comparer`: closure of two entries, negative or `true` where the first comes first (default: smaller first)
    ///
    /// # Errors
    /// When two entries cannot be compared, and those of `comparer`.
    ///
    /// # Example
    /// ```rhai
    /// let a = [3, 1.5, 2];
    /// a.sort();
    /// assert_eq(a, [1.5, 2, 3]);
    /// a.sort(|x, y| y - x);
    /// assert_eq(a, [3, 2, 1.5]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sort(ctx: NativeCallContext, array: &mut Array) -> Outcome<()> {
        *array = order(ctx, array)?;
        Ok(())
    }

    /// By a closure: whether the first comes before the second, or a number below 0 if so.
    #[rhai_fn(name = "sort", name = "sort_by", return_raw)]
    pub fn sort_by(ctx: NativeCallContext, array: &mut Array, comparer: FnPtr) -> Outcome<()> {
        *array = order_by(ctx, array, comparer)?;
        Ok(())
    }

    /// Sorts an array, the largest first; NaN last.
    ///
    /// # Errors
    /// When two entries cannot be compared.
    ///
    /// # Example
    /// ```rhai
    /// let a = [1, 2.5, 2];
    /// a.sort_desc();
    /// assert_eq(a, [2.5, 2, 1]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sort_desc(ctx: NativeCallContext, array: &mut Array) -> Outcome<()> {
        *array = order_desc(ctx, array)?;
        Ok(())
    }

    /// The array sorted, as `sort` does it; it stays as it was.
    ///
    /// # Errors
    /// When two entries cannot be compared, and those of `comparer`.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq([3, 1.5, 2].order(), [1.5, 2, 3]);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn order(ctx: NativeCallContext, array: &mut Array) -> Outcome<Array> {
        sorted(array.clone(), &mut |a, b| compare(&ctx, a, b, false).raise(&ctx))
    }

    /// By a closure: whether the first comes before the second, or a number below 0 if so.
    #[rhai_fn(name = "order", name = "order_by", return_raw, pure)]
    pub fn order_by(ctx: NativeCallContext, array: &mut Array, comparer: FnPtr) -> Outcome<Array> {
        sorted(array.clone(), &mut |a, b| {
            let answer = comparer.call_raw(&ctx, None, [a.clone(), b.clone()])?;
            let size = answer.as_bool().map(|first| if first { -1.0 } else { 1.0 }).ok().or_else(|| number(&answer));
            let ordering = size.and_then(|size| size.partial_cmp(&0.0));
            let problem = || format!("must return a number or a truth value, got {}", kind(&ctx, &answer));
            ordering.ok_or_else(|| Error::argument("comparer", problem())).raise(&ctx)
        })
    }

    /// The array sorted, the largest first; it stays as it was.
    ///
    /// # Errors
    /// When two entries cannot be compared.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq([1, 2.5, 2].order_desc(), [2.5, 2, 1]);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn order_desc(ctx: NativeCallContext, array: &mut Array) -> Outcome<Array> {
        sorted(array.clone(), &mut |a, b| compare(&ctx, a, b, true).raise(&ctx))
    }
}

/// Sorts by merging, where equal entries keep their order. The sort of Rust's library may panic where a closure of the
/// script contradicts itself.
fn sorted(mut items: Array, compare: &mut dyn FnMut(&Dynamic, &Dynamic) -> Outcome<Ordering>) -> Outcome<Array> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = sorted(items.split_off(items.len() / 2), compare)?;
    let left = sorted(items, compare)?;
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut merged = Array::with_capacity(left.len() + right.len());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if compare(a, b)?.is_le() { left.next() } else { right.next() };
        merged.extend(next);
    }
    merged.extend(left.chain(right));
    Ok(merged)
}

fn compare(ctx: &NativeCallContext, a: &Dynamic, b: &Dynamic, descending: bool) -> Result<Ordering> {
    if let (Some(a), Some(b)) = (number(a), number(b))
        && (a.is_nan() || b.is_nan())
    {
        return Ok(a.is_nan().cmp(&b.is_nan()));
    }
    let text = |value: &Dynamic| value.clone().into_immutable_string().ok();
    // Whole numbers first: not every one is a float.
    let ordering = None
        .or_else(|| Some(a.as_int().ok()?.cmp(&b.as_int().ok()?)))
        .or_else(|| number(a)?.partial_cmp(&number(b)?))
        .or_else(|| Some(text(a)?.cmp(&text(b)?)))
        .or_else(|| Some(a.as_char().ok()?.cmp(&b.as_char().ok()?)))
        .or_else(|| Some(a.as_bool().ok()?.cmp(&b.as_bool().ok()?)))
        .or_else(|| (a.is_unit() && b.is_unit()).then_some(Ordering::Equal));
    match ordering {
        Some(ordering) => Ok(if descending { ordering.reverse() } else { ordering }),
        None => {
            let error = Error::refused(format!("{} and {} have no order", kind(ctx, a), kind(ctx, b)));
            Err(error.with_hint("sort(|a, b| ..) takes a closure that says which comes first"))
        }
    }
}
