//! How runtimes are built.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tumble::lang::Builder;
use tumble::sweep::Part;
use tumble::task::Progress;
use tumble::{Host, Limits, Runtime};

use super::interrupt::Interrupt;
use super::screen::Screen;

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
    /// Who is told of progress and warnings, if anybody.
    pub(crate) progress: Option<Arc<dyn Progress>>,
    /// Who is told of all else.
    pub(crate) screen: Rc<dyn Screen>,
    /// Whether the lines that scripts print are shown.
    pub(super) prints: bool,
    /// What scripts may touch.
    pub(super) host: Host,
    /// Where the prompt keeps its inputs, if anywhere.
    pub(crate) history: Option<PathBuf>,
    /// What Ctrl-C does.
    pub(crate) interrupt: Interrupt,
    /// Which part of sweeps runs do.
    pub(super) part: Part,
}

impl Setup {
    /// A new runtime that prints to the screen and tells of progress and warnings.
    pub(crate) fn runtime(&self) -> tumble::Result<Runtime> {
        let (screen, prints) = (self.screen.clone(), self.prints);
        let print = move |text: &str| {
            if prints {
                screen.print(text);
            }
        };
        let screen = self.screen.clone();
        let builder = self.builder().limits(self.limits).host(self.host.clone()).print(print).part(self.part.clone());
        let mut builder = builder.debug(move |text| screen.complain(text));
        if let Some(progress) = &self.progress {
            builder = builder.progress(progress.clone());
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

    /// Tells, from any thread, whether no progress is shown.
    #[cfg(feature = "jupyter")]
    pub(crate) fn quiet(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let quiet = self.quiet.clone();
        move || quiet.load(Ordering::Relaxed)
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
        Self {
            threads: 1,
            limits: Limits::default(),
            quiet: Arc::new(AtomicBool::new(true)),
            progress: None,
            screen: Rc::new(super::screen::Terminal::new(None)),
            prints: true,
            host: Host::default(),
            history: None,
            interrupt: Interrupt::default(),
            part: Part::Whole,
        }
    }
}
