//! In what the training of a checkpoint differs from the one that is to go on.

use crc32fast::Hasher;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::data::Dataset;
use crate::nn::Weights;
use crate::process::difference;
use crate::score::{Learned, Score};
use crate::task::Device;
use crate::train::Options;

/// What a training begins with, besides the model without its weights.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Origin {
    #[serde(deserialize_with = "with_device")]
    options: Map<String, Value>,
    /// Fingerprint of the data.
    data: u32,
    /// Fingerprint of the weights.
    weights: u32,
}

impl Origin {
    pub(super) fn new(options: &Options, data: &Dataset, weights: &Weights) -> Self {
        let options = match serde_json::to_value(options) {
            Ok(Value::Object(options)) => options,
            other => panic!("options are a map of numbers and words, not {other:?}"),
        };
        Self { options, data: data.fingerprint(), weights: fingerprint(weights) }
    }
}

/// Options of which those of older versions have a `backend` for the device.
fn with_device<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let mut options = Map::deserialize(deserializer)?;
    if let Some(backend) = options.remove("backend") {
        let device = if backend == "fused" { Value::from(Device::Cpu.name()) } else { backend };
        options.insert("device".to_owned(), device);
    }
    Ok(options)
}

fn fingerprint(weights: &Weights) -> u32 {
    let Weights { parameters, average, first, second, steps } = weights;
    let mut hasher = Hasher::new();
    for value in [parameters, average, first, second].into_iter().flatten() {
        hasher.update(&value.to_bits().to_le_bytes());
    }
    hasher.update(&steps.to_le_bytes());
    hasher.finalize()
}

/// All differences that are found, of what is kept from what is given. The given model may stand where the training
/// began, or where the checkpoint is: there it is after a stop, in the session that was stopped.
pub(super) fn differences(kept: (&Learned, &Origin), given: (&Learned, &Origin)) -> Vec<String> {
    let ((kept_model, kept), (given_model, given)) = (kept, given);
    let mut found: Vec<_> = models(kept_model, given_model);
    let none = Value::Null;
    for (name, value) in &given.options {
        let other = kept.options.get(name).unwrap_or(&none);
        if other != value {
            found.push(format!("`{name}` is {} there, {} here", written(other), written(value)));
        }
    }
    if kept.data != given.data {
        found.push("the data are others".to_owned());
    }
    // Another network has other weights anyway.
    let is_known = || kept.weights == given.weights || fingerprint(&kept_model.weights()) == given.weights;
    if found.is_empty() && !is_known() {
        let what = "the weights are neither those before its first step nor those of the checkpoint, by another seed or \
                    other training";
        found.push(what.to_owned());
    }
    found
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => "not given".to_owned(),
        value => value.to_string(),
    }
}

fn models(kept: &Learned, given: &Learned) -> Vec<String> {
    let [kept_subject, given_subject] = [kept, given].map(|model| model.basis().subject());
    let mut found: Vec<_> = difference(kept.process(), given.process())
        .map(|difference| format!("of its process {difference}"))
        .into_iter()
        .collect();
    if kept.shape() != given.shape() {
        found.push(format!("a datum is of shape {:?} there, {:?} here", kept.shape(), given.shape()));
    }
    let data = |model: &Learned| (model.moments().clone(), model.units().cloned());
    if data(kept) != data(given) || kept_subject.classes() != given_subject.classes() {
        found.push("the score was made for other data".to_owned());
    }
    let basis = |model: &Learned| (model.basis().kind(), model.basis().description());
    if found.is_empty() && basis(kept) != basis(given) {
        found.push("what the network is shown is prepared in another way".to_owned());
    }
    let network = |model: &Learned| (model.network().kind(), model.network().description());
    if network(kept) != network(given) {
        found.push(match (kept.network().to_string(), given.network().to_string()) {
            (kept, given) if kept != given => format!("the network is {kept} there, {given} here"),
            _ => "the network has other layers".to_owned(),
        });
    }
    found
}
