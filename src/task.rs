//! Long computations: the one cancel flag, the one progress interface, the one way to use threads, the device, and the
//! host.

mod device;
mod meter;
mod team;
#[cfg(test)]
mod watched;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use device::Device;
pub(crate) use meter::Meter;
pub use team::Team;
#[cfg(test)]
pub(crate) use watched::watched;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::ranks::Ranks;

/// Receives the state of a long computation; the terminal, a test or nobody.
pub trait Progress: Send + Sync {
    /// Called at most a few hundred times a second; must be cheap.
    fn update(&self, report: &Report);
    /// The computation ended, finished or not; the last report is repeated.
    fn finish(&self, report: &Report);
    /// Something that the user should know although the computation goes on; to nobody by default.
    fn warn(&self, _warning: &str) {}
    /// Something that happened, which is as it should be; to nobody by default.
    fn note(&self, _note: &str) {}
}

/// One state of a long computation.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What is being done, in one word: "train", "sample".
    pub task: &'static str,
    /// What a step of it is called: "step", "point".
    pub unit: &'static str,
    /// Steps done.
    pub done: u64,
    /// Steps in all.
    pub total: u64,
    /// Time since the start.
    pub elapsed: Duration,
    /// The present (smoothed) loss, where there is one.
    pub loss: Option<f64>,
}

/// A training that the user stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// Steps done.
    pub done: u64,
    /// Steps that were asked for.
    pub total: u64,
    /// Steps that its model had done before.
    pub before: u64,
}

struct Silent;

impl Progress for Silent {
    fn update(&self, _: &Report) {}
    fn finish(&self, _: &Report) {}
}

/// The surroundings of a long computation: cancel flag, progress, threads, host. Cheap to clone.
#[derive(Clone)]
pub struct Task {
    cancel: Arc<AtomicBool>,
    progress: Arc<dyn Progress>,
    pool: Option<Arc<rayon::ThreadPool>>,
    is_serial: bool,
    device: Device,
    host: Host,
    /// How long work may take, and when, by the clock of the host, it began.
    time_limit: Option<Duration>,
    began: Arc<Mutex<Duration>>,
    /// Whether somebody was told that the time is over, and may have left work undone.
    was_late: Arc<AtomicBool>,
    /// Whether a rank had been asked to stop when all last gathered.
    stops: Arc<AtomicBool>,
    /// The warnings that were given since the work began.
    warned: Arc<Mutex<HashSet<String>>>,
    /// The training that was stopped since then.
    unfinished: Arc<Mutex<Option<Unfinished>>>,
}

impl Default for Task {
    fn default() -> Self {
        Self::of(Arc::default(), Arc::new(Silent), None)
    }
}

impl Task {
    fn of(cancel: Arc<AtomicBool>, progress: Arc<dyn Progress>, pool: Option<Arc<rayon::ThreadPool>>) -> Self {
        Self {
            cancel,
            progress,
            pool,
            is_serial: false,
            device: Device::default(),
            host: Host::default(),
            time_limit: None,
            began: Arc::default(),
            was_late: Arc::default(),
            stops: Arc::default(),
            warned: Arc::default(),
            unfinished: Arc::default(),
        }
    }

    /// A task on `threads` threads (0: as many as the machine has) that reports to `progress`, or to nobody.
    ///
    /// # Errors
    /// When the operating system refuses the threads.
    pub fn new(cancel: Arc<AtomicBool>, progress: Option<Arc<dyn Progress>>, threads: usize) -> Result<Self> {
        Self::of(cancel, progress.unwrap_or_else(|| Arc::new(Silent)), None).with_threads(threads)
    }

