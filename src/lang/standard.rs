//! The standard library, of which each session reads what its texts name: to read all of it would be half of the time
//! that the program takes to start.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use rhai::{AST, Engine, EvalAltResult, Module};

use super::builtins::{measure, noise, score};
use super::catalog::forms;
use super::modules::{compile, evaluate};
use super::options::{MUST_BE_GIVEN, Tables};
use super::rewrite::Insertions;
use super::sources::{Sources, is_of_word};
use super::surroundings;
use super::tokens::TokenState;

/// A file of the standard library beside this source: (module, file, text).
macro_rules! standard {
    ($($module:literal: $($file:literal)*;)*) => {
        &[$($(($module, concat!("stdlib/", $file, ".rhai"), include_str!(concat!("../../stdlib/", $file, ".rhai")))),*),*]
    };
}

/// The standard library: each file has one function that is not private, by the file's name. Functions of the module ""
/// are called by their bare name.
const STANDARD: &[(&str, &str, &str)] = standard! {
    "process":
        "process/passive" "process/active" "process/circle" "process/cld" "process/vp" "process/ve" "process/sub_vp" "process/third_order"
        "process/chiral_active" "process/ou_chain" "process/oscillating" "process/power_law" "process/active_brownian"
        "process/run_and_tumble" "process/double_well" "process/state_dependent_temperature" "process/fractional";
    "measure": "measure/speciation_by_cloning" "measure/shuffle_ablation";
    "noise": "noise/coloured";
    "score": "network/resnet" "network/unet";
    "": "tools/verify" "tools/convergence" "tools/compare" "tools/best_tau";
};

/// Words behind which names may stand that the text itself does not have.
const MAY_NAME_ANY: &[&str] = &["import", "Fn"];

/// The files of a module of the standard library.
pub(super) fn standard_files(module: &str) -> impl Iterator<Item = &'static str> {
    STANDARD.iter().filter(move |(name, ..)| *name == module).map(|(_, file, _)| *file)
}

/// Warns of functions of a text that have names of builtins which the standard library calls: Rhai calls them in the
/// place of these everywhere, so that a process would have another kernel without a word.
pub(super) fn warn_of_replaced(engine: &Engine, ast: &AST) {
    replaced(engine, ast).iter().for_each(|warning| surroundings::warn(engine, warning));
}

fn replaced(engine: &Engine, ast: &AST) -> Vec<String> {
    let mut functions = ast.iter_functions().filter(|function| function.this_type.is_none()).peekable();
    let forms = if functions.peek().is_some() { forms(engine) } else { Vec::new() };
    let is_builtin = |name: &str, count| forms.iter().any(|form| form.name == name && form.parameters.len() == count);
    let replaced = functions.filter(|function| is_builtin(function.name, function.params.len()));
    let warning = |name: &str| {
        let (_, file, _) = STANDARD.iter().find(|(_, _, text)| calls(text, name))?;
        Some(format!(
            "`{name}` is a function of the program too, and {file}, which calls it, gets this one now: with another name \
             both stay what they are"
        ))
    };
    replaced.filter_map(|function| warning(function.name)).collect()
}

/// Whether a file calls a function of that name, outside of its comments.
fn calls(text: &str, name: &str) -> bool {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.match_indices(name).map(move |(at, _)| (line, at)))
        .any(|(line, at)| !line[..at].ends_with(is_of_word) && line[at + name.len()..].starts_with('('))
}

/// What a session has of the standard library; clones share it.
#[derive(Clone)]
pub(crate) struct Standard(Rc<Inner>);

struct Inner {
    sources: Sources,
    tokens: TokenState,
    /// As they are registered.
    modules: RefCell<BTreeMap<&'static str, Module>>,
    files: [File; STANDARD.len()],
}

#[derive(Default)]
struct File {
    ast: OnceCell<AST>,
    is_registered: Cell<bool>,
}

