//! The one place where the engine is configured.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rhai::{Engine, OptimizationLevel};

use super::modules::{self, Resolver};
use super::sources::Sources;
use super::stop::{self, StackGuard};
use super::tokens::{self, TokenState};
use super::{arithmetic, builtins, failure};
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

/// An engine with the language's settings, arithmetic, builtins and standard library.
pub(super) fn build(
    task: Task,
    cancel: Arc<AtomicBool>,
    depth: usize,
    stack: StackGuard,
    sources: &Sources,
) -> (Engine, TokenState) {
    stack.start();
    let host = task.host().clone();
    let mut engine = Engine::new();
    engine
        // A constant map would otherwise be folded before a misspelt property can be reported.
        .set_optimization_level(OptimizationLevel::None)
        // Fast operators bypass the arithmetic registered below.
        .set_fast_operators(false)
        .set_fail_on_invalid_map_property(true)
        .set_max_expr_depths(depth, depth)
        .set_max_call_levels(depth)
        .disable_symbol("eval")
        .set_default_tag(rhai::Dynamic::from(Surroundings { task }));
    stop::install(&mut engine, cancel, stack);
    let tokens = tokens::install(&mut engine);
    arithmetic::install(&mut engine);
    failure::install(&mut engine);
    builtins::install(&mut engine);
    modules::install_standard(&mut engine, sources, &tokens);
    engine.set_module_resolver(Resolver::new(host, sources.clone(), tokens.clone()));
    (engine, tokens)
}
