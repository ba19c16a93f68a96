//! Networks that a script describes: a graph of layers, traced once, and its passes on the processor.
//!
//! A closure is called with [`Signal`]s for what a network is shown, and layers make new ones of them. What stands
//! behind the answer is a [`Graph`]: nodes in the order in which they can be computed, each with the places of its
//! parameters. Memory is planned once (`plan.rs`): a value shares its place with others that are not needed while it
//! is, so that a pass allocates no buffers.

mod answer;
mod chain;
mod extent;
mod inference;
mod layer;
mod network;
mod plan;
mod signal;
#[cfg(test)]
mod tests;
mod training;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::nn::Parameter;
use crate::nn::kernel::{Matrix, Packed};
use layer::{Layer, Pass, Recipe, restore};

pub use answer::Answer;
pub use extent::Extent;
pub use layer::{
    Activate, Affine, Attend, Combination, Combine, Concatenate, Convolution, Dense, Direction, Dropout, Embedding,
    Filter, Flatten, GroupNorm, Padding, Resample, Source, attention,
};
pub(super) use network::{KIND, restore as restore_graph};
pub use signal::Signal;

/// A network as its layers.
#[derive(Debug, Clone)]
pub struct Graph {
    /// What it is shown first: the state, the time and, if it uses it, the class.
    nodes: Arc<[Node]>,
}

#[derive(Debug)]
struct Node {
    layer: Box<dyn Layer>,
    /// Numbers of the nodes that it takes, all before it.
    inputs: Vec<usize>,
    parameters: Vec<Parameter>,
    /// Where they stand.
    places: Vec<Range<usize>>,
    /// The number of its first matrix among those of all nodes.
    matrix: usize,
    /// Whether there are parameters in it or behind it, so that gradients pass.
    is_trained: bool,
}

/// A node as a file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    layer: String,
    inputs: Vec<usize>,
    options: Value,
}

/// What a network is shown, in this order.
#[derive(Debug, Clone)]
pub struct Shows {
    /// The noised state.
    pub state: Signal,
    /// What stands for the time.
    pub time: Signal,
    /// The class of the data, where these have some.
    pub class: Option<Signal>,
}

impl Shows {
    /// States of that shape, the time, and one of so many classes, if there are any.
    ///
    /// # Errors
    /// When a side is 0.
    pub fn new(state: Extent, classes: usize) -> Result<Self> {
        let Extent { channels, height, width } = state;
        Ok(Self {
            state: Signal::of(Source::State { channels, height, width }, &[])?,
            time: Signal::of(Source::Time, &[])?,
            class: (classes > 0).then(|| Signal::of(Source::Class { count: classes }, &[])).transpose()?,
        })
    }
}

/// More parameters are a mistyped number rather than a network for a processor.
const MOST_PARAMETERS: usize = 1 << 28;

impl Graph {
    /// The network that answers `answer`, whose `outputs` numbers belong to the components that noise drives.
    ///
    /// # Errors
    /// When the answer has another number of them, or does not depend on the state.
    pub fn new(shows: &Shows, answer: &Signal, outputs: usize) -> Result<Self> {
        let mut order: Vec<&Signal> = vec![&shows.state, &shows.time];
        let mut known: HashSet<u64> = order.iter().map(|signal| signal.number()).collect();
        let mut open = vec![answer];
        while let Some(signal) = open.pop() {
            if known.insert(signal.number()) {
                order.push(signal);
                open.extend(signal.inputs());
            }
        }
        // As they were made, what is shown first: a layer is made after what it takes.
        order[2..].sort_by_key(|signal| signal.number());
        let numbers: HashMap<u64, usize> = order.iter().map(|signal| signal.number()).zip(0..).collect();
        let stored = |signal: &&Signal| Stored {
            layer: signal.layer().recipe().to_owned(),
            inputs: signal.inputs().iter().map(|input| numbers[&input.number()]).collect(),
            options: signal.layer().options(),
        };
        let graph = Self::restore(order.iter().map(stored).collect(), shows.state.extent().size())?;
        graph.check(outputs)?;
        Ok(graph)
    }

    /// The network of these nodes, for states of so many `numbers`.
    fn restore(stored: Vec<Stored>, numbers: usize) -> Result<Self> {
        let damaged = || Error::argument("network", "has layers in an impossible order");
        let (mut nodes, mut place, mut matrix): (Vec<Node>, _, _) = (Vec::with_capacity(stored.len()), 0, 0);
        for (number, Stored { layer, inputs, options }) in stored.into_iter().enumerate() {
            if inputs.iter().any(|&input| input >= number) {
                return Err(damaged());
            }
            let extents: Vec<_> = inputs.iter().map(|&input| nodes[input].layer.output()).collect();
            let layer = restore(&layer, options, &extents)?;
            let source = (layer.recipe() == Source::KIND).then(|| layer.output().size());
            match (number, source) {
                (0, Some(size)) if size == numbers => (),
                (1, Some(1)) | (2, _) => (),
                (0 | 1, _) => {
                    return Err(Error::argument("network", format!("is not shown {numbers} numbers and the time")));
                }
                (_, None) => (),
                _ => return Err(damaged()),
            }
            let parameters = parameters(layer.as_ref(), number, &mut place)?;
            let places: Vec<_> = parameters.iter().map(|parameter| parameter.place.clone()).collect();
            let is_trained = !parameters.is_empty() || inputs.iter().any(|&input| nodes[input].is_trained);
            let first = matrix;
            matrix += layer.matrices(&places).len();
            nodes.push(Node { layer, inputs, parameters, places, matrix: first, is_trained });
        }
        let graph = Self { nodes: nodes.into() };
        if graph.nodes.len() <= graph.shown() {
            return Err(damaged());
        }
        Ok(graph)
    }

