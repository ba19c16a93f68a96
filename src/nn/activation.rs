//! The nonlinearities of a network.

use crate::error::{Error, Result, nearest};

/// A nonlinearity between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// z/(1 + e⁻ᶻ), smooth, so that the learned score is too (Hendrycks and Gimpel, arXiv 1606.08415).
    #[default]
    Silu,
    /// tanh z.
    Tanh,
    /// max(z, 0).
    Relu,
}

impl Activation {
    /// Every name that [`Activation::named`] knows.
    pub const NAMES: [&str; 3] = ["silu", "tanh", "relu"];

    /// The activation of that name.
    ///
    /// # Errors
    /// When there is none, with the nearest name as a hint.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "silu" => Ok(Self::Silu),
            "tanh" => Ok(Self::Tanh),
            "relu" => Ok(Self::Relu),
            _ => {
                let problem = format!("must be one of {}, got \"{name}\"", Self::NAMES.join(", "));
                let error = Error::argument("activation", problem);
                Err(match nearest(name, Self::NAMES) {
                    Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
                    None => error,
                })
            }
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Silu => "silu",
            Self::Tanh => "tanh",
            Self::Relu => "relu",
        }
    }

    /// Standard deviation of a weight times the square root of its fan-in that keeps the variance of a signal from layer
    /// to layer about constant (He, Zhang, Ren, Sun, arXiv 1502.01852; Glorot and Bengio, AISTATS 2010).
    pub(super) fn gain(self) -> f32 {
        match self {
            Self::Silu | Self::Relu => std::f32::consts::SQRT_2,
            Self::Tanh => 1.0,
        }
    }
}
