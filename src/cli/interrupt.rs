//! Ctrl-C: the first asks a computation to stop, a later one ends the program.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::exit::INTERRUPTED;
use super::terminal;

/// How long a computation may take to stop before a second Ctrl-C ends the program.
const PATIENCE: Duration = Duration::from_secs(2);

/// The program's answer to Ctrl-C.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    cancel: Arc<AtomicBool>,
    running: Arc<AtomicBool>,
    /// At the prompt a Ctrl-C that comes too late to stop anything must not end the session.
    stays: Arc<AtomicBool>,
}

impl Interrupt {
    /// Takes over the signals.
    pub(crate) fn install() -> Self {
        let interrupt = Self::default();
        let shared = interrupt.clone();
        let asked: Mutex<Option<Instant>> = Mutex::new(None);
        let installed = ctrlc::set_handler(move || shared.signalled(&asked));
        if let Err(error) = installed {
            terminal::complain(&format!("warning: Ctrl-C cannot be caught: {error}"));
        }
        interrupt
    }

    /// The flag that stops a computation.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        self.cancel.clone()
    }

    /// Makes Ctrl-C outside of a computation harmless.
    pub(crate) fn stay(&self) {
        self.stays.store(true, Ordering::SeqCst);
    }

    /// Runs a computation that Ctrl-C stops; outside of one, Ctrl-C ends the program unless it is to stay.
    pub(crate) fn during<R>(&self, compute: impl FnOnce() -> R) -> R {
        self.running.store(true, Ordering::SeqCst);
        let result = compute();
        self.running.store(false, Ordering::SeqCst);
        result
    }

    fn signalled(&self, asked: &Mutex<Option<Instant>>) {
        if !self.running.load(Ordering::SeqCst) {
            if !self.stays.load(Ordering::SeqCst) {
                std::process::exit(INTERRUPTED.into());
            }
            return;
        }
        let Ok(mut asked) = asked.lock() else { return };
        if self.cancel.swap(true, Ordering::SeqCst) {
            let waited = asked.is_none_or(|since| since.elapsed() >= PATIENCE);
            if waited {
                std::process::exit(INTERRUPTED.into());
            }
            terminal::complain("stopping; Ctrl-C again after two seconds ends the program");
        } else {
            *asked = Some(Instant::now());
        }
    }
}
