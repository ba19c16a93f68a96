//! Any network in Candle: what the fused passes are held against, and the training option `backend: "candle"`.

use std::sync::Arc;

use candle_core::{Device, Tensor, Var};

use super::{Chance, Network, Parameter, Samples, Training};
use crate::error::{Error, Result};
use crate::task::Team;

/// A network whose parameters are Candle variables, in the order of their names.
///
/// A list, not Candle's `VarMap`: that one iterates a hash map, so that sums over parameters differ from run to run.
#[derive(Debug)]
pub struct Candle {
    network: Arc<dyn Network>,
    named: Vec<Parameter>,
    variables: Vec<Var>,
    device: Device,
}

impl Candle {
    /// The network with all parameters zero on a device.
    ///
    /// # Errors
    /// When the device refuses the memory.
    pub fn new(network: &Arc<dyn Network>, device: &Device) -> Result<Self> {
        let named = network.named_parameters();
        let variable = |parameter: &Parameter| {
            Var::zeros(parameter.shape.as_slice(), candle_core::DType::F32, device)
                .map_err(|e| candle("parameters", &e))
        };
        let variables = named.iter().map(variable).collect::<Result<_>>()?;
        Ok(Self { network: network.clone(), named, variables, device: device.clone() })
    }

    /// Gives the variables these values.
    ///
    /// # Errors
    /// When the device fails.
    pub fn set(&self, parameters: &[f32]) -> Result<()> {
        for (variable, Parameter { shape, place, .. }) in self.variables.iter().zip(&self.named) {
            Tensor::from_slice(&parameters[place.clone()], shape.as_slice(), &self.device)
                .and_then(|values| variable.set(&values))
                .map_err(|e| candle("parameters", &e))?;
        }
        Ok(())
    }

    /// The answers [outputs, count] to states [inputs, count], clocks \[count\] and classes [classes, count].
    ///
    /// # Errors
    /// When the device fails.
    pub fn forward(&self, state: &[f32], clock: &[f32], class: &[f32]) -> Result<Vec<f32>> {
        self.answers([state, clock, class], None)
            .and_then(|answers| answers.t()?.flatten_all()?.to_vec1())
            .map_err(|e| candle("forward pass", &e))
    }

    /// [count, outputs].
    fn answers(&self, [state, clock, class]: [&[f32]; 3], chance: Option<Chance>) -> candle_core::Result<Tensor> {
        let parameters: Vec<_> = self.variables.iter().map(|variable| variable.as_tensor().clone()).collect();
        let shown = [state, clock, class].into_iter().filter(|values| !values.is_empty());
        let shown =
            shown.map(|values| self.transposed(values, clock.len())).collect::<candle_core::Result<Vec<_>>>()?;
        self.network.candle(&parameters, &shown, chance)
    }

    /// [count, rows] of values [rows, count].
    fn transposed(&self, values: &[f32], count: usize) -> candle_core::Result<Tensor> {
        Tensor::from_slice(values, (values.len() / count, count), &self.device)?.t()?.contiguous()
    }

    fn differentiate(
        &self,
        samples: Samples<'_>,
        scale: f32,
        out: &mut [f32],
        errors: &mut [f64],
    ) -> candle_core::Result<f64> {
        let Samples { count, state, clock, class, target, weight, chance } = samples;
        let residual = (self.answers([state, clock, class], chance)? - self.transposed(target, count)?)?;
        let squares = (residual.sqr()? * self.transposed(weight, count)?)?;
        for (error, sum) in errors.iter_mut().zip(squares.detach().sum(1)?.to_vec1::<f32>()?) {
            *error = f64::from(scale) * f64::from(sum);
        }
        let loss = (squares.sum_all()? * f64::from(scale))?;
        let gradients = loss.backward()?;
        for (variable, Parameter { place, .. }) in self.variables.iter().zip(&self.named) {
            if let Some(gradient) = gradients.get(variable) {
                out[place.clone()].copy_from_slice(&gradient.flatten_all()?.to_vec1::<f32>()?);
            }
        }
        loss.to_scalar::<f32>().map(f64::from)
    }
}

impl Training for Candle {
    fn parts(&self) -> usize {
        0
    }

    fn update(&mut self, parameters: &[f32], _: &mut Team<'_>) -> Result<()> {
        self.set(parameters)
    }

    fn space(&self, _: usize) -> usize {
        0
    }

    fn pass(
        &self,
        _: &[f32],
        samples: Samples<'_>,
        scale: f32,
        _: &mut [f32],
        gradient: &mut [f32],
        errors: &mut [f64],
    ) -> Result<f64> {
        self.differentiate(samples, scale, gradient, errors).map_err(|e| candle("gradient", &e))
    }

    fn has_threads(&self) -> bool {
        true
    }
}

fn candle(what: &str, error: &candle_core::Error) -> Error {
    Error::numerical(format!("Candle could not compute the {what}: {error}"))
}
