//! Modules of builtins, with the tables of their options.

use std::any::TypeId;
use std::collections::BTreeMap;

use rhai::plugin::{FnManifestEntry, FuncRegistration, ModuleManifest, PluginFunc, RhaiFunc, RhaiResult};
use rhai::{Dynamic, Map, Module, NativeCallContext, Shared};

use crate::settings::{Setting, all_optional};

/// The tables of one function's options.
pub(crate) type Table = &'static [&'static [Setting]];

/// The option tables of all builtins that take a map of options, by their names in scripts.
#[derive(Debug, Default)]
pub(crate) struct Tables(BTreeMap<String, Table>);

impl Tables {
    /// The tables of a function: `train`, `dataset::diamond`.
    pub(crate) fn get(&self, name: &str) -> Option<Table> {
        self.0.get(name).copied()
    }

    /// Names and tables of all functions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Table)> {
        self.0.iter().map(|(name, table)| (name.as_str(), *table))
    }

    /// The module with the functions of `manifest`, whose option maps are declared in `options`; `name` is its name in
    /// scripts, "" for functions that are called by their bare name. Where nothing must be given, a function can be
    /// called without its map, too.
    ///
    /// # Panics
    /// When a declared function does not exist or takes no map.
    pub(crate) fn module(
        &mut self,
        name: &str,
        manifest: &'static ModuleManifest,
        options: &[(&'static str, Table)],
    ) -> Module {
        self.joined(name, &[(manifest, options)])
    }

    /// The same of the functions of several manifests, each with its options.
    ///
    /// # Panics
    /// As [`Tables::module`].
    pub(crate) fn joined(
        &mut self,
        name: &str,
        parts: &[(&'static ModuleManifest, &[(&'static str, Table)])],
    ) -> Module {
        let mut module = Module::new();
        for (manifest, options) in parts {
            self.add(name, manifest, options, &mut module);
        }
        module.build_index();
        module
    }

    fn add(
        &mut self,
        name: &str,
        manifest: &'static ModuleManifest,
        options: &[(&'static str, Table)],
        module: &mut Module,
    ) {
        manifest.init_eager(module);
        manifest.functions().iter().for_each(|function| function.register_into(module));
        for &(function, table) in options {
            let mut forms =
                manifest.functions().iter().filter(|form| form.name == function && takes_map(form)).peekable();
            assert!(forms.peek().is_some(), "`{function}` takes no map of options");
            if all_optional(table) {
                forms.for_each(|form| add_shorter(module, form));
            }
            let name = if name.is_empty() { function.to_owned() } else { format!("{name}::{function}") };
            self.0.insert(name, table);
        }
    }
}

/// Whether the last argument is a map.
fn takes_map(function: &FnManifestEntry) -> bool {
    let mut is_map = false;
    function.with_param_types(&mut |types| is_map = types.last() == Some(&TypeId::of::<Map>()));
    is_map
}

/// Adds the form of a function that takes no map of options. It has no metadata: the catalog lists it beside the other.
fn add_shorter(module: &mut Module, function: &'static FnManifestEntry) {
    let mut types = Vec::new();
    function.with_param_types(&mut |all| types.extend_from_slice(&all[..all.len() - 1]));
    let registration = FuncRegistration::new(function.name).with_namespace(function.namespace);
    registration.set_into_module_raw(module, types, RhaiFunc::Plugin { func: Shared::new(Shorter(function)) });
}

/// A function called with an empty map of options.
struct Shorter(&'static FnManifestEntry);

impl PluginFunc for Shorter {
    fn call(&self, context: Option<NativeCallContext>, arguments: &mut [&mut Dynamic]) -> RhaiResult {
        let mut options = Dynamic::from_map(Map::new());
        let mut all: Vec<&mut Dynamic> = arguments.iter_mut().map(|argument| &mut **argument).collect();
        all.push(&mut options);
        self.0.func.call(context, &mut all)
    }

    fn is_method_call(&self) -> bool {
        self.0.func.is_method_call()
    }

    fn has_context(&self) -> bool {
        self.0.func.has_context()
    }

    fn is_pure(&self) -> bool {
        self.0.func.is_pure()
    }
}
