//! Toy sets: laws in the plane.

use rhai::Map;
use rhai::plugin::*;

use crate::data::Dataset;
use crate::data::toy::{Checkerboard, Moons, Pinwheel, Rings, Spirals};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, read};

pub(super) const OPTIONS: &[(&str, Table)] = &[
    ("checkerboard", &[Checkerboard::SETTINGS]),
    ("moons", &[Moons::SETTINGS]),
    ("pinwheel", &[Pinwheel::SETTINGS]),
    ("rings", &[Rings::SETTINGS]),
    ("spirals", &[Spirals::SETTINGS]),
];

#[export_module(manifest)]
pub(super) mod module {
    /// The squares of one colour of a chessboard around the origin: uniform on them, nothing between.
    ///
    /// # Returns
    /// A `Dataset` of points in the plane with known moments. There are `squares` squares of side 1 along each side of
    /// the board; the lower left one has data.
    ///
    /// # Errors
    /// When an option is unknown or out of range.
    ///
    /// # Source
    /// A usual test of generative models, as in Grathwohl et al., arXiv 1810.01367.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::checkerboard(#{ squares: 4 });
    /// let x = d.sample(1000, 1);
    /// assert(x.min() >= -2 && x.max() <= 2);
    /// assert_near(d.variance, 4.0 ** 2 / 12, 1e-12);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn checkerboard(ctx: NativeCallContext, options: Map) -> Outcome<Dataset> {
        let toy = read(&ctx, options, &[Checkerboard::SETTINGS], |given| Ok(Checkerboard::read(given)))?;
        Dataset::from_toy(toy).raise(&ctx)
    }

    /// Two half circles of radius 1 that reach into each other.
    ///
    /// # Returns
    /// A `Dataset` of points in the plane with known moments and two classes: `"0"` is the upper half around the
    /// origin, `"1"` the lower half around (1, 1/2).
    ///
    /// # Errors
    /// When an option is unknown or out of range.
    ///
    /// # Source
    /// scikit-learn's `make_moons`.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::moons(#{ std: 0.1 });
    /// assert_eq(d.classes, ["0", "1"]);
    /// assert_near(d.mean[0], 0.5, 1e-12);
    /// assert_near(d.labelled(10_000, 1).of_class("1").mean[0], 1, 0.05);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn moons(ctx: NativeCallContext, options: Map) -> Outcome<Dataset> {
        let toy = read(&ctx, options, &[Moons::SETTINGS], |given| Ok(Moons::read(given)))?;
        Dataset::from_toy(toy).raise(&ctx)
    }

    /// Bent arms around the origin, each the Gaussian at distance 1, turned the further the larger the distance: by
    /// `rate` times e^distance.
    ///
    /// # Returns
    /// A `Dataset` of points in the plane with known moments; the arms are its classes `"0"`, `"1"`, ..
    ///
    /// # Errors
    /// When an option is unknown or out of range.
    ///
    /// # Source
    /// Johnson, Duvenaud, Wiltschko, Datta, Adams, arXiv 1603.06277.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::pinwheel(#{ arms: 5, radial: 0.3, tangential: 0.1 });
    /// assert_eq(d.classes.len, 5);
    /// assert_near(d.variance, (1 + 0.3 ** 2 + 0.1 ** 2) / 2, 1e-12);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn pinwheel(ctx: NativeCallContext, options: Map) -> Outcome<Dataset> {
        let toy = read(&ctx, options, &[Pinwheel::SETTINGS], |given| Ok(Pinwheel::read(given)))?;
        Dataset::from_toy(toy).raise(&ctx)
    }

    /// Circles around the origin with radii 1/n, 2/n, .. 1, each as likely as any other.
    ///
    /// # Returns
    /// A `Dataset` of points in the plane with known moments; the circles are its classes, `"0"` the innermost.
    ///
    /// # Errors
    /// When an option is unknown or out of range.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::rings(#{ rings: 2, std: 0 });
    /// let x = d.labelled(100, 1).of_class("0").sample(100, 2);
    /// assert_near((x * x).sum(1).max(), 0.25, 1e-5);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn rings(ctx: NativeCallContext, options: Map) -> Outcome<Dataset> {
        let toy = read(&ctx, options, &[Rings::SETTINGS], |given| Ok(Rings::read(given)))?;
        Dataset::from_toy(toy).raise(&ctx)
    }

    /// Spirals that leave the origin in different directions and end at distance 1, with the squared distance uniform.
    ///
    /// # Returns
    /// A `Dataset` of points in the plane with known moments; the arms are its classes `"0"`, `"1"`, ..
    ///
    /// # Errors
    /// When an option is unknown or out of range.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::spirals(#{ arms: 3, turns: 1, std: 0.01 });
    /// assert_eq(d.classes, ["0", "1", "2"]);
    /// assert_near(d.variance, 0.25 + 0.01 ** 2, 1e-12);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn spirals(ctx: NativeCallContext, options: Map) -> Outcome<Dataset> {
        let toy = read(&ctx, options, &[Spirals::SETTINGS], |given| Ok(Spirals::read(given)))?;
        Dataset::from_toy(toy).raise(&ctx)
    }

    /// Five Swiss rolls: one at the origin and one at each of (±0.8, ±0.8).
    ///
    /// # Returns
    /// A `Dataset` of points in the plane; the rolls are its classes, `"0"` the one at the origin.
    ///
    /// # Source
    /// Behera et al., arXiv 2411.07233, figure 3; the roll is scikit-learn's `make_swiss_roll`, times 0.01.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(dataset::swiss_rolls().sample(10, 1).shape, [10, 2]);
    /// ```
    pub fn swiss_rolls() -> Dataset {
        Dataset::swiss_rolls()
    }
}
