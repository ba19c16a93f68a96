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
pub(super) struct Meters {
    stack: StackGuard,
    growth: Rc<Cell<Growth>>,
    /// Operations of the run. The engine's own count starts anew in every closure that a builtin calls.
    operations: Rc<Cell<u64>>,
    printed: Rc<Cell<u64>>,
    limits: Limits,
    task: Task,
}

impl Meters {
    /// Meters of runs under these limits, on a stack of which `stack` bytes may be used.
    pub(super) fn new(stack: usize, limits: Limits, task: Task) -> Self {
        let stack = StackGuard { start: Rc::default(), size: stack };
        Self { stack, growth: Rc::default(), operations: Rc::default(), printed: Rc::default(), limits, task }
    }

    /// Counts from here, where a run begins.
    pub(super) fn start(&self) {
        self.stack.start();
        self.growth.set(self.task.host().watch());
        self.operations.set(0);
        self.printed.set(0);
    }

    /// Counts what is printed.
    pub(super) fn print(&self, text: &str) {
        self.printed.set(self.printed.get() + text.len() as u64 + 1);
    }

    /// The end of a run whose time is over.
    pub(super) fn late(&self) -> Option<Stop> {
        self.limits.time.filter(|_| self.task.is_late()).map(Stop::TimeOver)
    }

    /// Refuses what a run gave whose time was over before it ended: its last call may have stopped half way.
    pub(super) fn in_time(&self) -> Outcome<()> {
        match self.late() {
            Some(stop) => Err(EvalAltResult::ErrorTerminated(Dynamic::from(stop), Position::NONE).into()),
            None => Ok(()),
        }
    }

    /// Why a run must stop after another operation.
    fn exhausted(&self) -> Option<Stop> {
        let count = self.operations.get() + 1;
        self.operations.set(count);
        if self.stack.is_exhausted() {
            return Some(Stop::StackExhausted);
        }
        let is_memory_over = || count.is_multiple_of(LOOKS) && self.task.host().is_exhausted();
        if self.growth.get().is_dangerous() || is_memory_over() {
            return Some(Stop::MemoryExhausted);
        }
        // What a builtin left undone for want of time must not be taken for whole.
        if (count.is_multiple_of(GLANCES) || self.task.was_late())
            && let Some(stop) = self.late()
        {
            return Some(stop);
        }
        let Limits { operations, output, .. } = self.limits;
        if count > operations {
            return Some(Stop::OperationsExhausted(operations));
        }
        (self.printed.get() > output).then_some(Stop::OutputExhausted(output))
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

/// How much of the native stack a script has used. Script calls times nested expressions have no useful bound of their
/// own: a thousand of each is more than any stack holds.
#[derive(Clone)]
struct StackGuard {
    start: Rc<Cell<usize>>,
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

fn leave(code: i32) -> Outcome<()> {
    Err(EvalAltResult::ErrorTerminated(Dynamic::from(Stop::Exit(code)), Position::NONE).into())
}
