//! The layers of a network.
//!
//! A layer is a file that says all of itself: its options, which shapes it takes and makes, its parameters, what it
//! computes in Candle, which defines it, and its passes on the processor. The list of all is [`KINDS`].
//!
//! On the processor a value is [samples, pixels, channels]: what is done at each pixel is then a product of matrices
//! with pixels of all samples as rows, and a convolution is one too, whose rows are windows that overlap.

mod activation;
mod affine;
mod attention;
mod combine;
mod concatenate;
mod convolution;
mod dense;
mod embedding;
mod flatten;
mod group_norm;
mod resample;
mod source;

use std::fmt;
use std::ops::Range;

use candle_core::Tensor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::signal::Extent;
use crate::error::{Error, Result};
use crate::nn::kernel::{Matrix, Packed};

pub use activation::Activate;
pub use affine::Affine;
pub use attention::Attend;
pub use combine::{Combination, Combine};
pub use concatenate::Concatenate;
pub use convolution::{Convolution, Padding};
pub use dense::Dense;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use group_norm::GroupNorm;
pub use resample::{Direction, Filter, Resample};
pub use source::Source;

/// Makes a layer for inputs of these shapes from its options, as a file has them.
type Restore = fn(Value, &[Extent]) -> Result<Box<dyn Layer>>;

/// All layers.
const KINDS: &[(&str, Restore)] = &[
    listed::<Activate>(),
    listed::<Affine>(),
    listed::<Attend>(),
    listed::<Combine>(),
    listed::<Concatenate>(),
    listed::<Convolution>(),
    listed::<Dense>(),
    listed::<Embedding>(),
    listed::<Flatten>(),
    listed::<GroupNorm>(),
    listed::<Resample>(),
    listed::<Source>(),
];

const fn listed<R: Recipe>() -> (&'static str, Restore) {
    (R::KIND, |options, inputs| {
        let damaged = |e| Error::argument("network", format!("has a layer `{}` of unknown options: {e}", R::KIND));
        serde_json::from_value::<R>(options).map_err(damaged)?.build(inputs)
    })
}

/// The layer of that kind for `inputs`, from its options as [`Layer::options`] said them.
///
/// # Errors
/// When there is no such kind, the options are none of its, or it does not take such inputs.
pub(super) fn restore(kind: &str, options: Value, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
    let (_, restore) = KINDS.iter().find(|(known, _)| *known == kind).ok_or_else(|| {
        Error::argument("network", format!("has a layer of the kind `{kind}`, which this program does not have"))
    })?;
    restore(options, inputs)
}

/// The options of a layer, before it is told what it is given.
pub trait Recipe: Serialize + DeserializeOwned {
    /// What files and pictures of networks call it.
    const KIND: &'static str;

    /// The layer for inputs of these shapes.
    ///
    /// # Errors
    /// When it does not take them.
    fn build(self, inputs: &[Extent]) -> Result<Box<dyn Layer>>;
}

/// Options as a file has them.
fn stored(options: &impl Serialize) -> Value {
    serde_json::to_value(options).expect("options are numbers and names")
}

/// The parameters of a layer and their first values.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// Their name in the layer. Several stand in the order of their names.
    pub(super) name: &'static str,
    pub(super) shape: Vec<usize>,
    pub(super) first: First,
}

/// First values of parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum First {
    Constant(f32),
    /// Normals of that standard deviation.
    Normal(f32),
}

/// What a pass has at hand: values are [count, pixels, channels], parameters those of the layer.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    /// Number of samples.
    pub(super) count: usize,
    /// All parameters of the network.
    pub(super) parameters: &'a [f32],
    /// Where each of the layer's own stands among them.
    pub(super) places: &'a [Range<usize>],
    /// The matrices of the network as products read them, and the number of the layer's first.
    pub(super) packed: (&'a Packed, usize),
}

impl<'a> Pass<'a> {
    /// The layer's parameters of that number.
    fn parameter(&self, number: usize) -> &'a [f32] {
        &self.parameters[self.places[number].clone()]
    }
}

/// Values that a backward pass may read.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// What the layer was given, where it [keeps](Layer::keeps_inputs) them.
    pub(super) inputs: &'a [&'a [f32]],
    /// The gradient by the output.
    pub(super) upstream: &'a [f32],
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

    /// What it computes. Images are [count, channels, height, width] here and vectors [count, channels].
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
