//! The same network in Candle: what the fused kernels are held against, and the training option `backend: "candle"`.

use candle_core::{Device, Tensor, Var};

use super::kernel::Samples;
use super::{Activation, Mlp};
use crate::error::{Error, Result};

/// A network whose parameters are Candle variables, in the order of their names.
///
/// A list, not Candle's `VarMap`: that one iterates a hash map, so that sums over parameters differ from run to run.
#[derive(Debug)]
pub struct Reference {
    network: Mlp,
    variables: Vec<Var>,
    device: Device,
}

impl Reference {
    /// The network with these parameters on a device.
    ///
    /// # Errors
    /// When the device refuses the memory.
    pub fn new(network: &Mlp, parameters: &[f32], device: &Device) -> Result<Self> {
        let variable = |(_, shape, place): (String, Vec<usize>, std::ops::Range<usize>)| {
            Var::from_slice(&parameters[place], shape, device).map_err(|e| candle("parameters", &e))
        };
        let variables = network.named_parameters().into_iter().map(variable).collect::<Result<_>>()?;
        Ok(Self { network: network.clone(), variables, device: device.clone() })
    }

    /// Gives the variables other values.
    ///
    /// # Errors
    /// When the device fails.
    pub fn set(&self, parameters: &[f32]) -> Result<()> {
        for (variable, (_, shape, place)) in self.variables.iter().zip(self.network.named_parameters()) {
            Tensor::from_slice(&parameters[place], shape, &self.device)
                .and_then(|values| variable.set(&values))
                .map_err(|e| candle("parameters", &e))?;
        }
        Ok(())
    }

    /// The output [count, outputs] for an input [count, inputs].
    ///
    /// # Errors
    /// When a shape disagrees or the device fails.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.layers(input).map_err(|e| candle("forward pass", &e))
    }

    fn layers(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        let mut value = input.clone();
        for (number, pair) in self.variables.chunks_exact(2).enumerate() {
            value = value.matmul(pair[1].as_tensor())?.broadcast_add(pair[0].as_tensor())?;
            if number < self.network.hidden().len() {
                value = match self.network.activation() {
                    Activation::Silu => value.silu()?,
                    Activation::Tanh => value.tanh()?,
                    Activation::Relu => value.relu()?,
                };
            }
        }
        Ok(value)
    }

    /// What [`Chunk::run`](super::kernel::Chunk::run) computes, by Candle's automatic differentiation.
    ///
    /// # Errors
    /// When the device fails.
    pub fn gradient(&self, samples: Samples<'_>, scale: f32, gradient: &mut [f32]) -> Result<f64> {
        self.differentiate(samples, scale, gradient).map_err(|e| candle("gradient", &e))
    }

    fn differentiate(&self, samples: Samples<'_>, scale: f32, out: &mut [f32]) -> candle_core::Result<f64> {
        let tensor = |values: &[f32]| {
            Tensor::from_slice(values, (values.len() / samples.count, samples.count), &self.device)?.t()?.contiguous()
        };
        let residual = (self.layers(&tensor(samples.input)?)? - tensor(samples.target)?)?;
        let loss = ((residual.sqr()? * tensor(samples.weight)?)?.sum_all()? * f64::from(scale))?;
        let gradients = loss.backward()?;
        for (variable, (_, _, place)) in self.variables.iter().zip(self.network.named_parameters()) {
            if let Some(gradient) = gradients.get(variable) {
                out[place].copy_from_slice(&gradient.flatten_all()?.to_vec1::<f32>()?);
            }
        }
        loss.to_scalar::<f32>().map(f64::from)
    }
}

fn candle(what: &str, error: &candle_core::Error) -> Error {
    Error::numerical(format!("Candle could not compute the {what}: {error}"))
}
