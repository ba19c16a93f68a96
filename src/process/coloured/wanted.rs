//! What is wanted of the noise, and how far something is from it.

use nalgebra::DVector;

use super::sampled::Sampled;
use crate::error::{Error, Result};

/// More values than this say nothing more about few states.
const MOST_VALUES: usize = 2000;
/// A value counts relative to itself unless it lies below a fall from its largest neighbours with this power.
const STEEPEST: f64 = 8.0;
/// There it counts at least in parts of this part of the largest value: numbers of a sum that cancel hold no more.
const LEAST: f64 = 1e-8;

/// Values of a function of the noise, and the scale on which an error counts at each of them.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) sampled: Sampled,
    /// Times or frequencies, rising.
    pub(super) places: Vec<f64>,
    pub(super) values: Vec<f64>,
    /// An error of this size is an error of 1.
    scale: Vec<f64>,
    /// Weight of an error in sums of squares: equal for equal ratios of places, however dense they are.
    weights: DVector<f64>,
}

impl Wanted {
    /// # Errors
    /// As [`super::embed`], for its arguments.
    pub(super) fn new(sampled: Sampled, places: &[f64], values: &[f64], floor: f64) -> Result<Self> {
        check(places, values)?;
        if !(0.0..1.0).contains(&floor) {
            return Err(Error::argument("floor", format!("must be from 0 to below 1, got {floor}")));
        }
        let mut order: Vec<_> = (0..places.len()).collect();
        order.sort_by(|&i, &j| places[i].total_cmp(&places[j]));
        let sorted = |all: &[f64]| order.iter().map(|&i| all[i]).collect::<Vec<_>>();
        let (places, values) = (sorted(places), sorted(values));
        let scale = scale(&places, &values, floor);
        let weights = weights(&places, &scale);
        Ok(Self { sampled, places, values, scale, weights })
    }

    /// The least and the largest place above 0.
    pub(super) fn range(&self) -> (f64, f64) {
        let low = self.places.iter().copied().find(|&place| place > 0.0);
        (low.expect("checked"), *self.places.last().expect("checked"))
    }

    /// The same with times in units of `unit`.
    pub(super) fn in_units(&self, unit: f64) -> Self {
        let (place, value) = match self.sampled {
            Sampled::Correlation | Sampled::Displacement => (1.0 / unit, 1.0),
            Sampled::Spectrum => (unit, 1.0 / unit),
        };
        let times = |all: &[f64], factor: f64| all.iter().map(|one| factor * one).collect::<Vec<_>>();
        Self {
            sampled: self.sampled,
            places: times(&self.places, place),
            values: times(&self.values, value),
            scale: times(&self.scale, value),
            weights: &self.weights / value,
        }
    }

    /// The function times the weights of its places.
    pub(super) fn weighted(&self, function: &[f64]) -> DVector<f64> {
        DVector::from_column_slice(function).component_mul(&self.weights)
    }

    /// What least squares make small: weighted deviations from the values.
    pub(super) fn residual(&self, function: &[f64]) -> DVector<f64> {
        let deviations: Vec<_> = function.iter().zip(&self.values).map(|(found, value)| found - value).collect();
        self.weighted(&deviations)
    }

    /// The largest error, and the place where it is; infinite where the function is not finite.
    pub(super) fn error(&self, function: &[f64]) -> (f64, f64) {
        let mut largest = (0.0, self.places[0]);
        for (i, found) in function.iter().enumerate() {
            let error = ((found - self.values[i]) / self.scale[i]).abs();
            if error.is_nan() {
                return (f64::INFINITY, self.places[i]);
            }
            if error > largest.0 {
                largest = (error, self.places[i]);
            }
        }
        largest
    }
}

fn check(places: &[f64], values: &[f64]) -> Result<()> {
    let refuse = |problem: String| Err(Error::argument("values", problem));
    let (count, known) = (values.len(), places.len());
    if count != known || count > MOST_VALUES {
        return refuse(format!("are {count} for {known} places; both must be as many, {MOST_VALUES} at most"));
    }
    if !places.iter().chain(values).all(|number| number.is_finite()) || places.iter().any(|&place| place < 0.0) {
        return refuse("must be finite, at times or frequencies of 0 or above".to_owned());
    }
    let positive = || places.iter().copied().filter(|&place| place > 0.0);
    let (low, high) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
    if low >= high || values.iter().all(|&value| value <= 0.0) {
        return refuse("need two times or frequencies above 0, and a value above 0".to_owned());
    }
    Ok(())
}

/// |value|, or what a fall from a neighbour leaves if that is more: the largest of
/// |value'| min(place/place', place'/place)^8 over all places', but not less than a hundred millionth of all.
fn scale(places: &[f64], values: &[f64], floor: f64) -> Vec<f64> {
    let mut scale: Vec<_> = values.iter().map(|value| value.abs()).collect();
    let largest = scale.iter().copied().fold(0.0, f64::max);
    let first = places.iter().position(|&place| place > 0.0).unwrap_or_default();
    let fall = |i: usize| (places[i - 1] / places[i]).powf(STEEPEST);
    for i in first + 1..places.len() {
        scale[i] = scale[i].max(scale[i - 1] * fall(i));
    }
    for i in (first + 1..places.len()).rev() {
        scale[i - 1] = scale[i - 1].max(scale[i] * fall(i));
    }
    let finish = |(&size, value): (&f64, &f64)| {
        let least = if size > value.abs() { floor.max(LEAST) } else { floor };
        // A function that is 0 at the only place 0 would leave nothing to divide by.
        size.max(least * largest).max(f64::MIN_POSITIVE)
    };
    scale.iter().zip(values).map(finish).collect()
}

/// 1/scale times the root of half the logarithmic distance of the neighbours.
fn weights(places: &[f64], scale: &[f64]) -> DVector<f64> {
    let last = places.len() - 1;
    let widest = (places[last] / places.iter().copied().find(|&place| place > 0.0).unwrap_or(1.0)).ln();
    let width = |i: usize| {
        let (before, after) = (places[i.saturating_sub(1)], places[(i + 1).min(last)]);
        let distance = if before > 0.0 { (after / before).ln() } else { widest / last as f64 };
        // Places that are given twice still count.
        distance.max(1e-3 * widest / last as f64)
    };
    DVector::from_fn(places.len(), |i, _| width(i).sqrt() / scale[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place 0, and the one beside it, have the mean distance.
    #[test]
    fn weights_follow_logarithmic_distances() {
        let found = weights(&[0.0, 1.0, 2.0, 8.0], &[1.0, 1.0, 2.0, 1.0]);
        let [two, eight] = [2.0_f64, 8.0].map(f64::ln);
        let truth = [eight / 3.0, eight / 3.0, eight / 4.0, two * 2.0].map(f64::sqrt);
        assert!(found.iter().zip(truth).all(|(a, b)| (a - b).abs() < 1e-15), "{found} {truth:?}");
        // Places that are given twice count by a thousandth of the mean distance.
        let twice = weights(&[1.0, 1.0, 1.0, 8.0], &[1.0; 4])[1];
        assert!((twice - (1e-3 * eight / 3.0).sqrt()).abs() < 1e-15, "{twice}");
    }
}
