//! A graph as a network: what it is to those who train, evaluate and store it.

use std::fmt;
use std::sync::Arc;

use candle_core::Tensor;
use serde_json::Value;

use super::inference::FusedInference;
use super::layer::First;
use super::plan::Plan;
use super::training::FusedTraining;
use super::{Graph, Node, Stored};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::nn::{Inference, Network, Parameter, Training};
use crate::rng::{Purpose, Stream};

/// What files call this kind of network.
pub(in crate::nn) const KIND: &str = "graph";

/// The network that described itself so.
pub(in crate::nn) fn restore(description: Value, inputs: usize, outputs: usize) -> Result<Arc<dyn Network>> {
    let broken = |e| Error::argument("network", format!("is described in another way than this program does: {e}"));
    let nodes = description.get("nodes").cloned().unwrap_or_default();
    let graph = Graph::restore(serde_json::from_value::<Vec<Stored>>(nodes).map_err(broken)?, inputs)?;
    graph.check(outputs)?;
    Ok(Arc::new(graph))
}

/// Pixels of a chunk of samples: enough rows for products to run at full speed, and few enough for the values of a
/// layer to stay in the second cache.
const PIXELS: usize = 2048;

impl Graph {
    /// Samples that go through together.
    fn together(&self) -> usize {
        let most = self.nodes.iter().map(|node| node.layer.output().pixels()).max().unwrap_or(1);
        (PIXELS / most).clamp(1, 128)
    }
}

impl Network for Graph {
    fn kind(&self) -> &'static str {
        KIND
    }

    /// Those with parameters, or whose answers have another shape than what they were given.
    fn table(&self) -> Vec<String> {
        let line = |layer: &str, shape: &str, parameters: &str, multiplications: &str| {
            format!("{layer:<16}{shape:<16}{parameters:>12}{multiplications:>18}")
        };
        let shown = self.nodes.iter().filter(|node| {
            let shape = node.layer.output();
            !node.parameters.is_empty() || node.inputs.iter().all(|&input| self.nodes[input].layer.output() != shape)
        });
        let row = |node: &Node| {
            let parameters: usize = node.places.iter().map(|place| place.len()).sum();
            let numbers = [parameters, node.layer.multiplications()];
            let [parameters, multiplications] = numbers.map(|n| if n == 0 { String::new() } else { n.to_string() });
            line(node.layer.kind(), &node.layer.output().to_string(), &parameters, &multiplications)
        };
        [line("layer", "shape", "parameters", "multiplications")].into_iter().chain(shown.map(row)).collect()
    }

    fn description(&self) -> Value {
        serde_json::json!({ "nodes": self.stored() })
    }

    fn inputs(&self) -> usize {
        self.state().size()
    }

    fn outputs(&self) -> usize {
        self.answer().layer.output().size()
    }

    fn named_parameters(&self) -> Vec<Parameter> {
        self.nodes.iter().flat_map(|node| node.parameters.iter().cloned()).collect()
    }

    fn initial(&self, seed: u64) -> Vec<f32> {
        let stream = Stream::new(seed, Purpose::Weights);
        let mut values = vec![0.0; self.parameters()];
        for (number, node) in self.nodes.iter().enumerate() {
            for (declared, parameter) in node.layer.parameters().iter().zip(&node.parameters) {
                let values = &mut values[parameter.place.clone()];
                match declared.first {
                    First::Constant(value) => values.fill(value),
                    First::Normal(deviation) => {
                        stream.normals(0, number as u32, values);
                        values.iter_mut().for_each(|w| *w *= deviation);
                    }
                }
            }
        }
        values
    }

    fn check_memory(&self, host: &Host) -> Result<()> {
        let count = self.parameters();
        // The parameters, their average, and two moments.
        host.afford(4.0 * 4.0 * count as f64, |problem| {
            let problem = format!("has {count} parameters, which with all that training keeps {problem}");
            Error::argument("network", problem).with_hint("take fewer channels or layers")
        })
    }

    fn memory(&self, batch: usize) -> f64 {
        let (chunks, count) = (batch.div_ceil(self.chunk()), self.chunk().min(batch));
        // Parameters, their average and two moments, and the sum of the gradients; the weights packed twice; a gradient
        // of each chunk.
        4.0 * (self.parameters() as f64 * (7 + chunks) as f64
            + chunks as f64 * Plan::training(self).space(self, count) as f64)
    }

    fn chunk(&self) -> usize {
        self.together()
    }

    fn training(&self) -> Box<dyn Training> {
        Box::new(FusedTraining::new(self.clone()))
    }

    fn inference(&self, parameters: &[f32]) -> Box<dyn Inference> {
        Box::new(FusedInference::new(self.clone(), parameters))
    }

    fn candle(&self, parameters: &[Tensor], state: &Tensor, clock: &Tensor) -> candle_core::Result<Tensor> {
        let extent = self.state();
        let state = match extent.is_vector() {
            true => state.clone(),
            false => state.contiguous()?.reshape(((), extent.channels, extent.height, extent.width))?,
        };
        let (mut values, mut rest) = (Vec::with_capacity(self.nodes.len()), parameters);
        for (number, node) in self.nodes.iter().enumerate() {
            let inputs: Vec<Tensor> = match number {
                0 => vec![state.clone()],
                1 => vec![clock.clone()],
                _ => node.inputs.iter().map(|&input| Tensor::clone(&values[input])).collect(),
            };
            let (own, others) = rest.split_at(node.parameters.len());
            rest = others;
            values.push(node.layer.candle(&inputs, own)?);
        }
        values.pop().expect("there is an answer").contiguous()?.flatten_from(1)
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (layers, parameters) = (self.nodes.len() - 2, self.parameters());
        write!(f, "{layers} layers, {parameters} parameters, {} multiplications a sample", self.multiplications())
    }
}
