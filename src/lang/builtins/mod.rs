//! What scripts can call: one file per script module, each a thin wrapper over a room below.

#![allow(unreachable_pub)] // `export_module` exports `pub` functions only.

mod plot;
mod process;
mod symbolic;
mod testing;
mod text;

use rhai::Engine;

/// Registers all builtins.
pub(super) fn install(engine: &mut Engine) {
    plot::install(engine);
    process::install(engine);
    symbolic::install(engine);
    testing::install(engine);
    text::install(engine);
}
