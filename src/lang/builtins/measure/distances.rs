//! Distances between samples.

use rhai::plugin::*;
use rhai::{Dynamic, Map};

use super::shared::{estimate, numbers, pair};
use crate::data::Dataset;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, read};
use crate::lang::surroundings::task;
use crate::measure::{self, BANDWIDTH, Bins, RamachandranBins};
use crate::settings::Setting;
use crate::train::Classifier;

pub(super) const OPTIONS: &[(&str, Table)] = &[
    ("sliced_wasserstein", &[SLICED]),
    ("kl_histogram", &[Bins::SETTINGS]),
    ("js_histogram", &[Bins::SETTINGS]),
    ("js_ramachandran", &[RamachandranBins::SETTINGS]),
    ("mmd", &[&[BANDWIDTH]]),
];

const SLICED: &[Setting] =
    &[Setting::count("projections", "number of directions").or(128.0), Setting::seed("seed of the directions")];

#[export_module(manifest)]
pub(super) mod module {
    /// Sliced Wasserstein distance: the mean over directions of the 1-Wasserstein distance of the projections.
    ///
    /// The distance of two samples of one distribution is not 0: for two samples of 10,000 points of the diamond it is
    /// about 0.006. Compare with this floor.
    ///
    /// # Shapes
    /// `a` [n, ..], `b` [m, ..]: one datum per row; the counts may differ.
    ///
    /// # Returns
    /// A number in the unit of the data.
    ///
    /// # Errors
    /// When the data differ in their coordinates, or values are not finite.
    ///
    /// # Source
    /// Rabin, Peyré, Delon, Bernot 2012; Bonneel et al. 2015.
    ///
    /// # Example
    /// ```rhai
    /// let x = dataset::diamond().sample(2000, 1);
    /// assert_eq(measure::sliced_wasserstein(x, x), 0.0);
    /// // A shift moves every projection by its component.
    /// assert_near(measure::sliced_wasserstein(x, x + [0.3, 0.4]), 0.5 * 2 / PI, 1e-4);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn sliced_wasserstein(ctx: NativeCallContext, a: Dynamic, b: Dynamic, options: Map) -> Outcome<f64> {
        let (projections, seed) =
            read(&ctx, options, &[SLICED], |given| Ok((given.count("projections"), given.natural("seed"))))?;
        let (a, b) = pair(&ctx, &a, &b)?;
        measure::sliced_wasserstein(&a, &b, projections, seed, &task(&ctx)).raise(&ctx)
    }

    /// Energy distance 2⟨|x − y|⟩ − ⟨|x − x'|⟩ − ⟨|y − y'|⟩, means over all pairs.
    ///
    /// One coordinate is sorted; several take time as n²: 100,000 rows of two coordinates about half a minute on two
    /// cores. What may take longer than a minute is warned of.
    ///
    /// # Shapes
    /// `a` [n, ..], `b` [m, ..]: one datum per row; the counts may differ.
    ///
    /// # Returns
    /// A number, 0 if and only if the samples are the same.
    ///
    /// # Errors
    /// When the data differ in their coordinates, or values are not finite.
    ///
    /// # Source
    /// Székely, Rizzo 2013.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(measure::energy_distance([[0, 0]], [[3, 4]]), 10.0);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn energy_distance(ctx: NativeCallContext, a: Dynamic, b: Dynamic) -> Outcome<f64> {
        let (a, b) = pair(&ctx, &a, &b)?;
        measure::energy_distance(&a, &b, &task(&ctx)).raise(&ctx)
    }

    /// Kullback–Leibler divergence of the histogram of `a` from that of `b`, in nats.
    ///
    /// Half a count is added to every bin, so that an empty one does not make it infinite. Compare only results with
    /// the same bins and counts.
    ///
    /// # Shapes
    /// `a` [n, ..], `b` [m, ..]: one datum per row, few coordinates.
    ///
    /// # Returns
    /// A number, 0 or above.
    ///
    /// # Errors
    /// When the data differ in their coordinates, values are not finite, or the bins are too many.
    ///
    /// # Source
    /// Krichevsky, Trofimov 1981, for the half counts.
    ///
    /// # Example
    /// ```rhai
    /// let x = dataset::diamond().sample(2000, 1);
    /// assert_eq(measure::kl_histogram(x, x), 0.0);
    /// assert(measure::kl_histogram(x, 2 * x, #{ bins: 20, range: [-2, 2] }) > 0.5);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn kl_histogram(ctx: NativeCallContext, a: Dynamic, b: Dynamic, options: Map) -> Outcome<f64> {
        let bins = bins(&ctx, options)?;
        let (a, b) = pair(&ctx, &a, &b)?;
        measure::kl_histogram(&a, &b, &bins, &task(&ctx)).raise(&ctx)
    }

    /// Jensen–Shannon divergence of two histograms, in nats: from 0 to ln 2.
    ///
    /// # Shapes
    /// `a` [n, ..], `b` [m, ..]: one datum per row, few coordinates.
    ///
    /// # Returns
    /// A number.
    ///
    /// # Errors
    /// When the data differ in their coordinates, values are not finite, or the bins are too many.
    ///
    /// # Source
    /// Lin 1991.
    ///
    /// # Example
    /// ```rhai
    /// assert_near(measure::js_histogram([0, 0.1], [0.9, 1], #{ bins: 2 }), ln(2), 1e-12);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn js_histogram(ctx: NativeCallContext, a: Dynamic, b: Dynamic, options: Map) -> Outcome<f64> {
        let bins = bins(&ctx, options)?;
        let (a, b) = pair(&ctx, &a, &b)?;
        measure::js_histogram(&a, &b, &bins, &task(&ctx)).raise(&ctx)
    }

    /// Jensen–Shannon divergence of two samples of pairs of dihedral angles, in nats: from 0 to ln 2. Angles are taken
    /// modulo 2π.
    ///
    /// Two samples of one law do not have 0 but `floor`, with K bins that have data (K − 1)(1/n + 1/m)/8, and more
    /// where successive rows are correlated, as in molecular dynamics. Compare only results with the same bins.
    ///
    /// # Shapes
    /// `a` [n, 2], `b` [m, 2]: φ and ψ in radians, one pair per row; the counts may differ.
    ///
    /// # Returns
    /// `#{ value, error, floor }`: the error is a jackknife over blocks of successive rows, which may be correlated.
    ///
    /// # Errors
    /// When the data are no pairs, values are not finite, or there are fewer rows than blocks.
    ///
    /// # Source
    /// Lin 1991; Künsch, Ann. Statist. 17, 1989, for the error.
    ///
    /// # Example
    /// ```rhai
    /// let angles = dataset::alanine().sample(20_000, 1);
    /// let js = measure::js_ramachandran(angles, angles + 2 * PI, #{ bins: 30 });
    /// assert(js.value < 1e-3);
    /// let flat = (random_uniform([20_000, 2], 2) - 0.5) * 2 * PI;
    /// let js = measure::js_ramachandran(angles, flat, #{ bins: 30 });
    /// assert(js.value > 0.3 && js.error < 0.01);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn js_ramachandran(ctx: NativeCallContext, a: Dynamic, b: Dynamic, options: Map) -> Outcome<Map> {
        let bins = read(&ctx, options, &[RamachandranBins::SETTINGS], |given| Ok(RamachandranBins::read(given)))?;
        let (a, b) = pair(&ctx, &a, &b)?;
        let found = measure::js_ramachandran(&a, &b, &bins, &task(&ctx)).raise(&ctx)?;
        Ok(numbers(&[("value", found.value), ("error", found.error), ("floor", found.floor)]))
    }

    /// Squared maximum mean discrepancy ⟨k(x, x')⟩ + ⟨k(y, y')⟩ − 2⟨k(x, y)⟩ of two samples, with means over pairs of
    /// different rows and the kernel k = exp(−|x − y|²/2σ²).
    ///
    /// It is 0 on average for samples of one law, so it is below 0 for half of them. Its time goes with the square of
    /// the counts; what may take longer than a minute is warned of.
    ///
    /// # Shapes
    /// `a` [n, ..], `b` [m, ..]: one datum per row; the counts may differ.
    ///
    /// # Returns
    /// `#{ value, error, bandwidth }`: the square, its standard error, and σ. Compare only results with one bandwidth.
    ///
    /// # Errors
    /// When the data differ in their coordinates, values are not finite, or a sample has one row only.
    ///
    /// # Source
    /// Gretton, Borgwardt, Rasch, Schölkopf, Smola, J. Mach. Learn. Res. 13, 723, 2012.
    ///
    /// # Example
    /// ```rhai
    /// let x = random_normal([1000, 2], 1);
    /// let same = measure::mmd(x, random_normal([1000, 2], 2), #{ bandwidth: 1 });
    /// assert(abs(same.value) < 5 * same.error);
    /// // ⟨k⟩ of Gaussians at distance d is σ²/(σ² + 2) exp(−d²/2(σ² + 2)).
    /// let apart = measure::mmd(x, random_normal([1000, 2], 2) + [3, 4], #{ bandwidth: 1 });
    /// assert_near(apart.value, 2 / 3 * (1 - exp(-25 / 6)), 5 * apart.error);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn mmd(ctx: NativeCallContext, a: Dynamic, b: Dynamic, options: Map) -> Outcome<Map> {
        let bandwidth = read(&ctx, options, &[&[BANDWIDTH]], |given| Ok(given.number_if_given("bandwidth")))?;
        let (a, b) = pair(&ctx, &a, &b)?;
        let found = measure::mmd(&a, &b, bandwidth, &task(&ctx)).raise(&ctx)?;
        Ok(numbers(&[("value", found.value), ("error", found.error), ("bandwidth", found.bandwidth)]))
    }

    /// Squared Fréchet distance |m − m'|² + tr(S + S' − 2 (S S')^½) of the Gaussians with the means and covariances of
    /// two samples.
    ///
    /// It is above 0 for samples of one law, the more the fewer they are: compare samples of the same size, and with
    /// the distance of two samples of the data. Of images take features: `c.features(x)` of a classifier.
    ///
    /// # Shapes
    /// `a` [n, ..], `b` [m, ..]: one datum per row; the counts may differ.
    ///
    /// # Returns
    /// `#{ value, error }`, in the square of the data's unit.
    ///
    /// # Errors
    /// When the data differ in their coordinates, have more than 2,048, or fewer than 20 rows; when values are not
    /// finite.
    ///
    /// # Source
    /// Dowson and Landau, J. Multivar. Anal. 12, 450 (1982); Heusel et al., arXiv 1706.08500.
    ///
    /// # Example
    /// ```rhai
    /// let x = random_normal([2000, 2], 1);
    /// let found = measure::frechet_distance(x, 2 * random_normal([2000, 2], 2) + [3, 4]);
    /// // Means at distance 5, and deviations of 1 and 2 in both coordinates.
    /// assert_near(found.value, 25 + 2, 5 * found.error);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn frechet_distance(ctx: NativeCallContext, a: Dynamic, b: Dynamic) -> Outcome<Map> {
        let (a, b) = pair(&ctx, &a, &b)?;
        let found = measure::frechet_distance(&a, &b, &task(&ctx)).raise(&ctx)?;
        Ok(numbers(&[("value", found.value), ("error", found.error)]))
    }

    /// The part of the rows of two samples that a classifier takes for the same class, row by row: what a process
    /// forgot between them. A mixture is a classifier too, by the most probable component.
    ///
    /// # Shapes
    /// `a`, `b` [n, ..]: data as the classifier was trained on, in the same order.
    ///
    /// # Returns
    /// `#{ value, error }`, with the standard error of a part of n independent rows.
    ///
    /// # Errors
    /// When the counts differ, or the data have another shape than the classifier's.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::moons();
    /// let x = d.sample(200, 1);
    /// let c = train_classifier(d, #{ steps: 200 });
    /// assert_eq(measure::class_recovery(c, x, x).value, 1.0);
    /// assert(measure::class_recovery(c, x, x.roll(1, 0)).value < 0.7);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn class_recovery(ctx: NativeCallContext, classifier: Classifier, a: Dynamic, b: Dynamic) -> Outcome<Map> {
        let (a, b) = pair(&ctx, &a, &b)?;
        let part = classifier.agreement(&a, &b, &task(&ctx)).raise(&ctx)?;
        Ok(estimate(part))
    }

    #[rhai_fn(name = "class_recovery", return_raw)]
    pub fn component_recovery(ctx: NativeCallContext, data: Dataset, a: Dynamic, b: Dynamic) -> Outcome<Map> {
        let (a, b) = pair(&ctx, &a, &b)?;
        let classes = |rows| data.classify(rows, &task(&ctx)).raise(&ctx);
        measure::agreement(&classes(&a)?, &classes(&b)?).map(estimate).raise(&ctx)
    }
}

fn bins(ctx: &NativeCallContext, options: Map) -> Outcome<Bins> {
    read(ctx, options, &[Bins::SETTINGS], |given| Bins::read(given).raise(ctx))
}
