//! Everything that has a name: read from the doc comments on the functions themselves, which are the only declaration.
//!
//! `:help`, completion, the generated reference, the suggestions of errors and the example tests all read this.
//! The one file that touches Rhai's metadata.

mod options;

use std::any::TypeId;
use std::borrow::Borrow;
use std::collections::BTreeMap;

pub use options::OptionEntry;
use options::{declared, list, written_section};
use rhai::{AST, Dynamic, Engine, FnAccess, FnPtr, FuncInfo, NativeCallContext};

use super::options::{Table, Tables};
use super::rewrite::{CATCH, INDEX, SWITCH};
use super::sources::is_of_word;
use crate::settings::all_optional;

/// How many functions may pass on options one to the next, so that a circle of them has an end.
const DEEPEST: usize = 8;

/// One documented name with all its call forms.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Name with its module: `process::active`, `train`.
    pub name: String,
    /// Call forms: `train(score: Score, data: Dataset, options: map) -> Record`.
    pub forms: Vec<String>,
    /// The doc comment without its comment marks.
    pub doc: String,
    options: Vec<OptionEntry>,
    /// Whether a table says which options there are, and not a doc comment.
    is_declared: bool,
}

impl Entry {
    /// First line of the doc comment.
    pub fn summary(&self) -> &str {
        self.doc.lines().next().unwrap_or_default()
    }

    /// The keys of the option map that it takes, in the order of its documentation.
    pub fn options(&self) -> &[OptionEntry] {
        &self.options
    }

    /// Whether its options are those of its doc comment, which may name some of a family only.
    pub(super) fn is_written(&self) -> bool {
        !self.is_declared
    }

    /// The code of the sections `# Example`, one string per fenced block.
    pub fn examples(&self) -> Vec<String> {
        let mut examples = Vec::new();
        let mut current: Option<String> = None;
        for line in self.doc.lines() {
            match (&mut current, line.trim_start().starts_with("```")) {
                (None, true) => current = Some(String::new()),
                (Some(_), true) => examples.extend(current.take()),
                (Some(code), false) => {
                    code.push_str(line);
                    code.push('\n');
                }
                (None, false) => {}
            }
        }
        examples
    }
}

/// All documented names.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    entries: BTreeMap<String, Entry>,
    /// What Rhai itself brings: `push`, `to_upper`, ...
    other: BTreeMap<String, Entry>,
}

impl Catalog {
    /// Of the engine, of a session's own functions, and of modules that are not registered.
    pub(super) fn read(engine: &Engine, functions: &AST, modules: Vec<(&str, &AST)>, tables: &Tables) -> Self {
        let mut catalog = Self::default();
        let describe = |info: FuncInfo| describe(engine, &info, tables);
        for function in engine.collect_fn_metadata(None, describe, false) {
            add(&mut catalog.entries, function);
        }
        let own = functions.iter_functions().filter(|function| function.name != "seed").map(|own| ("", own));
        let of_modules = modules.iter().flat_map(|(module, ast)| {
            let public = ast.iter_functions().filter(|function| function.access == FnAccess::Public);
            public.map(move |function| (*module, function))
        });
        for (module, function) in own.chain(of_modules) {
            let doc = clean(function.comments.iter().copied());
            add(&mut catalog.entries, written(module, function.name, &function.params, doc));
        }
        for function in engine.collect_fn_metadata(None, describe, true) {
            if !catalog.entries.contains_key(&function.name) {
                add(&mut catalog.other, function);
            }
        }
        for entry in catalog.entries.values_mut().chain(catalog.other.values_mut()) {
            // Rhai keeps functions in hash tables, whose order changes from run to run.
            entry.forms.sort_by_key(|form| (form.len(), form.clone()));
        }
        for (name, tables) in tables.iter() {
            let entry = catalog.entries.get_mut(name).expect("a builtin with options is documented");
            (entry.options, entry.is_declared) = (declared(tables), true);
        }
        catalog.read_written_options();
        catalog
    }

    /// Reads the options of functions of the language, which list them in their doc comments.
    fn read_written_options(&mut self) {
        let written: Vec<String> =
            self.entries.values().filter(|entry| entry.options.is_empty()).map(|entry| entry.name.clone()).collect();
        for name in written {
            let (doc, options) = self.written_options(&name, DEEPEST);
            let entry = self.entries.get_mut(&name).expect("a name of an entry");
            (entry.doc, entry.options) = (doc, options);
        }
    }

