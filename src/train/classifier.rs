//! A network that tells classes of data apart, and what it sees of them.
//!
//! It learns the class of each datum as a vector of ones and zeros by least squares (Brier, Mon. Weather Rev. 78, 1
//! (1950)), whose best answer is the probability of each class. Its features are what its last layer is given.

use std::fmt;
use std::sync::Arc;

use super::by_time::Parts;
use super::checkpoint::Stand;
use super::objective::{Feed, Source};
use super::trainer::Trainer;
use super::{Options, Record};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::measure::{Estimate, agreement};
use crate::nn::graph::{Activate, Convolution, Dense, Extent, Flatten, Padding, Shows, Signal};
use crate::nn::{Activation, Graph, Inference, Network, Samples, Shown, Weights};
use crate::rng::{Purpose, Stream};
use crate::settings::{Setting, Values};
use crate::task::Task;
use crate::tensor::{self, Tensor};
use crate::vector::single;

/// A trained classifier. Cheap to clone.
#[derive(Clone)]
pub struct Classifier(Arc<Inner>);

struct Inner {
    shape: Vec<usize>,
    classes: Vec<String>,
    /// What stands for 0, and for 1, to the network.
    origin: f64,
    scale: f64,
    answers: Box<dyn Inference>,
    features: Box<dyn Inference>,
    /// Number of features.
    width: usize,
    record: Record,
}

/// Channels after each halving of images, widths of layers for vectors.
const WIDTHS: [usize; 2] = [16, 32];

