//! What ends a script and cannot be caught by it: Ctrl-C, `exit`, and a native stack about to overflow.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rhai::plugin::*;
use rhai::{Dynamic, Engine, EvalAltResult, Position};

use super::failure::{Outcome, Raise};
use super::options::{kind, number};
use crate::error::Error;
use crate::host::Host;

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
}

/// Operations between two looks at the memory: each takes as long as some hundreds.
const LOOKS: u64 = 1 << 16;

/// How much of the native stack a script has used. Script calls times nested expressions have no useful bound of their
/// own: a thousand of each is more than any stack holds.
#[derive(Clone)]
pub(super) struct StackGuard {
    start: Rc<Cell<usize>>,
    size: usize,
}

impl StackGuard {
    /// A guard that allows `size` bytes.
    pub(super) fn new(size: usize) -> Self {
        Self { start: Rc::default(), size }
    }

    /// Counts from here.
    pub(super) fn start(&self) {
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

/// Makes the engine look at the cancel flag and the stack at every operation, at the memory now and then, and registers
/// `exit`.
pub(super) fn install(engine: &mut Engine, cancel: Arc<AtomicBool>, stack: StackGuard, host: Host) {
    engine.on_progress(move |count| {
        let stop = match () {
            () if cancel.load(Ordering::Relaxed) => Stop::Interrupted,
            () if stack.is_exhausted() => Stop::StackExhausted,
            () if count.is_multiple_of(LOOKS) && host.is_exhausted() => Stop::MemoryExhausted,
            () => return None,
        };
        Some(Dynamic::from(stop))
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
        match number(&code) {
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
