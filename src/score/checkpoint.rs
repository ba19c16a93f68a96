//! Saved models: a safetensors file that carries all a score needs, and is refused where anything does not fit.
//!
//! The process (its equations and parameters), the moments of the data and the widths of the network stand as JSON in
//! the metadata under `tumble`, numbers with all their digits. The tensors are the network's: `parameters.*`, their
//! `average.*`, and the optimiser's `first.*` and `second.*`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use nalgebra::DMatrix;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::{Learned, Mixed, Parametrisation, Score, Simulated, SimulatedMoments};
use crate::data::Moments;
use crate::error::{Error, Result};
use crate::expr::Expression;
use crate::host::Host;
use crate::nn::{Activation, Mlp, Weights};
use crate::process::{Class, Linear, Process};

/// Version of the format; raised when an older program could misread a newer file.
const VERSION: u32 = 1;

/// Key of the metadata.
const KEY: &str = "tumble";

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    process: Process,
    shape: Vec<usize>,
    mean: Vec<f64>,
    variance: f64,
    hidden: Vec<usize>,
    activation: Activation,
    steps: u64,
    /// What was measured on simulated paths, of a score without a kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    simulated: Option<SimulatedMoments>,
}

impl Learned {
    /// Writes the model to a safetensors file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path, host: &Host) -> Result<()> {
        host.write_bytes(path, &self.encode()?)
    }

    /// The model as the bytes of a safetensors file.
    ///
    /// # Errors
    /// When the description of its process cannot be stored.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let weights = self.weights();
        let header = Header {
            version: VERSION,
            process: self.process().clone(),
            shape: self.shape().to_vec(),
            mean: self.moments().mean.clone(),
            variance: self.moments().variance,
            hidden: self.network().hidden().to_vec(),
            activation: self.network().activation(),
            steps: weights.steps,
            simulated: match self.parametrisation() {
                Parametrisation::Mixed(_) => None,
                Parametrisation::Simulated(simulated) => Some(simulated.moments().clone()),
            },
        };
        let mut tensors = BTreeMap::new();
        for (part, values) in PARTS.iter().zip(parts(&weights)) {
            for (name, shape, place) in self.network().named_parameters() {
                let bytes: Vec<u8> = values[place].iter().flat_map(|v| v.to_le_bytes()).collect();
                tensors.insert(format!("{part}.{name}"), (shape, bytes));
            }
        }
        let broken = |e: &dyn std::fmt::Display| Error::numerical(format!("the model cannot be encoded: {e}"));
        let json = serde_json::to_string(&header).map_err(|e| broken(&e))?;
        // One key only: several would stand in a different order in every run.
        let metadata = HashMap::from([(KEY.to_owned(), json)]);
        let views = tensors
            .iter()
            .map(|(name, (shape, bytes))| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, _>>();
        views.and_then(|views| safetensors::serialize(views, Some(metadata))).map_err(|e| broken(&e))
    }

    /// Reads a model that [`Learned::save`] wrote, its process included.
    ///
    /// # Errors
    /// When the file cannot be read, is not one of ours, is damaged, or anything in it is missing, left over or of
    /// another shape. Nothing is ever filled in.
    pub fn load(path: &Path, host: &Host) -> Result<Self> {
        Self::decode(path, &host.read(path)?, host)
    }

    /// Reads a model from the bytes of a file, as [`Learned::load`]. Errors call the file `name`.
    ///
    /// # Errors
    /// As [`Learned::load`].
    pub fn decode(name: &Path, bytes: &[u8], host: &Host) -> Result<Self> {
        let refuse = |reason: String| Error::file("read", name, reason);
        let broken = |e: &dyn std::fmt::Display| {
            refuse(format!("it is not a whole safetensors file: {e}"))
                .with_hint("give a file that `save` wrote; if it is one, it was damaged since")
        };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| broken(&e))?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| broken(&e))?;
        let json =
            metadata.metadata().as_ref().and_then(|entries| entries.get(KEY)).ok_or_else(|| {
                refuse("it was not saved by this program: the metadata has no entry `tumble`".to_owned())
            })?;
        let header = read_header(json).map_err(refuse)?;
        restore(header, &file, host).map_err(|error| refuse(error.to_string()))
    }

    /// Reads a model and checks that its process is `process`.
    ///
    /// # Errors
    /// As [`Learned::load`], and when the processes differ: names the first number that does.
    pub fn load_for(path: &Path, process: &Process, host: &Host) -> Result<Self> {
        let model = Self::load(path, host)?;
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
    for (name, value) in saved.parameters() {
        match given.parameters().get(name) {
            Some(other) if other != value => return Some(format!("`{name}` is {value}, not {other}")),
            _ => {}
        }
    }
    if saved.horizon() != given.horizon() {
        return Some(format!("`horizon` is {}, not {}", saved.horizon(), given.horizon()));
    }
    if saved.coordinates() != given.coordinates() || saved.kind() != given.kind() {
        return Some(format!("it is {}, not {}", nature(saved), nature(given)));
    }
    if saved.class() == Class::Nonlinear {
        return different_equation(saved, given);
    }
    // Equal equations may be written differently, so it is the numbers that are compared.
    let times: &[f64] = if saved.class() == Class::Constant { &[0.0] } else { &[0.0, 0.3, 0.7, 1.0] };
    times.iter().find_map(|part| different_number(saved, given, part * saved.horizon()))
}

