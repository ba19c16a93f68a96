//! Which value comes where: extremes, ranks, quantiles, running sums; in double precision.

use std::cmp::Ordering;

use ndarray::{ArrayViewD, Axis, IxDyn};

use super::{Tensor, axis_in};
use crate::error::{Error, Result};
use crate::settings::written;
use crate::vector::single;

/// Positions along an axis are exact in a tensor of single precision up to here.
const MOST_POSITIONS: usize = 1 << 24;

/// The position of the largest value, or the smallest, along each axis; the first of equal ones, or the first NaN.
///
/// # Errors
/// When there are no values.
pub fn extreme(shape: &[usize], values: &[f64], is_largest: bool) -> Result<Vec<usize>> {
    let name = name(is_largest);
    let mut place = first(values.iter().copied(), is_largest).ok_or_else(|| nothing(name, shape))?;
    let mut position = vec![0; shape.len()];
    for (at, length) in position.iter_mut().zip(shape).rev() {
        (*at, place) = (place % length, place / length);
    }
    Ok(position)
}

/// The positions of the largest values, or the smallest, along `axis`, which disappears.
///
/// # Errors
/// When the axis does not exist, or has no position, or more than single precision can count.
pub fn extreme_along(shape: &[usize], values: &[f64], axis: i64, is_largest: bool) -> Result<Tensor> {
    let name = name(is_largest);
    let axis = filled(name, shape, axis)?;
    if shape[axis] > MOST_POSITIONS {
        return Err(Error::argument("axis", format!("has {} positions, more than a tensor can count", shape[axis])));
    }
    let place = |lane: ndarray::ArrayView1<'_, f64>| first(lane.iter().copied(), is_largest).unwrap_or(0);
    Ok(view(shape, values)?.map_axis(Axis(axis), |lane| single(place(lane) as f64)).into())
}

/// The positions of the values of a vector in ascending order; equal ones stay in their order, NaN comes last.
///
/// # Errors
/// When the shape is not that of a vector.
pub fn argsort(shape: &[usize], values: &[f64]) -> Result<Vec<usize>> {
    if shape.len() != 1 {
        let hint = "take a column, x.column(0).argsort(), or all values, x.reshape(-1).argsort()";
        return Err(Error::argument("argsort", format!("orders a vector, got shape {shape:?}")).with_hint(hint));
    }
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|&a, &b| ascending(values[a], values[b]));
    Ok(places)
}

/// The quantile `part` of all values: between the two nearest it is interpolated linearly. NaN if any value is.
///
/// # Errors
/// When `part` is not from 0 to 1, or there are no values.
pub fn quantile(shape: &[usize], values: &[f64], part: f64) -> Result<f64> {
    Ok(quantiles(shape, values, &[part])?[0])
}

/// The quantiles `parts` of all values.
///
/// # Errors
/// As [`quantile`].
pub fn quantiles(shape: &[usize], values: &[f64], parts: &[f64]) -> Result<Vec<f64>> {
    parts.iter().try_for_each(|part| check_part(*part))?;
    if values.is_empty() {
        return Err(nothing("quantile", shape));
    }
    let sorted = sorted(values.iter().copied());
    Ok(parts.iter().map(|part| between(&sorted, *part)).collect())
}

/// The quantile `part` along `axis`, which disappears.
///
/// # Errors
/// As [`quantile`], and when the axis does not exist.
pub fn quantile_along(shape: &[usize], values: &[f64], part: f64, axis: i64) -> Result<Tensor> {
    check_part(part)?;
    let axis = filled("quantile", shape, axis)?;
    let lane = |lane: ndarray::ArrayView1<'_, f64>| single(between(&sorted(lane.iter().copied()), part));
    Ok(view(shape, values)?.map_axis(Axis(axis), lane).into())
}

/// The sums of all values up to each position along `axis`.
///
/// # Errors
/// When the axis does not exist.
pub fn cumulative_sum(shape: &[usize], values: &[f64], axis: i64) -> Result<Tensor> {
    let axis = axis_in(shape, axis)?;
    let mut sums = view(shape, values)?.to_owned();
    sums.accumulate_axis_inplace(Axis(axis), |before, sum| *sum += before);
    Ok(sums.mapv(single).into())
}

fn name(is_largest: bool) -> &'static str {
    if is_largest { "argmax" } else { "argmin" }
}

