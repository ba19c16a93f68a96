//! Data that are angles, under a process that does not know where on the circle they are.
//!
//! Without a force on them angles are noised alike everywhere: x_t = x_0 + what the noise adds, whatever x_0. As reals
//! they have whole turns that nothing depends on. As data they count as a Gaussian so wide that on the circle it is
//! uniform: then its prior is uniform on the circle too, for every state of the auxiliaries, and the reference of
//! exponential steps pulls nowhere.

use std::f64::consts::TAU;

use super::Score;
use crate::data::{Dataset, Moments};
use crate::error::{Error, Result};
use crate::process::{Class, Process};
use crate::tensor::number;

/// What is left of a wave around the circle of that much, at the horizon, is worth a warning.
const MUCH_LEFT: f64 = 0.02;

/// The moments by which a score of `process` knows `data`: their own, or the circle's where they are angles. Of a wave
/// around the circle exp(−(2π)²/2) = 3·10⁻⁹ is left by the width 2π.
///
/// # Errors
/// When angles are normalised, or the process is nonlinear in them.
pub(super) fn moments(process: &Process, data: &Dataset) -> Result<Moments> {
    if !process.is_periodic() {
        return Ok(data.moments().clone());
    }
    let name = &process.blocks()[0];
    if process.class() == Class::Nonlinear {
        let causes = process.reasons().join(", ");
        let problem = format!("no score of a nonlinear process with angles `{name}` can be made: {causes}");
        return Err(Error::process(process.name(), problem)
            .with_hint("leave `periodic` out, and take the angles as real numbers, or use `simulate` alone"));
    }
    if data.units().is_some() {
        let problem = format!("is normalised, but the process has angles `{name}`, whose unit is the radian");
        return Err(Error::argument("data", problem).with_hint("take the data as they were before data.normalise(..)"));
    }
    let d = data.dimension();
    Ok(Moments::isotropic(vec![0.0; d], TAU * TAU))
}

/// That data like `moments` reach so far that they are angles in another unit.
pub fn unlike_angles(process: &Process, moments: &Moments) -> Option<String> {
    let squares =
        moments.mean.iter().zip(moments.coordinate_variances()).map(|(mean, variance)| mean * mean + variance);
    let size = squares.fold(0.0, f64::max).sqrt();
    (process.is_periodic() && size > TAU).then(|| {
        format!(
            "process {}: `{}` is an angle in radians, but the data have the typical size {}, more than a turn: if these \
             are degrees, take x * PI / 180",
            process.name(),
            process.blocks()[0],
            number(size)
        )
    })
}

/// What is left at the horizon of a wave around the circle, given the auxiliaries: E cos(x_T − x_0) of their best
/// guess. The prior takes it for nothing.
///
/// # Errors
/// When the kernel at the horizon does not exist.
pub(super) fn remainder(score: &dyn Score) -> Result<Option<String>> {
    let process = score.process();
    let spread = process.kernel(process.horizon())?.conditional_std()[0];
    let left = (-0.5 * spread * spread).exp();
    Ok((left > MUCH_LEFT).then(|| {
        format!(
            "process {}: at the horizon `{}` has spread by {} radians, and {:.1} % of a wave around the circle is left of \
             the data; the prior, uniform on the circle, takes it for nothing: raise the horizon, to a spread of 3 or more",
            process.name(),
            process.blocks()[0],
            number(spread),
            100.0 * left
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Definition;
    use crate::process::fixtures::one_component;

    /// The typical size is √(mean² + variance) of the widest coordinate.
    #[test]
    fn degrees_are_told_by_their_size() {
        let line = one_component(0.0.into(), 1.0.into(), 1.0);
        let definition = Definition { periodic: vec!["x".into()], ..line.definition().clone() };
        let circle = Process::new(definition, 1.0).unwrap();
        let moments = |mean, variance| Moments::isotropic(vec![0.0, mean], variance);
        let said = unlike_angles(&circle, &moments(3.0, 391.0)).unwrap();
        assert!(said.contains("the typical size 20, more than a turn"), "{said}");
        assert_eq!(unlike_angles(&circle, &moments(3.0, 25.0)), None);
        assert_eq!(unlike_angles(&line, &moments(3.0, 391.0)), None);
    }
}