impl Standard {
    /// Registers the modules without what is written in the language.
    pub(super) fn install(engine: &mut Engine, tables: &mut Tables, sources: &Sources, tokens: &TokenState) -> Self {
        let mut modules = BTreeMap::from([
            ("measure", measure::module(tables)),
            ("noise", noise::module(tables)),
            ("score", score::module(tables)),
        ]);
        for (name, ..) in STANDARD.iter().filter(|(name, ..)| !name.is_empty()) {
            modules.entry(name).or_default();
        }
        for (name, module) in &modules {
            engine.register_static_module(*name, module.clone().into());
        }
        for (_, file, text) in STANDARD {
            sources.enter_module(file, text, Insertions::default());
        }
        let (sources, tokens, modules) = (sources.clone(), tokens.clone(), RefCell::new(modules));
        Self(Rc::new(Inner { sources, tokens, modules, files: Default::default() }))
    }

    /// Reads what a text names, before it is compiled.
    ///
    /// # Errors
    /// When that is stopped.
    pub(super) fn read_for(&self, engine: &mut Engine, text: &str) -> Result<(), Box<EvalAltResult>> {
        self.register(engine, named(text))
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// When that is stopped.
    pub(super) fn read_all(&self, engine: &mut Engine) -> Result<(), Box<EvalAltResult>> {
        self.register(engine, [true; STANDARD.len()])
    }

    fn register(&self, engine: &mut Engine, wanted: [bool; STANDARD.len()]) -> Result<(), Box<EvalAltResult>> {
        for i in self.missing().filter(|&i| wanted[i]) {
            let (name, file, _) = STANDARD[i];
            let module = evaluate(engine, self.compiled(engine, i).clone(), file)?;
            self.0.files[i].is_registered.set(true);
            if name.is_empty() {
                engine.register_global_module(module.into());
                continue;
            }
            let mut modules = self.0.modules.borrow_mut();
            let whole = modules.get_mut(name).expect("all modules are there from the start");
            whole.combine(module);
            whole.build_index();
            engine.register_static_module(name, whole.clone().into());
        }
        Ok(())
    }

    /// A file with the shorter forms of its function.
    ///
    /// # Panics
    /// When the file is wrong, which the test of the `STANDARD` table shows.
    fn compiled(&self, engine: &Engine, i: usize) -> &AST {
        let (_, file, text) = STANDARD[i];
        let load = || {
            let ast = compile(engine, &self.0.sources, &self.0.tokens, file, text)?;
            let shorter = engine.compile(shorter_forms(&ast))?;
            let mut ast = ast.merge(&shorter);
            // Of functions that are shared it would be lost.
            ast.set_source(file);
            Ok::<_, Box<EvalAltResult>>(ast)
        };
        self.0.files[i].ast.get_or_init(|| load().unwrap_or_else(|error| panic!("{file}: {error}")))
    }

    /// The functions that are not registered, with the names of their modules.
    pub(super) fn unregistered(&self, engine: &Engine) -> Vec<(&str, &AST)> {
        self.missing().map(|i| (STANDARD[i].0, self.compiled(engine, i))).collect()
    }

    fn missing(&self) -> impl Iterator<Item = usize> {
        (0..STANDARD.len()).filter(|&i| !self.0.files[i].is_registered.get())
    }
}

/// Which files a text needs: those whose function it names, and those that they need in turn.
fn named(text: &str) -> [bool; STANDARD.len()] {
    let mut found = [false; STANDARD.len()];
    if MAY_NAME_ANY.iter().any(|word| has_word(text, word)) {
        return [true; STANDARD.len()];
    }
    let mut waiting = vec![text.to_owned()];
    while let Some(text) = waiting.pop() {
        for (i, (_, file, own)) in STANDARD.iter().enumerate() {
            let function = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".rhai");
            if !found[i] && has_word(&text, function) {
                found[i] = true;
                // Comments name more than what is called.
                waiting.push(own.lines().filter(|line| !line.trim_start().starts_with("//")).collect());
            }
        }
    }
    found
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_of_word) && !text[at + word.len()..].starts_with(is_of_word))
}

