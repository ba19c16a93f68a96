//! The one place where the engine is configured.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rhai::{Engine, OptimizationLevel};

use super::modules::{Imported, Resolver};
use super::names::Names;
use super::options::Tables;
use super::sources::Sources;
use super::standard::{Standard, warn_of_replaced};
use super::stop::{self, Meters};
use super::surroundings::{Printed, Surroundings};
use super::tokens::{self, TokenState};
use super::{arithmetic, builtins, caught, failure, whole};
use crate::sweep::Part;
use crate::task::Task;

/// An engine with the language's settings, arithmetic, builtins and standard library.
pub(super) fn build(
    task: Task,
    cancel: Arc<AtomicBool>,
    depth: usize,
    meters: &Meters,
    sources: &Sources,
    imported: &Imported,
    (part, printed): (Part, &Printed),
) -> (Engine, TokenState, Rc<Tables>, Standard) {
    meters.start();
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
        .disable_symbol("eval");
    stop::install(&mut engine, cancel, meters.clone());
    let tokens = tokens::install(&mut engine);
    arithmetic::install(&mut engine);
    whole::install(&mut engine);
    failure::install(&mut engine);
    caught::install(&mut engine);
    let mut tables = Tables::default();
    builtins::install(&mut engine, &mut tables);
    let standard = Standard::install(&mut engine, &mut tables, sources, &tokens);
    engine.set_module_resolver(Resolver::new(
        host,
        sources.clone(),
        tokens.clone(),
        imported.clone(),
        warn_of_replaced,
    ));
    whole::widen(&mut engine);
    let tables = Rc::new(tables);
    let names = Rc::new(Names::new(tables.clone(), standard.clone()));
    let (sources, printed, rehearsal) = (sources.clone(), printed.clone(), Rc::default());
    let surroundings = Surroundings { task, names, rehearsal, sources, part, printed };
    engine.set_default_tag(rhai::Dynamic::from(surroundings));
    (engine, tokens, tables, standard)
}
