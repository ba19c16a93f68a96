//! Other processes that do a part of the work.

use std::path::Path;

use crate::error::Result;

/// Starts processes that run the same script as the runtime whose host has it, as far as its sweep in a folder, and
/// compute points of that.
pub trait Launcher: Send + Sync {
    /// Starts a process with so many threads, for the sweep of so many points.
    ///
    /// # Errors
    /// When it cannot be started.
    fn launch(&self, folder: &Path, count: usize, threads: usize) -> Result<Box<dyn Companion>>;
}

/// A process that was started; it is waited for when this is dropped, for some seconds.
pub trait Companion {
    /// The name under which it holds what it works on.
    fn name(&self) -> String;

    /// How it ended, once it has.
    fn ended(&mut self) -> Option<Ended>;

    /// The lines that it has said since it was last asked.
    fn said(&mut self) -> Vec<String>;

    /// Asks it to end in good order.
    fn stop(&mut self);
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Whether it had done its work.
    pub is_well: bool,
    /// In words that follow "it": "was ended by SIGKILL".
    pub how: String,
}
