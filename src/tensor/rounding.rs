//! What single precision takes from numbers. What matters is refused or said.

use super::{Tensor, number};
use crate::error::{Error, Result};
use crate::settings::written;
use crate::vector::single;

/// Whole numbers up to here have a number of double precision each; beyond, doubles have parts no longer.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Part of the largest of numbers below which another one does not matter beside it.
const NEGLIGIBLE: f64 = 1e-7;

/// Steps of single precision in a standard deviation, fewer of which are worth a warning.
const STEPS_OF_SPREAD: f64 = 30.0;

/// Where the first finite number stands that single precision has not.
#[must_use]
pub fn beyond(values: &[f64]) -> Option<usize> {
    values.iter().position(|value| value.is_finite() && !single(*value).is_finite())
}

/// What rounding takes from numbers that belong together, as a sentence after their name: small ones that become 0, and
/// whole ones that become others. Parts that are lost beside large numbers are seen by [`coarse`].
#[must_use]
pub fn lost(values: impl Iterator<Item = f64> + Clone) -> Option<String> {
    let values = || values.clone().filter(|value| value.is_finite());
    let rounded = |value: f64| f64::from(single(value));
    let largest = values().map(f64::abs).fold(0.0, f64::max);
    let vanishes = |value: &f64| *value != 0.0 && rounded(*value) == 0.0 && value.abs() > NEGLIGIBLE * largest;
    if let Some(value) = values().find(vanishes) {
        let value = written(value);
        return Some(format!("has {value}, which is 0 in single precision; multiply the data by a scale first"));
    }
    let changes = |value: &f64| rounded(*value) != *value && value.abs() <= WHOLE;
    let value = values().find(changes).filter(|_| values().all(|value| value.fract() == 0.0))?;
    Some(format!(
        "has whole numbers beyond 16_777_216 that single precision does not have: {} became {}; subtract what they have \
         in common first",
        written(value),
        written(rounded(value))
    ))
}

/// That single precision cannot hold a spread, alone or beside a mean, as a sentence after the name of the numbers.
#[must_use]
pub fn coarse(mean: f64, deviation: f64) -> Option<String> {
    if deviation > 0.0 && deviation < f64::from(f32::MIN_POSITIVE) {
        let deviation = number(deviation);
        return Some(format!(
            "has a standard deviation of {deviation}, where single precision loses digits: multiply by a scale first"
        ));
    }
    (deviation > 0.0 && deviation < STEPS_OF_SPREAD * step(mean)).then(|| unheld(mean, deviation))
}

/// What rounding takes from the numbers of a column, as a sentence after its name: see [`lost`]; or that it is not
/// small beside their standard deviation, as of [`coarse`] numbers that are not round.
#[must_use]
pub fn loss(values: impl Iterator<Item = f64> + Clone) -> Option<String> {
    lost(values.clone()).or_else(|| {
        let values = values.filter(|value| value.is_finite());
        let (mean, deviation) = moments(values.clone());
        let taken = moments(values.map(|value| value - f64::from(single(value)))).1;
        // Rounding to steps makes an error of a step over √12 on the mean.
        (deviation > 0.0 && STEPS_OF_SPREAD * 12_f64.sqrt() * taken > deviation).then(|| unheld(mean, deviation))
    })
}

/// The distance of numbers of single precision about `value`.
fn step(value: f64) -> f64 {
    f64::from(f32::EPSILON) * value.abs()
}

fn unheld(mean: f64, deviation: f64) -> String {
    format!(
        "has the mean {} and a standard deviation of {}, which samples in single precision hold to {}: subtract the mean \
         first",
        written(mean),
        number(deviation),
        number(step(mean))
    )
}

impl Tensor {
    /// A tensor of `shape` with values rounded to single precision, and what is to be said of what that takes from a
    /// column of them. Errors and words call the values `name`.
    ///
    /// # Errors
    /// When a finite number is beyond single precision, or the number of values is not the product of the shape.
    pub fn rounded(name: &str, shape: &[usize], values: &[f64]) -> Result<(Self, Option<String>)> {
        if let Some(at) = beyond(values) {
            let problem = format!("has {}, and single precision ends at 3.4e38", written(values[at]));
            return Err(Error::argument(name, problem).with_hint("divide by a scale first"));
        }
        let width = shape.get(1..).map_or(1, |rest| rest.iter().product::<usize>()).max(1);
        let note = |column: usize| {
            let whose = if width == 1 { format!("`{name}`") } else { format!("column {column} of `{name}`") };
            let what = loss(values.iter().skip(column).step_by(width).copied())?;
            Some(format!("{whose} {what}"))
        };
        Ok((Self::from_f64(shape, values)?, (0..width).find_map(note)))
    }
}

/// Mean and standard deviation, in two passes.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    (mean, (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(values: &[f64]) -> String {
        Tensor::rounded("values", &[values.len()], values).unwrap().1.unwrap_or_default()
    }

    #[test]
    fn what_matters_is_refused_or_said() {
        let problem = Tensor::rounded("values", &[2], &[1.0, -1e39]).unwrap_err().to_string();
        assert_eq!(problem, "`values` has -1e39, and single precision ends at 3.4e38");
        assert!(Tensor::rounded("values", &[1], &[f64::INFINITY]).is_ok());
        assert!(note(&[16_777_217.0]).starts_with("`values` has whole numbers beyond 16_777_216"));
        assert_eq!(note(&[16_777_218.0, 1.0]), "");
        assert!(note(&[1e-50, 2e-50]).contains("has 1e-50, which is 0 in single precision"));
        assert_eq!(note(&[1e-50, 1.0]), "");
        let spread: Vec<f64> = (0..100).map(|i| 1e7 + 0.1 * f64::from(i % 10)).collect();
        assert!(note(&spread).contains("a standard deviation of 0.28723"), "{}", note(&spread));
        let narrow: Vec<f64> = spread.iter().map(|value| value - 1e7).collect();
        assert_eq!(note(&narrow), "");
        // Numbers that single precision has.
        assert_eq!(note(&[1e9, 1e9 + 64.0, 1e9 + 128.0]), "");
        let (_, note) = Tensor::rounded("values", &[2, 2], &[1.0, 1e7, 2.0, 1e7 + 0.1]).unwrap();
        assert!(note.unwrap().starts_with("column 1 of `values` has the mean 10_000_000"));
    }
}
