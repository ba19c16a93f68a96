//! What ends a script and cannot be caught by it: Ctrl-C, `exit`, and a native stack about to overflow.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rhai::plugin::*;
use rhai::{Dynamic, Engine, EvalAltResult, Position};

use super::failure::{Outcome, Raise};
use super::limits::Limits;
use super::options::{kind, number as number_of};
use crate::error::Error;
use crate::host::Growth;
use crate::settings::written;
use crate::task::Task;
use crate::tensor::number;

/// Why a script was stopped; what `EvalAltResult::ErrorTerminated` carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// By the user.
    Interrupted,
    /// By itself, with this exit code.
    Exit(i32),
    /// Because its calls and expressions nest too deeply.
    StackExhausted,
    /// Because what it keeps leaves the machine no memory.
    MemoryExhausted,
    /// Because its time is over.
    TimeOver(Duration),
    /// Because it computed by itself as many operations as it may.
    OperationsExhausted(u64),
    /// Because it printed as many bytes as it may.
    OutputExhausted(u64),
    /// Because it is only rehearsed, and what comes is long.
    Beyond,
}

/// Operations between two looks at the memory of the machine: each takes as long as some hundreds.
const LOOKS: u64 = 1 << 16;
/// Operations between two looks at the clock, of which each may be long.
const GLANCES: u64 = 1 << 4;

/// What a run of a script has used of what it may, by itself.
#[derive(Clone)]
pub(super) struct Meters(Rc<Counts>);

struct Counts {
    stack: StackGuard,
    growth: Cell<Growth>,
    /// Operations of the run. The engine's own count starts anew in every closure that a builtin calls.
    operations: Cell<u64>,
    /// The operation at which all is looked at that need not be at each.
    look: Cell<u64>,
    printed: Cell<u64>,
    limits: Limits,
    task: Task,
}

impl Meters {
    /// Meters of runs under these limits, on a stack of which `stack` bytes may be used.
    pub(super) fn new(stack: usize, limits: Limits, task: Task) -> Self {
        let stack = StackGuard { start: Cell::new(0), size: stack };
        let [operations, look, printed] = std::array::from_fn(|_| Cell::new(0));
        Self(Rc::new(Counts { stack, growth: Cell::default(), operations, look, printed, limits, task }))
    }

    /// Counts from here, where a run begins.
    pub(super) fn start(&self) {
        let counts = &self.0;
        counts.stack.start();
        counts.growth.set(counts.task.host().watch());
        counts.operations.set(0);
        counts.look.set(0);
        counts.printed.set(0);
    }

    /// Counts what is printed.
    pub(super) fn print(&self, text: &str) {
        let counts = &self.0;
        counts.printed.set(counts.printed.get() + text.len() as u64 + 1);
        if counts.printed.get() > counts.limits.output {
            counts.look.set(0);
        }
    }

    /// The end of a run whose time is over.
    pub(super) fn late(&self) -> Option<Stop> {
        self.0.limits.time.filter(|_| self.0.task.is_late()).map(Stop::TimeOver)
    }

    /// Refuses what a run gave whose time was over before it ended: its last call may have stopped half way.
    pub(super) fn in_time(&self) -> Outcome<()> {
        match self.late() {
            Some(stop) => Err(EvalAltResult::ErrorTerminated(Dynamic::from(stop), Position::NONE).into()),
            None => Ok(()),
        }
    }

    /// Why a run must stop after another operation.
    #[inline]
    fn exhausted(&self) -> Option<Stop> {
        let counts = &*self.0;
        let count = counts.operations.get() + 1;
        counts.operations.set(count);
        if counts.stack.is_exhausted() {
            return Some(Stop::StackExhausted);
        }
        // One operation may double all values.
        if counts.growth.get().is_dangerous() {
            return Some(Stop::MemoryExhausted);
        }
        // What a builtin left undone for want of time must not be taken for whole.
        if count < counts.look.get() && !counts.task.was_late() { None } else { self.look(count) }
    }

