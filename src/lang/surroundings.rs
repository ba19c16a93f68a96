//! What the engine carries for builtins, as its tag.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::sources::Sources;
use crate::host::{Host, Journal};
use crate::sweep::Part;
use crate::task::Task;

/// What builtins need of the surroundings; the engine's tag.
#[derive(Clone)]
pub(crate) struct Surroundings {
    /// Cancel flag, progress, threads and host of computations.
    pub(crate) task: Task,
    /// What has a name, [`Names`](super::names::Names); what builtins read options by must not know it.
    pub(crate) names: Rc<dyn Any>,
    /// Whether a script is only rehearsed: what is long is left out.
    pub(super) rehearsal: Rc<Cell<bool>>,
    /// The texts that positions point into.
    pub(super) sources: Sources,
    /// Which part of sweeps the run does.
    pub(crate) part: Part,
    /// What is printed, while somebody wants to know.
    pub(super) printed: Printed,
}

/// Who takes the lines that a script prints, while builtins, which may call each other, have them taken down.
#[derive(Clone, Default)]
pub(crate) struct Printed(Rc<RefCell<Vec<Box<dyn FnMut(&str)>>>>);

impl Printed {
    /// Gives what is printed from now on to `take`, too.
    pub(crate) fn begin(&self, take: Box<dyn FnMut(&str)>) {
        self.0.borrow_mut().push(take);
    }

    /// A line was printed.
    pub(super) fn add(&self, line: &str) {
        self.0.borrow_mut().iter_mut().for_each(|take| take(line));
    }

    /// Ends what began last.
    pub(crate) fn end(&self) {
        self.0.borrow_mut().pop();
    }
}

/// The task of the running script.
pub(crate) fn task(ctx: &rhai::NativeCallContext) -> Task {
    surroundings(ctx, |all| all.task.clone())
}

/// The files, the clock and the memory that the running script may use.
pub(crate) fn host(ctx: &rhai::NativeCallContext) -> Host {
    surroundings(ctx, |all| all.task.host().clone())
}

/// What the run has done so far; nothing in an engine of a test, which is not a runtime's.
pub(crate) fn journal(ctx: &rhai::NativeCallContext) -> Option<Journal> {
    known(ctx, |all| all.task.host().journal().clone())
}

/// Whether the running script is only rehearsed.
pub(crate) fn is_rehearsal(ctx: &rhai::NativeCallContext) -> bool {
    known(ctx, |all| all.rehearsal.get()).unwrap_or(false)
}

/// What becomes of lines that are taken down.
pub(crate) fn printed(ctx: &rhai::NativeCallContext) -> Printed {
    surroundings(ctx, |all| all.printed.clone())
}

/// Which part of sweeps the running script does.
pub(crate) fn part(ctx: &rhai::NativeCallContext) -> Part {
    surroundings(ctx, |all| all.part.clone())
}

/// The texts that positions point into.
pub(crate) fn sources(ctx: &rhai::NativeCallContext) -> Sources {
    surroundings(ctx, |all| all.sources.clone())
}

/// Warns whoever runs the script.
pub(super) fn warn(engine: &rhai::Engine, warning: &str) {
    if let Some(all) = engine.default_tag().read_lock::<Surroundings>() {
        all.task.warn(warning);
    }
}

/// Gives computations another task.
pub(super) fn set_task(engine: &mut rhai::Engine, task: Task) {
    if let Some(mut all) = engine.default_tag_mut().write_lock::<Surroundings>() {
        all.task = task;
    }
}

/// Begins or ends the rehearsal of a script.
pub(super) fn rehearse(engine: &rhai::Engine, is_on: bool) {
    if let Some(all) = engine.default_tag().read_lock::<Surroundings>() {
        all.rehearsal.set(is_on);
    }
}

/// What has a name.
pub(super) fn names(ctx: &rhai::NativeCallContext) -> Rc<dyn Any> {
    surroundings(ctx, |all| all.names.clone())
}

/// Without a tag there is no default to fall back to: it would let through what the runtime's host forbids.
fn surroundings<T>(ctx: &rhai::NativeCallContext, take: impl FnOnce(&Surroundings) -> T) -> T {
    known(ctx, take).expect("the engine keeps the tag it was built with")
}

/// What a runtime's engine carries; nothing in an engine of a test.
fn known<T>(ctx: &rhai::NativeCallContext, take: impl FnOnce(&Surroundings) -> T) -> Option<T> {
    ctx.tag().and_then(|tag| tag.read_lock::<Surroundings>()).map(|all| take(&all))
}
