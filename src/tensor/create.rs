//! New tensors.

use super::{Tensor, lost};
use crate::error::{Error, Result};
use crate::host::{self, Host};
use crate::rng::{Purpose, Stream};
use crate::settings::written;
use crate::vector::single;

impl Tensor {
    /// A tensor of `shape` with one value everywhere.
    ///
    /// # Errors
    /// When the memory does not suffice.
    pub fn full(shape: &[usize], value: f64, host: &Host) -> Result<Self> {
        let mut values = allocate(shape, host)?;
        values.fill(single(value));
        Self::new(shape, values)
    }

    /// The identity matrix, [count, count].
    ///
    /// # Errors
    /// When the memory does not suffice.
    pub fn identity(count: usize, host: &Host) -> Result<Self> {
        let mut values = allocate(&[count, count], host)?;
        values.iter_mut().step_by(count + 1).for_each(|value| *value = 1.0);
        Self::new(&[count, count], values)
    }

    /// `count` values at equal distances from `start` to `end`, both included, each rounded once.
    ///
    /// # Errors
    /// When `count` is 0, an end is not finite, single precision has not the values, or the memory does not suffice.
    pub fn linspace(start: f64, end: f64, count: usize, host: &Host) -> Result<Self> {
        finite(&[("start", start), ("end", end)])?;
        if count == 0 {
            return Err(Error::argument("count", "must be at least 1, got 0"));
        }
        let last = (count - 1).max(1) as f64;
        // Weighting both ends hits them exactly.
        Self::filled(count, host, |i| (start * (last - i) + end * i) / last)
    }

    /// The values `start`, `start + step`, ... that lie before `end`.
    ///
    /// # Errors
    /// When `step` is 0, a number is not finite, single precision has not the values, or the memory does not suffice.
    pub fn arange(start: f64, end: f64, step: f64, host: &Host) -> Result<Self> {
        Self::filled(steps_between(start, end, step)?, host, |i| start + step * i)
    }

    /// Independent standard normals.
    ///
    /// # Errors
    /// When the memory does not suffice.
    pub fn normals(shape: &[usize], seed: u64, host: &Host) -> Result<Self> {
        let mut values = allocate(shape, host)?;
        Stream::new(seed, Purpose::Script).normals(0, 0, &mut values);
        Self::new(shape, values)
    }

    /// Independent uniforms in [0, 1).
    ///
    /// # Errors
    /// When the memory does not suffice.
    pub fn uniforms(shape: &[usize], seed: u64, host: &Host) -> Result<Self> {
        let mut values = allocate(shape, host)?;
        Stream::new(seed, Purpose::Script).part(1).uniforms(0, 0, &mut values);
        Self::new(shape, values)
    }

    fn filled(count: usize, host: &Host, value: impl Fn(f64) -> f64 + Copy) -> Result<Self> {
        let mut values = allocate(&[count], host)?;
        for (i, slot) in values.iter_mut().enumerate() {
            *slot = single(value(i as f64));
        }
        hold(&values, value)?;
        Self::new(&[count], values)
    }
}

/// How many of the values `start`, `start + step`, ... lie before `end`.
///
/// # Errors
/// When `step` is 0 or a number is not finite.
pub fn steps_between(start: f64, end: f64, step: f64) -> Result<usize> {
    finite(&[("start", start), ("end", end), ("step", step)])?;
    if step == 0.0 {
        return Err(Error::argument("step", "must not be 0"));
    }
    // From 0.3 to 0.9 are three steps of 0.2, and a little more in floating point.
    let rounding = (4.0 * f64::EPSILON * (start.abs() + end.abs()) / step.abs()).min(0.5);
    // The conversion saturates, and `allocate` refuses what is too much.
    Ok(((end - start) / step - rounding).ceil().max(0.0) as usize)
}

/// Refuses a grid of which single precision, `values`, has not what it is made of: `wide` of each place.
fn hold(values: &[f32], wide: impl Fn(f64) -> f64 + Copy) -> Result<()> {
    let wide = move |i: usize| wide(i as f64);
    let refuse = |problem: String| Err(Error::argument("end", format!("is too far: the grid {problem}")));
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return refuse(format!("has {}, and single precision ends at 3.4e38", written(wide(at))));
    }
    if let Some(problem) = lost((0..values.len()).map(wide)) {
        return refuse(problem);
    }
    let pair = (1..values.len()).find(|&i| values[i] == values[i - 1] && wide(i) != wide(i - 1));
    pair.map_or(Ok(()), |i| {
        let (a, b) = (written(wide(i - 1)), written(wide(i)));
        refuse(format!("has {a} and {b}, which are one number in single precision; subtract what they have in common"))
    })
}

fn finite(numbers: &[(&str, f64)]) -> Result<()> {
    match numbers.iter().find(|(_, value)| !value.is_finite()) {
        Some((name, value)) => Err(Error::argument(*name, format!("must be finite, got {value}"))),
        None => Ok(()),
    }
}

/// 16 GiB in one tensor: beyond this a mistake is likelier than a wish, and systems that promise more memory than they
/// have would kill the program instead of refusing.
const MAX_VALUES: usize = 1 << 32;

