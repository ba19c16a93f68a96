//! What a saved model says of itself, in all versions of the format.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::data::Units;
use crate::host::Provenance;
use crate::process::Process;

/// Version of the format; raised when an older program could misread a newer file.
pub(super) const VERSION: u32 = 4;
/// The first version that has a checksum.
pub(super) const SEALED: u32 = 4;

/// The description of a model.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    /// Of the whole file; the first of all, where [`seal`](super::seal) looks for it.
    #[serde(default)]
    pub(super) checksum: String,
    pub(super) version: u32,
    pub(super) process: Process,
    pub(super) shape: Vec<usize>,
    pub(super) mean: Vec<f64>,
    /// Along each axis; in version 2 and before, one for all.
    pub(super) variances: Vec<f64>,
    /// The axes, one behind the other, [d·d], where they are not the coordinates.
    pub(super) axes: Option<Vec<f64>>,
    /// Where the data are normalised.
    pub(super) units: Option<Units>,
    /// The classes that the data have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) classes: Vec<String>,
    pub(super) steps: u64,
    pub(super) basis: Kind,
    pub(super) network: Kind,
    /// What a training run that was not at its end keeps beside the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) run: Option<Value>,
    /// Where the model comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) provenance: Option<Provenance>,
}

/// A thing of several kinds, and what it says of itself.
#[derive(Serialize, Deserialize)]
pub(super) struct Kind {
    pub(super) kind: String,
    #[serde(flatten)]
    pub(super) description: Value,
}

/// Reads the description of a model of any version.
pub(super) fn read(json: &str) -> Result<Header, String> {
    let damaged = |e: serde_json::Error| format!("its description is damaged: {e}");
    let header: Value = serde_json::from_str(json).map_err(damaged)?;
    let header = match header["version"].as_u64() {
        Some(1) => from_second(from_first(header)),
        Some(2) => from_second(header),
        Some(3) => header,
        Some(version) if version != u64::from(VERSION) => {
            return Err(format!("it has format version {version}, this program reads versions up to {VERSION}"));
        }
        _ => header,
    };
    serde_json::from_value(header).map_err(damaged)
}

/// Version 2 had one variance for all coordinates.
fn from_second(mut header: Value) -> Value {
    let count = header["mean"].as_array().map_or(0, Vec::len);
    let variance = header.as_object_mut().and_then(|entries| entries.remove("variance")).unwrap_or_default();
    header["variances"] = vec![variance; count].into();
    header
}

/// Version 1 had perceptrons only, and the numbers of simulated paths where there were some.
fn from_first(mut header: Value) -> Value {
    let mut take = |key: &str| header.as_object_mut().and_then(|entries| entries.remove(key)).unwrap_or_default();
    let network = json!({ "kind": "mlp", "hidden": take("hidden"), "activation": take("activation") });
    let mut basis = take("simulated");
    match &mut basis {
        Value::Object(measured) => {
            measured.insert("kind".to_owned(), json!("simulated"));
        }
        _ => basis = json!({ "kind": "kernel" }),
    }
    header["network"] = network;
    header["basis"] = basis;
    header
}
