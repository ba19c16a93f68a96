//! How runtimes are built.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tumble::lang::Builder;
use tumble::{Host, Limits, Runtime};

use super::interrupt::Interrupt;
use super::{progress, terminal};

/// Script calls allowed, and how deep an expression may nest.
const DEPTH: usize = 1000;
/// The stack for both; scripts stop short of it so that what they call has room.
pub(super) const STACK: usize = 256 << 20;
const STACK_OF_SCRIPTS: usize = STACK - (32 << 20);

/// How runtimes are built for this command line.
pub(crate) struct Setup {
    pub(crate) threads: usize,
    pub(super) limits: Limits,
    /// Whether progress is not shown.
    pub(super) quiet: Arc<AtomicBool>,
    /// Whether nobody is told even of warnings.
    pub(super) silent: bool,
    /// What becomes of the lines that scripts print.
    pub(super) prints: fn(&str),
    /// What scripts may touch.
    pub(super) host: Host,
    /// Where the prompt keeps its inputs, if anywhere.
    pub(crate) history: Option<PathBuf>,
    /// What Ctrl-C does.
    pub(crate) interrupt: Interrupt,
}

impl Setup {
    /// A new runtime that prints to standard output and shows progress and warnings on standard error.
    pub(crate) fn runtime(&self) -> tumble::Result<Runtime> {
        let mut builder =
            self.builder().limits(self.limits).print(self.prints).debug(terminal::complain).host(self.host.clone());
        if !self.silent {
            builder = builder.progress(Arc::new(progress::Terminal::new(self.quiet.clone())));
        }
        builder.build()
    }

    /// Runtimes with the threads, the stack and the Ctrl-C of this command line.
    pub(super) fn builder(&self) -> Builder {
        let builder = Runtime::builder().threads(self.threads).cancel(self.interrupt.flag());
        builder.depth(DEPTH).stack(STACK_OF_SCRIPTS)
    }

    /// Whether no progress is shown.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    /// Shows progress from now on, or does not.
    pub(crate) fn set_quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Ordering::Relaxed);
    }
}

#[cfg(test)]
impl Setup {
    /// Silent, and deaf to Ctrl-C.
    pub(crate) fn for_tests() -> Self {
        let (host, limits, prints) = (Host::default(), Limits::default(), terminal::print as fn(&str));
        Self {
            threads: 1,
            limits,
            quiet: Arc::new(AtomicBool::new(true)),
            silent: true,
            prints,
            host,
            history: None,
            interrupt: Interrupt::default(),
        }
    }
}
