//! A graph as a network: what it is to those who train, evaluate and store it.

use std::fmt;
use std::sync::Arc;

use candle_core::Tensor;
use serde_json::Value;

use super::extent::Extent;
use super::inference::FusedInference;
use super::layer::{Dropout, First, Recipe};
use super::plan::Plan;
use super::training::FusedTraining;
use super::{Graph, Node, Stored};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::nn::{Chance, Inference, Network, Parameter, Training};
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
        let line = |layer: &str, shape: &str, parameters: &str, products: &str| {
            format!("{layer:<16}{shape:<16}{parameters:>12}{products:>18}")
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
        [line("layer", "shape", "parameters", "products")].into_iter().chain(shown.map(row)).collect()
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

    fn classes(&self) -> usize {
        Graph::classes(self)
    }

    fn has_chance(&self) -> bool {
        self.nodes.iter().any(|node| node.layer.recipe() == Dropout::KIND)
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

    fn memory(&self, batch: usize, threads: usize) -> f64 {
        let (chunks, count) = (batch.div_ceil(self.chunk()), self.chunk().min(batch));
        // Parameters, their average and two moments, and the sum of the gradients; a gradient of each chunk; the packed
        // weights; what a thread keeps of a chunk.
        4.0 * (self.parameters() as f64 * (5 + chunks) as f64
            + self.matrices().map(|matrix| matrix.packed_numbers()).sum::<usize>() as f64
            + threads as f64 * Plan::training(self).space(self, count) as f64)
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

    fn candle(&self, parameters: &[Tensor], shown: &[Tensor], chance: Option<Chance>) -> candle_core::Result<Tensor> {
        let mut rest = parameters;
        let mut values: Vec<Tensor> = Vec::with_capacity(self.nodes.len());
        for (number, node) in self.nodes.iter().enumerate() {
            let Extent { channels, height, width } = node.layer.output();
            let is_vector = node.layer.output().is_vector();
            let inputs: Vec<Tensor> = match shown.get(number) {
                Some(shown) if is_vector => vec![shown.clone()],
                Some(shown) => vec![shown.contiguous()?.reshape(((), channels, height, width))?],
                None => node.inputs.iter().map(|&input| Tensor::clone(&values[input])).collect(),
            };
            let (own, others) = rest.split_at(node.parameters.len());
            rest = others;
            let value = node.layer.candle(&inputs, own)?;
            let count = value.dim(0)?;
            values.push(match chance.and_then(|chance| node.layer.mask(count, chance.part(number))) {
                None => value,
                Some(mask) if is_vector => (value * Tensor::from_vec(mask, (count, channels), shown[0].device())?)?,
                Some(mask) => {
                    let mask = Tensor::from_vec(mask, (count, height, width, channels), shown[0].device())?;
                    (value * mask.permute((0, 3, 1, 2))?)?
                }
            });
        }
        values.pop().expect("there is an answer").contiguous()?.flatten_from(1)
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (layers, parameters) = (self.nodes.len() - self.shown(), self.parameters());
        write!(f, "{layers} layers, {parameters} parameters, {} multiplications a sample", self.multiplications())
    }
}
