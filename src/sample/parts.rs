//! Many samples part by part, each kept in a folder when it is complete: what was stopped goes on behind the last.
//!
//! The random numbers of a block of samples depend on the seed and its number only, so the bits are those of a run that
//! was never stopped. A part is a safetensors file that says what it is a part of, with a checksum; one that is damaged
//! is computed again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::adaptive::GROUP;
use super::at::score_at;
use super::options::Options;
use super::state::{Run, State};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::process::PriorLaw;
use crate::rng::{Purpose, Stream};
use crate::score::Score;
use crate::settings::{Setting, Values};
use crate::task::Task;
use crate::tensor::{Tensor, archive};

/// What can be set of samples that are kept part by part.
pub const PARTS: &[Setting] = &[
    Setting::text("checkpoint", "folder in which samples are kept part by part, whole at any moment").or_else("none"),
    Setting::count("every", "with `checkpoint`, samples of a part, rounded up to a multiple of 1024").or_else("65_536"),
    Setting::flag("resume", "with `checkpoint`, whether parts that are there are taken as they are"),
];

/// A folder for samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Where it is; it is made where it does not exist.
    pub path: PathBuf,
    /// Samples of a part.
    pub every: usize,
    /// Whether parts that are there are taken as they are.
    pub resume: bool,
}

impl Folder {
    /// What `values` of [`PARTS`] set, if they name a folder.
    ///
    /// # Errors
    /// When something is set of a folder that is not named.
    pub fn read(values: &Values) -> Result<Option<Self>> {
        let (every, resume) = (values.count_if_given("every"), values.flag("resume"));
        let path = values.text_if_given("checkpoint").map(PathBuf::from);
        let given = [("every", every.is_some()), ("resume", resume)];
        match (path, given.iter().find(|(_, is_given)| *is_given)) {
            (Some(path), _) => Ok(Some(Self { path, every: every.unwrap_or(1 << 16), resume })),
            (None, None) => Ok(None),
            (None, Some((name, _))) => {
                Err(Error::argument(*name, "is about parts that are kept, and no folder for them is given")
                    .with_hint("write checkpoint: \"runs/samples\""))
            }
        }
    }
}

/// What a part says of itself besides its tensors.
#[derive(Serialize, Deserialize)]
struct Description {
    origin: Origin,
    first: usize,
    time: f64,
    times: Vec<f64>,
    run: Option<Run>,
    warnings: Vec<String>,
}

/// What the samples are samples of, as words.
type Origin = BTreeMap<String, String>;

/// Key of the metadata.
const KEY: &str = "tumble samples";

/// The parts in a folder.
pub(super) struct Parts<'a> {
    folder: PathBuf,
    every: usize,
    origin: Origin,
    score: &'a dyn Score,
    task: &'a Task,
}

impl<'a> Parts<'a> {
    /// Opens a folder, which is made where it does not exist.
    ///
    /// # Errors
    /// When it cannot be used, or has parts and they are not to be taken.
    pub(super) fn open(
        folder: &Folder,
        score: &'a dyn Score,
        law: PriorLaw,
        options: &Options,
        task: &'a Task,
    ) -> Result<Self> {
        let host = task.host();
        host.create_folder(&folder.path)?;
        host.sweep(&folder.path, |name| number(Path::new(name)).is_some())?;
        let found = host.entries(&folder.path)?.into_iter().find(|entry| number(&entry.path).is_some());
        if let Some(part) = found.filter(|_| !folder.resume) {
            return Err(Error::argument("checkpoint", format!("has samples already, `{}`", part.path.display()))
                .with_hint("resume: true goes on from there; other samples need another folder"));
        }
        let every = folder.every.div_ceil(GROUP) * GROUP;
        let origin = origin(score, law, options, every, task)?;
        Ok(Self { folder: folder.path.clone(), every, origin, score, task })
    }

    /// All samples: parts that are there, and those that `draw(first, count)` gives.
    ///
    /// # Errors
    /// Those of `draw`; when a part is of something else or cannot be written.
    pub(super) fn all(&self, count: usize, draw: impl Fn(usize, usize) -> Result<State>) -> Result<State> {
        let mut parts = Vec::new();
        let mut taken = 0;
        for first in (0..count.max(1)).step_by(self.every) {
            let (size, path) = (self.every.min(count - first), self.folder.join(name(first)));
            let state = match self.read(&path, first, size)? {
                Some(state) => {
                    taken += size;
                    state
                }
                None => {
                    if taken > 0 {
                        let folder = self.folder.display();
                        self.task.note(&format!("sample: goes on after {taken} of {count} samples, from `{folder}`"));
                        taken = 0;
                    }
                    let state = draw(first, size)?;
                    self.task.host().write_bytes(&path, &self.encode(first, &state)?)?;
                    state
                }
            };
            parts.push(state);
        }
        joined(parts, self.task.host())
    }