impl Classifier {
    /// What can be set of its training.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::count("steps", "steps of the optimiser, Adam").between(1.0, 4e9).or(1500.0),
        Setting::count("batch", "samples per step").between(1.0, Options::LARGEST_BATCH as f64).or(128.0),
        Setting::number("lr", "learning rate at its highest; it falls to 0 along half a cosine").above(0.0).or(2e-3),
        Setting::count("features", "numbers that the last layer is given").between(1.0, 4096.0).or(64.0),
        Setting::seed("seed of the first weights and of the batches"),
    ];

    /// A classifier of `data`, trained.
    ///
    /// # Errors
    /// When the data have fewer than two classes, an option is out of range, training fails, or interrupted.
    pub fn train(data: &Dataset, values: &Values, task: &Task) -> Result<Self> {
        let options = Options {
            steps: values.natural("steps"),
            batch: values.count("batch"),
            lr: values.number("lr"),
            seed: values.natural("seed"),
            ..Options::default()
        };
        let classes = data.classes().to_vec();
        if classes.len() < 2 {
            let problem = format!("has {} classes, a classifier needs two at least", classes.len());
            return Err(Error::argument("data", problem).with_hint("give the data labels"));
        }
        let image = image(data.shape());
        let shows = Shows::new(image.unwrap_or_else(|| Extent::vector(data.dimension())), 0)?;
        let features = features(&shows.state, values.count("features"))?;
        let answer = Signal::of(Dense { outputs: classes.len(), bias: true, gain: 0.0 }, &[&features])?;
        let graph = Graph::new(&shows, &answer, classes.len())?;
        let width = features.extent().size();
        let below = Graph::new(&shows, &features, width)?;
        let network: Arc<dyn Network> = Arc::new(graph);
        let (origin, scale) = units(data);
        let source = Labelled { data, classes: classes.len(), origin, scale, seed: options.seed };
        let stand = Stand::new(Weights::new(network.initial(options.seed)));
        let trainer = Trainer::new(&network, stand, &source, None, &options, Parts::new(0.0, 1.0), task)?;
        let (weights, record) = trainer.finish(task)?;
        let average = &weights.average;
        Ok(Self(Arc::new(Inner {
            shape: data.shape().to_vec(),
            classes,
            origin,
            scale,
            answers: network.inference(average),
            // The same layers in the same order, but for the last.
            features: below.inference(&average[..below.parameters()]),
            width,
            record,
        })))
    }

    /// The classes that it tells apart.
    pub fn classes(&self) -> &[String] {
        &self.0.classes
    }

    /// The place among the classes of each of `data`, [n, shape...].
    ///
    /// # Errors
    /// When the data have another shape than those it was trained on, or interrupted.
    pub fn classify(&self, data: &Tensor, task: &Task) -> Result<Vec<usize>> {
        let classes = self.classes().len();
        let answers = self.run(self.0.answers.as_ref(), classes, data, task)?;
        let largest = |row: &[f32]| (0..classes).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
        Ok(answers.chunks_exact(classes).map(largest).collect())
    }

    /// What the last layer is given of each of `data`, [n, features].
    ///
    /// # Errors
    /// As [`Classifier::classify`].
    pub fn features(&self, data: &Tensor, task: &Task) -> Result<Tensor> {
        let values = self.run(self.0.features.as_ref(), self.0.width, data, task)?;
        Tensor::new(&[values.len() / self.0.width, self.0.width], values)
    }

    /// The part of the rows of `a` and `b`, in the same order, that it takes for the same class.
    ///
    /// # Errors
    /// When their counts differ, and as [`Classifier::classify`].
    pub fn agreement(&self, a: &Tensor, b: &Tensor, task: &Task) -> Result<Estimate> {
        agreement(&self.classify(a, task)?, &self.classify(b, task)?)
    }

    /// The part of labelled points that it takes for what their labels say.
    ///
    /// # Errors
    /// When the data are no labelled points or have a class that it does not know, and as [`Classifier::classify`].
    pub fn accuracy(&self, data: &Dataset, task: &Task) -> Result<Estimate> {
        let Some(points) = data.own_points().filter(|_| !data.labels().is_empty()) else {
            return Err(match data.classes() {
                [] => data.without_labels(),
                _ => Error::argument("data", format!("of `{}` are a law that is drawn from", data.name()))
                    .with_hint("draw points with their labels first: data.labelled(1000, 1)"),
            });
        };
        let place = |class: &String| self.classes().iter().position(|known| known == class);
        let places: Option<Vec<usize>> = data.classes().iter().map(place).collect();
        let Some(places) = places else {
            let problem = format!("has the classes {}", data.classes().join(", "));
            return Err(Error::argument("data", problem).with_hint(format!("it knows {}", self.classes().join(", "))));
        };
        let found = self.classify(&points, task)?;
        let hits =
            found.iter().zip(data.class_indices()).filter(|(found, own)| **found == places[**own as usize]).count();
        Ok(Estimate::part(hits, found.len()))
    }

    /// What a network answers to data, [n, outputs].
    fn run(&self, inference: &dyn Inference, outputs: usize, data: &Tensor, task: &Task) -> Result<Vec<f32>> {
        let Inner { shape, origin, scale, .. } = &*self.0;
        let rows = data.rows("x")?;
        if rows.shape != shape.as_slice() {
            let problem = format!("are of shape {:?}, the classifier is for {shape:?}", rows.shape);
            return Err(Error::argument("x", problem));
        }
        let (d, tile) = (rows.width(), inference.tile());
        let mut answers = tensor::allocate(&[rows.count, outputs], task.host())?;
        let (mut state, mut output) = (vec![0.0; d * tile], vec![0.0; outputs * tile]);
        let mut space = vec![0.0; inference.space(tile)];
        for (points, answers) in rows.values.chunks(d * tile).zip(answers.chunks_mut(outputs * tile)) {
            task.check()?;
            let count = points.len() / d;
            for (i, point) in points.chunks_exact(d).enumerate() {
                point.iter().enumerate().for_each(|(c, x)| state[c * count + i] = normal(*x, *origin, *scale));
            }
            let shown = Shown { count, state: &state[..d * count], clock: 0.0, class: None };
            inference.evaluate(shown, &mut space, &mut output[..outputs * count]);
            for (i, row) in answers.chunks_exact_mut(outputs).enumerate() {
                row.iter_mut().enumerate().for_each(|(k, out)| *out = output[k * count + i]);
            }
        }
        Ok(answers)
    }
}

