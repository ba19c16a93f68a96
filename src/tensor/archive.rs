//! Named tensors with a description as the bytes of a safetensors file, under a checksum.

use std::collections::HashMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::Tensor;
use crate::error::{Error, Result};

/// What stands in the metadata.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// The CRC-32 of the description and all tensors, in the order of their names.
    checksum: u32,
    description: String,
}

/// The tensors, whose names differ, and a `description` under the `key` of the metadata.
///
/// # Errors
/// When a name cannot be written.
pub fn encode(key: &str, description: &str, tensors: &[(String, Tensor)]) -> Result<Vec<u8>> {
    let mut tensors: Vec<&(String, Tensor)> = tensors.iter().collect();
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    let bytes = |tensor: &Tensor| tensor.values().iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let all: Vec<_> = tensors.iter().map(|(name, tensor)| (name, tensor.shape().to_vec(), bytes(tensor))).collect();
    let checksum = checksum(description, all.iter().map(|(name, _, bytes)| (name.as_str(), bytes.as_slice())));
    let entry = Entry { checksum, description: description.to_owned() };
    let json = serde_json::to_string(&entry).expect("a number and a text");
    let views = all
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    let metadata = Some(HashMap::from([(key.to_owned(), json)]));
    views
        .and_then(|views| safetensors::serialize(views, metadata))
        .map_err(|error| Error::numerical(format!("tensors cannot be encoded: {error}")))
}

/// The description and the tensors, in the order of their names, that [`encode`] wrote under `key`.
///
/// # Errors
/// What is wrong with the bytes, as it follows the name of a file.
pub fn decode(key: &str, bytes: &[u8]) -> Result<(String, Vec<(String, Tensor)>), String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(&e))?;
    let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(key));
    let entry = entry.ok_or_else(|| format!("has no {key}"))?;
    let Entry { checksum: expected, description } = serde_json::from_str(entry).map_err(|e| damaged(&e))?;
    let views = sorted(bytes)?;
    if checksum(&description, views.iter().map(|(name, view)| (name.as_str(), view.data()))) != expected {
        return Err(damaged(&"its checksum is another"));
    }
    Ok((description, read(views)?))
}

/// The tensors of any safetensors file in single precision, in the order of their names.
///
/// # Errors
/// What is wrong with the bytes, as it follows the name of a file.
pub fn tensors(bytes: &[u8]) -> Result<Vec<(String, Tensor)>, String> {
    read(sorted(bytes)?)
}

fn damaged(problem: &dyn std::fmt::Display) -> String {
    format!("is damaged: {problem}")
}

fn sorted(bytes: &[u8]) -> Result<Vec<(String, TensorView<'_>)>, String> {
    let mut views = SafeTensors::deserialize(bytes).map_err(|e| damaged(&e))?.tensors();
    views.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(views)
}

fn read(views: Vec<(String, TensorView<'_>)>) -> Result<Vec<(String, Tensor)>, String> {
    let tensor = |(name, view): (String, TensorView<'_>)| {
        let (values, rest) = view.data().as_chunks();
        let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        match view.dtype() == Dtype::F32 && rest.is_empty() {
            true => Tensor::new(view.shape(), values).map(|tensor| (name, tensor)).map_err(|e| damaged(&e)),
            false => Err(format!("holds other numbers than of single precision: {name} is {:?}", view.dtype())),
        }
    };
    views.into_iter().map(tensor).collect()
}

fn checksum<'a>(description: &str, parts: impl Iterator<Item = (&'a str, &'a [u8])>) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(description.as_bytes());
    for (name, bytes) in parts {
        hasher.update(name.as_bytes());
        hasher.update(bytes);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen to fail without the checksum.
    #[test]
    fn what_was_written_comes_back_and_no_byte_may_change() {
        let tensors = vec![
            ("b".to_owned(), Tensor::new(&[2, 1], vec![f32::NAN, -0.0]).unwrap()),
            ("a".to_owned(), Tensor::scalar(2.5)),
        ];
        let bytes = encode("numbers", "of \"two\" kinds", &tensors).unwrap();
        assert_eq!(bytes, encode("numbers", "of \"two\" kinds", &[tensors[1].clone(), tensors[0].clone()]).unwrap());
        let (description, again) = decode("numbers", &bytes).unwrap();
        assert_eq!((description.as_str(), &*again[0].1.values()), ("of \"two\" kinds", &[2.5][..]));
        assert_eq!(again[1].1.shape(), [2, 1]);
        assert_eq!(
            again[1].1.values().iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
            [f32::NAN, -0.0].map(f32::to_bits)
        );
        assert_eq!(decode("others", &bytes).unwrap_err(), "has no others");
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            // A blank more or less in front of the tensors says the same.
            let is_same = decode("numbers", &flipped).is_ok_and(|(text, all)| text == description && all.len() == 2);
            assert!(!is_same || bytes[at] == b' ', "byte {at}");
            assert!(decode("numbers", &bytes[..at]).is_err());
        }
    }
}
