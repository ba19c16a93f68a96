//! The kinds of layers.

use serde_json::Value;

use super::recipe::{Layer, Recipe};
use super::{
    Activate, Affine, Attend, Combine, Concatenate, Convolution, Dense, Dropout, Embedding, Flatten, GroupNorm,
    Resample, Source,
};
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;

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
    listed::<Dropout>(),
    listed::<Embedding>(),
    listed::<Flatten>(),
    listed::<GroupNorm>(),
    listed::<Resample>(),
    listed::<Source>(),
];

const fn listed<R: Recipe>() -> (&'static str, Restore) {
    (R::KIND, |options, inputs| {
        let damaged = |e| Error::argument("network", format!("has a layer `{}` of unknown options: {e}", R::KIND));
        if R::INPUTS.is_some_and(|count| count != inputs.len()) {
            let problem = format!("has a layer `{}` of {} inputs", R::KIND, inputs.len());
            return Err(Error::argument("network", problem));
        }
        serde_json::from_value::<R>(options).map_err(damaged)?.build(inputs)
    })
}

/// The layer of that kind for `inputs`, from its options as [`Layer::options`] said them.
///
/// # Errors
/// When there is no such kind, the options are none of its, or it does not take such inputs.
pub(in crate::nn::graph) fn restore(kind: &str, options: Value, inputs: &[Extent]) -> Result<Box<dyn Layer>> {
    let (_, restore) = KINDS.iter().find(|(known, _)| *known == kind).ok_or_else(|| {
        Error::argument("network", format!("has a layer of the kind `{kind}`, which this program does not have"))
    })?;
    restore(options, inputs)
}
