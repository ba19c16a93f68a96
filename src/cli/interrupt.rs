//! Signals: the first asks a computation to stop, a later one ends the program, but for a Ctrl-C at a prompt.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use super::exit::{HUNG_UP, INTERRUPTED, TERMINATED};
use super::terminal;

/// How long a computation may take to stop before a second signal ends the program.
const PATIENCE: Duration = Duration::from_secs(2);

/// What asks the program to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM, as a batch system sends it some seconds before it kills.
    Terminate,
    /// SIGHUP, when the terminal is gone.
    HangUp,
}

impl Signal {
    /// Its name, and the exit code that tells of it.
    fn name_and_code(self) -> (&'static str, u8) {
        match self {
            Self::Interrupt => ("Ctrl-C", INTERRUPTED),
            Self::Terminate => ("SIGTERM", TERMINATED),
            Self::HangUp => ("SIGHUP", HUNG_UP),
        }
    }
}

/// The program's answer to signals.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    cancel: Arc<AtomicBool>,
    running: Arc<AtomicBool>,
    /// At the prompt a Ctrl-C that comes too late to stop anything must not end the session.
    stays: Arc<AtomicBool>,
    /// The exit code of a signal that ends the program with the computation; 0 before there is one.
    leaving: Arc<AtomicU8>,
}

impl Interrupt {
    /// Takes over the signals.
    pub(crate) fn install() -> Self {
        let interrupt = Self::default();
        let shared = interrupt.clone();
        let asked: Mutex<Option<Instant>> = Mutex::new(None);
        if let Err(error) = watch(move |signal| shared.signalled(signal, &asked)) {
            terminal::complain(&format!("warning: Ctrl-C cannot be caught: {error}"));
        }
        interrupt
    }

    /// The flag that stops a computation.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        self.cancel.clone()
    }

    /// Whether the computation that ran last was asked to stop.
    pub(crate) fn is_asked(&self) -> bool {
        self.cancel.load(Ordering::SeqCst)
    }

    /// Makes Ctrl-C outside of a computation harmless.
    pub(crate) fn stay(&self) {
        self.stays.store(true, Ordering::SeqCst);
    }

    /// Asks a computation to stop as Ctrl-C does; there may be none.
    #[cfg(feature = "jupyter")]
    pub(crate) fn stop(&self) {
        if self.running.load(Ordering::SeqCst) {
            self.cancel.store(true, Ordering::SeqCst);
        }
    }

    /// Stops what runs, since nobody is left who wants it, and ends the program when it had time for that.
    pub(super) fn leave(&self) -> ! {
        self.leaving.store(HUNG_UP, Ordering::SeqCst);
        self.cancel.store(true, Ordering::SeqCst);
        std::thread::sleep(PATIENCE);
        std::process::exit(HUNG_UP.into())
    }

    /// The exit code of a signal that asked the program to end, not only the computation.
    pub(crate) fn leaving(&self) -> Option<u8> {
        Some(self.leaving.load(Ordering::SeqCst)).filter(|code| *code != 0)
    }

    /// Runs a computation that a signal stops; outside of one, it ends the program unless that is to stay.
    pub(crate) fn during<R>(&self, compute: impl FnOnce() -> R) -> R {
        // What is typed ahead at a prompt is for the next input, not for the progress line.
        let _unechoed = self.stays.load(Ordering::SeqCst).then(terminal::Unechoed::new);
        self.running.store(true, Ordering::SeqCst);
        let result = compute();
        self.running.store(false, Ordering::SeqCst);
        result
    }

    fn signalled(&self, signal: Signal, asked: &Mutex<Option<Instant>>) {
        let is_interrupt = signal == Signal::Interrupt;
        let (name, code) = signal.name_and_code();
        if !self.running.load(Ordering::SeqCst) {
            if !(is_interrupt && self.stays.load(Ordering::SeqCst)) {
                std::process::exit(code.into());
            }
            return;
        }
        if !is_interrupt {
            self.leaving.store(code, Ordering::SeqCst);
            terminal::complain(&format!("stopping by {name}"));
        }
        let Ok(mut asked) = asked.lock() else { return };
        if self.cancel.swap(true, Ordering::SeqCst) {
            if is_interrupt && self.stays.load(Ordering::SeqCst) {
                // All that the session holds would go with it.
                terminal::complain("stopping as soon as this part is done; Ctrl-\\ ends the session at once");
                return;
            }
            let waited = asked.is_none_or(|since| since.elapsed() >= PATIENCE);
            if waited {
                std::process::exit(code.into());
            }
            terminal::complain("stopping; Ctrl-C again after two seconds ends the program");
        } else {
            *asked = Some(Instant::now());
        }
    }
}

/// Calls `tell` for every signal, on a thread of its own.
#[cfg(unix)]
fn watch(tell: impl Fn(Signal) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if !is_ignored(SIGHUP) {
        signals.add_signal(SIGHUP)?;
    }
    let listen = move || {
        for signal in signals.forever() {
            tell(match signal {
                SIGTERM => Signal::Terminate,
                SIGHUP => Signal::HangUp,
                _ => Signal::Interrupt,
            });
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map(drop)
}

/// Whether a signal is ignored, which `nohup` asks for and a handler would undo.
#[cfg(unix)]
fn is_ignored(signal: std::ffi::c_int) -> bool {
    // SAFETY: all zeros are a valid `sigaction`, and without a new one the call only writes the present one.
    unsafe {
        let mut present: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut present) == 0 && present.sa_sigaction == libc::SIG_IGN
    }
}

/// Calls `tell` for every Ctrl-C, on a thread of its own.
#[cfg(not(unix))]
fn watch(tell: impl Fn(Signal) + Send + 'static) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || tell(Signal::Interrupt))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session that ended here would end the test program.
    #[test]
    fn a_second_interrupt_ends_no_session() {
        let interrupt = Interrupt::default();
        interrupt.stay();
        let asked = Mutex::new(Instant::now().checked_sub(2 * PATIENCE));
        interrupt.during(|| {
            interrupt.signalled(Signal::Interrupt, &Mutex::default());
            interrupt.signalled(Signal::Interrupt, &asked);
        });
        assert!(interrupt.is_asked() && interrupt.leaving().is_none());
    }
}
