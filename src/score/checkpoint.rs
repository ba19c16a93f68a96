//! Saved models: a safetensors file that carries all a score needs, and is refused where anything does not fit.
//!
//! Numbers stand in tensors, bit for bit: the process and the moments of the data in double precision under `process.*`
//! and `data.*`, the network under `parameters.*`, `average.*` and the optimiser's `first.*`, `second.*`. Names and
//! widths stand as JSON in the metadata, under `tumble`.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;

use nalgebra::{DMatrix, DVector};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::{Learned, Score};
use crate::data::Moments;
use crate::error::{Error, Result};
use crate::files;
use crate::nn::{Activation, Mlp, Weights};
use crate::process::{Linear, Process};

/// Version of the format; raised when an older program could misread a newer file.
const VERSION: u32 = 1;

/// Key of the metadata.
const KEY: &str = "tumble";

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    process: String,
    blocks: Vec<String>,
    shape: Vec<usize>,
    hidden: Vec<usize>,
    activation: Activation,
    steps: u64,
}

impl Learned {
    /// Writes the model to a safetensors file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let linear = self.process().linear();
        let weights = self.weights();
        let header = Header {
            version: VERSION,
            process: self.process().name().to_owned(),
            blocks: self.process().blocks().to_vec(),
            shape: self.shape().to_vec(),
            hidden: self.network().hidden().to_vec(),
            activation: self.network().activation(),
            steps: weights.steps,
        };
        let mut tensors = BTreeMap::new();
        for (name, shape, values) in numbers(linear, self.process().horizon(), self.moments()) {
            tensors.insert(name.to_owned(), Stored::new(Dtype::F64, shape, values.iter().map(|v| v.to_le_bytes())));
        }
        for (part, values) in PARTS.iter().zip(parts(&weights)) {
            for (name, shape, place) in self.network().named_parameters() {
                let stored = Stored::new(Dtype::F32, shape, values[place].iter().map(|v| v.to_le_bytes()));
                tensors.insert(format!("{part}.{name}"), stored);
            }
        }
        let broken = |e: &dyn std::fmt::Display| Error::file("write", path, e);
        let json = serde_json::to_string(&header).map_err(|e| broken(&e))?;
        // One key only: several would stand in a different order in every run.
        let metadata = HashMap::from([(KEY.to_owned(), json)]);
        let views = tensors.iter().map(|(name, stored)| Ok((name, stored.view()?))).collect::<Result<Vec<_>, _>>();
        let bytes = views.and_then(|views| safetensors::serialize(views, Some(metadata))).map_err(|e| broken(&e))?;
        files::write(path, |out| std::io::Write::write_all(out, &bytes).map_err(|e| broken(&e)))
    }

    /// Reads a model that [`Learned::save`] wrote, its process included.
    ///
    /// # Errors
    /// When the file cannot be read, is not one of ours, is damaged, or anything in it is missing, left over or of
    /// another shape. Nothing is ever filled in.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = files::read(path)?;
        let refuse = |reason: String| Error::file("read", path, reason);
        let broken = |e: &dyn std::fmt::Display| {
            refuse(format!("it is not a whole safetensors file: {e}")).with_hint("save the model again")
        };
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| broken(&e))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| broken(&e))?;
        let json =
            metadata.metadata().as_ref().and_then(|entries| entries.get(KEY)).ok_or_else(|| {
                refuse("it was not saved by this program: the metadata has no entry `tumble`".to_owned())
            })?;
        let header = read_header(json).map_err(refuse)?;
        restore(&header, &file).map_err(|error| match error {
            Error::File { .. } => error,
            other => refuse(other.to_string()),
        })
    }

    /// Reads a model and checks that its process is `process`.
    ///
    /// # Errors
    /// As [`Learned::load`], and when the processes differ: names the first number that does.
    pub fn load_for(path: &Path, process: &Process) -> Result<Self> {
        let model = Self::load(path)?;
        match difference(model.process(), process) {
            None => Ok(model),
            Some(difference) => {
                let reason = format!("it was trained for another process: {difference}");
                Err(Error::file("read", path, reason).with_hint("load it without a process to get the one it carries"))
            }
        }
    }
}

/// The first thing in which the process `saved` in a file differs from one that is `given`.
pub fn difference(saved: &Process, given: &Process) -> Option<String> {
    if saved.blocks() != given.blocks() {
        return Some(format!("its blocks are {}, not {}", saved.blocks().join(", "), given.blocks().join(", ")));
    }
    let none = Moments { mean: vec![], variance: 0.0 };
    let of = |process: &Process| numbers(process.linear(), process.horizon(), &none);
    for ((name, shape, saved_values), (_, given_shape, given_values)) in of(saved).into_iter().zip(of(given)) {
        let label = name.trim_start_matches("process.");
        if shape != given_shape {
            return Some(format!("{label} is of shape {shape:?}, not {given_shape:?}"));
        }
        if let Some(at) = (0..saved_values.len()).find(|&i| saved_values[i] != given_values[i]) {
            let entry = entry(&shape, at, saved.blocks());
            return Some(format!("{label}{entry} is {}, not {}", saved_values[at], given_values[at]));
        }
    }
    None
}