    /// Number of classes that it is shown one of, if it uses them.
    fn classes(&self) -> usize {
        let class = self.nodes.get(2).filter(|node| node.layer.recipe() == Source::KIND);
        class.map_or(0, |node| node.layer.output().size())
    }

    /// Number of the nodes that hold what it is shown.
    fn shown(&self) -> usize {
        if self.classes() > 0 { 3 } else { 2 }
    }

    /// Refuses an answer of another width, or one that knows nothing of the state.
    fn check(&self, outputs: usize) -> Result<()> {
        let answer = self.answer().layer.output();
        if answer.size() != outputs {
            let problem = format!("answers {} numbers (shape {answer}) where {outputs} are asked for", answer.size());
            let hint = "end with layer::answer(h), which has the right width";
            return Err(Error::argument("network", problem).with_hint(hint));
        }
        if !self.nodes.iter().skip(1).any(|node| node.inputs.contains(&0)) {
            return Err(Error::argument("network", "does not use the state: its answer is the same everywhere"));
        }
        if !self.answer().is_trained {
            return Err(Error::argument("network", "has no parameters to learn").with_hint("add a dense layer"));
        }
        Ok(())
    }

    /// The last node.
    fn answer(&self) -> &Node {
        &self.nodes[self.nodes.len() - 1]
    }

    /// The shape of the state.
    fn state(&self) -> Extent {
        self.nodes[0].layer.output()
    }

    fn stored(&self) -> Vec<Stored> {
        let stored = |node: &Node| Stored {
            layer: node.layer.recipe().to_owned(),
            inputs: node.inputs.clone(),
            options: node.layer.options(),
        };
        self.nodes.iter().map(stored).collect()
    }

    /// All matrices that are factors of products.
    fn matrices(&self) -> impl Iterator<Item = Matrix> {
        self.nodes.iter().flat_map(|node| node.layer.matrices(&node.places))
    }

    /// Room for them in the passes of the answer alone.
    fn packed_forward(&self) -> Packed {
        Packed::new(self.matrices().map(|matrix| Matrix { is_transposed: false, ..matrix }))
    }

    /// Room for them in all passes.
    fn packed(&self) -> Packed {
        Packed::new(self.matrices())
    }

    /// Numbers of working memory that any pass of a layer over `count` samples needs.
    fn scratch(&self, count: usize) -> usize {
        self.nodes.iter().map(|node| node.layer.scratch(count)).max().unwrap_or(0)
    }

    /// Multiplications for one sample, of products of matrices.
    pub fn multiplications(&self) -> usize {
        self.nodes.iter().map(|node| node.layer.multiplications()).sum()
    }
}

impl Node {
    /// What its passes over `count` samples have at hand.
    fn pass<'a>(&'a self, count: usize, parameters: &'a [f32], packed: &'a Packed) -> Pass<'a> {
        Pass { count, parameters, places: &self.places, packed: (packed, self.matrix), chance: None }
    }

    /// Numbers of its value for `count` samples.
    fn size(&self, count: usize) -> usize {
        count * self.layer.output().size()
    }
}

/// Puts what a network is shown, component-major [channels·pixels, count], in the order of values,
/// [count, pixels, channels].
fn enter(extent: Extent, count: usize, rows: &[f32], out: &mut [f32]) {
    for (component, row) in rows.chunks_exact(count).enumerate() {
        let places = out[extent.place(component)..].iter_mut().step_by(extent.size());
        places.zip(row).for_each(|(out, value)| *out = *value);
    }
}

/// The opposite of [`enter`].
fn leave(extent: Extent, count: usize, values: &[f32], rows: &mut [f32]) {
    for (component, row) in rows.chunks_exact_mut(count).enumerate() {
        let places = values[extent.place(component)..].iter().step_by(extent.size());
        row.iter_mut().zip(places).for_each(|(out, value)| *out = *value);
    }
}

/// The parameters of node `number`, whose places begin at `place`, which moves on.
fn parameters(layer: &dyn Layer, number: usize, place: &mut usize) -> Result<Vec<Parameter>> {
    let mut all = Vec::new();
    for declared in layer.parameters() {
        let size = declared.shape.iter().try_fold(1_usize, |size, side| size.checked_mul(*side));
        let end = size.and_then(|size| place.checked_add(size)).filter(|end| *end <= MOST_PARAMETERS);
        let Some(end) = end else {
            let problem = format!("has more than {MOST_PARAMETERS} parameters");
            return Err(Error::argument("network", problem).with_hint("take fewer channels or layers"));
        };
        let name = format!("{number:04}.{}.{}", layer.kind(), declared.name);
        all.push(Parameter { name, shape: declared.shape, place: *place..end });
        *place = end;
    }
    Ok(all)
}
