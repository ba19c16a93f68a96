//! What the engine carries for builtins, as its tag.

use crate::host::Host;
use crate::task::Task;

/// What builtins need of the surroundings; the engine's tag.
#[derive(Clone)]
pub(crate) struct Surroundings {
    /// Cancel flag, progress, threads and host of computations.
    pub(crate) task: Task,
}

/// The task of the running script.
pub(crate) fn task(ctx: &rhai::NativeCallContext) -> Task {
    surroundings(ctx, Task::clone)
}

/// The files, the clock and the memory that the running script may use.
pub(crate) fn host(ctx: &rhai::NativeCallContext) -> Host {
    surroundings(ctx, |task| task.host().clone())
}

/// Without a tag there is no default to fall back to: it would let through what the runtime's host forbids.
fn surroundings<T>(ctx: &rhai::NativeCallContext, take: impl FnOnce(&Task) -> T) -> T {
    let tag = ctx.tag().and_then(|tag| tag.read_lock::<Surroundings>());
    take(&tag.expect("the engine keeps the tag it was built with").task)
}
