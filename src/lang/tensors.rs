//! Reading tensors, shapes and indices from script values, and giving tensors back.

use std::ops::{Range, RangeInclusive};

use rhai::{Array, Dynamic, INT, NativeCallContext};

use super::failure::{Outcome, Raise};
use super::options::{kind, number, whole_argument};
use super::rewrite::END;
use super::surroundings::{host, task};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::sample::State;
use crate::tensor::{Index, Tensor};

/// Numbers in row-major order with their shape, in the precision of the script.
#[derive(Default)]
pub(crate) struct Numbers {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f64>,
}

impl Numbers {
    /// Reads a number, a tensor, or arrays of these to any depth.
    pub(crate) fn read(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Self> {
        let mut values = Vec::new();
        let shape = append(ctx, name, value, &mut values).raise(ctx)?;
        Ok(Self { shape, values })
    }
}

/// Appends the numbers in `value` and returns their shape.
fn append(ctx: &NativeCallContext, name: &str, value: &Dynamic, values: &mut Vec<f64>) -> Result<Vec<usize>> {
    if let Some(x) = number(value) {
        values.push(x);
        return Ok(Vec::new());
    }
    if let Some(tensor) = value.read_lock::<Tensor>() {
        values.extend(tensor.values().iter().map(|&v| f64::from(v)));
        return Ok(tensor.shape().to_vec());
    }
    let Some(items) = value.read_lock::<Array>() else {
        return Err(Error::argument(name, format!("must hold numbers only, got {}", kind(ctx, value))));
    };
    let mut inner = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let shape = append(ctx, name, item, values)?;
        if i == 0 {
            inner = shape;
        } else if shape != inner {
            return Err(Error::argument(name, format!("is ragged: entry 0 has shape {inner:?}, entry {i} {shape:?}"))
                .with_hint("all rows need the same length"));
        }
    }
    inner.insert(0, items.len());
    Ok(inner)
}