    /// Looks at what need not be looked at in each operation.
    #[cold]
    fn look(&self, count: u64) -> Option<Stop> {
        let counts = &*self.0;
        let Limits { operations, output, .. } = counts.limits;
        counts.look.set((count + GLANCES).min(operations.saturating_add(1)));
        if count % LOOKS < GLANCES && counts.task.host().is_exhausted() {
            return Some(Stop::MemoryExhausted);
        }
        let late = self.late();
        if late.is_some() {
            return late;
        }
        if count > operations {
            return Some(Stop::OperationsExhausted(operations));
        }
        (counts.printed.get() > output).then_some(Stop::OutputExhausted(output))
    }
}

impl Stop {
    /// What a user is told, and the way out; nothing of an end that somebody wanted.
    pub(super) fn explain(self) -> Option<(String, Option<String>)> {
        let (what, hint) = match self {
            Self::Interrupted | Self::Exit(_) | Self::Beyond => return None,
            Self::StackExhausted => return Some(("calls and expressions nest too deeply".to_owned(), None)),
            Self::MemoryExhausted => return Some(("what the script keeps leaves no memory".to_owned(), None)),
            Self::TimeOver(time) => (
                format!("the script has run for {} s, its limit", number(time.as_secs_f64())),
                "--limit time=1h".to_owned(),
            ),
            Self::OperationsExhausted(count) => (
                format!("the script has computed {} operations by itself, its limit", written(count as f64)),
                format!("functions of whole tensors are one each; --limit operations={:e}", 10.0 * count as f64),
            ),
            Self::OutputExhausted(bytes) => (
                format!("the script has printed {} bytes, its limit", written(bytes as f64)),
                "--limit output=10G".to_owned(),
            ),
        };
        Some((what, Some(hint + " raises it")))
    }
}

/// The exit code with which a script asks to be ended.
pub(super) fn exit_code(error: &EvalAltResult) -> Option<i32> {
    let EvalAltResult::ErrorTerminated(token, _) = error.unwrap_inner() else { return None };
    match *token.read_lock::<Stop>()? {
        Stop::Exit(code) => Some(code),
        _ => None,
    }
}

/// How much of the native stack a script has used. Script calls times nested expressions have no useful bound of their
/// own: a thousand of each is more than any stack holds.
struct StackGuard {
    start: Cell<usize>,
    size: usize,
}

impl StackGuard {
    fn start(&self) {
        self.start.set(stack_address());
    }

    fn is_exhausted(&self) -> bool {
        self.start.get().abs_diff(stack_address()) > self.size
    }
}

#[inline(never)]
fn stack_address() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// Makes the engine look at the cancel flag and the meters at every operation, and registers `exit`.
pub(super) fn install(engine: &mut Engine, cancel: Arc<AtomicBool>, meters: Meters) {
    engine.on_progress(move |_| {
        let stop = if cancel.load(Ordering::Relaxed) { Some(Stop::Interrupted) } else { meters.exhausted() };
        stop.map(Dynamic::from)
    });
    engine.register_global_module(rhai::exported_module!(functions).into());
}

// Rhai's own `exit` cannot be told from a script that ends with that value.
#[export_module]
#[allow(unreachable_pub)]
mod functions {
    /// Ends the script, and with it the program, with an exit code from 0 (success) to 255.
    #[rhai_fn(return_raw)]
    pub fn exit(ctx: NativeCallContext, code: Dynamic) -> Outcome<()> {
        match number_of(&code) {
            Some(n) if n.fract() == 0.0 && (0.0..=255.0).contains(&n) => leave(n as i32),
            Some(n) => {
                Err(Error::argument("code", format!("must be a whole number from 0 to 255, got {n}"))).raise(&ctx)
            }
            None => Err(Error::argument("code", format!("must be a number, got {}", kind(&ctx, &code)))).raise(&ctx),
        }
    }

    /// Ends the script, and with it the program, as a success.
    #[rhai_fn(name = "exit", return_raw)]
    pub fn exit_well() -> Outcome<()> {
        leave(0)
    }
}

/// Ends the script, and with it the program.
pub(super) fn leave(code: i32) -> Outcome<()> {
    Err(EvalAltResult::ErrorTerminated(Dynamic::from(Stop::Exit(code)), Position::NONE).into())
}
