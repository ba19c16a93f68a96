//! The nonlinearities of a network.

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
    /// z times the probability that a standard normal is below it, by its approximation with tanh (the same paper).
    Gelu,
}

impl Activation {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Silu => "silu",
            Self::Tanh => "tanh",
            Self::Relu => "relu",
            Self::Gelu => "gelu",
        }
    }

    /// The same in Candle.
    pub(super) fn candle(self, values: &candle_core::Tensor) -> candle_core::Result<candle_core::Tensor> {
        match self {
            Self::Silu => values.silu(),
            Self::Tanh => values.tanh(),
            Self::Relu => values.relu(),
            Self::Gelu => values.gelu(),
        }
    }

    /// Standard deviation of a weight times the square root of its fan-in that keeps the variance of a signal from
    /// layer to layer about constant (He, Zhang, Ren, Sun, arXiv 1502.01852; Glorot and Bengio, AISTATS 2010).
    pub(crate) fn gain(self) -> f32 {
        match self {
            Self::Silu | Self::Relu | Self::Gelu => std::f32::consts::SQRT_2,
            Self::Tanh => 1.0,
        }
    }
}
