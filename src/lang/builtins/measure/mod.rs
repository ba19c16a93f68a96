//! Measures: distances between samples, their moments, observables of lattices, and what noise does to what data say.

mod classes;
mod distances;
mod hierarchy;
mod information;
mod lattices;
mod moments;
mod shared;

pub(super) use shared::estimate;

use rhai::Module;

use crate::lang::options::Tables;

/// The functions of the module; the standard library adds experiments written in the language.
pub(in crate::lang) fn module(tables: &mut Tables) -> Module {
    let parts = [
        (rhai::exported_manifest!(distances::module), distances::OPTIONS),
        (rhai::exported_manifest!(lattices::module), &[]),
        (rhai::exported_manifest!(moments::module), &[]),
        (rhai::exported_manifest!(information::module), information::OPTIONS),
        (rhai::exported_manifest!(classes::module), classes::OPTIONS),
        (rhai::exported_manifest!(hierarchy::module), hierarchy::OPTIONS),
    ];
    tables.joined("measure", &parts)
}
