//! What can be done with a dataset.

use rhai::plugin::*;
use rhai::{Array, Dynamic, INT, Map};

use crate::data::{Dataset, NORMALISATIONS};
use crate::error::{Error, suggestion};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, count_argument, kind, natural_argument, number, read};
use crate::lang::surroundings::task;
use crate::settings::{Range, Setting};
use crate::tensor::Tensor;

pub(super) const OPTIONS: &[(&str, Table)] = &[("split", &[SPLIT])];

const SPLIT: &[Setting] = &[
    Setting::number("test", "part of the points to test with").within(Range::above(0.0).below(1.0)).or(0.2),
    Setting::seed("seed of the choice"),
];

#[export_module(manifest)]
pub(super) mod module {
    /// Draws data.
    ///
    /// # Shapes
    /// -> [count, shape of a datum]
    ///
    /// # Arguments
    /// - `count`: number of data, above 0
    /// - `seed`: the same seed, 0 where it is left out, gives the same data, and a shorter draw the first of a longer
    ///   one; two data sets are drawn by the same random numbers under one seed, so give each its own where they are
    ///   combined
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond();
    /// assert_eq(d.sample(10, 7), d.sample(1000, 7)[0..10]);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn sample(ctx: NativeCallContext, data: &mut Dataset, count: Dynamic, seed: Dynamic) -> Outcome<Tensor> {
        let count = count_argument(&ctx, "count", &count)?;
        data.sample(count, natural_argument(&ctx, "seed", &seed)?, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "sample", return_raw, pure)]
    pub fn sample_without_seed(ctx: NativeCallContext, data: &mut Dataset, count: Dynamic) -> Outcome<Tensor> {
        sample(ctx, data, count, Dynamic::ZERO)
    }

    /// The same data in units of their own: a process noises data of mean 0 and variance 1, whatever they are measured
    /// in.
    ///
    /// A score of normalised data gives samples and likelihoods in the units of the data, and takes states in them; a
    /// saved model carries the units. Auxiliaries stay as the process has them, and so do its parameters: a temperature
    /// of 1 is that of data of variance 1.
    ///
    /// # Arguments
    /// - `way`: `"coordinate"`, every coordinate to mean 0 and variance 1; `"whole"`, one scale for all, to an average
    ///   variance of 1; `"none"`
    ///
    /// # Errors
    /// When the data are normalised already.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::from_array([[100, 0.1], [300, 0.2], [200, 0.4]]).normalise("coordinate");
    /// let m = score::exact(process::passive(), d);
    /// let s = sample(m, #{ count: 300, last: "denoise" });
    /// assert_near(s.x.mean(0)[0], 200, 20);
    /// assert_near(d.mean[0], 200, 1e-9);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn normalise(ctx: NativeCallContext, data: &mut Dataset, way: &str) -> Outcome<Dataset> {
        let words: Vec<_> = NORMALISATIONS.iter().map(|(choice, _)| choice.word).collect();
        let known = NORMALISATIONS.iter().find(|(choice, _)| choice.word == way);
        let unknown =
            || Error::argument("way", format!("{way:?} is none")).with_hint(suggestion(way, &words, "write one of"));
        let (_, way) = known.ok_or_else(unknown).raise(&ctx)?;
        data.normalised(*way).raise(&ctx)
    }

    /// Draws data and keeps their labels: finite data of the points that `sample(count, seed)` gives.
    ///
    /// # Arguments
    /// As for `sample`.
    ///
    /// # Returns
    /// A `Dataset` of `count` points.
    ///
    /// # Errors
    /// When the data have no classes.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::moons().labelled(1000, 7);
    /// assert_eq(d.labels.len, 1000);
    /// assert_near(d.of_class("0").mean[0], 0, 0.1);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn labelled(ctx: NativeCallContext, data: &mut Dataset, count: Dynamic, seed: Dynamic) -> Outcome<Dataset> {
        let count = count_argument(&ctx, "count", &count)?;
        data.labelled(count, natural_argument(&ctx, "seed", &seed)?, &task(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "labelled", return_raw, pure)]
    pub fn labelled_without_seed(ctx: NativeCallContext, data: &mut Dataset, count: Dynamic) -> Outcome<Dataset> {
        labelled(ctx, data, count, Dynamic::ZERO)
    }

    /// The points of one class of finite data.
    ///
    /// # Arguments
    /// - `label`: a string, or a number that is one: 3 is "3"
    ///
    /// # Returns
    /// A `Dataset` of one class. Of normalised data it stays in the units of the whole.
    ///
    /// # Errors
    /// When no point has this label.
    ///
    /// # Example
    /// ```rhai
    /// let threes = dataset::digits().of_class("3");
    /// assert_eq(threes.labels.len, 183);
    /// assert_eq(threes.classes, ["3"]);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn of_class(ctx: NativeCallContext, data: &mut Dataset, label: Dynamic) -> Outcome<Dataset> {
        data.of_class(&label_argument(&ctx, "label", &label)?, &task(&ctx)).raise(&ctx)
    }

    /// Splits finite data in two that share no point, to train on one and to test with the other.
    ///
    /// Each point is as likely as any other to be in either, whatever its label, so that the parts of a class differ
    /// from `test` by chance. The points stay in their order, labels go with them, and both parts have the classes of
    /// the whole. Of normalised data they stay in the units of the whole.
    ///
    /// # Returns
    /// `#{ train, test }`, both a `Dataset`.
    ///
    /// # Errors
    /// When the data are no points, or one part would have none.
    ///
    /// # Example
    /// ```rhai
    /// let parts = dataset::digits().split(#{ test: 0.2, seed: 1 });
    /// assert_eq(parts.test.labels.len, 359);
    /// assert_eq(parts.train.labels.len, 1797 - 359);
    /// assert_eq(parts.test.classes, dataset::digits().classes);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn split(ctx: NativeCallContext, data: &mut Dataset, options: Map) -> Outcome<Map> {
        let (test, seed) = read(&ctx, options, &[SPLIT], |given| Ok((given.number("test"), given.natural("seed"))))?;
        let [train, test] = data.split(test, seed, &task(&ctx)).raise(&ctx)?;
        Ok(Map::from([("train".into(), Dynamic::from(train)), ("test".into(), Dynamic::from(test))]))
    }

    /// Name of the dataset.
    #[rhai_fn(get = "name", pure)]
    pub fn name(data: &mut Dataset) -> String {
        data.name().to_owned()
    }

    /// Shape of one datum.
    #[rhai_fn(get = "shape", pure)]
    pub fn shape(data: &mut Dataset) -> Array {
        data.shape().iter().map(|&side| Dynamic::from_int(side as INT)).collect()
    }

    /// Names that the table of a file gave the coordinates: an array of strings, empty for other data.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(dataset::diamond().columns, []);
    /// ```
    #[rhai_fn(get = "columns", pure)]
    pub fn columns(data: &mut Dataset) -> Array {
        data.columns().iter().map(|name| name.clone().into()).collect()
    }

    /// Label of each point of finite data that have some: an array of strings.
    #[rhai_fn(get = "labels", pure)]
    pub fn labels(data: &mut Dataset) -> Array {
        data.labels().iter().map(|label| label.clone().into()).collect()
    }

    /// The classes of the data, by their labels: an array of strings, in the order of their numbers where all are
    /// numbers, else in that of the alphabet. Empty where the data have no labels.
    #[rhai_fn(get = "classes", pure)]
    pub fn classes(data: &mut Dataset) -> Array {
        data.classes().iter().map(|label| label.clone().into()).collect()
    }

    /// The place in `classes` of each point of finite data that have labels: an array of whole numbers.
    #[rhai_fn(get = "class_indices", pure)]
    pub fn class_indices(data: &mut Dataset) -> Array {
        data.class_indices().iter().map(|&class| Dynamic::from_int(INT::from(class))).collect()
    }

    /// Mean of each coordinate.
    #[rhai_fn(get = "mean", pure)]
    pub fn mean(data: &mut Dataset) -> Array {
        data.mean().into_iter().map(Dynamic::from_float).collect()
    }

    /// Standard deviation of each coordinate.
    ///
    /// # Example
    /// ```rhai
    /// assert_near(dataset::from_array([[1, 10], [3, 30]]).std[1], 10, 1e-9);
    /// ```
    #[rhai_fn(get = "std", pure)]
    pub fn std(data: &mut Dataset) -> Array {
        data.standard_deviations().into_iter().map(Dynamic::from_float).collect()
    }

    /// Number of points; `()` for laws, which can be drawn from without end.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(dataset::from_array([[1, 10], [3, 30]]).count, 2);
    /// assert_eq(dataset::diamond().count, ());
    /// ```
    #[rhai_fn(get = "count", pure)]
    pub fn count(data: &mut Dataset) -> Dynamic {
        data.count().map_or(Dynamic::UNIT, |count| Dynamic::from_int(count as INT))
    }

    /// Variance, averaged over the coordinates: where these have different units, `std` tells more.
    #[rhai_fn(get = "variance", pure)]
    pub fn variance(data: &mut Dataset) -> f64 {
        data.variance()
    }

    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(data: &mut Dataset) -> String {
        data.to_string()
    }
}

/// A label: a string, or a number as it is written.
pub(in crate::lang::builtins) fn label_argument(
    ctx: &NativeCallContext,
    name: &str,
    value: &Dynamic,
) -> Outcome<String> {
    let label = value.clone().into_string().ok().or_else(|| number(value).map(|number| number.to_string()));
    let wrong = || Error::argument(name, format!("must be a string or a number, got {}", kind(ctx, value)));
    label.ok_or_else(wrong).raise(ctx)
}
