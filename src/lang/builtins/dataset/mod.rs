//! Datasets: distributions of data that can be drawn from.

mod coarse;
mod finite;
mod images;
mod laws;
mod methods;
mod molecules;
mod toy;

pub(super) use methods::label_argument;
use rhai::Engine;

use crate::data::Dataset;
use crate::lang::options::Tables;
use crate::lang::types;

/// Registers the type and the module `dataset`.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    types::register::<Dataset>(
        engine,
        "Dataset",
        "other data are another data set: dataset::from_array(x), d.normalise(\"coordinate\")",
    );
    let parts = [
        (rhai::exported_manifest!(finite::module), finite::OPTIONS),
        (rhai::exported_manifest!(images::module), images::OPTIONS),
        (rhai::exported_manifest!(laws::module), laws::OPTIONS),
        (rhai::exported_manifest!(molecules::module), molecules::OPTIONS),
        (rhai::exported_manifest!(toy::module), toy::OPTIONS),
    ];
    engine.register_static_module("dataset", tables.joined("dataset", &parts).into());
    engine
        .register_global_module(tables.module("", rhai::exported_manifest!(methods::module), methods::OPTIONS).into());
}
