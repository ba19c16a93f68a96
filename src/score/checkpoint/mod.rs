//! Saved models: a safetensors file that carries all a score needs, and is refused where anything does not fit.
//!
//! The process (its equations and parameters), the moments of the data, and what basis and network say of themselves
//! stand as JSON in the metadata under `tumble`, numbers with all their digits. The tensors are the network's:
//! `parameters.*`, their `average.*`, and the optimiser's `first.*` and `second.*`. A checksum covers every byte. A
//! checkpoint of training is such a file too, which says besides where its run stands.

mod header;
mod seal;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use nalgebra::DMatrix;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use super::basis::{self, Subject};
use super::{Learned, Score};
use crate::data::Moments;
use crate::error::{Error, Result};
use crate::host::{Host, Provenance};
use crate::nn::{self, Network, Weights};
use crate::process::{Process, difference};
use header::{Header, Kind};

/// Key of the metadata.
const KEY: &str = "tumble";

impl Learned {
    /// Writes the model to a safetensors file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path, host: &Host) -> Result<()> {
        host.write_bytes(path, &self.encode_run(&self.weights(), None, host.provenance())?)
    }

    /// The model as the bytes of a safetensors file.
    ///
    /// # Errors
    /// When the description of its process cannot be stored.
    pub fn encode(&self) -> Result<Vec<u8>> {
        self.encode_run(&self.weights(), None, None)
    }

    /// The model with other `weights`, what a training `run` keeps beside it, and where it comes from, as the bytes of
    /// a safetensors file.
    ///
    /// # Errors
    /// As [`Learned::encode`].
    pub(crate) fn encode_run(
        &self,
        weights: &Weights,
        run: Option<Value>,
        provenance: Option<Provenance>,
    ) -> Result<Vec<u8>> {
        let (basis, network) = (self.basis(), self.network());
        let header = Header {
            checksum: seal::BLANK.to_owned(),
            version: header::VERSION,
            process: self.process().clone(),
            shape: self.shape().to_vec(),
            mean: self.moments().mean.clone(),
            variances: self.moments().variances.clone(),
            axes: self.moments().axes.as_ref().map(|axes| axes.as_slice().to_vec()),
            units: self.units().cloned(),
            classes: basis.subject().classes().to_vec(),
            steps: weights.steps,
            basis: Kind { kind: basis.kind().to_owned(), description: basis.description() },
            network: Kind { kind: network.kind().to_owned(), description: network.description() },
            run,
            provenance,
        };
        let mut tensors = BTreeMap::new();
        for (part, values) in PARTS.iter().zip(parts(weights)) {
            for parameter in network.named_parameters() {
                let bytes: Vec<u8> = values[parameter.place].iter().flat_map(|v| v.to_le_bytes()).collect();
                tensors.insert(format!("{part}.{}", parameter.name), (parameter.shape, bytes));
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
        let bytes = views.and_then(|views| safetensors::serialize(views, Some(metadata)));
        let mut bytes = bytes.map_err(|e| broken(&e))?;
        seal::seal(&mut bytes);
        Ok(bytes)
    }

    /// Whether the bytes of a file begin like those of a saved model.
    pub fn is_saved_in(bytes: &[u8]) -> bool {
        let metadata = SafeTensors::read_metadata(bytes);
        metadata.is_ok_and(|(_, file)| file.metadata().as_ref().is_some_and(|entries| entries.contains_key(KEY)))
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
        Self::decode_run(name, bytes, host).map(|(model, _)| model)
    }

    /// Reads a model, and what a training run kept beside it, if it is a checkpoint.
    ///
    /// # Errors
    /// As [`Learned::load`].
    pub(crate) fn decode_run(name: &Path, bytes: &[u8], host: &Host) -> Result<(Self, Option<Value>)> {
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
        let mut header = header::read(json).map_err(refuse)?;
        if !seal::check(bytes).map_err(refuse)? && header.version >= header::SEALED {
            return Err(refuse("it is damaged: it has lost its checksum".to_owned()));
        }
        let run = header.run.take();
        restore(header, &file, host).map(|model| (model, run)).map_err(|error| refuse(error.to_string()))
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

/// First parts of the names of the network's tensors, in the order of [`parts`].
const PARTS: [&str; 4] = ["parameters", "average", "first", "second"];

fn parts(weights: &Weights) -> [&[f32]; 4] {
    [&weights.parameters, &weights.average, &weights.first, &weights.second]
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
    fn part(&mut self, part: &str, network: &dyn Network) -> Result<Vec<f32>, String> {
        let mut all = Vec::with_capacity(network.parameters());
        for parameter in network.named_parameters() {
            all.extend(self.take(&format!("{part}.{}", parameter.name), &parameter.shape)?);
        }
        Ok(all)
    }
}

fn restore(header: Header, file: &SafeTensors<'_>, host: &Host) -> Result<Learned> {
    let broken = |problem: String| Error::numerical(problem);
    let Header { process, shape, mean, variances, axes, units, classes, steps, basis, network, .. } = header;
    let axes = axes.map(|axes| {
        let d = mean.len();
        match axes.len() == d * d && is_orthogonal(&axes, d) {
            true => Ok(DMatrix::from_vec(d, d, axes)),
            false => Err(broken("the axes of its data are not orthogonal".to_owned())),
        }
    });
    let moments = Moments { mean, variances, axes: axes.transpose()? };
    let subject = Subject::new(process, shape, moments, units)?.with_classes(classes);
    let network = nn::restore(&network.kind, network.description, subject.inputs(), subject.outputs())?;
    let basis = basis::restore(&basis.kind, basis.description, subject)?;
    Learned::with_weights(basis, network, host, |network| {
        let mut reader = Reader { tensors: file.tensors().into_iter().collect() };
        let mut part = |part: &str| reader.part(part, network).map_err(broken);
        let [parameters, average, first, second] = [part(PARTS[0])?, part(PARTS[1])?, part(PARTS[2])?, part(PARTS[3])?];
        match reader.tensors.keys().next() {
            Some(name) => Err(broken(format!("its tensor `{name}` belongs to no network of this kind"))),
            None => Ok(Weights { parameters, average, first, second, steps }),
        }
    })
}

/// Whether vectors of `d` numbers, one behind the other, are orthogonal and of length 1.
fn is_orthogonal(vectors: &[f64], d: usize) -> bool {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let pairs =
        vectors.chunks_exact(d).enumerate().flat_map(|(i, a)| vectors.chunks_exact(d).take(i + 1).map(move |b| (a, b)));
    pairs.into_iter().all(|(a, b)| (product(a, b) - f64::from(std::ptr::eq(a, b))).abs() < 1e-9)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::Dataset;
    use crate::nn::{Activation, Mlp};
    use crate::process::{Definition, difference, fixtures};
    use crate::score::KernelBasis;
    use crate::task::Task;
    use crate::train::{Options, Schedule, train};

    /// Active noise with a parameter in its equations.
    fn process(tau: f64) -> Process {
        fixtures::symbolic(2.0).vary(&BTreeMap::from([("tau".to_owned(), tau)])).unwrap()
    }

    fn learned(data: &Dataset) -> Learned {
        learned_of(&process(0.3), data)
    }

    fn learned_of(process: &Process, data: &Dataset) -> Learned {
        let subject = Subject::of(process, data).unwrap();
        let network = Mlp::new(subject.inputs(), &[16, 8], subject.outputs(), Activation::Silu).unwrap();
        let basis = Box::new(KernelBasis::new(subject).unwrap());
        Learned::new(basis, Arc::new(network), 1, &Host::default()).unwrap()
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

    /// Versions 3 and 4 differ in what 4 may say more; the next is not known.
    #[test]
    fn versions_are_read_up_to_the_present_one() {
        let bytes = trained(1).0.encode().unwrap();
        let header = SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap();
        let present = &header["tumble"];
        let of = |version: u32| {
            let own = format!("\"version\":{}", header::VERSION);
            assert!(present.contains(&own), "{present}");
            header::read(&present.replacen(&own, &format!("\"version\":{version}"), 1))
        };
        assert!(of(3).is_ok() && of(4).is_ok());
        assert_eq!(of(5).err().unwrap(), "it has format version 5, this program reads versions up to 4");
    }

    #[test]
    fn axes_are_orthogonal_and_of_length_one() {
        assert!(is_orthogonal(&[0.6, 0.8, -0.8, 0.6], 2));
        assert!(!is_orthogonal(&[0.6, 0.8, 0.6, 0.8], 2));
        assert!(!is_orthogonal(&[1.2, 0.0, 0.0, 1.0], 2));
        assert!(!is_orthogonal(&[1.0, 0.0, 0.0, 1e-4], 2));
    }

    #[test]
    fn a_model_of_angles_comes_back_and_is_no_other() {
        let mut definition = process(0.3).definition().clone();
        definition.parameters.insert("k".to_owned(), 0.0);
        let circle = Process::new(Definition { periodic: vec!["x".into()], ..definition.clone() }, 40.0).unwrap();
        let model = learned_of(&circle, &Dataset::diamond(0.5, 0.04).unwrap());
        // x and y and an auxiliary of each, and the sines of x and y.
        assert_eq!(model.network().inputs(), 6);
        let loaded = Learned::decode(Path::new("m"), &model.encode().unwrap(), &Host::default()).unwrap();
        assert!(loaded.process().is_periodic() && loaded.weights() == model.weights());
        // What a network answers to sines is not differentiated by the angles.
        let differentiable =
            |model: &Learned| model.prepare(&[0.5], &Task::default()).unwrap().differentiator(4).is_some();
        assert!(!differentiable(&model) && differentiable(&trained(1).0));
        assert_eq!(loaded.moments(), model.moments());
        let line = Process::new(definition, 40.0).unwrap();
        assert_eq!(difference(loaded.process(), &line).unwrap(), "it is linear with angles, not linear");
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
        let exchanged = |from: &str, to: &str| {
            let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
        };
        refused(&exchanged("checksum", "checkzum"), "lost its checksum");
        refused(&exchanged(r#"tau\":0.3"#, r#"tau\":0.4"#), "its checksum is ");
        // By somebody who knew about the checksum.
        let replaced = |from: &str, to: &str| {
            let mut bytes = exchanged(from, to);
            seal::seal(&mut bytes);
            bytes
        };
        refused(&replaced("second.layer01.weight", "sekond.layer01.weight"), "`second.layer01.weight` is missing");
        refused(&replaced(r#"version\":4"#, r#"version\":7"#), "format version 7");
        refused(&replaced(r#"hidden\":[16,8]"#, r#"hidden\":[16,9]"#), "`parameters.layer01.bias` is F32 of shape [8]");
        refused(&replaced(r#"hidden\":[16,8]"#, r#"hidden\":[16,8"#), "");
        let mut nan = bytes.clone();
        let end = nan.len();
        nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        refused(&nan, "its checksum is ");
        seal::seal(&mut nan);
        refused(&nan, "not finite");
    }

    /// Seen to fail without the checksum, for every byte of the tensors.
    #[test]
    fn every_byte_counts() {
        let bytes = trained(1).0.encode().unwrap();
        let is_read = |bytes: &[u8]| Learned::decode(Path::new("m"), bytes, &Host::default()).is_ok();
        assert!(is_read(&bytes));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(!is_read(&flipped), "byte {at} of {}", bytes.len());
            assert!(!is_read(&bytes[..at]), "{at} bytes of {}", bytes.len());
        }
    }
}