    /// The doc comment of an entry and its options, with those that it passes on to other functions.
    fn written_options(&self, name: &str, depth: usize) -> (String, Vec<OptionEntry>) {
        let Some(entry) = self.entries.get(name) else { return Default::default() };
        if !entry.options.is_empty() || depth == 0 {
            return (entry.doc.clone(), entry.options.clone());
        }
        written_section(&entry.doc, &|other| self.written_options(other, depth - 1).1)
    }

    /// The entry of a name; `diamond` finds `dataset::diamond` when it is the only one so named.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        let unique = || {
            let mut found = self.entries.values().filter(|entry| entry.name.rsplit("::").next() == Some(name));
            let first = found.next()?;
            found.next().is_none().then_some(first)
        };
        self.entries.get(name).or_else(unique).or_else(|| self.other.get(name))
    }

    /// All entries in alphabetical order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Names of all entries and of the functions that Rhai itself brings.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().chain(self.other.keys()).map(String::as_str)
    }

    /// Names of the modules.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        let mut last = "";
        self.entries.keys().filter_map(|name| name.split_once("::")).filter_map(move |(module, _)| {
            let new = module != last;
            last = module;
            new.then_some(module)
        })
    }
}

fn add(entries: &mut BTreeMap<String, Entry>, function: Described) {
    if is_hidden(&function.name) {
        return;
    }
    let entry =
        entries.entry(function.name.clone()).or_insert_with(|| Entry { name: function.name, ..Entry::default() });
    for form in function.forms {
        if !entry.forms.contains(&form) {
            entry.forms.push(form);
        }
    }
    let is_full = |doc: &str| doc.contains('\n');
    // Forms of one function may carry one doc comment between them, and a remark on how another form differs.
    if entry.doc.contains(&function.doc) {
        return;
    }
    if is_full(&function.doc) && is_full(&entry.doc) {
        // Functions of one name on different types: `sample` of a score and of a dataset. The longer stands first,
        // because Rhai lists functions in no particular order.
        let mut both = [function.doc, std::mem::take(&mut entry.doc)];
        both.sort_by_key(|doc| std::cmp::Reverse(doc.len()));
        entry.doc = both.join("\n\n");
    } else if function.doc.len() > entry.doc.len() {
        entry.doc = function.doc;
    }
}

/// Names of the arguments that a closure still takes; what it captured comes first and is already there.
pub(super) fn parameters(ctx: &NativeCallContext, closure: &FnPtr) -> Option<Vec<String>> {
    Some(all_parameters(ctx, closure)?.into_iter().skip(closure.curry().len()).collect())
}

/// Names and values of what a closure captured.
pub(super) fn captured(ctx: &NativeCallContext, closure: &FnPtr) -> Vec<(String, Dynamic)> {
    all_parameters(ctx, closure).unwrap_or_default().into_iter().zip(closure.curry().iter().cloned()).collect()
}

fn all_parameters(ctx: &NativeCallContext, closure: &FnPtr) -> Option<Vec<String>> {
    let name = closure.fn_name();
    let read = |info: FuncInfo| {
        let script = info.script.filter(|script| script.name == name)?;
        Some(script.params.iter().map(ToString::to_string).collect())
    };
    ctx.engine().collect_fn_metadata(Some(ctx), read, false).into_iter().next()
}

/// A native function that is called by a bare name, and what it takes.
#[derive(Clone)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) types: Vec<TypeId>,
    pub(super) parameters: Vec<String>,
}

/// The forms of all native functions that are called by a bare name.
pub(super) fn forms(engine: &Engine) -> Vec<Form> {
    let form = |info: FuncInfo| {
        let metadata = info.metadata;
        let is_name = metadata.name.chars().all(is_of_word);
        let name_of = |text: &str| text.split(':').next().unwrap_or_default().trim().to_owned();
        (is_name && info.script.is_none() && info.namespace.is_empty()).then(|| Form {
            name: metadata.name.to_string(),
            types: metadata.param_types.to_vec(),
            parameters: metadata.params_info.iter().map(|info| name_of(info)).collect(),
        })
    };
    engine.collect_fn_metadata(None, form, true)
}

struct Described {
    name: String,
    forms: Vec<String>,
    doc: String,
}

