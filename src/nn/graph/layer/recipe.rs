//! What a layer is: its options, and what it makes of a shape.

use std::fmt;
use std::ops::Range;

use candle_core::Tensor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Result;
use crate::nn::Chance;
use crate::nn::graph::extent::Extent;
use crate::nn::kernel::{Matrix, Packed};

/// The options of a layer, before it is told what it is given.
pub trait Recipe: Serialize + DeserializeOwned {
    /// What files and pictures of networks call it.
    const KIND: &'static str;

    /// How many values it takes, if their number is fixed.
    const INPUTS: Option<usize> = Some(1);

    /// The layer for inputs of these shapes, as many as it takes.
    ///
    /// # Errors
    /// When it does not take them.
    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>>;
}

/// Options as a file has them.
pub(super) fn stored(options: &impl Serialize) -> Value {
    serde_json::to_value(options).expect("options are numbers and names")
}

/// The parameters of a layer and their first values.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// Their name in the layer. Several stand in the order of their names.
    pub(in crate::nn::graph) name: &'static str,
    pub(in crate::nn::graph) shape: Vec<usize>,
    pub(in crate::nn::graph) first: First,
}

/// First values of parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::nn::graph) enum First {
    Constant(f32),
    /// Normals of that standard deviation.
    Normal(f32),
}

/// What a pass has at hand: values are [count, pixels, channels], parameters those of the layer.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    /// Number of samples.
    pub(in crate::nn::graph) count: usize,
    /// All parameters of the network.
    pub(in crate::nn::graph) parameters: &'a [f32],
    /// Where each of the layer's own stands among them.
    pub(in crate::nn::graph) places: &'a [Range<usize>],
    /// The matrices of the network as products read them, and the number of the layer's first.
    pub(in crate::nn::graph) packed: (&'a Packed, usize),
    /// Where what the layer leaves out by chance is drawn, in training.
    pub(in crate::nn::graph) chance: Option<Chance>,
}

impl<'a> Pass<'a> {
    /// The layer's parameters of that number.
    pub(super) fn parameter(&self, number: usize) -> &'a [f32] {
        &self.parameters[self.places[number].clone()]
    }
}

/// Values that a backward pass may read.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// What the layer was given, where it [keeps](Layer::keeps_inputs) them.
    pub(in crate::nn::graph) inputs: &'a [&'a [f32]],
    /// The gradient by the output.
    pub(in crate::nn::graph) upstream: &'a [f32],
}

/// A layer that knows what it is given.
pub trait Layer: fmt::Debug + Send + Sync {
    /// [`Recipe::KIND`].
    fn recipe(&self) -> &'static str;

    /// What readers know it by.
    fn kind(&self) -> &'static str {
        self.recipe()
    }

    /// What makes it again, with the shapes of its inputs.
    fn options(&self) -> Value;

    /// The shape of its answer.
    fn output(&self) -> Extent;

    /// Its parameters, in the order of their names.
    fn parameters(&self) -> Vec<Declared> {
        Vec::new()
    }

    /// Multiplications for one sample, of products of matrices.
    fn multiplications(&self) -> usize {
        0
    }

    /// Those among its parameters that are factors of products, given where its parameters stand.
    fn matrices(&self, _places: &[Range<usize>]) -> Vec<Matrix> {
        Vec::new()
    }

    /// What the answers to `count` samples are multiplied by in training, where that is left to chance.
    fn mask(&self, _count: usize, _chance: Chance) -> Option<Vec<f32>> {
        None
    }

    /// What it computes, but for its [mask](Layer::mask). Images are [count, channels, height, width] here and vectors
    /// [count, channels].
    ///
    /// # Errors
    /// When Candle fails.
    fn candle(&self, inputs: &[Tensor], parameters: &[Tensor]) -> candle_core::Result<Tensor>;

    /// Whether its backward passes read its inputs.
    fn keeps_inputs(&self) -> bool;

    /// Numbers of working memory of any pass over `count` samples.
    fn scratch(&self, _count: usize) -> usize {
        0
    }

    /// Writes the `output` for `inputs`.
    fn forward(&self, pass: Pass<'_>, inputs: &[&[f32]], scratch: &mut [f32], output: &mut [f32]);

    /// Adds to `gradient` the gradient by the input of that number.
    fn backward(&self, pass: Pass<'_>, values: Values<'_>, input: usize, scratch: &mut [f32], gradient: &mut [f32]);

    /// Writes the gradient by the parameters to `gradient`, in which they stand as among the layer's own.
    fn by_parameters(&self, _pass: Pass<'_>, _values: Values<'_>, _scratch: &mut [f32], _gradient: &mut [f32]) {}
}
