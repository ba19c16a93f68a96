//! The kinds of networks.

use std::sync::Arc;

use serde_json::Value;

use super::{Network, graph, mlp};
use crate::error::{Error, Result};

/// Makes a network of so many inputs and outputs from its description.
type Restore = fn(Value, usize, usize) -> Result<Arc<dyn Network>>;

/// What files call each kind, and how it comes back from them.
const KINDS: &[(&str, Restore)] = &[(graph::KIND, graph::restore_graph), (mlp::KIND, mlp::restore)];

/// The network of that kind with `inputs` and `outputs` that described itself so.
///
/// # Errors
/// When the kind is unknown, or the description is damaged.
pub fn restore(kind: &str, description: Value, inputs: usize, outputs: usize) -> Result<Arc<dyn Network>> {
    let (_, restore) = KINDS.iter().find(|(known, _)| *known == kind).ok_or_else(|| {
        Error::argument("network", format!("is of the kind `{kind}`, which this program does not have"))
    })?;
    restore(description, inputs, outputs)
}