fn nature(process: &Process) -> String {
    let coupled = process.coordinates().map(|d| format!(" with {d} coupled coordinates")).unwrap_or_default();
    format!("{}{coupled}", process.kind())
}

fn different_equation(saved: &Process, given: &Process) -> Option<String> {
    let (own, other) = (saved.definition(), given.definition());
    let drifts = own.drift.iter().zip(&other.drift);
    let noises = own.noise.iter().flatten().zip(other.noise.iter().flatten());
    let stored = |expression: &Expression| serde_json::to_string(expression).ok();
    let (a, b) = drifts.chain(noises).find(|(a, b)| stored(a) != stored(b))?;
    Some(format!("it has `{a}` where the other has `{b}`"))
}

fn different_number(saved: &Process, given: &Process, time: f64) -> Option<String> {
    let (own, other) = (saved.linear_at(time).ok()?, given.linear_at(time).ok()?);
    matrices(&own).into_iter().zip(matrices(&other)).find_map(|((name, saved_matrix), (_, matrix))| {
        if saved_matrix.shape() != matrix.shape() {
            return Some(format!("its {name} is of shape {:?}, not {:?}", saved_matrix.shape(), matrix.shape()));
        }
        let at = saved_matrix.iter().zip(matrix.iter()).position(|(a, b)| a != b)?;
        let entry = entry(name, at % matrix.nrows(), at / matrix.nrows(), &saved.component_names());
        Some(format!("its {name}{entry} is {}, not {}", saved_matrix[at], matrix[at]))
    })
}

/// "[x, eta]" for an entry of a matrix over blocks, "[x, source 0]" for one of the noise, "[x]" for one of a vector.
fn entry(name: &str, row: usize, column: usize, blocks: &[String]) -> String {
    // Not by the number of columns: there may be as many sources as blocks, or one of each.
    match name {
        "drift" => format!("[{}, {}]", blocks[row], blocks[column]),
        "noise" => format!("[{}, source {column}]", blocks[row]),
        _ => format!("[{}]", blocks[row]),
    }
}

fn matrices(linear: &Linear) -> [(&'static str, DMatrix<f64>); 5] {
    let column = |v: &nalgebra::DVector<f64>| DMatrix::from_column_slice(v.len(), 1, v.as_slice());
    [
        ("drift", linear.drift.clone()),
        ("constant drift", column(&linear.offset)),
        ("noise", linear.noise.clone()),
        ("mean at t = 0", column(&linear.start_mean)),
        ("deviation at t = 0", column(&linear.start_std)),
    ]
}

/// First parts of the names of the network's tensors, in the order of [`parts`].
const PARTS: [&str; 4] = ["parameters", "average", "first", "second"];

fn parts(weights: &Weights) -> [&[f32]; 4] {
    [&weights.parameters, &weights.average, &weights.first, &weights.second]
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
    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let view = self.tensors.remove(name).ok_or_else(|| format!("its tensor `{name}` is missing"))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            let (dtype, found) = (view.dtype(), view.shape());
            return Err(format!("its tensor `{name}` is {dtype:?} of shape {found:?}, not F32 of shape {shape:?}"));
        }
        let (values, _) = view.data().as_chunks();
        let values: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        match values.iter().all(|v| v.is_finite()) {
            true => Ok(values),
            false => Err(format!("its tensor `{name}` holds numbers that are not finite")),
        }
    }

    /// All tensors of one part, in the order of parameters.
    fn part(&mut self, part: &str, network: &Mlp) -> Result<Vec<f32>, String> {
        let mut all = Vec::with_capacity(network.parameters());
        for (name, shape, _) in network.named_parameters() {
            all.extend(self.take(&format!("{part}.{name}"), &shape)?);
        }
        Ok(all)
    }
}