/// Zeros for a tensor of `shape`, in row-major order.
///
/// # Errors
/// When the memory does not suffice, with the memory it would take.
pub fn allocate(shape: &[usize], host: &Host) -> Result<Vec<f32>> {
    let count = affordable(shape, host)?;
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| too_large(shape))?;
    values.resize(count, 0.0);
    Ok(values)
}

/// Number of values of a tensor of `shape` that is about to be made.
///
/// # Errors
/// When it needs more memory than `host` has.
pub fn affordable(shape: &[usize], host: &Host) -> Result<usize> {
    let count = count(shape)?;
    host.afford(4.0 * count as f64, |problem| refusal(shape, &problem))?;
    Ok(count)
}

/// Number of values of a tensor of `shape`.
///
/// # Errors
/// When no memory would hold it.
pub fn count(shape: &[usize]) -> Result<usize> {
    let count = shape.iter().try_fold(1_usize, |count, &side| count.checked_mul(side));
    count.filter(|&count| count <= MAX_VALUES).ok_or_else(|| too_large(shape))
}

fn too_large(shape: &[usize]) -> Error {
    refusal(shape, &host::taking(shape.iter().map(|&side| side as f64).product::<f64>() * 4.0))
}

pub(super) fn refusal(shape: &[usize], problem: &str) -> Error {
    Error::argument("shape", format!("{shape:?} {problem}"))
        .with_hint("check the numbers, or work through the data in smaller pieces")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        Host::default()
    }

    #[test]
    fn grids_that_single_precision_has_not_are_refused() {
        let problem = |grid: Result<Tensor>| grid.unwrap_err().to_string();
        assert!(
            problem(Tensor::arange(16_777_210.0, 16_777_220.0, 1.0, &host())).contains("16_777_217 became 16_777_216")
        );
        assert!(problem(Tensor::linspace(0.0, 1e39, 3, &host())).contains("5e38, and single precision ends at 3.4e38"));
        assert!(
            problem(Tensor::linspace(1e7, 1e7 + 1.0, 5, &host())).contains("10_000_000 and 10_000_000.25, which are")
        );
        assert_eq!(Tensor::linspace(1e7, 1e7, 2, &host()).unwrap().values()[..], [1e7, 1e7]);
    }

    #[test]
    fn grids() {
        assert_eq!(Tensor::linspace(0.0, 1.0, 5, &host()).unwrap().values()[..], [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(Tensor::linspace(2.0, 3.0, 1, &host()).unwrap().values()[..], [2.0]);
        assert_eq!(*Tensor::linspace(0.1, 0.7, 7, &host()).unwrap().values().last().unwrap(), 0.7);
        assert_eq!(Tensor::arange(0.0, 1.0, 0.25, &host()).unwrap().values()[..], [0.0, 0.25, 0.5, 0.75]);
        assert_eq!(Tensor::arange(3.0, 0.0, -1.0, &host()).unwrap().values()[..], [3.0, 2.0, 1.0]);
        // Seen to fail without regard to rounding.
        assert_eq!(steps_between(0.3, 0.9, 0.2).unwrap(), 3);
        assert_eq!(steps_between(0.0, 1.0, 0.1).unwrap(), 10);
        assert!(Tensor::arange(1.0, 0.0, 1.0, &host()).unwrap().is_empty());
        assert_eq!(Tensor::identity(2, &host()).unwrap().values()[..], [1.0, 0.0, 0.0, 1.0]);
        assert!(Tensor::identity(0, &host()).unwrap().is_empty());
    }

    #[test]
    fn impossible_requests_are_refused() {
        let problem = |result: Result<Tensor>| result.expect_err("must be refused").to_string();
        let huge = problem(Tensor::full(&[1_000_000_000, 1_000_000_000], 0.0, &host()));
        assert_eq!(huge, "`shape` [1000000000, 1000000000] would take 3.5 EiB of memory");
        assert!(problem(Tensor::full(&[usize::MAX, usize::MAX, 2], 0.0, &host())).contains("EiB"));
        assert!(problem(Tensor::arange(0.0, 1e300, 1e-300, &host())).contains("memory"));
        assert!(problem(Tensor::identity(usize::MAX, &host())).contains("memory"));
        assert!(problem(Tensor::linspace(0.0, f64::NAN, 3, &host())).contains("`end` must be finite"));
        assert!(problem(Tensor::linspace(0.0, 1.0, 0, &host())).contains("at least 1"));
        assert!(problem(Tensor::arange(0.0, 1.0, 0.0, &host())).contains("`step` must not be 0"));
    }

    #[test]
    fn random_tensors_repeat_and_differ() {
        let normals = |seed| Tensor::normals(&[3, 4], seed, &host()).unwrap();
        assert_eq!(normals(1), normals(1));
        assert_ne!(normals(1), normals(2));
        assert!(Tensor::uniforms(&[1000], 1, &host()).unwrap().values().iter().all(|v| (0.0..1.0).contains(v)));
    }
}