impl fmt::Display for Classifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { classes, width, record, .. } = &*self.0;
        write!(f, "classifier of {} classes by {width} features, trained {record}", classes.len())
    }
}

/// The shape of data that are images.
fn image(shape: &[usize]) -> Option<Extent> {
    match *shape {
        [height, width] => Some(Extent { channels: 1, height, width }),
        [channels, height, width] => Some(Extent { channels, height, width }),
        _ => None,
    }
}

/// Windows with halvings for images, then dense layers.
fn features(state: &Signal, width: usize) -> Result<Signal> {
    let activation = Activation::Silu;
    let activate = |h: &Signal| Signal::of(Activate { activation }, &[h]);
    let gain = f64::from(activation.gain());
    let mut h = state.clone();
    for outputs in WIDTHS {
        h = match h.extent().is_vector() {
            true => Signal::of(Dense { outputs: 2 * outputs, bias: true, gain }, &[&h])?,
            false => {
                let (kernel, stride, dilation, padding) = (3, 2, 1, Padding::Zeros);
                Signal::of(Convolution { outputs, kernel, stride, dilation, padding, bias: true, gain }, &[&h])?
            }
        };
        h = activate(&h)?;
    }
    if !h.extent().is_vector() {
        h = Signal::of(Flatten {}, &[&h])?;
    }
    activate(&Signal::of(Dense { outputs: width, bias: true, gain }, &[&h])?)
}

/// Mean and standard deviation of all numbers of the data as they are given.
fn units(data: &Dataset) -> (f64, f64) {
    let mean = data.mean();
    let origin = mean.iter().sum::<f64>() / mean.len() as f64;
    let between = mean.iter().map(|m| (m - origin).powi(2)).sum::<f64>() / mean.len() as f64;
    let scale = (data.variance() + between).sqrt();
    (origin, if scale > 0.0 { scale } else { 1.0 })
}

fn normal(x: f32, origin: f64, scale: f64) -> f32 {
    single((f64::from(x) - origin) / scale)
}

/// Labelled data, as a classifier learns them.
struct Labelled<'a> {
    data: &'a Dataset,
    classes: usize,
    origin: f64,
    scale: f64,
    seed: u64,
}

impl Source for Labelled<'_> {
    fn feed(&self, _: usize, count: usize) -> Box<dyn Feed + '_> {
        Box::new(Batch {
            source: self,
            count,
            choice: Stream::new(self.seed, Purpose::Batch),
            state: vec![0.0; self.data.dimension() * count],
            own: vec![0; count],
            clock: vec![0.0; count],
            target: vec![0.0; self.classes * count],
            weight: vec![1.0; self.classes * count],
        })
    }
}

/// One chunk of a batch.
struct Batch<'a> {
    source: &'a Labelled<'a>,
    count: usize,
    choice: Stream,
    state: Vec<f32>,
    own: Vec<u32>,
    clock: Vec<f32>,
    target: Vec<f32>,
    weight: Vec<f32>,
}

impl Feed for Batch<'_> {
    fn fill(&mut self, step: u32, chunk: u32) {
        let Labelled { data, origin, scale, .. } = self.source;
        data.draw(&self.choice, step, chunk, &mut self.state);
        for (c, row) in self.state.chunks_exact_mut(self.count).enumerate() {
            let given = |x: f32| data.units().map_or(x, |units| single(units.restore(c, f64::from(x))));
            row.iter_mut().for_each(|x| *x = normal(given(*x), *origin, *scale));
        }
        data.draw_classes(&self.choice, step, chunk, &mut self.own);
        self.target.fill(0.0);
        for (sample, class) in self.own.iter().enumerate() {
            self.target[*class as usize * self.count + sample] = 1.0;
        }
    }

    fn classes(&self, _: u32, _: u32, out: &mut [u32]) {
        out.copy_from_slice(&self.own);
    }

    fn samples(&self) -> Samples<'_> {
        let Self { count, state, clock, target, weight, .. } = self;
        Samples { count: *count, state, clock, class: &[], target, weight, chance: None }
    }

    fn time(&self, _: usize) -> f64 {
        0.0
    }
}
