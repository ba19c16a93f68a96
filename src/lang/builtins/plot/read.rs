//! Arguments and options of `plot` functions as values of the rooms below.

use rhai::{Array, Dynamic, Map, NativeCallContext};

use super::options::SIDES;
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Given, number, read};
use crate::lang::surroundings::host;
use crate::lang::tensors::no_numbers;
use crate::plot::{self, Axis, Colour, Layer, PALETTE, Panel, Scale};
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
        afford(ctx, &tensor)?;
        return Ok(tensor.values().iter().copied().map(f64::from).collect());
    }
    let wrong = |found: &Dynamic| no_numbers(ctx, name, "a Tensor or an array of numbers", found);
    let Some(items) = value.read_lock::<Array>() else { return Err(wrong(value)).raise(ctx) };
    items.iter().map(|item| number(item).ok_or_else(|| wrong(item))).collect::<crate::Result<_>>().raise(ctx)
}

/// Figures hold numbers in double precision.
fn afford(ctx: &NativeCallContext, tensor: &Tensor) -> Outcome<()> {
    let bytes = size_of::<f64>() as f64 * tensor.len() as f64;
    let refuse = |problem| Error::argument("data", format!("of shape {:?} {problem} in a figure", tensor.shape()));
    host(ctx).afford(bytes, refuse).raise(ctx)
}

/// The numbers along a line.
pub(super) fn series(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Vec<f64>> {
    match value.read_lock::<Tensor>() {
        Some(tensor) => {
            afford(ctx, &tensor)?;
            plot::series(name, &tensor).raise(ctx)
        }
        None => numbers(ctx, name, value),
    }
}

pub(super) fn point_sets(ctx: &NativeCallContext, data: &Dynamic) -> Outcome<Vec<Vec<[f64; 2]>>> {
    several(data, true).iter().map(|set| points(ctx, set)).collect()
}

fn points(ctx: &NativeCallContext, value: &Dynamic) -> Outcome<Vec<[f64; 2]>> {
    if let Some(tensor) = value.read_lock::<Tensor>() {
        afford(ctx, &tensor)?;
        return plot::points(&tensor).raise(ctx);
    }
    let wrong = |found: &Dynamic| no_numbers(ctx, "data", "a Tensor [n, 2] or an array of [x, y]", found);
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

pub(super) fn labelled(ctx: &NativeCallContext, given: &Given, layers: Vec<Layer>) -> Outcome<Vec<Layer>> {
    match given.texts_if_given("labels") {
        Some(labels) => named(ctx, layers, labels),
        None => Ok(layers),
    }
}

pub(super) fn scale(given: &Given, name: &str) -> Scale {
    if given.flag(name) { Scale::Log } else { Scale::Linear }
}

/// A text, empty where none is given.
pub(super) fn text(given: &Given, name: &str) -> String {
    given.text_if_given(name).unwrap_or_default().to_owned()
}

/// The panel with labels and limits of its axes.
pub(super) fn axes(ctx: &NativeCallContext, given: &Given, panel: Panel) -> Outcome<Panel> {
    let [x_limits, y_limits] = limits(ctx, given)?;
    let x = Axis { label: text(given, "x_label"), limits: x_limits, ..panel.x };
    let y = Axis { label: text(given, "y_label"), limits: y_limits, ..panel.y };
    Ok(Panel { x, y, ..panel })
}

fn limits(ctx: &NativeCallContext, given: &Given) -> Outcome<[Option<[f64; 2]>; 2]> {
    let pair = |numbers: &[f64]| match *numbers {
        [low, high] => Ok([low, high]),
        _ => Err(Error::argument("limits", format!("must be [low, high], got {} numbers", numbers.len()))).raise(ctx),
    };
    let is_readable = |value: &Dynamic| (value.is_map() || value.is_array()).then(|| value.clone());
    match given.cast("limits", is_readable)? {
        None => Ok([None; 2]),
        Some(value) if value.is_map() => read(ctx, value.cast::<Map>(), SIDES, |sides| {
            let [x, y] = ["x", "y"].map(|side| sides.numbers_if_given(side).map(pair).transpose());
            Ok([x?, y?])
        }),
        Some(value) => {
            let both = pair(&numbers(ctx, "limits", &value)?)?;
            Ok([Some(both); 2])
        }
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

pub(super) fn dashed(ctx: &NativeCallContext, given: &Given, count: usize) -> Outcome<Vec<bool>> {
    let read = |value: &Dynamic| match value.as_bool() {
        Ok(all) => Some(vec![all; count]),
        Err(_) => value.read_lock::<Array>()?.iter().map(|item| item.as_bool().ok()).collect(),
    };
    let each = given.cast("dashed", read)?.unwrap_or_else(|| vec![false; count]);
    count_matches(ctx, "dashed", each.len(), count)?;
    Ok(each)
}

/// The colour of each of `count` lines, where it was chosen.
pub(super) fn colours(ctx: &NativeCallContext, given: &Given, count: usize) -> Outcome<Vec<Option<Colour>>> {
    let Some(places) = given.counts_if_given("colours") else { return Ok(vec![None; count]) };
    count_matches(ctx, "colours", places.len(), count)?;
    Ok(places.iter().map(|&place| Some(PALETTE[place])).collect())
}