    /// The part in a file, if it is there and whole.
    fn read(&self, path: &Path, first: usize, size: usize) -> Result<Option<State>> {
        if !self.task.host().has_file(path)? {
            return Ok(None);
        }
        let bytes = self.task.host().peek(path)?;
        match decode(&bytes) {
            Ok((description, tensors)) => {
                self.check(path, &description.origin)?;
                let is_it = description.first == first;
                let state = Some(self.state(description, tensors)).filter(|state| is_it && self.is_whole(state, size));
                if state.is_some() {
                    self.task.host().take(path, &bytes)?;
                }
                Ok(state)
            }
            Err(problem) => {
                let aside = self.task.host().set_aside(path)?;
                let (path, aside) = (path.display(), aside.display());
                self.task.warn(&format!("`{path}` {problem}; it is kept as `{aside}`, its samples are drawn again"));
                Ok(None)
            }
        }
    }

    /// Whether a state has all blocks of `size` samples.
    fn is_whole(&self, state: &State, size: usize) -> bool {
        let (count, shape) = (state.names.len(), [&[size], self.score.shape()].concat());
        let path = [&[state.times.len()], &*shape].concat();
        let paths = if state.times.is_empty() { 0 } else { count };
        state.blocks.len() == count
            && state.paths.len() == paths
            && state.blocks.iter().all(|block| block.shape() == shape)
            && state.paths.iter().all(|block| block.shape() == path)
    }

    /// Refuses a part of other samples.
    fn check(&self, path: &Path, kept: &Origin) -> Result<()> {
        let differing = self.origin.iter().filter(|(name, value)| kept.get(*name) != Some(value));
        let differences: Vec<String> = differing
            .map(|(name, value)| match kept.get(name).map_or("not given", String::as_str) {
                other if name == SCORE => format!("the score is another ({other} there, {value} here)"),
                other => format!("{name} is {other} there, {value} here"),
            })
            .collect();
        match differences.is_empty() {
            true => Ok(()),
            false => {
                let what = format!("has other samples, `{}`: {}", path.display(), differences.join("; "));
                Err(Error::argument("checkpoint", what).with_hint("give what they were begun with, or another folder"))
            }
        }
    }

    fn state(&self, description: Description, tensors: Vec<(String, Tensor)>) -> State {
        let names = self.score.process().blocks().to_vec();
        let (paths, blocks): (Vec<_>, Vec<_>) = tensors.into_iter().partition(|(name, _)| name.starts_with(PATH));
        let ordered = |tensors: Vec<(String, Tensor)>| tensors.into_iter().map(|(_, tensor)| tensor).collect();
        let Description { time, times, run, warnings, .. } = description;
        let units = self.score.units().cloned();
        State { names, blocks: ordered(blocks), time, units, run, times, paths: ordered(paths), warnings }
    }

    fn encode(&self, first: usize, state: &State) -> Result<Vec<u8>> {
        let named = |kind: &str, tensors: &[Tensor]| {
            let tensors = tensors.iter().enumerate();
            tensors.map(|(i, tensor)| (format!("{kind}{i:04}"), tensor.clone())).collect::<Vec<_>>()
        };
        let description = Description {
            origin: self.origin.clone(),
            first,
            time: state.time,
            times: state.times.clone(),
            run: state.run.clone(),
            warnings: state.warnings.clone(),
        };
        let text = serde_json::to_string(&description).map_err(|e| Error::numerical(e.to_string()))?;
        archive::encode(KEY, &text, &[named(BLOCKS, &state.blocks), named(PATH, &state.paths)].concat())
    }
}

/// What the names of tensors begin with: those of blocks, and those of blocks at kept times.
const BLOCKS: &str = "block";
const PATH: &str = "path";

/// The name under which a score stands in the origin.
const SCORE: &str = "the score";

fn name(first: usize) -> String {
    format!("samples-{first:012}.safetensors")
}

/// The number of the first sample of a part.
fn number(path: &Path) -> Option<usize> {
    path.file_name()?.to_str()?.strip_prefix("samples-")?.strip_suffix(".safetensors")?.parse().ok()
}

