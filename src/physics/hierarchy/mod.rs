//! How much of a hierarchy survives the noise: accuracies of every level of a random tree of symbols whose leaves were
//! noised.

mod model;
mod posterior;

pub use model::Model;
pub use posterior::orthogonal_accuracy;

use super::observed::{components, require_density};
use crate::error::{Error, Result};
use crate::measure::Estimate;
use crate::process::Process;
use crate::rng::{Purpose, Stream};
use crate::settings::{Range, Setting, Value, Values};
use crate::task::{Meter, Task};
use model::Symbols;
use posterior::{Evidence, Messages};

/// Random numbers that are drawn together, for each component of the process.
const TOGETHER: usize = 2048;

const COUNT: Setting =
    Setting::count("count", "number of trees, each with rules of its own").within(Range::between(1.0, 1e9)).or(100.0);
const TIMES: Setting = Setting::numbers("times", "times of the noised leaves").within(Range::above(0.0));

/// What is measured of a random hierarchy.
#[derive(Debug, Clone, PartialEq)]
pub struct Hierarchy {
    /// The sizes of the tree.
    pub model: Model,
    /// Names of the blocks that are observed; `None` is all of them.
    pub observe: Option<Vec<String>>,
    /// Number of trees, each with rules of its own.
    pub count: usize,
    /// Seed of rules, trees and noise.
    pub seed: u64,
}

impl Hierarchy {
    /// What can be set by name, besides [`Model::SETTINGS`].
    pub const SETTINGS: &'static [Setting] = &[
        Setting::texts("observe", "names of the blocks that are seen of each coordinate").or_else("all of them"),
        COUNT,
        Setting::seed("seed of rules, trees and noise"),
    ];

    /// What `values` of both tables describe.
    pub fn read(values: &Values) -> Self {
        Self {
            model: Model::read(values),
            observe: values.texts_if_given("observe").map(<[String]>::to_vec),
            count: values.count("count"),
            seed: values.natural("seed"),
        }
    }

    fn check_memory(&self, process: &Process, times: usize, task: &Task) -> Result<()> {
        let model = &self.model;
        let chunk = (self.leaves_together() * model.alphabet * process.components()) as f64;
        let threads = task.threads().min(self.count) as f64;
        let results = 8.0 * self.count as f64 * times as f64 * (model.depth + 2) as f64;
        let bytes = results + threads * (Messages::bytes(model) + model.bytes() + 4.0 * chunk);
        task.host().afford(bytes, |problem| {
            let Model { alphabet, branching, depth, .. } = *model;
            let problem = format!("of {depth}, for {branching}^{depth} leaves of {alphabet} symbols, {problem}");
            Error::argument("depth", problem).with_hint("take fewer levels, or a smaller alphabet")
        })
    }

    /// How many leaves draw their noise together.
    fn leaves_together(&self) -> usize {
        (TOGETHER / self.model.alphabet).max(1)
    }
}

/// How often the most probable symbol is the true one.
#[derive(Debug, Clone, PartialEq)]
pub struct Accuracies {
    /// The time of the noised leaves.
    pub time: f64,
    /// Of a leaf by its own coordinates, without the others.
    pub leaf_alone: Estimate,
    /// Of the nodes of each level by all leaves, from the root to the leaves.
    pub levels: Vec<Estimate>,
}