fn first(values: impl Iterator<Item = f64>, is_largest: bool) -> Option<usize> {
    let beats = |new: f64, best: f64| match is_largest {
        _ if best.is_nan() => false,
        true => new > best || new.is_nan(),
        false => new < best || new.is_nan(),
    };
    let best = values.enumerate().reduce(|best, new| if beats(new.1, best.1) { new } else { best });
    best.map(|(place, _)| place)
}

fn ascending(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(|a, b| ascending(*a, *b));
    values
}

fn between(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len() - 1;
    if sorted[last].is_nan() {
        return f64::NAN;
    }
    let place = part * last as f64;
    let below = place.floor() as usize;
    let (low, high, weight) = (sorted[below], sorted[(below + 1).min(last)], place - below as f64);
    if low == high { low } else { low * (1.0 - weight) + high * weight }
}

fn check_part(part: f64) -> Result<()> {
    match (0.0..=1.0).contains(&part) {
        true => Ok(()),
        false => Err(Error::argument("q", format!("must be from 0 to 1, got {}", written(part)))),
    }
}

/// An axis that has a position.
fn filled(name: &str, shape: &[usize], axis: i64) -> Result<usize> {
    let axis = axis_in(shape, axis)?;
    if shape[axis] == 0 { Err(nothing(name, shape)) } else { Ok(axis) }
}

fn nothing(name: &str, shape: &[usize]) -> Error {
    Error::argument(name, format!("needs at least one value, got shape {shape:?}"))
}

fn view<'a>(shape: &[usize], values: &'a [f64]) -> Result<ArrayViewD<'a, f64>> {
    ArrayViewD::from_shape(IxDyn(shape), values)
        .map_err(|_| Error::argument("shape", format!("{shape:?} does not hold {} values", values.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [f64; 6] = [3.0, 1.0, 2.0, 0.0, 5.0, 5.0];

    #[test]
    fn extremes_are_the_first_of_their_kind() {
        assert_eq!(extreme(&[2, 3], &TABLE, true).unwrap(), [1, 1]);
        assert_eq!(extreme(&[6], &TABLE, false).unwrap(), [3]);
        assert_eq!(extreme(&[3], &[1.0, f64::NAN, 7.0], true).unwrap(), [1]);
        assert_eq!(extreme_along(&[2, 3], &TABLE, 0, true).unwrap().values()[..], [0.0, 1.0, 1.0]);
        assert_eq!(extreme_along(&[2, 3], &TABLE, -1, false).unwrap().values()[..], [1.0, 0.0]);
        assert_eq!(
            extreme(&[0], &[], true).unwrap_err().to_string(),
            "`argmax` needs at least one value, got shape [0]"
        );
        assert!(extreme_along(&[2, 0], &[], 1, false).is_err() && extreme_along(&[2, 0], &[], 2, false).is_err());
    }

    #[test]
    fn orders() {
        assert_eq!(argsort(&[6], &TABLE).unwrap(), [3, 1, 2, 0, 4, 5]);
        assert_eq!(argsort(&[3], &[f64::NAN, -0.0, 0.0]).unwrap(), [1, 2, 0]);
        assert!(argsort(&[2, 3], &TABLE).unwrap_err().to_string().contains("orders a vector, got shape [2, 3]"));
    }

    #[test]
    fn quantiles_are_interpolated() {
        let all = quantiles(&[2, 3], &TABLE, &[0.0, 0.5, 0.9, 1.0]).unwrap();
        assert_eq!(all, [0.0, 2.5, 5.0, 5.0]);
        assert_eq!(quantile_along(&[2, 3], &TABLE, 0.25, 0).unwrap().values()[..], [0.75, 2.0, 2.75]);
        assert!(quantile(&[2], &[1.0, f64::NAN], 0.5).unwrap().is_nan());
        assert!(quantile(&[1], &[1.0], 1.5).unwrap_err().to_string().contains("must be from 0 to 1, got 1.5"));
        assert!(quantile(&[0], &[], 0.5).is_err());
    }

    /// In single precision the sum would stop at 2²⁴.
    #[test]
    fn running_sums() {
        assert_eq!(cumulative_sum(&[2, 3], &TABLE, 1).unwrap().values()[..], [3.0, 4.0, 6.0, 0.0, 5.0, 10.0]);
        assert_eq!(cumulative_sum(&[2, 3], &TABLE, 0).unwrap().values()[3..], [3.0, 6.0, 7.0]);
        let sums = cumulative_sum(&[5], &[16_777_216.0, 1.0, 1.0, 1.0, 1.0], 0).unwrap();
        assert_eq!(sums.values()[4], 16_777_220.0);
    }
}
