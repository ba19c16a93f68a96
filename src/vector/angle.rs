//! Angles as numbers.

use std::f64::consts::TAU;

use super::math::{cos, sin};
use super::single;
use crate::dispatched;

/// The largest number of single precision that is not above π; the nearest one to π is.
const LARGEST: f32 = 3.141_592_5;

/// An angle in (−π, π], without its whole turns.
pub fn wrapped(angle: f64) -> f32 {
    single(angle - TAU * (angle / TAU).round()).clamp(-LARGEST, LARGEST)
}

dispatched! {
    /// Writes cos x in place of the first `angles` values x, and sin x to the last ones.
    pub fn encircle(angles: usize, values: &mut [f32]) {
        let (first, last) = values.split_at_mut(values.len() - angles);
        for (x, sine) in first.iter_mut().zip(last) {
            *sine = sin(*x);
            *x = cos(*x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bound π of single precision is above that of double precision.
    #[test]
    fn angles_stay_between_minus_pi_and_pi() {
        for (angle, truth) in [(0.5, 0.5), (TAU + 0.5, 0.5), (-3.0 * TAU - 3.0, -3.0), (4.0, 4.0 - TAU)] {
            assert!((f64::from(wrapped(angle)) - truth).abs() < 1e-6, "{angle}");
        }
        for turns in -3..=3 {
            let edge = f64::from(wrapped(std::f64::consts::PI + f64::from(turns) * TAU));
            assert!((edge.abs() - std::f64::consts::PI).abs() < 1e-6 && edge.abs() < std::f64::consts::PI, "{edge}");
        }
    }

    #[test]
    fn points_on_the_circle_stand_at_both_ends() {
        let mut values = [1.0, 8.0, 5.0, 0.0, 0.0];
        encircle(2, &mut values);
        let truth = [1_f32.cos(), 8_f32.cos(), 5.0, 1_f32.sin(), 8_f32.sin()];
        assert!(values.iter().zip(truth).all(|(value, truth)| (value - truth).abs() < 1e-6), "{values:?}");
    }
}