fn restore(header: Header, file: &SafeTensors<'_>, host: &Host) -> Result<Learned> {
    let broken = |problem: String| Error::numerical(problem);
    let Header { process, shape, mean, variance, hidden, activation, steps, simulated, .. } = header;
    let dimension = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
    if dimension != Some(mean.len()) || mean.is_empty() || !(variance >= 0.0 && variance.is_finite()) {
        let means = mean.len();
        return Err(broken(format!("its data has shape {shape:?}, {means} means and variance {variance}")));
    }
    let moments = Moments { mean, variance };
    let parametrisation = match simulated {
        None => Parametrisation::Mixed(Mixed::new(&process, &moments)?),
        Some(measured) => {
            let copies = process.copies(moments.mean.len())?;
            Parametrisation::Simulated(Box::new(Simulated::restore(&process, copies, measured)?))
        }
    };
    Learned::restore(parametrisation, &shape, &moments, &hidden, activation, host, |network| {
        let mut reader = Reader { tensors: file.tensors().into_iter().collect() };
        let mut part = |part: &str| reader.part(part, network).map_err(broken);
        let [parameters, average, first, second] = [part(PARTS[0])?, part(PARTS[1])?, part(PARTS[2])?, part(PARTS[3])?];
        match reader.tensors.keys().next() {
            Some(name) => Err(broken(format!("its tensor `{name}` belongs to no network of this kind"))),
            None => Ok(Weights { parameters, average, first, second, steps }),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::process::Linear;
    use crate::task::Task;
    use crate::train::{Options, Schedule, train};

    /// Active noise with a parameter in its equations.
    fn process(tau: f64) -> Process {
        let mut runtime = crate::Runtime::new();
        runtime.set("tau", tau);
        runtime.eval("process::active(#{ tau: tau })").unwrap()
    }

    fn learned(data: &Dataset) -> Learned {
        let (process, activation) = (process(0.3), Activation::Silu);
        Learned::mlp(&process, data.shape(), data.moments(), &[16, 8], activation, 1, &Host::default()).unwrap()
    }

    /// A model after `steps` steps of training.
    fn trained(steps: u64) -> (Learned, Dataset) {
        let data = Dataset::diamond(0.5, 0.04).unwrap();
        let model = learned(&data);
        train(&model, &data, &options(steps), &Task::default()).unwrap();
        (model, data)
    }

    fn options(steps: u64) -> Options {
        Options { steps, batch: 32, schedule: Schedule::Constant, ..Options::default() }
    }

    #[test]
    fn a_saved_model_comes_back_to_the_bit_and_trains_on() {
        let (folder, host) = (tempfile::tempdir().unwrap(), Host::default());
        let path = folder.path().join("m.safetensors");
        let (model, data) = trained(5);
        model.save(&path, &host).unwrap();
        let first = std::fs::read(&path).unwrap();
        let loaded = Learned::load_for(&path, &process(0.3), &host).unwrap();
        assert_eq!(loaded.weights(), model.weights());
        assert_eq!(loaded.process().constant(), model.process().constant());
        assert_eq!(loaded.process().horizon(), model.process().horizon());
        assert_eq!((loaded.moments(), loaded.shape()), (model.moments(), model.shape()));
        loaded.save(&path, &host).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        train(&loaded, &data, &options(5), &Task::default()).unwrap();
        assert_eq!(loaded.weights(), trained(10).0.weights());
    }

    #[test]
    fn another_process_is_refused_and_named() {
        let (folder, host) = (tempfile::tempdir().unwrap(), Host::default());
        let path = folder.path().join("m.safetensors");
        trained(1).0.save(&path, &host).unwrap();
        let error = Learned::load_for(&path, &process(0.4), &host).unwrap_err().to_string();
        assert!(error.contains("`tau` is 0.3, not 0.4"), "{error}");
    }

    #[test]
    fn columns_of_the_noise_are_sources_even_where_they_are_as_many_as_blocks() {
        let saved = process(0.3);
        let changed = |change: &dyn Fn(&mut Linear)| {
            let mut linear = saved.constant().unwrap().clone();
            linear.noise = DMatrix::identity(2, 2);
            change(&mut linear);
            Process::from_linear("active", &["x", "eta"], linear, saved.horizon()).unwrap()
        };
        let same = changed(&|_| {});
        let noise = difference(&same, &changed(&|linear| linear.noise[(1, 1)] = 2.0)).unwrap();
        assert!(noise.starts_with("its noise[eta, source 1] is 1, not 2"), "{noise}");
        let drift = difference(&same, &changed(&|linear| linear.drift[(0, 1)] = 2.0)).unwrap();
        assert!(drift.starts_with("its drift[x, eta] is 1, not 2"), "{drift}");
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = trained(1).0.encode().unwrap();
        let refused = |bytes: &[u8], problem: &str| {
            let error = Learned::decode(Path::new("m.safetensors"), bytes, &Host::default()).unwrap_err().to_string();
            assert!(error.starts_with("cannot read `m.safetensors`: ") && error.contains(problem), "{error}");
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
