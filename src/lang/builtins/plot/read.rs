//! Arguments and options of `plot` functions as values of the rooms below.

use rhai::{Array, Dynamic, Map, NativeCallContext};

use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Options, kind, number};
use crate::plot::{self, Axis, Layer, Panel, Scale};
use crate::tensor::Tensor;

/// The sets of a data argument: itself, or the items of an array of sets. A set of points is an array of arrays already
/// (`nested`).
pub(super) fn several(data: &Dynamic, nested: bool) -> Vec<Dynamic> {
    let is_set = |item: &Dynamic| {
        item.is::<Tensor>()
            || item.read_lock::<Array>().is_some_and(|inner| !nested || inner.iter().any(|value| value.is_array()))
    };
    match data.read_lock::<Array>() {
        Some(items) if items.iter().any(is_set) => items.to_vec(),
        _ => vec![data.clone()],
    }
}

pub(super) fn numbers(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Vec<f64>> {
    if let Some(tensor) = value.read_lock::<Tensor>() {
        return Ok(tensor.values().iter().copied().map(f64::from).collect());
    }
    let wrong = |found: &Dynamic| {
        let problem = format!("must be a Tensor or an array of numbers, got {}", kind(ctx, found));
        Error::argument(name, problem)
    };
    let Some(items) = value.read_lock::<Array>() else { return Err(wrong(value)).raise(ctx) };
    items.iter().map(|item| number(item).ok_or_else(|| wrong(item))).collect::<crate::Result<_>>().raise(ctx)
}

/// The numbers along a line.
pub(super) fn series(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Vec<f64>> {
    match value.read_lock::<Tensor>() {
        Some(tensor) => plot::series(name, &tensor).raise(ctx),
        None => numbers(ctx, name, value),
    }
}

pub(super) fn point_sets(ctx: &NativeCallContext, data: &Dynamic) -> Outcome<Vec<Vec<[f64; 2]>>> {
    several(data, true).iter().map(|set| points(ctx, set)).collect()
}

fn points(ctx: &NativeCallContext, value: &Dynamic) -> Outcome<Vec<[f64; 2]>> {
    if let Some(tensor) = value.read_lock::<Tensor>() {
        return plot::points(&tensor).raise(ctx);
    }
    let wrong = |found: &Dynamic| {
        let problem = format!("must be a Tensor [n, 2] or an array of [x, y], got {}", kind(ctx, found));
        Error::argument("data", problem)
    };
    let Some(items) = value.read_lock::<Array>() else { return Err(wrong(value)).raise(ctx) };
    let pair = |item: &Dynamic| {
        let pair = item.read_lock::<Array>()?.iter().map(number).collect::<Option<Vec<f64>>>()?;
        <[f64; 2]>::try_from(pair).ok()
    };
    items.iter().map(|item| pair(item).ok_or_else(|| wrong(item))).collect::<crate::Result<_>>().raise(ctx)
}

pub(super) fn count_matches(ctx: &NativeCallContext, name: &str, count: usize, sets: usize) -> Outcome<()> {
    if count == sets {
        return Ok(());
    }
    Err(Error::argument(name, format!("needs one entry for each set of data: got {count} for {sets}"))).raise(ctx)
}

pub(super) fn named(ctx: &NativeCallContext, layers: Vec<Layer>, labels: &[String]) -> Outcome<Vec<Layer>> {
    count_matches(ctx, "labels", labels.len(), layers.len())?;
    Ok(layers.into_iter().zip(labels).map(|(layer, label)| layer.labelled(label)).collect())
}

pub(super) fn labelled(ctx: &NativeCallContext, options: &mut Options, layers: Vec<Layer>) -> Outcome<Vec<Layer>> {
    match options.texts("labels")? {
        Some(labels) => named(ctx, layers, &labels),
        None => Ok(layers),
    }
}

pub(super) fn scale(options: &mut Options, name: &'static str) -> Outcome<Scale> {
    Ok(if options.flag_or(name, false)? { Scale::Log } else { Scale::Linear })
}

/// The panel with labels and limits of its axes.
pub(super) fn axes(ctx: &NativeCallContext, options: &mut Options, panel: Panel) -> Outcome<Panel> {
    let label = |text: Option<String>| text.unwrap_or_default();
    let [x_limits, y_limits] = limits(ctx, options)?;
    let x = Axis { label: label(options.text("x_label")?), limits: x_limits, ..panel.x };
    let y = Axis { label: label(options.text("y_label")?), limits: y_limits, ..panel.y };
    Ok(Panel { x, y, ..panel })
}

/// A truth value, if given.
pub(super) fn flag(options: &mut Options, name: &'static str) -> Outcome<Option<bool>> {
    match options.take(name) {
        Some(value) if value.is_bool() => Ok(value.as_bool().ok()),
        Some(value) => options.refuse(name, "true or false", &value),
        None => Ok(None),
    }
}

fn limits(ctx: &NativeCallContext, options: &mut Options) -> Outcome<[Option<[f64; 2]>; 2]> {
    let pair = |numbers: Option<Vec<f64>>| match numbers {
        Some(numbers) => <[f64; 2]>::try_from(numbers).map(Some).map_err(|numbers| {
            Error::argument("limits", format!("must be [low, high], got {} numbers", numbers.len()))
        }),
        None => Ok(None),
    };
    match options.take("limits") {
        None => Ok([None; 2]),
        Some(value) if value.is_map() => {
            let mut sides = Options::new(ctx, value.cast::<Map>());
            let (x, y) = (sides.numbers("x")?, sides.numbers("y")?);
            sides.finish()?;
            Ok([pair(x).raise(ctx)?, pair(y).raise(ctx)?])
        }
        Some(value) if value.is_array() => {
            let both = pair(Some(numbers(ctx, "limits", &value)?)).raise(ctx)?;
            Ok([both; 2])
        }
        Some(value) => options.refuse("limits", "[low, high] or #{ x: [low, high], y: [low, high] }", &value),
    }
}

/// One item for each of `count` lines; a single one serves all.
pub(super) fn one_each(
    ctx: &NativeCallContext,
    name: &str,
    items: Vec<Vec<f64>>,
    count: usize,
) -> Outcome<Vec<Vec<f64>>> {
    if let [item] = &items[..] {
        return Ok(vec![item.clone(); count]);
    }
    count_matches(ctx, name, items.len(), count)?;
    Ok(items)
}

pub(super) fn dashed(ctx: &NativeCallContext, options: &mut Options, count: usize) -> Outcome<Vec<bool>> {
    let Some(value) = options.take("dashed") else { return Ok(vec![false; count]) };
    if let Ok(all) = value.as_bool() {
        return Ok(vec![all; count]);
    }
    let each: Option<Vec<bool>> =
        value.read_lock::<Array>().and_then(|items| items.iter().map(|item| item.as_bool().ok()).collect());
    match each {
        Some(each) => count_matches(ctx, "dashed", each.len(), count).map(|()| each),
        None => options.refuse("dashed", "true, false or an array of these", &value),
    }
}
