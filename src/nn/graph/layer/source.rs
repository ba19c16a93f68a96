//! What a network is shown: values that come from outside.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe::{Layer, Pass, Recipe, Values, stored};
use crate::error::{Error, Result};
use crate::nn::graph::extent::Extent;

/// A value from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "shown")]
pub enum Source {
    /// The noised state.
    State {
        /// Numbers at each pixel: those of a datum for each block.
        channels: usize,
        /// Rows of pixels.
        height: usize,
        /// Pixels in a row.
        width: usize,
    },
    /// What stands for the time.
    Time,
    /// The class of the data, if it is told: 1 for it and 0 for all others.
    Class {
        /// Number of classes.
        count: usize,
    },
}

/// Numbers of a state, beyond which it is none for a processor.
const MOST: usize = 1 << 28;

impl Recipe for Source {
    const KIND: &'static str = "source";
    const INPUTS: Option<usize> = Some(0);

    fn build(self, _: &[Extent]) -> Result<Box<dyn Layer>> {
        let (what, channels, height, width) = match self {
            Self::State { channels, height, width } => ("states", channels, height, width),
            Self::Time => ("times", 1, 1, 1),
            Self::Class { count } => ("classes", count, 1, 1),
        };
        let size = channels.checked_mul(height).and_then(|size| size.checked_mul(width));
        if !size.is_some_and(|size| (1..=MOST).contains(&size)) {
            let problem = format!("is shown {what} of shape [{channels}, {height}, {width}]");
            return Err(Error::argument("network", problem));
        }
        Ok(Box::new(self))
    }
}

impl Layer for Source {
    fn recipe(&self) -> &'static str {
        Self::KIND
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::State { .. } => "state",
            Self::Time => "time",
            Self::Class { .. } => "class",
        }
    }

    fn options(&self) -> Value {
        stored(self)
    }

    fn output(&self) -> Extent {
        match *self {
            Self::State { channels, height, width } => Extent { channels, height, width },
            Self::Time => Extent::vector(1),
            Self::Class { count } => Extent::vector(count),
        }
    }

    fn candle(&self, inputs: &[Tensor], _: &[Tensor]) -> candle_core::Result<Tensor> {
        Ok(inputs[0].clone())
    }

    fn keeps_inputs(&self) -> bool {
        false
    }

    fn forward(&self, _: Pass<'_>, _: &[&[f32]], _: &mut [f32], _: &mut [f32]) {}

    fn backward(&self, _: Pass<'_>, _: Values<'_>, _: usize, _: &mut [f32], _: &mut [f32]) {}
}