/// The description and the tensors of a part.
fn decode(bytes: &[u8]) -> Result<(Description, Vec<(String, Tensor)>), String> {
    let (text, tensors) = archive::decode(KEY, bytes)?;
    Ok((serde_json::from_str(&text).map_err(|e| format!("is damaged: {e}"))?, tensors))
}

/// What samples are samples of.
fn origin(score: &dyn Score, law: PriorLaw, options: &Options, every: usize, task: &Task) -> Result<Origin> {
    let process = serde_json::to_string(score.process()).map_err(|e| Error::numerical(e.to_string()))?;
    let entries = [
        ("the program", env!("CARGO_PKG_VERSION").to_owned()),
        ("the process", format!("{} ({:08x})", score.process().name(), crc32fast::hash(process.as_bytes()))),
        (SCORE, format!("{:08x}", fingerprint(score, law, task)?)),
        ("`every`", every.to_string()),
        ("`prior`", format!("{law:?}").to_lowercase()),
        ("`seed`", options.seed.to_string()),
        ("`end`", options.end.to_string()),
        ("`device`", task.device().name().to_owned()),
        ("`keep`", format!("{:?}", options.keep).to_lowercase()),
        ("the way", options.to_string()),
    ];
    Ok(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A checksum of what a score answers, which is what samples see of it, at some states and times.
fn fingerprint(score: &dyn Score, law: PriorLaw, task: &Task) -> Result<u32> {
    const STATES: usize = 64;
    let process = score.process();
    let (components, d) = (process.blocks().len(), score.shape().iter().product::<usize>());
    let mut rows = vec![0.0; components * d * STATES];
    score.prior(law)?.draw(&Stream::new(0, Purpose::Prior).at(process.horizon()), 0, 0, &mut rows);
    let shape = [&[STATES], score.shape()].concat();
    let blocks = rows.chunks_exact(d * STATES).map(|rows| {
        let mut values = vec![0.0; d * STATES];
        super::output::transpose(rows, STATES, &mut values);
        Tensor::new(&shape, values)
    });
    let blocks = blocks.collect::<Result<Vec<_>>>()?;
    let mut hasher = crc32fast::Hasher::new();
    for part in [1.0, 0.5, 0.2, 0.05, 0.01] {
        let time = part * process.horizon();
        let states = State::new(process.blocks(), blocks.clone(), time, score.units());
        for (_, slopes) in score_at(score, &states, time, task)? {
            slopes.values().iter().for_each(|x| hasher.update(&x.to_bits().to_le_bytes()));
        }
    }
    Ok(hasher.finalize())
}

/// Parts one behind the other.
fn joined(mut parts: Vec<State>, host: &Host) -> Result<State> {
    let counts: Vec<f64> = parts.iter().map(|part| part.blocks[0].shape()[0] as f64).collect();
    let mut all = parts.remove(0);
    if parts.is_empty() {
        return Ok(all);
    }
    for (i, block) in all.blocks.iter_mut().enumerate() {
        *block = Tensor::concatenate(&with(block, parts.iter().map(|part| &part.blocks[i])), 0, host)?;
    }
    for (i, path) in all.paths.iter_mut().enumerate() {
        *path = Tensor::concatenate(&with(path, parts.iter().map(|part| &part.paths[i])), 1, host)?;
    }
    for warning in parts.iter().flat_map(|part| &part.warnings) {
        if !all.warnings.contains(warning) {
            all.warnings.push(warning.clone());
        }
    }
    if let Some(run) = &mut all.run {
        let own = (run.mean_evaluations, counts[0]);
        let runs: Vec<&Run> = parts.iter().filter_map(|part| part.run.as_ref()).collect();
        let means =
            [own].into_iter().chain(runs.iter().map(|run| run.mean_evaluations).zip(counts[1..].iter().copied()));
        run.mean_evaluations = means.map(|(mean, count)| mean * count).sum::<f64>() / counts.iter().sum::<f64>();
        run.evaluations = runs.iter().map(|other| other.evaluations).fold(run.evaluations, usize::max);
        run.rejected += runs.iter().map(|other| other.rejected).sum::<usize>();
    }
    Ok(all)
}

fn with<'a>(first: &Tensor, others: impl Iterator<Item = &'a Tensor>) -> Vec<Tensor> {
    [first.clone()].into_iter().chain(others.cloned()).collect()
}
