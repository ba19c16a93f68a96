//! Circles around one centre.

use super::Toy;
use crate::data::Moments;
use crate::data::uniforms::{choose, for_each_uniform};
use crate::dispatched;
use crate::error::Result;
use crate::rng::Stream;
use crate::settings::{Setting, Values, named};
use crate::vector::math::sin_cos_turns;
use crate::vector::single;

/// Circles of radius 1/n, 2/n, .. 1 around the origin, each as likely as any other; the classes are the circles from
/// the inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Rings {
    /// Number of circles, n.
    pub rings: usize,
    /// Standard deviation of what is added to each coordinate, 0 or above.
    pub std: f64,
}

impl Rings {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::count("rings", "number of circles").between(1.0, 1000.0).or(3.0),
        Setting::number("std", "standard deviation of the noise, 0 or above").between(0.0, 1e3).or(0.03),
    ];

    /// The law that `values` of [`Rings::SETTINGS`] describe.
    pub fn read(values: &Values) -> Self {
        Self { rings: values.count("rings"), std: values.number("std") }
    }
}

impl Toy for Rings {
    fn name(&self) -> &'static str {
        "rings"
    }

    fn title(&self) -> String {
        format!("{} rings", self.rings)
    }

    fn classes(&self) -> usize {
        self.rings
    }

    fn check(&self) -> Result<()> {
        named(Self::SETTINGS, "rings").check_value(self.rings as f64)?;
        named(Self::SETTINGS, "std").check_value(self.std)
    }

    fn moments(&self) -> Moments {
        let n = self.rings as f64;
        // Mean of the squared radii, from Σ j² = n (n + 1) (2n + 1)/6.
        let square = (n + 1.0) * (2.0 * n + 1.0) / (6.0 * n * n);
        Moments::isotropic(vec![0.0; 2], 0.5 * square + self.std * self.std)
    }

    fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        rings(self, stream, step, block, out);
    }
}

dispatched! {
    fn rings(law: &Rings, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        stream.normals(step, block, out);
        let (xs, ys) = out.split_at_mut(out.len() / 2);
        let std = single(law.std);
        for_each_uniform(stream, step, block, xs.len(), #[inline(always)] |i, u| {
            let (ring, turns) = choose(u, law.rings);
            let radius = single((ring + 1) as f64 / law.rings as f64);
            let (sin, cos) = sin_cos_turns(single(turns));
            xs[i] = radius * cos + std * xs[i];
            ys[i] = radius * sin + std * ys[i];
        });
    }
}