/// The forms without a map of options of the functions that take one last, as text. A function has one if it is
/// documented and none of its options must be given.
fn shorter_forms(ast: &AST) -> String {
    let is_optional = |comments: &[&str]| !comments.is_empty() && !comments.iter().any(|c| c.contains(MUST_BE_GIVEN));
    let shorter = ast.iter_functions().filter(|function| is_optional(&function.comments)).filter_map(|function| {
        let (name, (last, others)) = (function.name, function.params.split_last()?);
        let passed: Vec<&str> = others.iter().copied().chain(["#{}"]).collect();
        (*last == "options").then(|| format!("fn {name}({}) {{ {name}({}) }}\n", others.join(", "), passed.join(", ")))
    });
    shorter.collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A name without a file does not compile. Jobs of `tumble bench` and the experiment of `tumble new` are no
    /// library. Seen to fail with a copy of `passive.rhai` under another name.
    #[test]
    fn the_list_has_every_file_of_the_standard_library() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let entries = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let folders = entries(&top.join("stdlib"))
            .filter(|path| path.is_dir() && !path.ends_with("bench") && !path.ends_with("new"));
        let files = folders.flat_map(|folder| entries(&folder).collect::<Vec<_>>());
        let mut found: Vec<_> = files.filter(|file| file.extension().is_some_and(|e| e == "rhai")).collect();
        let mut listed: Vec<_> = STANDARD.iter().map(|(_, file, _)| top.join(file)).collect();
        found.sort();
        listed.sort();
        assert_eq!(listed, found);
    }

    /// What a text names is read by the name of its file.
    #[test]
    fn each_file_has_one_function_by_its_name() {
        let runtime = crate::Runtime::new();
        for (module, file, text) in STANDARD {
            let public: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("fn ")).collect();
            let name = file.rsplit('/').next().unwrap().trim_end_matches(".rhai");
            assert!(public.len() == 1 && public[0].starts_with(&format!("{name}(")), "{file}: {public:?}");
            let full = if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") };
            assert!(runtime.catalog().get(&full).is_some_and(|entry| !entry.doc.is_empty()), "{full}");
        }
    }

    #[test]
    fn what_is_named_is_read_with_what_it_needs() {
        let of = |text: &str| {
            let files = STANDARD.iter().zip(named(text)).filter(|(_, is_named)| *is_named);
            files.map(|((_, file, _), _)| *file).collect::<Vec<_>>()
        };
        assert_eq!(of("1 + save(active_x, x_ve)"), [""; 0]);
        assert_eq!(of("process::ve(#{ a: 1 })"), ["stdlib/process/ve.rhai"]);
        assert!(of("best_tau(d)").contains(&"stdlib/process/active.rhai"));
        assert_eq!(of("import \"mine\" as mine; mine::f()").len(), STANDARD.len());
        assert_eq!(of("let f = Fn(\"ver\" + \"ify\")").len(), STANDARD.len());
    }

    /// Seen to give a kernel of the wrong variance without a word.
    #[test]
    fn functions_that_take_the_place_of_what_it_calls_are_told() {
        let mut runtime = crate::Runtime::new();
        let engine = runtime.engine();
        let warnings = |text: &str| replaced(engine, &engine.compile(text).unwrap());
        assert!(warnings("fn sqrt(x) { 10 }")[0].starts_with("`sqrt` is a function of the program too, and stdlib/"));
        for harmless in ["fn sqrt(x, y) { 10 }", "fn own(x) { sqrt(x) }", "fn eigenvalues(x) { x }", "let x = 1;"] {
            assert_eq!(warnings(harmless), [""; 0], "{harmless}");
        }
    }

    /// Whatever was read before it: in one session, each by itself, and through the engine.
    #[test]
    fn everything_is_there_when_it_is_asked_for() {
        let mut runtime = crate::Runtime::new();
        let own = "fn later(tau) { process::active(#{ tau: tau }) }";
        drop(runtime.run(own).unwrap());
        drop(runtime.run("process::passive().name").unwrap());
        assert_eq!(runtime.run("later(1).name").unwrap().to_string(), "active");
        assert_eq!(runtime.run("process::cld().name").unwrap().to_string(), "cld");
        assert_eq!(runtime.run("process::passive().name").unwrap().to_string(), "passive");
        let mut embedded = crate::Runtime::new();
        assert_eq!(embedded.engine().eval::<String>("process::vp().name").unwrap(), "vp");
    }
}
