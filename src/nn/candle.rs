//! Any network in Candle, on any device: what the fused passes are held against, and the options `device: "candle"` and
//! `device: "cuda"`.

use std::sync::Arc;

use candle_core::{Device, Tensor, Var, utils};

use super::{Chance, Inference, Network, Parameter, Samples, Shown, Training};
use crate::error::{Error, Result};
use crate::task::{self, Task, Team};

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
    /// The network with all parameters zero on the device of that name.
    ///
    /// # Errors
    /// When there is none, or it refuses the memory.
    pub fn on(device: task::Device, network: &Arc<dyn Network>) -> Result<Self> {
        Self::new(network, &opened(device)?)
    }

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

    /// The network with these parameters, for its evaluation as a part of `task`, which is warned where the device
    /// fails then.
    ///
    /// # Errors
    /// When the device fails.
    pub fn inference(self, parameters: &[f32], task: &Task) -> Result<impl Inference + use<>> {
        self.set(parameters)?;
        Ok(Fixed { network: self, task: task.clone() })
    }

    /// [count, outputs].
    fn answers(&self, [state, clock, class]: [&[f32]; 3], chance: Option<Chance>) -> candle_core::Result<Tensor> {
        self.answers_to(&self.transposed(state, clock.len())?, [clock, class], chance)
    }

    /// [count, outputs], to states [count, inputs].
    fn answers_to(
        &self,
        state: &Tensor,
        [clock, class]: [&[f32]; 2],
        chance: Option<Chance>,
    ) -> candle_core::Result<Tensor> {
        let parameters: Vec<_> = self.variables.iter().map(|variable| variable.as_tensor().clone()).collect();
        let mut shown = vec![state.clone()];
        for values in [clock, class].into_iter().filter(|values| !values.is_empty()) {
            shown.push(self.transposed(values, clock.len())?);
        }
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

/// The device of that name.
fn opened(device: task::Device) -> Result<Device> {
    if device != task::Device::Cuda {
        return Ok(Device::Cpu);
    }
    if !utils::cuda_is_available() {
        return Err(Error::argument("device", "is a GPU, and this tumble was built without")
            .with_hint("`cargo install --path . --features cuda` builds one with, where NVIDIA's CUDA toolkit is"));
    }
    Device::new_cuda(0).map_err(|e| {
        Error::argument("device", format!("is a GPU, and none can be used: {e}"))
            .with_hint("`nvidia-smi` lists those that there are; device: \"cpu\" needs none")
    })
}

/// A network whose parameters stay as they are.
struct Fixed {
    network: Candle,
    task: Task,
}

/// The most samples that go through together.
const TILE: usize = 1 << 14;

impl Fixed {
    /// The clocks and classes of samples that are shown.
    fn told(&self, shown: &Shown<'_>) -> [Vec<f32>; 2] {
        let mut class = vec![0.0; self.network.network.classes() * shown.count];
        if let Some(own) = shown.class.and_then(|number| class.chunks_exact_mut(shown.count).nth(number)) {
            own.fill(1.0);
        }
        [vec![shown.clock; shown.count], class]
    }

    fn answers(&self, shown: &Shown<'_>) -> candle_core::Result<Vec<f32>> {
        let [clock, class] = self.told(shown);
        self.network.answers([shown.state, &clock, &class], None)?.t()?.flatten_all()?.to_vec1()
    }

    fn slopes(&self, shown: &Shown<'_>, weight: &[f32]) -> candle_core::Result<Vec<f32>> {
        let [clock, class] = self.told(shown);
        let state = Var::from_tensor(&self.network.transposed(shown.state, shown.count)?)?;
        let answers = self.network.answers_to(state.as_tensor(), [&clock, &class], None)?;
        let gradients = (answers * self.network.transposed(weight, shown.count)?)?.sum_all()?.backward()?;
        match gradients.get(&state) {
            Some(gradient) => gradient.t()?.flatten_all()?.to_vec1(),
            None => Ok(vec![0.0; shown.state.len()]),
        }
    }

    /// What the device could not compute is not a number, which ends whatever samples; the reason is told before.
    fn write(&self, values: candle_core::Result<Vec<f32>>, out: &mut [f32]) {
        match values {
            Ok(values) => out.copy_from_slice(&values),
            Err(e) => {
                self.task.warn(&format!("{}", candle("answers of the network", &e)));
                out.fill(f32::NAN);
            }
        }
    }
}

impl Inference for Fixed {
    fn tile(&self) -> usize {
        TILE
    }

    fn space(&self, _: usize) -> usize {
        0
    }

    fn evaluate(&self, shown: Shown<'_>, _: &mut [f32], output: &mut [f32]) {
        self.write(self.answers(&shown), output);
    }

    fn gradient_space(&self, _: usize) -> usize {
        0
    }

    fn gradient(&self, shown: Shown<'_>, weight: &[f32], _: &mut [f32], gradient: &mut [f32]) {
        self.write(self.slopes(&shown, weight), gradient);
    }
}

fn candle(what: &str, error: &candle_core::Error) -> Error {
    Error::numerical(format!("Candle could not compute the {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Mlp};
    use crate::task::watched;

    #[test]
    fn what_a_device_cannot_compute_is_told() {
        let network: Arc<dyn Network> = Arc::new(Mlp::new(2, &[8], 1, Activation::Silu).unwrap());
        let parameters = vec![0.5; network.named_parameters().last().unwrap().place.end];
        let (output, warnings) = watched(|task| {
            let fixed = Candle::on(task::Device::Candle, &network).unwrap().inference(&parameters, task).unwrap();
            // States of one sample for two.
            let shown = Shown { count: 2, state: &[0.0; 2], clock: 0.0, class: None };
            let mut output = [0.0; 2];
            fixed.evaluate(shown, &mut [], &mut output);
            output
        });
        assert!(output.iter().all(|value| value.is_nan()));
        assert!(warnings[0].starts_with("Candle could not compute the answers of the network: "), "{warnings:?}");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_gpu_that_is_not_built_in_is_refused() {
        let network: Arc<dyn Network> = Arc::new(Mlp::new(2, &[8], 1, Activation::Silu).unwrap());
        let error = Candle::on(task::Device::Cuda, &network).unwrap_err();
        assert_eq!(error.to_string(), "`device` is a GPU, and this tumble was built without");
        assert!(error.hint().unwrap().contains("--features cuda"));
    }
}
