//! Saved models, and checkpoints of training.

use std::path::Path;

use super::kind::{Kind, difference_of, ending};
use crate::error::Result;
use crate::host::Host;
use crate::process::difference as difference_of_processes;
use crate::score::{Learned, Score};

pub(super) const KIND: Kind = Kind { fits, describe, difference };

fn fits(name: &Path, bytes: &[u8]) -> bool {
    ending(name) == "safetensors" && Learned::is_saved_in(bytes)
}

fn describe(name: &Path, bytes: &[u8], host: &Host) -> Result<Vec<String>> {
    let model = Learned::decode(name, bytes, host)?;
    let process = model.process().to_string();
    let data = format!("data of shape {:?}", model.shape());
    Ok([format!("model, {model}"), data].into_iter().chain(process.lines().map(str::to_owned)).collect())
}

fn difference(name: &Path, both: [&[u8]; 2], host: &Host) -> Result<Option<String>> {
    let [first, second] = [Learned::decode(name, both[0], host)?, Learned::decode(name, both[1], host)?];
    if let Some(how) = difference_of_processes(first.process(), second.process()) {
        return Ok(Some(format!("another process: {how}")));
    }
    let [first, second] = [first.weights(), second.weights()];
    if first.steps != second.steps {
        return Ok(Some(format!("trained {} steps, and made again {}", first.steps, second.steps)));
    }
    if first.parameters.len() != second.parameters.len() {
        return Ok(Some("another network".to_owned()));
    }
    let wide = |values: &[f32]| values.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
    Ok([(&first.parameters, &second.parameters), (&first.average, &second.average)]
        .into_iter()
        .find_map(|(first, second)| difference_of(&wide(first), &wide(second))))
}
