//! Spirals from one centre.

use std::f64::consts::PI;

use nalgebra::{Complex, DMatrix};

use super::Toy;
use crate::data::Moments;
use crate::data::uniforms::{choose, for_each_uniform};
use crate::dispatched;
use crate::error::Result;
use crate::rng::Stream;
use crate::settings::{Setting, Values, named};
use crate::vector::math::sin_cos_turns;
use crate::vector::single;

/// Archimedean spirals that leave the origin in different directions and end at radius 1, each as likely as any other;
/// the classes are the arms, in the direction in which they turn. The squared radius is uniform.
#[derive(Debug, Clone, PartialEq)]
pub struct Spirals {
    /// Number of spirals.
    pub arms: usize,
    /// Turns of each from its beginning to its end.
    pub turns: f64,
    /// Standard deviation of what is added to each coordinate, 0 or above.
    pub std: f64,
}

impl Spirals {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::count("arms", "number of spirals").between(2.0, 1000.0).or(2.0),
        Setting::number("turns", "turns of each spiral").between(0.25, 100.0).or(1.5),
        Setting::number("std", "standard deviation of the noise, 0 or above").between(0.0, 1e3).or(0.02),
    ];

    /// The law that `values` of [`Spirals::SETTINGS`] describe.
    pub fn read(values: &Values) -> Self {
        Self { arms: values.count("arms"), turns: values.number("turns"), std: values.number("std") }
    }
}

impl Toy for Spirals {
    fn name(&self) -> &'static str {
        "spirals"
    }

    fn title(&self) -> String {
        format!("{} spirals", self.arms)
    }

    fn classes(&self) -> usize {
        self.arms
    }

    fn check(&self) -> Result<()> {
        named(Self::SETTINGS, "arms").check_value(self.arms as f64)?;
        named(Self::SETTINGS, "turns").check_value(self.turns)?;
        named(Self::SETTINGS, "std").check_value(self.std)
    }

    /// Turned by 2π/arms the law is the same: its mean is 0, and beyond two arms its covariance is isotropic.
    fn moments(&self) -> Moments {
        let square = 0.25 + self.std * self.std;
        if self.arms > 2 {
            return Moments::isotropic(vec![0.0; 2], square);
        }
        // ⟨r² e^{2iφ}⟩ = ∫₀¹ 2 r³ e^{icr} dr with c = 4π turns, by parts.
        let ic = Complex::new(0.0, 4.0 * PI * self.turns);
        let end = ic.exp();
        let moment = (1..=3).fold((end - 1.0) / ic, |lower, n| (end - lower * f64::from(n)) / ic);
        let (re, im) = (moment.re, moment.im);
        let covariance = DMatrix::from_row_slice(2, 2, &[square + re, im, im, square - re]);
        Moments::correlated(vec![0.0; 2], &covariance, 0.0)
    }

    fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        spirals(self, stream, step, block, out);
    }
}

dispatched! {
    fn spirals(law: &Spirals, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        stream.normals(step, block, out);
        let (xs, ys) = out.split_at_mut(out.len() / 2);
        let std = single(law.std);
        for_each_uniform(stream, step, block, xs.len(), #[inline(always)] |i, u| {
            let (arm, rest) = choose(u, law.arms);
            let radius = rest.sqrt();
            let (sin, cos) = sin_cos_turns(single(law.turns * radius + arm as f64 / law.arms as f64));
            xs[i] = single(radius) * cos + std * xs[i];
            ys[i] = single(radius) * sin + std * ys[i];
        });
    }
}
