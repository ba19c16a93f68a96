//! Classifiers, as scripts hold them.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map};

use super::measure::estimate;
use crate::data::{Dataset, Mixture};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Tables, read};
use crate::lang::surroundings::task;
use crate::lang::tensors::tensor_argument;
use crate::lang::types;
use crate::measure;
use crate::tensor::Tensor;
use crate::train::Classifier;

/// Registers the type, its methods and the function that makes it.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    types::register::<Classifier>(engine, "Classifier", "take it out first: let classes = classifier.classes;");
    engine.register_fn("to_string", |classifier: &mut Classifier| classifier.to_string());
    engine.register_fn("to_debug", |classifier: &mut Classifier| classifier.to_string());
    let options = &[("train_classifier", &[Classifier::SETTINGS][..])];
    engine.register_global_module(tables.module("", rhai::exported_manifest!(functions), options).into());
    engine.register_global_module(rhai::exported_module!(methods).into());
}

#[export_module(manifest)]
mod functions {
    /// Trains a small network to tell the classes of labelled data apart: windows with two halvings for images, two
    /// dense layers for other data, then one of `features`.
    ///
    /// It is a ruler, not a record: for the classes that samples show, and for features in which to compare them. It
    /// learns probabilities of classes by least squares.
    ///
    /// # Returns
    /// A `Classifier`: `c.classify(x)`, `c.features(x)`, `c.accuracy(d)`.
    ///
    /// # Errors
    /// When the data have fewer than two classes, or an option is out of range.
    ///
    /// # Source
    /// Brier, Mon. Weather Rev. 78, 1 (1950), for the loss.
    ///
    /// # Example
    /// ```rhai
    /// let parts = dataset::digits().split(#{ test: 0.2, seed: 1 });
    /// let c = train_classifier(parts.train, #{ steps: 300, seed: 1 });
    /// assert(c.accuracy(parts.test).value > 0.9);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn train_classifier(ctx: NativeCallContext, data: Dataset, options: Map) -> Outcome<Classifier> {
        read(&ctx, options, &[Classifier::SETTINGS], |given| Classifier::train(&data, given, &task(&ctx)).raise(&ctx))
    }
}

#[export_module]
mod methods {
    /// The class that a classifier takes each datum for: an array of labels. Of a mixture the number of the component
    /// that it most probably comes from, as a string.
    ///
    /// # Errors
    /// When the data have another shape than those it was trained on.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::moons();
    /// let c = train_classifier(d, #{ steps: 200 });
    /// assert(c.classify(d.sample(5, 1)).all(|label| label in d.classes));
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn classify(ctx: NativeCallContext, classifier: &mut Classifier, x: Dynamic) -> Outcome<Array> {
        let found = classifier.classify(&tensor_argument(&ctx, "x", &x)?, &task(&ctx)).raise(&ctx)?;
        Ok(found.into_iter().map(|class| classifier.classes()[class].clone().into()).collect())
    }

    #[rhai_fn(name = "classify", return_raw, pure)]
    pub fn classify_components(ctx: NativeCallContext, data: &mut Dataset, x: Dynamic) -> Outcome<Array> {
        let found = data.classify(&tensor_argument(&ctx, "x", &x)?, &task(&ctx)).raise(&ctx)?;
        Ok(found.into_iter().map(|component| component.to_string().into()).collect())
    }

    /// The parts of data that a classifier takes for each class, in the order of its classes; of a mixture, of its
    /// components.
    ///
    /// # Errors
    /// As `classify`.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::mixture(#{ means: [[-5], [5]], weights: [1, 3], std: 0.1 });
    /// assert_near(d.class_parts(d.sample(10_000, 1))[1], 0.75, 0.02);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn class_parts(ctx: NativeCallContext, classifier: &mut Classifier, x: Dynamic) -> Outcome<Array> {
        let found = classifier.classify(&tensor_argument(&ctx, "x", &x)?, &task(&ctx)).raise(&ctx)?;
        Ok(parts(&found, classifier.classes().len()))
    }

    #[rhai_fn(name = "class_parts", return_raw, pure)]
    pub fn component_parts(ctx: NativeCallContext, data: &mut Dataset, x: Dynamic) -> Outcome<Array> {
        let found = data.classify(&tensor_argument(&ctx, "x", &x)?, &task(&ctx)).raise(&ctx)?;
        Ok(parts(&found, data.mixture().map_or(0, Mixture::components)))
    }

    /// What the last layer of a classifier is given of each datum.
    ///
    /// # Shapes
    /// x [n, ..] -> [n, features]
    ///
    /// # Errors
    /// When the data have another shape than those it was trained on.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::moons();
    /// let c = train_classifier(d, #{ steps: 20, features: 8 });
    /// assert_eq(c.features(d.sample(5, 1)).shape, [5, 8]);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn features(ctx: NativeCallContext, classifier: &mut Classifier, x: Dynamic) -> Outcome<Tensor> {
        classifier.features(&tensor_argument(&ctx, "x", &x)?, &task(&ctx)).raise(&ctx)
    }

    /// The part of labelled data that a classifier takes for what their labels say.
    ///
    /// # Returns
    /// `#{ value, error }`.
    ///
    /// # Errors
    /// When the data are no points with labels, or have a class that the classifier does not know.
    #[rhai_fn(return_raw, pure)]
    pub fn accuracy(ctx: NativeCallContext, classifier: &mut Classifier, data: Dataset) -> Outcome<Map> {
        classifier.accuracy(&data, &task(&ctx)).map(estimate).raise(&ctx)
    }

    /// The classes that a classifier tells apart.
    #[rhai_fn(get = "classes", pure)]
    pub fn classes(classifier: &mut Classifier) -> Array {
        classifier.classes().iter().map(|class| class.clone().into()).collect()
    }
}

fn parts(found: &[usize], classes: usize) -> Array {
    measure::class_parts(found, classes).into_iter().map(Dynamic::from_float).collect()
}