/// "[x, eta]" for an entry of a matrix over blocks, "[eta]" for one of a vector, "" for a number.
fn entry(shape: &[usize], at: usize, blocks: &[String]) -> String {
    let block = |i: usize| blocks.get(i).cloned().unwrap_or_else(|| i.to_string());
    match *shape {
        [_, columns] if columns == blocks.len() => format!("[{}, {}]", block(at / columns), block(at % columns)),
        [_, columns] => format!("[{}, source {}]", block(at / columns), at % columns),
        [1] => String::new(),
        _ => format!("[{}]", block(at)),
    }
}

/// The numbers of process and data with their names and shapes, matrices row by row.
fn numbers(linear: &Linear, horizon: f64, moments: &Moments) -> Vec<(&'static str, Vec<usize>, Vec<f64>)> {
    let matrix = |m: &DMatrix<f64>| (vec![m.nrows(), m.ncols()], m.transpose().as_slice().to_vec());
    let vector = |v: &[f64]| (vec![v.len()], v.to_vec());
    [
        ("process.horizon", vector(&[horizon])),
        ("process.drift", matrix(&linear.drift)),
        ("process.offset", vector(linear.offset.as_slice())),
        ("process.noise", matrix(&linear.noise)),
        ("process.start_mean", vector(linear.start_mean.as_slice())),
        ("process.start_std", vector(linear.start_std.as_slice())),
        ("data.mean", vector(&moments.mean)),
        ("data.variance", vector(&[moments.variance])),
    ]
    .map(|(name, (shape, values))| (name, shape, values))
    .into()
}

/// First parts of the names of the network's tensors, in the order of [`parts`].
const PARTS: [&str; 4] = ["parameters", "average", "first", "second"];

fn parts(weights: &Weights) -> [&[f32]; 4] {
    [&weights.parameters, &weights.average, &weights.first, &weights.second]
}

struct Stored {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Stored {
    fn new<const N: usize>(dtype: Dtype, shape: Vec<usize>, values: impl Iterator<Item = [u8; N]>) -> Self {
        Self { dtype, shape, bytes: values.flatten().collect() }
    }

    fn view(&self) -> Result<TensorView<'_>, safetensors::SafeTensorError> {
        TensorView::new(self.dtype, self.shape.clone(), &self.bytes)
    }
}

fn read_header(json: &str) -> Result<Header, String> {
    let version = serde_json::from_str::<serde_json::Value>(json).ok().and_then(|value| value["version"].as_u64());
    match version {
        Some(version) if version != u64::from(VERSION) => {
            Err(format!("it has format version {version}, this program reads version {VERSION}"))
        }
        _ => serde_json::from_str(json).map_err(|e| format!("its description is damaged: {e}")),
    }
}

/// Takes tensors out of a file by name, so that what is left over shows.
struct Reader<'a> {
    tensors: BTreeMap<String, TensorView<'a>>,
}

impl Reader<'_> {
    fn take<const N: usize, T>(
        &mut self,
        name: &str,
        shape: &[usize],
        dtype: Dtype,
        decode: fn([u8; N]) -> T,
    ) -> Result<Vec<T>> {
        let damaged = |problem: String| Error::numerical(format!("its tensor `{name}` {problem}"));
        let view = self.tensors.remove(name).ok_or_else(|| damaged("is missing".to_owned()))?;
        if view.dtype() != dtype || view.shape() != shape {
            let (found, known) = (view.dtype(), view.shape());
            return Err(damaged(format!("is {found:?} of shape {known:?}, not {dtype:?} of shape {shape:?}")));
        }
        let (values, _) = view.data().as_chunks::<N>();
        Ok(values.iter().map(|bytes| decode(*bytes)).collect())
    }

    fn double(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
        let values = self.take(name, shape, Dtype::F64, f64::from_le_bytes)?;
        match values.iter().all(|v| v.is_finite()) {
            true => Ok(values),
            false => Err(Error::numerical(format!("its tensor `{name}` holds numbers that are not finite"))),
        }
    }

    fn single(&mut self, part: &str, parameters: &[(String, Vec<usize>, Range<usize>)]) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for (name, shape, _) in parameters {
            let name = format!("{part}.{name}");
            let values = self.take(&name, shape, Dtype::F32, f32::from_le_bytes)?;
            if !values.iter().all(|v| v.is_finite()) {
                return Err(Error::numerical(format!("its tensor `{name}` holds numbers that are not finite")));
            }
            all.extend(values);
        }
        Ok(all)
    }
}