    /// The same task on `threads` threads (0: as many as the machine has).
    ///
    /// # Errors
    /// When the operating system refuses the threads.
    pub fn with_threads(&self, threads: usize) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|e| Error::argument("threads", format!("could not be started: {e}")))?;
        Ok(Self { pool: Some(Arc::new(pool)), ..self.clone() })
    }

    /// The same task with networks on a device.
    #[must_use]
    pub fn on(&self, device: Device) -> Self {
        Self { device, ..self.clone() }
    }

    /// What computes networks.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The same task on another host than the default one.
    #[must_use]
    pub fn with_host(self, host: Host) -> Self {
        Self { host, ..self }
    }

    /// One thread of a rank.
    #[cfg(test)]
    pub(crate) fn of_rank(ranks: &Ranks) -> Self {
        Self::default().with_threads(1).unwrap().with_host(Host::default().with_ranks(ranks.clone()))
    }

    /// The same task for work that is stopped when it has taken this `time`, from [`Task::begin`] on.
    #[must_use]
    pub fn with_time_limit(self, time: Duration) -> Self {
        Self { time_limit: Some(time), ..self }
    }

    /// Whether the work has taken more time than it may.
    pub fn is_late(&self) -> bool {
        let began = || *self.began.lock().unwrap_or_else(PoisonError::into_inner);
        let is_late = self.was_late() || self.time_limit.is_some_and(|limit| self.host.since(began()) > limit);
        if is_late {
            self.was_late.store(true, Ordering::Relaxed);
        }
        is_late
    }

    /// Whether somebody has asked, and was told, that the time is over.
    pub fn was_late(&self) -> bool {
        self.was_late.load(Ordering::Relaxed)
    }

    /// The files, the clock and the memory that the task may use.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The same task for work inside a block: its own blocks run one after the other in the calling thread. A thread
    /// that waited for blocks inside a block might take up another outer one meanwhile, and so on without bound.
    #[must_use]
    pub fn serial(&self) -> Self {
        Self { is_serial: true, ..self.clone() }
    }

    /// `Err(Interrupted)` once the user asked to stop, or the time is over. Poll it at least every few milliseconds.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<()> {
        if self.cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Whether the user asked to stop, or the time is over.
    pub fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed) || self.is_late()
    }

    /// The processes that do the same work together. Inside a block there is no other: only this one is there.
    pub fn ranks(&self) -> &Ranks {
        static ALONE: Ranks = Ranks::ALONE;
        if self.is_serial { &ALONE } else { self.host.ranks() }
    }

    /// Whether all ranks stop here. Each may be asked to at another moment; so they go by what they knew when they last
    /// gathered.
    pub fn stops(&self) -> bool {
        if self.ranks().is_alone() { self.cancelled() } else { self.stops.load(Ordering::Relaxed) }
    }

    /// What each rank has, in the order of ranks. `what` says to the user what they are doing.
    ///
    /// # Errors
    /// The first error of a rank, or when they are not doing the same.
    pub fn gather<R: Serialize + DeserializeOwned>(&self, what: &str, own: Result<R>) -> Result<Vec<R>> {
        if self.ranks().is_alone() {
            return Ok(vec![own?]);
        }
        let (is_cancelled, is_late) = (self.cancel.load(Ordering::Relaxed), self.is_late());
        let mut all = Vec::new();
        let (mut cancels, mut ends) = (false, false);
        for (was_cancelled, was_late, result) in self.ranks().gather(what, (is_cancelled, is_late, own))? {
            cancels |= was_cancelled;
            ends |= was_late;
            all.push(result);
        }
        self.stops.store(cancels || ends, Ordering::Relaxed);
        self.cancel.fetch_or(cancels, Ordering::Relaxed);
        self.was_late.fetch_or(ends, Ordering::Relaxed);
        all.into_iter().collect()
    }

    /// Hands a report to whoever watches.
    pub fn report(&self, report: &Report) {
        self.progress.update(report);
    }

    /// Tells whoever watches that the computation ended.
    pub fn finish(&self, report: &Report) {
        self.progress.finish(report);
    }

    /// Warns whoever watches, once of the same.
    pub fn warn(&self, warning: &str) {
        let is_new = self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(warning.to_owned());
        if is_new {
            self.progress.warn(warning);
        }
    }

    /// Tells whoever watches what happened.
    pub fn note(&self, note: &str) {
        self.progress.note(note);
    }

    /// Notes that the user stopped a training.
    pub(crate) fn leave(&self, unfinished: Unfinished) {
        *self.unfinished.lock().unwrap_or_else(PoisonError::into_inner) = Some(unfinished);
    }

    /// The training that the user stopped since the work began.
    pub fn unfinished(&self) -> Option<Unfinished> {
        *self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins other work, whose warnings were not given yet and whose time starts.
    pub fn begin(&self) {
        *self.began.lock().unwrap_or_else(PoisonError::into_inner) = self.host.now();
        self.was_late.store(false, Ordering::Relaxed);
        self.stops.store(false, Ordering::Relaxed);
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.unfinished.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Runs `work` where rayon's parallel iterators use this task's threads.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// How many threads work on blocks at once.
    pub fn threads(&self) -> usize {
        let all = || self.pool.as_ref().map_or_else(rayon::current_num_threads, |pool| pool.current_num_threads());
        if self.is_serial { 1 } else { all() }
    }

    /// Runs `work` with a [`Team`] of this task's number of threads, for many short rounds of up to `most` items each.
    pub fn team<R>(&self, most: usize, work: impl FnOnce(&mut Team<'_>) -> R) -> R {
        Team::scope(self.threads(), most, work)
    }

    /// Runs `work(i)` for `i` in `0..count` on the task's threads and returns the results in order.
    ///
    /// Which thread runs which block is left to chance, what a block computes is not: a result may depend on `i` only.
    ///
    /// # Errors
    /// The first error in the order of `i`, or [`Error::Interrupted`].
    pub fn blocks<R: Send>(&self, count: usize, work: impl Fn(usize) -> Result<R> + Sync + Send) -> Result<Vec<R>> {
        let checked = |i| {
            self.check()?;
            work(i)
        };
        if self.is_serial {
            return (0..count).map(checked).collect();
        }
        // Results may come by the million, and an error takes far more room than most of them.
        let fault: Mutex<Option<(usize, Error)>> = Mutex::default();
        let found = |i| match checked(i) {
            Ok(result) => Some(result),
            Err(error) => {
                let mut fault = fault.lock().unwrap_or_else(PoisonError::into_inner);
                if fault.as_ref().is_none_or(|(first, _)| i < *first) {
                    *fault = Some((i, error));
                }
                None
            }
        };
        let results: Vec<Option<R>> = self.install(|| (0..count).into_par_iter().map(found).collect());
        match fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(results.into_iter().flatten().collect()),
        }
    }

    /// As [`Task::blocks`], where each rank does its share of the blocks and all have all results.
    ///
    /// # Errors
    /// As [`Task::blocks`], and [`Task::gather`].
    pub fn shared<R: Serialize + DeserializeOwned + Send>(
        &self,
        what: &str,
        count: usize,
        work: impl Fn(usize) -> Result<R> + Sync + Send,
    ) -> Result<Vec<R>> {
        let share = self.ranks().share(count);
        let own = self.blocks(share.len(), |i| work(share.start + i));
        Ok(self.gather(what, own)?.into_iter().flatten().collect())
    }
}