/// How much of a random hierarchy can be read off its noised leaves, at each of `times` > 0.
///
/// A leaf is a vector of as many coordinates as there are symbols, 1 at its own and 0 elsewhere, and each coordinate
/// goes its own way by `process`, with auxiliaries from their law at t = 0. The posterior of each node, given the
/// observed blocks of all leaves, is exact: belief propagation on the tree, with the rules known (Sclocchi, Favero,
/// Wyart, arXiv 2402.16991). Where several symbols are the most probable one, the guess is one of them by chance, and
/// counts as its expectation. The nodes of a tree are correlated, so errors are over trees. All times, processes and
/// observed blocks have the same rules and trees under one seed.
///
/// # Errors
/// When the process has no Gaussian kernel, couples its coordinates, moves angles, or lets the data determine what is
/// observed; when a time is not above 0, a size is out of range, the rules are more than the right-hand sides, a block
/// is unknown, the memory does not suffice, or on interruption.
pub fn hierarchy(process: &Process, times: &[f64], request: &Hierarchy, task: &Task) -> Result<Vec<Accuracies>> {
    let model = &request.model;
    model.check()?;
    COUNT.check_value(request.count as f64)?;
    if times.is_empty() {
        return Err(Error::argument("times", "is empty").with_hint("give one or more: [0.5, 1]"));
    }
    TIMES.check(&Value::Numbers(times.to_vec()))?;
    require_copies(process)?;
    let observed = components(process, request.observe.as_deref())?;
    require_density(process, &observed)?;
    let evidence = times.iter().map(|&time| Evidence::new(process, &observed, time)).collect::<Result<Vec<_>>>()?;
    request.check_memory(process, times.len(), task)?;

    let stream = Stream::new(request.seed, Purpose::Hierarchy);
    let meter = Meter::new(task, "hierarchy", 1, request.count * times.len());
    let trees = task.blocks(request.count, |tree| {
        let tree = tree as u32;
        let (rules, symbols) = model.draw(&stream, tree);
        let mut messages = Messages::new(model, &rules, task);
        let mut rows = Vec::with_capacity(times.len());
        for (evidence, &time) in evidence.iter().zip(times) {
            let noise = Noise { stream: stream.part(1).at(time), tree, together: request.leaves_together() };
            let alone = noise.observe(evidence, model, &symbols, messages.leaves(), task)?;
            rows.push(accuracies(alone, model, &mut messages, &symbols)?);
            meter.count(1)?;
        }
        Ok(rows)
    });
    meter.finish();
    let trees = trees?;
    let found = times.iter().enumerate().map(|(at, &time)| {
        let mean = |column: usize| Estimate::mean(&trees.iter().map(|rows| rows[at][column]).collect::<Vec<_>>());
        Accuracies { time, leaf_alone: mean(0), levels: (1..model.depth + 2).map(mean).collect() }
    });
    Ok(found.collect())
}

/// # Errors
/// When the coordinates of a datum do not go their own ways on the line.
fn require_copies(process: &Process) -> Result<()> {
    let problem = if process.coordinates().is_some() {
        "it couples its coordinates, and those of a leaf must go their own ways"
    } else if process.is_periodic() {
        "its data are angles, and the coordinates of a leaf are 0 and 1 on a line"
    } else {
        return Ok(());
    };
    Err(Error::process(process.name(), problem)
        .with_hint("take a process of one coordinate, such as process::active()"))
}

/// The parts of a tree that are guessed right: of the leaves by themselves, `alone`, and of each level by all leaves.
fn accuracies(alone: f64, model: &Model, messages: &mut Messages<'_>, symbols: &Symbols) -> Result<Vec<f64>> {
    messages.ascend()?;
    let mut sums = vec![0.0; model.depth + 2];
    sums[0] = alone;
    messages.descend(|level, node, posterior| sums[level + 1] += guess(posterior, symbols.at(level, node)))?;
    for level in 0..=model.depth {
        sums[level + 1] /= model.nodes(level) as f64;
    }
    Ok(sums)
}

/// The probability that the most probable symbol, or one of them, is the `truth`.
fn guess(weights: &[f64], truth: usize) -> f64 {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if weights[truth] < largest {
        return 0.0;
    }
    1.0 / weights.iter().filter(|&&weight| weight == largest).count() as f64
}

/// The noise of the leaves of one tree.
struct Noise {
    stream: Stream,
    tree: u32,
    /// How many leaves draw together.
    together: usize,
}

impl Noise {
    /// Draws what is observed of all leaves and writes the likelihood of each symbol, in parts of the largest, to
    /// `likelihoods`, [leaves, symbols]. Returns the part of the leaves that is guessed right from these alone.
    fn observe(
        &self,
        evidence: &Evidence,
        model: &Model,
        symbols: &Symbols,
        likelihoods: &mut [f64],
        task: &Task,
    ) -> Result<f64> {
        let Evidence { squared_distance, weights } = evidence;
        let (alphabet, leaves) = (model.alphabet, model.nodes(model.depth));
        // By component, leaf and symbol.
        let mut noise = vec![0.0; weights.len() * self.together * alphabet];
        let mut right = 0.0;
        for (chunk, likelihoods) in likelihoods.chunks_mut(self.together * alphabet).enumerate() {
            task.check()?;
            self.stream.normals(self.tree, chunk as u32, &mut noise);
            likelihoods.fill(0.0);
            for (weight, noise) in weights.iter().zip(noise.chunks_exact(self.together * alphabet)) {
                likelihoods.iter_mut().zip(noise).for_each(|(sum, &noise)| *sum += weight * f64::from(noise));
            }
            for (place, leaf) in likelihoods.chunks_exact_mut(alphabet).enumerate() {
                let truth = symbols.at(model.depth, chunk * self.together + place);
                leaf[truth] += squared_distance;
                let largest = leaf.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                leaf.iter_mut().for_each(|entry| *entry = (*entry - largest).exp());
                right += guess(leaf, truth);
            }
        }
        Ok(right / leaves as f64)
    }
}

#[cfg(test)]
mod tests;
