//! What stands for a value while a network is being described.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::extent::Extent;
use super::layer::{Layer, Recipe};
use crate::error::{Error, Result};

/// A value in a network: what a layer makes of others. Clones are the same value.
#[derive(Debug, Clone)]
pub struct Signal(Arc<Node>);

#[derive(Debug)]
struct Node {
    layer: Box<dyn Layer>,
    inputs: Vec<Signal>,
    depth: usize,
    /// When it was made, counted over all signals of the program.
    number: u64,
}

static MADE: AtomicU64 = AtomicU64::new(0);

/// Layers behind each other, beyond which a description is a loop gone wild.
const DEEPEST: usize = 2000;

impl Signal {
    /// What a layer makes of `inputs`.
    ///
    /// # Errors
    /// When the layer cannot take them, or stands behind too many others.
    pub fn of(recipe: impl Recipe, inputs: &[&Self]) -> Result<Self> {
        let extents: Vec<_> = inputs.iter().map(|input| input.extent()).collect();
        let depth = 1 + inputs.iter().map(|input| input.0.depth).max().unwrap_or(0);
        if depth > DEEPEST {
            return Err(Error::argument("network", format!("has more than {DEEPEST} layers behind each other")));
        }
        let inputs = inputs.iter().map(|&input| input.clone()).collect();
        Ok(Self(Arc::new(Node {
            layer: recipe.build(&extents)?,
            inputs,
            depth,
            number: MADE.fetch_add(1, Ordering::Relaxed),
        })))
    }

    /// Its shape.
    pub fn extent(&self) -> Extent {
        self.0.layer.output()
    }

    pub(super) fn layer(&self) -> &dyn Layer {
        self.0.layer.as_ref()
    }

    pub(super) fn inputs(&self) -> &[Self] {
        &self.0.inputs
    }

    /// What tells it from other values; higher than that of what it is made of.
    pub(super) fn number(&self) -> u64 {
        self.0.number
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.layer.kind(), self.extent())
    }
}
