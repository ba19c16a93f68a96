//! What scripts can call: one file per script module, each a thin wrapper over a room below.

#![allow(unreachable_pub)] // `export_module` exports `pub` functions only.

mod dataset;
mod io;
mod measure;
mod process;
mod symbolic;
mod tensor;
mod testing;
mod text;

use rhai::Engine;

/// Registers all builtins.
pub(super) fn install(engine: &mut Engine) {
    dataset::install(engine);
    io::install(engine);
    measure::install(engine);
    process::install(engine);
    symbolic::install(engine);
    tensor::install(engine);
    testing::install(engine);
    text::install(engine);
}
