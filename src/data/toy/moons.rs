//! Two half circles that reach into each other.

use std::f64::consts::FRAC_1_PI;

use nalgebra::DMatrix;

use super::Toy;
use crate::data::Moments;
use crate::data::uniforms::{choose, for_each_uniform};
use crate::dispatched;
use crate::error::Result;
use crate::rng::Stream;
use crate::settings::{Setting, Values, named};
use crate::vector::math::sin_cos_turns;
use crate::vector::single;

/// The upper half of the unit circle, class 0, and the lower half of one around (1, 1/2), class 1 (scikit-learn's
/// `make_moons`).
#[derive(Debug, Clone, PartialEq)]
pub struct Moons {
    /// Standard deviation of what is added to each coordinate, 0 or above.
    pub std: f64,
}

impl Moons {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] =
        &[Setting::number("std", "standard deviation of the noise, 0 or above").between(0.0, 1e3).or(0.05)];

    /// The law that `values` of [`Moons::SETTINGS`] describe.
    pub fn read(values: &Values) -> Self {
        Self { std: values.number("std") }
    }
}

impl Toy for Moons {
    fn name(&self) -> &'static str {
        "moons"
    }

    fn title(&self) -> String {
        "two half moons".to_owned()
    }

    fn classes(&self) -> usize {
        2
    }

    fn check(&self) -> Result<()> {
        named(Self::SETTINGS, "std").check_value(self.std)
    }

    fn moments(&self) -> Moments {
        let noise = self.std * self.std;
        let cross = 0.125 - FRAC_1_PI;
        let covariance = DMatrix::from_row_slice(2, 2, &[0.75 + noise, cross, cross, 0.5625 - FRAC_1_PI + noise]);
        Moments::correlated(vec![0.5, 0.25], &covariance, 0.0)
    }

    fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        moons(self, stream, step, block, out);
    }
}

dispatched! {
    fn moons(law: &Moons, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        stream.normals(step, block, out);
        let (xs, ys) = out.split_at_mut(out.len() / 2);
        let std = single(law.std);
        for_each_uniform(stream, step, block, xs.len(), #[inline(always)] |i, u| {
            let (class, rest) = choose(u, 2);
            let (sin, cos) = sin_cos_turns(single(0.5 * rest));
            let place = if class == 0 { [cos, sin] } else { [1.0 - cos, 0.5 - sin] };
            xs[i] = place[0] + std * xs[i];
            ys[i] = place[1] + std * ys[i];
        });
    }
}
