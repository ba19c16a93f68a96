//! What a computation may touch of the machine that it runs on: files by permission, a clock, memory, processes for the
//! points of a sweep where the program starts any; and who computes with it on others.
//!
//! No room reaches any of these in another way, and every task carries a host. So two runtimes of one process can
//! differ in what they may touch, and the rooms run where there is no clock, or none but the embedding program's.

mod access;
mod allocation;
mod files;
mod hash;
mod hold;
mod inscription;
mod journal;
mod launch;
mod memory;
mod origin;
mod permissions;
mod place;
mod provenance;
mod record;
mod stage;
mod writing;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub use access::{Access, Policy};
pub use allocation::CountingAllocator;
pub use files::{Entry, read_script};
pub use hold::{Hold, Holder};
pub use inscription::Inscription;
pub(crate) use journal::{Journal, Mark, Reads};
pub use launch::{Companion, Ended, Launcher};
pub use memory::Growth;
pub(crate) use memory::taking;
pub use origin::Changes;
pub use permissions::Permissions;
pub use provenance::{Call, Calls, Provenance, Source, inputs};
pub use record::Written;
pub use stage::Stage;
pub(crate) use writing::Growing;

use crate::error::{Error, Result};
use crate::ranks::Ranks;

/// Tells how much time has passed.
pub trait Clock: Send + Sync {
    /// Time since a moment that the clock chooses once. Called for every block and step: must be cheap.
    fn now(&self) -> Duration;
}

/// The clock of the operating system, from the first look at it on: making one looks at no clock.
#[derive(Default)]
struct SystemClock(OnceLock<Instant>);

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.get_or_init(Instant::now).elapsed()
    }
}

/// Files, clock and memory, as far as they may be used. By default all regular files, the clock of the operating system
/// and all memory that is available. Cheap to clone; clones share policy, permissions, clock and what
/// their run has done.
#[derive(Clone)]
pub struct Host {
    policy: Option<Arc<dyn Policy>>,
    permissions: Option<Arc<Permissions>>,
    clock: Arc<dyn Clock>,
    memory_limit: Option<f64>,
    journal: Journal,
    stage: Option<Arc<Stage>>,
    launcher: Option<Arc<dyn Launcher>>,
    ranks: Ranks,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            policy: None,
            permissions: None,
            clock: Arc::new(SystemClock::default()),
            memory_limit: None,
            journal: Journal::default(),
            stage: None,
            launcher: None,
            ranks: Ranks::default(),
        }
    }
}

impl Host {
    /// The same host where `policy` decides which files may be touched.
    #[must_use]
    pub fn with_policy(self, policy: Arc<dyn Policy>) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// The same host where only what `permissions` allow may be touched, and of it only what a policy allows too.
    #[must_use]
    pub fn with_permissions(self, permissions: Permissions) -> Self {
        Self { permissions: Some(Arc::new(permissions)), ..self }
    }

    /// The same host with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The same host where the program may hold at most `bytes` of memory, and what is available. Without the
    /// [`CountingAllocator`] it is a single request that may take so much.
    #[must_use]
    pub fn with_memory_limit(self, bytes: f64) -> Self {
        Self { memory_limit: Some(bytes), ..self }
    }

    /// The same host where files are written to a stage instead.
    #[must_use]
    pub fn with_stage(self, stage: Stage) -> Self {
        Self { stage: Some(Arc::new(stage)), ..self }
    }

    /// The same host where sweeps may have processes of their own.
    #[must_use]
    pub fn with_launcher(self, launcher: Arc<dyn Launcher>) -> Self {
        Self { launcher: Some(launcher), ..self }
    }

    /// What starts processes for a sweep, where there may be any.
    pub fn launcher(&self) -> Option<&dyn Launcher> {
        self.launcher.as_deref()
    }

    /// The same host for one of several ranks, of which the first alone writes files.
    #[must_use]
    pub fn with_ranks(self, ranks: Ranks) -> Self {
        Self { ranks, ..self }
    }

    /// The processes that run the same script.
    pub fn ranks(&self) -> &Ranks {
        &self.ranks
    }

    /// The same host for another run, which has done nothing yet.
    #[must_use]
    pub(crate) fn with_new_journal(self) -> Self {
        Self { journal: Journal::default(), ..self }
    }

    /// What the run has done so far.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Where what is written now comes from; nothing where no script runs.
    pub fn provenance(&self) -> Option<Provenance> {
        self.journal.provenance()
    }

    /// Time since a moment that the clock chose.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Time since `start`, which [`Host::now`] gave.
    pub fn since(&self, start: Duration) -> Duration {
        self.now().saturating_sub(start)
    }

    fn allows(&self, access: Access, path: &Path) -> bool {
        self.policy.as_ref().is_none_or(|policy| policy.allows(access, path))
    }

    fn permit(&self, access: Access, path: &Path) -> Result<()> {
        match &self.policy {
            Some(policy) if !policy.allows(access, path) => {
                Err(Error::file(access.verb(), path, format!("the policy \"{}\" does not allow it", policy.name())))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen to fail without a pause before the writing, where slow ranks found the file already.
    #[test]
    fn one_rank_writes_when_all_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.txt");
        let found = crate::ranks::together(3, |ranks| {
            let host = Host::default().with_ranks(ranks.clone());
            std::thread::sleep(Duration::from_millis(20 * ranks.rank() as u64));
            let was_there = host.has_file(&file).unwrap();
            host.write_bytes(&file, ranks.rank().to_string().as_bytes()).unwrap();
            let mut log = host.begin(&folder.path().join("log"), b"").unwrap();
            log.add(b"line").unwrap();
            host.create_folder(&folder.path().join("inner")).unwrap();
            let refused = host.write_bytes(&folder.path().join("inner"), b"").unwrap_err().to_string();
            (was_there, host.read_text(&file).unwrap(), refused.contains("inner"))
        });
        assert_eq!(found, vec![(false, "0".to_owned(), true); 3]);
        assert_eq!(std::fs::read(folder.path().join("log")).unwrap(), b"line");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn the_clock_of_the_system_goes_forward() {
        let host = Host::default();
        let start = host.now();
        std::thread::sleep(Duration::from_millis(2));
        assert!(host.clone().since(start) >= Duration::from_millis(2));
        assert_eq!(host.since(Duration::MAX), Duration::ZERO);
    }
}