fn restore(header: &Header, file: &SafeTensors<'_>) -> Result<Learned> {
    let mut reader = Reader { tensors: file.tensors().into_iter().collect() };
    let process = restore_process(header, &mut reader)?;
    let dimension = header.shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n)).unwrap_or(0);
    let mean = reader.double("data.mean", &[dimension])?;
    let variance = reader.double("data.variance", &[1])?[0];
    if !(dimension > 0 && variance >= 0.0) {
        return Err(Error::numerical(format!("its data has shape {:?} and variance {variance}", header.shape)));
    }
    let moments = Moments { mean, variance };
    Learned::restore(&process, &header.shape, &moments, &header.hidden, header.activation, |network: &Mlp| {
        let parameters = network.named_parameters();
        let mut part = |part: &str| reader.single(part, &parameters);
        let [parameters, average, first, second] = [part(PARTS[0])?, part(PARTS[1])?, part(PARTS[2])?, part(PARTS[3])?];
        match reader.tensors.keys().next() {
            Some(name) => Err(Error::numerical(format!("its tensor `{name}` belongs to no network of this kind"))),
            None => Ok(Weights { parameters, average, first, second, steps: header.steps }),
        }
    })
}

fn restore_process(header: &Header, reader: &mut Reader<'_>) -> Result<Process> {
    let size = header.blocks.len();
    let sources = match reader.tensors.get("process.noise").map(TensorView::shape) {
        Some([_, sources]) => *sources,
        _ => 0,
    };
    let linear = Linear {
        drift: DMatrix::from_row_slice(size, size, &reader.double("process.drift", &[size, size])?),
        offset: DVector::from_vec(reader.double("process.offset", &[size])?),
        noise: DMatrix::from_row_slice(size, sources, &reader.double("process.noise", &[size, sources])?),
        start_mean: DVector::from_vec(reader.double("process.start_mean", &[size])?),
        start_std: DVector::from_vec(reader.double("process.start_std", &[size])?),
    };
    let horizon = reader.double("process.horizon", &[1])?[0];
    let blocks: Vec<&str> = header.blocks.iter().map(String::as_str).collect();
    Process::from_linear(&header.process, &blocks, linear, horizon)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::task::Task;
    use crate::train::{Options, Schedule, train};

    fn process(tau: f64) -> Process {
        let linear = Linear {
            drift: DMatrix::from_row_slice(2, 2, &[-1.0, 1.0, 0.0, -1.0 / tau]),
            offset: DVector::from_vec(vec![0.1, 0.0]),
            noise: DMatrix::from_row_slice(2, 1, &[0.0, f64::sqrt(2.0) / tau]),
            start_mean: DVector::zeros(2),
            start_std: DVector::from_vec(vec![0.0, f64::sqrt(1.0 / tau)]),
        };
        Process::from_linear("active", &["x", "eta"], linear, 2.0).unwrap()
    }

    /// A model after `steps` steps of training.
    fn trained(steps: u64) -> (Learned, Dataset) {
        let data = Dataset::diamond(0.5, 0.04).unwrap();
        let model = Learned::mlp(&process(0.3), data.shape(), data.moments(), &[16, 8], Activation::Silu, 1).unwrap();
        train(&model, &data, &options(steps), &Task::default()).unwrap();
        (model, data)
    }

    fn options(steps: u64) -> Options {
        Options { steps, batch: 32, schedule: Schedule::Constant, ..Options::default() }
    }

    #[test]
    fn a_saved_model_comes_back_to_the_bit_and_trains_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        let (model, data) = trained(5);
        model.save(&path).unwrap();
        let first = std::fs::read(&path).unwrap();
        let loaded = Learned::load_for(&path, &process(0.3)).unwrap();
        assert_eq!(loaded.weights(), model.weights());
        assert_eq!(loaded.process().linear(), model.process().linear());
        assert_eq!(loaded.process().horizon(), model.process().horizon());
        assert_eq!((loaded.moments(), loaded.shape()), (model.moments(), model.shape()));
        loaded.save(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        train(&loaded, &data, &options(5), &Task::default()).unwrap();
        assert_eq!(loaded.weights(), trained(10).0.weights());
    }

    #[test]
    fn another_process_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        trained(1).0.save(&path).unwrap();
        let error = Learned::load_for(&path, &process(0.4)).unwrap_err().to_string();
        assert!(error.contains("drift[eta, eta] is -3.33") && error.contains("not -2.5"), "{error}");
    }

    #[test]
    fn damaged_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        trained(1).0.save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let refused = |bytes: &[u8], problem: &str| {
            std::fs::write(&path, bytes).unwrap();
            let error = Learned::load(&path).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        };
        refused(&bytes[..bytes.len() - 1], "not a whole safetensors file");
        refused(&bytes[..100], "not a whole safetensors file");
        refused(&[], "not a whole safetensors file");
        refused(b"PK and more text than eight", "not a whole safetensors file");
        let replaced = |from: &str, to: &str| {
            let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
        };
        refused(&replaced("second.layer01.weight", "sekond.layer01.weight"), "`second.layer01.weight` is missing");
        refused(&replaced(r#"version\":1"#, r#"version\":7"#), "format version 7");
        refused(&replaced(r#"hidden\":[16,8]"#, r#"hidden\":[16,9]"#), "`parameters.layer01.bias` is F32 of shape [8]");
        refused(&replaced(r#"hidden\":[16,8]"#, r#"hidden\":[16,8"#), "");
        let mut nan = bytes.clone();
        let end = nan.len();
        nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        refused(&nan, "not finite");
    }
}
