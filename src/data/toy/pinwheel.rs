//! Bent arms around a centre.

use std::f64::consts::PI;

use super::Toy;
use crate::data::Moments;
use crate::data::uniforms::{choose, for_each_uniform};
use crate::dispatched;
use crate::error::Result;
use crate::rng::Stream;
use crate::settings::{Setting, Values, named};
use crate::vector::math::{exp, sin_cos_turns};
use crate::vector::single;

/// Gaussians at distance 1 from the origin, long in its direction, and turned the further the larger their distance:
/// by `rate` times e^distance. Each arm is as likely as any other and a class (Johnson et al., arXiv 1603.06277).
#[derive(Debug, Clone, PartialEq)]
pub struct Pinwheel {
    /// Number of arms.
    pub arms: usize,
    /// Standard deviation along an arm.
    pub radial: f64,
    /// Standard deviation across.
    pub tangential: f64,
    /// How much the arms are bent, in radians; 0 leaves them straight.
    pub rate: f64,
}

impl Pinwheel {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::count("arms", "number of arms").between(3.0, 1000.0).or(5.0),
        Setting::number("radial", "standard deviation along an arm, of a length of 1").between(0.0, 1.0).or(0.3),
        Setting::number("tangential", "standard deviation across an arm").between(0.0, 1.0).or(0.1),
        Setting::number("rate", "how much the arms are bent, in radians; 0 leaves them straight")
            .between(-100.0, 100.0)
            .or(0.25),
    ];

    /// The law that `values` of [`Pinwheel::SETTINGS`] describe.
    pub fn read(values: &Values) -> Self {
        let number = |name| values.number(name);
        let (radial, tangential, rate) = (number("radial"), number("tangential"), number("rate"));
        Self { arms: values.count("arms"), radial, tangential, rate }
    }
}

impl Toy for Pinwheel {
    fn name(&self) -> &'static str {
        "pinwheel"
    }

    fn title(&self) -> String {
        format!("pinwheel of {} arms", self.arms)
    }

    fn classes(&self) -> usize {
        self.arms
    }

    fn check(&self) -> Result<()> {
        named(Self::SETTINGS, "arms").check_value(self.arms as f64)?;
        let numbers = [("radial", self.radial), ("tangential", self.tangential), ("rate", self.rate)];
        numbers.into_iter().try_for_each(|(name, value)| named(Self::SETTINGS, name).check_value(value))
    }

    /// Turned by 2π/arms, a third of a turn or less, the law is the same: its mean is 0 and its covariance isotropic.
    /// Bending changes no distance from the origin.
    fn moments(&self) -> Moments {
        let square = 1.0 + self.radial * self.radial + self.tangential * self.tangential;
        Moments::isotropic(vec![0.0; 2], 0.5 * square)
    }

    fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        pinwheel(self, stream, step, block, out);
    }
}

dispatched! {
    fn pinwheel(law: &Pinwheel, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        stream.normals(step, block, out);
        let (xs, ys) = out.split_at_mut(out.len() / 2);
        let [radial, tangential] = [law.radial, law.tangential].map(single);
        let rate = single(law.rate / (2.0 * PI));
        for_each_uniform(stream, step, block, xs.len(), #[inline(always)] |i, u| {
            let direction = single(choose(u, law.arms).0 as f64 / law.arms as f64);
            let (along, across) = (1.0 + radial * xs[i], tangential * ys[i]);
            let (sin, cos) = sin_cos_turns(direction + rate * exp(along));
            // Clockwise, as the source has it.
            xs[i] = along * cos + across * sin;
            ys[i] = across * cos - along * sin;
        });
    }
}