/// A function of the language.
fn written(module: &str, name: &str, parameters: &[impl Borrow<str>], doc: String) -> Described {
    let name = qualified(module, name);
    Described { forms: vec![format!("{name}({})", parameters.join(", "))], name, doc }
}

fn qualified(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

/// What is known of a function; nothing of the shorter form of a builtin, which has no metadata.
fn describe(engine: &Engine, info: &FuncInfo, tables: &Tables) -> Option<Described> {
    let metadata = info.metadata;
    if let Some(script) = &info.script {
        let doc = clean(script.comments.iter().copied());
        return Some(written(&info.namespace, script.name, &script.params, doc));
    }
    let doc = clean(metadata.comments.iter().map(|comment| comment.as_str()));
    let all = metadata.params_info.iter().enumerate();
    let parameters: Vec<String> =
        all.map(|(place, info)| parameter(engine, info, nameless(place, metadata.num_params))).collect();
    if parameters.len() < metadata.num_params {
        return None;
    }
    if let Some(property) = metadata.name.strip_prefix("get$") {
        let owner = parameters.first().and_then(|p| p.split(": ").nth(1)).unwrap_or_default().to_owned();
        let name = format!("{owner}.{property}");
        return Some(Described { forms: vec![name.clone()], name, doc });
    }
    let name = qualified(&info.namespace, &metadata.name);
    let form = |parameters: &[String]| format!("{name}({})", parameters.join(", "));
    let mut described = Described { forms: vec![form(&parameters)], doc, name: name.clone() };
    if let Some((last, others)) = parameters.split_last()
        && let Some(table) = tables.get(&name).filter(|_| last == "options: map")
    {
        described.forms.extend(all_optional(table).then(|| form(others)));
        described.doc = with_options(&described.doc, table);
    }
    Some(described)
}

/// A doc comment with its section on options, where it belongs in the order of headings.
fn with_options(doc: &str, table: Table) -> String {
    if doc.is_empty() {
        return String::new();
    }
    let behind = ["# Returns\n", "# Errors\n", "# Source\n", "# Example\n"];
    let place = behind.iter().filter_map(|heading| doc.find(heading)).min();
    let (before, after) = doc.split_at(place.unwrap_or(doc.len()));
    let section = format!("# Options\n{}", list(&declared(table), 0));
    format!("{}\n\n{section}\n{after}", before.trim_end()).trim_end().to_owned()
}

/// What a parameter is called that was registered without a name, as those of elementary functions are.
fn nameless(place: usize, count: usize) -> &'static str {
    if count == 1 { "x" } else { ["a", "b", "c"].get(place).unwrap_or(&"value") }
}

/// `options: Map` as the user knows it: `options: map`.
fn parameter(engine: &Engine, info: &str, nameless: &str) -> String {
    let Some((name, kind)) = info.split_once(':') else { return info.to_owned() };
    let kind = kind.trim().trim_start_matches("&mut ").trim();
    let kind = match kind {
        "INT" | "i64" | "FLOAT" | "f64" => "number",
        "Dynamic" => return name.trim().trim_start_matches('_').to_owned(),
        "Map" => "map",
        "Array" => "array",
        "FnPtr" => "closure",
        "ImmutableString" | "&str" | "String" => "string",
        "Failure" => "Error",
        "Picture" => "Figure",
        other => engine.map_type_name(other),
    };
    let kind = kind.rsplit("::").next().unwrap_or(kind);
    let name = Some(name.trim().trim_start_matches('_')).filter(|name| !name.is_empty()).unwrap_or(nameless);
    format!("{name}: {kind}")
}

fn is_hidden(name: &str) -> bool {
    let name = name.rsplit("::").next().unwrap_or(name);
    name.starts_with("anon$")
        || name.starts_with("index$")
        || name.starts_with("set$")
        || matches!(name, "to_string" | "to_debug" | "contains" | SWITCH | INDEX | CATCH)
        || !name.chars().any(char::is_alphanumeric)
}

/// A doc comment without `///` or `/** */`, one leading space removed.
fn clean<'a>(comments: impl Iterator<Item = &'a str>) -> String {
    let mut lines = Vec::new();
    for line in comments.flat_map(str::lines) {
        let line = line.trim_start();
        let line = line.strip_prefix("///").or_else(|| line.strip_prefix("/**")).unwrap_or(line);
        let line = line.strip_suffix("*/").unwrap_or(line);
        lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end());
    }
    lines.join("\n").trim().to_owned()
}
