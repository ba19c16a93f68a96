//! What scripts can call: one file per script module, each a thin wrapper over a room below.

#![allow(unreachable_pub)] // `export_module` exports `pub` functions only.

mod accuracy;
mod dataset;
mod explain;
mod io;
mod kernel;
mod likelihood;
mod measure;
pub(super) mod noise;
mod plot;
mod process;
mod sample;
mod score;
mod symbolic;
mod tensor;
mod testing;
mod text;
mod train;

use rhai::Engine;

/// Registers all builtins.
pub(super) fn install(engine: &mut Engine) {
    accuracy::install(engine);
    dataset::install(engine);
    explain::install(engine);
    io::install(engine);
    kernel::install(engine);
    likelihood::install(engine);
    measure::install(engine);
    plot::install(engine);
    process::install(engine);
    sample::install(engine);
    score::install(engine);
    symbolic::install(engine);
    tensor::install(engine);
    testing::install(engine);
    text::install(engine);
    train::install(engine);
}
