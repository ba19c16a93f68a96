//! Modules of scripts, and `import`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rhai::{AST, Engine, EvalAltResult, FnNamespace, Module, ModuleResolver, Position, Scope};

use super::failure;
use super::rewrite;
use super::sources::Sources;
use super::tokens::TokenState;
use crate::error::Error;
use crate::host::Host;

type SharedModule = rhai::Shared<Module>;

/// Compiles a module's text; positions inside it carry `source`.
pub(super) fn compile(
    engine: &Engine,
    sources: &Sources,
    tokens: &TokenState,
    source: &str,
    text: &str,
) -> Result<AST, Box<EvalAltResult>> {
    let (code, insertions) = rewrite::prepare(engine, text);
    sources.enter_module(source, text, insertions);
    tokens.reset();
    Ok(engine.compile(code)?)
}

pub(super) fn evaluate(engine: &Engine, mut ast: AST, source: &str) -> Result<Module, Box<EvalAltResult>> {
    ast.set_source(source);
    let mut module = Module::eval_ast_as_new(Scope::new(), &ast, engine)?;
    publish_closures(&ast, &mut module);
    module.set_id(source);
    module.build_index();
    Ok(module)
}

/// Makes the closures of a module callable from outside: since 1.27 a function pointer no longer carries its body.
#[allow(deprecated)] // The replacement registers native functions only.
fn publish_closures(ast: &AST, module: &mut Module) {
    let closures = ast.iter_functions().filter(|f| f.name.starts_with("anon$"));
    let mut scratch = Module::new();
    for closure in closures.filter_map(|f| ast.shared_lib().get_script_fn(f.name, f.params.len()).cloned()) {
        let hash = scratch.set_script_fn(closure);
        module.update_fn_namespace(hash, FnNamespace::Global);
    }
}

/// A module as it was read.
struct Loaded {
    text: String,
    /// The files that it imports in turn.
    imports: Vec<PathBuf>,
    module: SharedModule,
}

/// The modules that were imported, by file.
#[derive(Clone, Default)]
pub(super) struct Imported(Rc<RefCell<BTreeMap<PathBuf, Loaded>>>);

impl Imported {
    /// Whether a module's file, and those that it imports, are as they were read.
    pub(super) fn is_fresh(&self, host: &Host, file: &Path) -> bool {
        host.read_module(file).is_ok_and(|text| self.is_of(host, file, &text))
    }

    /// Whether a module is that of the `text` that its file has, and the files that it imports are as they were read.
    fn is_of(&self, host: &Host, file: &Path, text: &str) -> bool {
        let imported = self.0.borrow();
        // Circular imports are refused, so this ends.
        imported.get(file).is_some_and(|loaded| {
            text == loaded.text && loaded.imports.iter().all(|import| self.is_fresh(host, import))
        })
    }
}

/// Resolves `import "name"` to a file beside the importing one, then beside the script. A file that has changed since
/// it was imported is read again.
pub(super) struct Resolver {
    host: Host,
    sources: Sources,
    tokens: TokenState,
    imported: Imported,
    /// Looks at the functions of each module that is read.
    look: fn(&Engine, &AST),
    /// Files being read, with what they import.
    loading: RefCell<Vec<(PathBuf, Vec<PathBuf>)>>,
}

impl Resolver {
    pub(super) fn new(
        host: Host,
        sources: Sources,
        tokens: TokenState,
        imported: Imported,
        look: fn(&Engine, &AST),
    ) -> Self {
        Self { host, sources, tokens, imported, look, loading: RefCell::default() }
    }

    fn find(&self, source: Option<&str>, path: &str) -> PathBuf {
        let name = if path.ends_with(".rhai") { path.to_owned() } else { format!("{path}.rhai") };
        let beside = source.and_then(|source| Path::new(source).parent()).map(|folder| folder.join(&name));
        // What must not be read is refused where it is read.
        beside.filter(|file| self.host.has_file(file).unwrap_or(true)).unwrap_or_else(|| PathBuf::from(name))
    }
}

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<SharedModule, Box<EvalAltResult>> {
        // `import` replaces what a resolver says of a missing module unless it comes as an error inside the module.
        let refuse = |error| Box::new(EvalAltResult::ErrorInModule(path.to_owned(), failure::refuse(error), position));
        let file = self.find(source, path);
        let text = self.host.read_module(&file).map_err(refuse)?;
        let file = self.host.canonical(&file);
        if let Some((_, imports)) = self.loading.borrow_mut().last_mut() {
            imports.push(file.clone());
        }
        if self.imported.is_of(&self.host, &file, &text) {
            return Ok(self.imported.0.borrow()[&file].module.clone());
        }
        if self.loading.borrow().iter().any(|(loading, _)| *loading == file) {
            let names: Vec<_> = self.loading.borrow().iter().map(|(file, _)| file.display().to_string()).collect();
            let circle = format!("circular import: {} -> {}", names.join(" -> "), file.display());
            return Err(refuse(Error::refused(circle)));
        }
        self.loading.borrow_mut().push((file.clone(), Vec::new()));
        let name = file.display().to_string();
        let loaded = compile(engine, &self.sources, &self.tokens, &name, &text)
            .inspect(|ast| (self.look)(engine, ast))
            .and_then(|ast| evaluate(engine, ast, &name));
        let imports = self.loading.borrow_mut().pop().map(|(_, imports)| imports).unwrap_or_default();
        // Under the name that the module's text is known by.
        let module: SharedModule =
            loaded.map_err(|error| Box::new(EvalAltResult::ErrorInModule(name, error, position)))?.into();
        self.imported.0.borrow_mut().insert(file, Loaded { text, imports, module: module.clone() });
        Ok(module)
    }
}
