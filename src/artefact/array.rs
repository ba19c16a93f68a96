//! Arrays and tables of numbers.

use std::path::Path;

use super::kind::{Kind, difference_of, ending};
use crate::data::formats::{self, Array, Options};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::tensor::{Tensor, archive, number};

pub(super) const KIND: Kind = Kind { fits, describe, difference };

fn fits(name: &Path, _: &[u8]) -> bool {
    matches!(ending(name).as_str(), "npy" | "npz" | "csv" | "tsv" | "dat" | "safetensors")
}

/// The arrays of a file, each with its name where there are several.
fn arrays(name: &Path, bytes: &[u8], host: &Host) -> Result<Vec<(String, Array)>> {
    if ending(name) == "safetensors" {
        let tensors = archive::tensors(bytes).map_err(|problem| Error::file("read", name, format!("it {problem}")))?;
        let wide = |tensor: &Tensor| tensor.values().iter().map(|x| f64::from(*x)).collect();
        let array =
            |tensor: Tensor| Array { shape: tensor.shape().to_vec(), values: wide(&tensor), ..Array::default() };
        return Ok(tensors.into_iter().map(|(name, tensor)| (name, array(tensor))).collect());
    }
    let names = formats::names(name, bytes)?;
    let options = names.iter().map(|array| Options::of_array(array));
    let options = if names.is_empty() { vec![Options::default()] } else { options.collect() };
    let arrays = options.iter().map(|options| formats::decode(name, bytes, options, host));
    let names = names.iter().cloned().chain([String::new()]);
    names.zip(arrays).map(|(name, array)| Ok((name, array?))).collect()
}

fn describe(name: &Path, bytes: &[u8], host: &Host) -> Result<Vec<String>> {
    Ok(arrays(name, bytes, host)?.into_iter().map(|(name, array)| words(&name, &array)).collect())
}

fn words(name: &str, array: &Array) -> String {
    let finite = || array.values.iter().filter(|x| x.is_finite());
    let count = finite().count();
    let [least, most] = finite().fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], x| [a.min(*x), b.max(*x)]);
    let name = if name.is_empty() { "array".to_owned() } else { format!("array {name}") };
    let mut words = format!("{name} {:?}", array.shape);
    if count > 0 {
        let mean = finite().sum::<f64>() / count as f64;
        words += &format!(", from {} to {}, mean {}", number(least), number(most), number(mean));
    }
    match array.values.len() - count {
        0 => words,
        others => format!("{words}, {others} not finite"),
    }
}

fn difference(name: &Path, both: [&[u8]; 2], host: &Host) -> Result<Option<String>> {
    let [first, second] = [arrays(name, both[0], host)?, arrays(name, both[1], host)?];
    let names = |arrays: &[(String, Array)]| arrays.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    if names(&first) != names(&second) {
        let [first, second] = [first, second].map(|arrays| names(&arrays).join(", "));
        return Ok(Some(format!("the arrays are {first}, and made again {second}")));
    }
    Ok(first.iter().zip(&second).find_map(|((name, first), (_, second))| {
        let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
        match first.shape == second.shape {
            true => difference_of(&first.values, &second.values).map(|how| format!("{name}{how}")),
            false => Some(format!("{name}the shape is {:?}, and made again {:?}", first.shape, second.shape)),
        }
    }))
}
