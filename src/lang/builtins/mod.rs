//! What scripts can call: one file per script module, each a thin wrapper over a room below.

#![allow(unreachable_pub)] // `export_module` exports `pub` functions only.

mod accuracy;
mod array;
mod class;
mod classifier;
mod dataset;
mod evaluate;
mod explain;
mod io;
mod kernel;
mod layer;
mod learn;
mod lengths;
mod likelihood;
pub(super) mod measure;
pub(super) mod noise;
pub(super) mod plot;
mod process;
mod sample;
pub(super) mod score;
mod sleep;
mod step;
mod sweep;
mod symbolic;
mod tensor;
mod testing;
mod text;
mod train;

use rhai::Engine;

use super::options::Tables;

/// Registers all builtins, and in `tables` what their options are.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    accuracy::install(engine, tables);
    array::install(engine);
    class::install(engine, tables);
    classifier::install(engine, tables);
    dataset::install(engine, tables);
    evaluate::install(engine);
    explain::install(engine, tables);
    io::install(engine, tables);
    kernel::install(engine);
    layer::install(engine, tables);
    learn::install(engine, tables);
    lengths::install(engine);
    likelihood::install(engine, tables);
    plot::install(engine, tables);
    process::install(engine, tables);
    sample::install(engine, tables);
    score::install(engine);
    sleep::install(engine);
    step::install(engine);
    sweep::install(engine, tables);
    symbolic::install(engine);
    tensor::install(engine);
    testing::install(engine);
    text::install(engine);
    train::install(engine, tables);
}