/// A tensor argument; arrays of numbers will do.
pub(crate) fn tensor_argument(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Tensor> {
    if let Some(tensor) = value.read_lock::<Tensor>() {
        return Ok(tensor.clone());
    }
    if !value.is_array() {
        return Err(no_numbers(ctx, name, "a tensor or an array of numbers", value)).raise(ctx);
    }
    let numbers = Numbers::read(ctx, name, value)?;
    rounded(ctx, name, &numbers)
}

/// Something else than the numbers that were `wanted`.
pub(crate) fn no_numbers(ctx: &NativeCallContext, name: &str, wanted: &str, value: &Dynamic) -> Error {
    let error = Error::argument(name, format!("must be {wanted}, got {}", kind(ctx, value)));
    if value.is::<Dataset>() {
        return error.with_hint("draw from the data: d.sample(1000, 1)");
    }
    if value.is::<State>() {
        return error.with_hint("take a block of the state: s.x");
    }
    error
}

/// Numbers of a script as a tensor; what single precision takes from them is refused or said.
fn rounded(ctx: &NativeCallContext, name: &str, numbers: &Numbers) -> Outcome<Tensor> {
    let (tensor, note) = Tensor::rounded(name, &numbers.shape, &numbers.values).raise(ctx)?;
    note.iter().for_each(|note| task(ctx).warn(note));
    Ok(tensor)
}

/// A tensor, an array of numbers, or a number, which is a tensor without axes.
pub(crate) fn operand(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Tensor> {
    match number(value) {
        Some(x) => rounded(ctx, name, &Numbers { shape: Vec::new(), values: vec![x] }),
        None => tensor_argument(ctx, name, value),
    }
}

/// A tensor or an array of numbers in double precision.
pub(crate) fn numbers_argument(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Numbers> {
    let count = value.read_lock::<Tensor>().map(|tensor| tensor.len());
    if count.is_none() && !value.is_array() {
        return Err(no_numbers(ctx, name, "a tensor or an array of numbers", value)).raise(ctx);
    }
    // In double precision, and once more where they are put in order.
    let bytes = 16.0 * count.unwrap_or(0) as f64;
    host(ctx).afford(bytes, |problem| Error::argument(name, format!("in double precision {problem}"))).raise(ctx)?;
    Numbers::read(ctx, name, value)
}

/// An array of tensors.
pub(crate) fn tensors_argument(ctx: &NativeCallContext, name: &str, items: &Array) -> Outcome<Vec<Tensor>> {
    items.iter().map(|item| tensor_argument(ctx, name, item)).collect()
}

/// A tensor as a script sees it: one without axes is a number.
pub(crate) fn give(tensor: Tensor) -> Dynamic {
    match (tensor.rank(), tensor.item()) {
        (0, Some(value)) => Dynamic::from_float(value),
        _ => Dynamic::from(tensor),
    }
}

/// A tensor as nested arrays of numbers.
pub(crate) fn nested(tensor: &Tensor, host: &Host) -> Result<Dynamic> {
    let values: Vec<f64> = tensor.values().iter().map(|&value| f64::from(value)).collect();
    nested_numbers(tensor.shape(), &values, host)
}

/// Numbers in row-major order as nested arrays, in double precision.
///
/// # Errors
/// When the memory does not suffice.
pub(crate) fn nested_numbers(shape: &[usize], values: &[f64], host: &Host) -> Result<Dynamic> {
    // Each row is an array besides.
    let rows: usize = shape.split_last().map_or(1, |(_, outer)| outer.iter().product());
    let bytes = size_of::<Dynamic>() * values.len() + 3 * size_of::<Array>() * rows;
    host.afford(bytes as f64, |problem| {
        Error::argument("to_array", format!("of {} values {problem}", values.len()))
            .with_hint("a tensor takes a quarter of it: work on the tensor, or on a part of it")
    })?;
    Ok(nest(shape, values))
}

fn nest(shape: &[usize], values: &[f64]) -> Dynamic {
    match shape {
        [] => Dynamic::from_float(values[0]),
        [_] => values.iter().map(|&value| Dynamic::from_float(value)).collect::<Array>().into(),
        [count, inner @ ..] => {
            let width: usize = inner.iter().product();
            (0..*count).map(|row| nest(inner, &values[row * width..][..width])).collect::<Array>().into()
        }
    }
}

/// A shape argument: lengths, or one length.
pub(crate) fn shape_argument(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Vec<usize>> {
    wholes_argument(ctx, name, value)?
        .into_iter()
        .map(|side| {
            usize::try_from(side).map_err(|_| Error::argument(name, format!("must not be negative, got {side}")))
        })
        .collect::<Result<_>>()
        .raise(ctx)
}

/// Whole numbers in an array, or one alone.
pub(crate) fn wholes_argument(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Vec<i64>> {
    match value.read_lock::<Array>() {
        Some(items) => items.iter().map(|item| whole_argument(ctx, name, item)).collect(),
        None => Ok(vec![whole_argument(ctx, name, value)?]),
    }
}

/// What stands in the brackets of `t[..]`: a position, a range, or an array with one of these for each leading axis.
pub(crate) fn index_argument(ctx: &NativeCallContext, value: &Dynamic) -> Outcome<Vec<Index>> {
    match value.read_lock::<Array>() {
        Some(items) => items.iter().map(|item| index(ctx, item)).collect(),
        None => Ok(vec![index(ctx, value)?]),
    }
}

fn index(ctx: &NativeCallContext, value: &Dynamic) -> Outcome<Index> {
    if let Some(range) = value.read_lock::<Range<INT>>() {
        return Ok(Index::Range(range.start, (range.end != END).then_some(range.end)));
    }
    if let Some(range) = value.read_lock::<RangeInclusive<INT>>() {
        // Behind the last position there is nothing left to count to.
        let end = if matches!(*range.end(), -1 | END) { None } else { Some(range.end().saturating_add(1)) };
        return Ok(Index::Range(*range.start(), end));
    }
    if number(value).is_none() {
        let error = Error::argument("index", format!("must be a position or a range, got {}", kind(ctx, value)));
        return Err(error.with_hint("write t[0], t[-1], t[1..3] or t[[0, 1]]")).raise(ctx);
    }
    whole_argument(ctx, "index", value).map(Index::At)
}
