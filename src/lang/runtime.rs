//! A session of the language: what is defined in one text is there in the next.

mod inspect;
mod results;

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rhai::{AST, Caches, Dynamic, Engine, EvalAltResult, GlobalRuntimeState, ParseErrorType, Scope, Stmt};

use super::assist::brackets::{Unmatched, unmatched};
use super::catalog::Catalog;
use super::diagnostics::{self, Diagnostic, Ending};
use super::engine;
use super::explain::Frame;
use super::limits::Limits;
use super::modules::Imported;
use super::options::Tables;
use super::rewrite;
use super::sources::Sources;
use super::standard::{Standard, warn_of_replaced};
use super::stop::{Meters, Stop};
use super::surroundings::Printed;
use super::tokens::TokenState;
use super::whole::{self, Known};
use crate::host::Host;
use crate::sweep::Part;
use crate::task::{Progress, Task, Unfinished};

/// A value of the language.
pub type Value = Dynamic;

/// Script calls and nested expressions allowed by default: fits the 2 MiB stack of an ordinary Rust thread.
const ORDINARY_DEPTH: usize = 64;
/// Half of that stack.
const ORDINARY_STACK: usize = 1 << 20;

/// How a [`Runtime`] is set up.
pub struct Builder {
    threads: usize,
    depth: usize,
    stack: usize,
    cancel: Arc<AtomicBool>,
    progress: Option<Arc<dyn Progress>>,
    printer: Option<Box<dyn Fn(&str)>>,
    debugger: Option<Box<dyn Fn(&str)>>,
    limits: Limits,
    host: Host,
    part: Part,
}

impl Builder {
    /// Threads of long computations; 0 (the default) takes as many as the machine has.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Script calls allowed, and how deep an expression may nest.
    #[must_use]
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// Bytes of the calling thread's stack that scripts may take; a call takes about 8 KiB. Leave a good part of the
    /// stack to what they call.
    #[must_use]
    pub fn stack(mut self, bytes: usize) -> Self {
        self.stack = bytes;
        self
    }

    /// A flag that stops whatever runs when it is set, or else what runs next; it is cleared when that has ended.
    #[must_use]
    pub fn cancel(mut self, cancel: Arc<AtomicBool>) -> Self {
        self.cancel = cancel;
        self
    }

    /// Who is told of the progress of long computations.
    #[must_use]
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// What becomes of the lines that scripts print, which are counted then: see [`Limits`]. By default they go to
    /// standard output.
    #[must_use]
    pub fn print(mut self, printer: impl Fn(&str) + 'static) -> Self {
        self.printer = Some(Box::new(printer));
        self
    }

    /// What becomes of the lines that scripts give to `debug`, with their places. By default they go to standard
    /// output.
    #[must_use]
    pub fn debug(mut self, debugger: impl Fn(&str) + 'static) -> Self {
        self.debugger = Some(Box::new(debugger));
        self
    }

    /// How much a run of a script may compute, print, and keep. A limit of memory as a whole needs the
    /// [`CountingAllocator`](crate::host::CountingAllocator).
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The files, the clock and the memory that scripts may use; all of the machine's by default. For scripts that are
    /// not trusted see [`crate::host::Permissions`].
    #[must_use]
    pub fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    /// Which part of their sweeps scripts do; all by default.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    /// The runtime.
    ///
    /// # Errors
    /// When the operating system refuses the threads.
    pub fn build(self) -> crate::Result<Runtime> {
        let (sources, imported) = (Sources::default(), Imported::default());
        let host = self.host.with_new_journal();
        let host = match self.limits.memory {
            Some(bytes) => host.with_memory_limit(bytes),
            None => host,
        };
        let task = Task::new(self.cancel.clone(), self.progress, self.threads)?.with_host(host.clone());
        let task = match self.limits.time {
            Some(time) => task.with_time_limit(time),
            None => task,
        };
        let meters = Meters::new(self.stack, self.limits, task.clone());
        let printed = Printed::default();
        let part = (self.part, &printed);
        let (mut engine, tokens, tables, standard) =
            engine::build(task.clone(), self.cancel.clone(), self.depth, &meters, &sources, &imported, part);
        if let Some(printer) = self.printer {
            let counted = meters.clone();
            engine.on_print(move |text| {
                counted.print(text);
                printed.add(text);
                printer(text);
            });
        }
        if let Some(debugger) = self.debugger {
            engine.on_debug(move |text, _, position| debugger(&format!("debug {position}: {text}")));
        }
        tokens.reset();
        // Rhai publishes a `const` to `global::` only once the library of functions is not empty.
        let functions = engine.compile("private fn seed() {}").expect("a constant text");
        let global = engine.new_global_runtime_state();
        Ok(Runtime {
            engine,
            tokens,
            tables,
            standard,
            meters,
            sources,
            imported,
            scope: Scope::new(),
            functions,
            global,
            cancel: self.cancel,
            was_stopped: Cell::new(false),
            task,
            host,
            catalog: OnceCell::new(),
            before: None,
        })
    }
}

/// A session of the language, embedded in a Rust program or driven by the `tumble` command.
pub struct Runtime {
    pub(super) engine: Engine,
    tokens: TokenState,
    tables: Rc<Tables>,
    standard: Standard,
    meters: Meters,
    sources: Sources,
    imported: Imported,
    pub(super) scope: Scope<'static>,
    functions: AST,
    pub(super) global: GlobalRuntimeState,
    cancel: Arc<AtomicBool>,
    /// Whether the flag was set when the last text ended.
    was_stopped: Cell<bool>,
    task: Task,
    host: Host,
    catalog: OnceCell<Catalog>,
    /// The functions that there were before the program could register its own.
    before: Option<Known>,
}

impl Default for Runtime {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime {
    /// A runtime with the defaults of [`Builder`].
    ///
    /// # Panics
    /// When the operating system refuses threads; [`Builder::build`] returns that as an error.
    pub fn new() -> Self {
        Self::builder().build().expect("threads can be started")
    }

    /// The settings, to be changed before the runtime is built.
    pub fn builder() -> Builder {
        Builder {
            threads: 0,
            depth: ORDINARY_DEPTH,
            stack: ORDINARY_STACK,
            cancel: Arc::default(),
            progress: None,
            printer: None,
            debugger: None,
            limits: Limits::default(),
            host: Host::default(),
            part: Part::Whole,
        }
    }

    /// The files, the clock and the memory that scripts may use.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The Rhai engine, to register functions and types of the embedding program; texts may give whole numbers to those
    /// that take `f64`, and floats without fraction to those that take `i64`. Its default tag is the language's
    /// own: builtins find the runtime's host, threads and cancel flag there, and panic where it was replaced.
    pub fn engine(&mut self) -> &mut Engine {
        self.catalog.take();
        // What the program runs by the engine itself is not seen here. Nothing stops this: it comes between two runs.
        let _ = self.standard.read_all(&mut self.engine);
        self.before.get_or_insert_with(|| whole::known(&self.engine));
        &mut self.engine
    }

    /// Runs a text and returns the value of its last expression. Variables, functions and imports stay defined.
    ///
    /// # Errors
    /// What went wrong, where, and the way out. What the text defined before the error stays defined.
    pub fn run(&mut self, text: &str) -> Result<Value, Box<Diagnostic>> {
        self.run_named("script", text)
    }

    /// Runs a script file.
    ///
    /// # Errors
    /// As [`Runtime::run`], and when the file cannot be read.
    pub fn run_file(&mut self, path: &Path) -> Result<Value, Box<Diagnostic>> {
        let text = self.host.read_text(path).map_err(|error| Box::new(Diagnostic::from(error)))?;
        self.run_named(&path.display().to_string(), &text)
    }

    /// Runs a text under a name that errors refer to it by; a path lets its imports be found beside it.
    ///
    /// # Errors
    /// As [`Runtime::run`].
    pub fn run_named(&mut self, name: &str, text: &str) -> Result<Value, Box<Diagnostic>> {
        self.begin(name, text);
        self.warn_of_nameless_imports(text);
        let result = self.evaluate(name, text).and_then(|value| self.meters.in_time().map(|()| value));
        self.was_stopped.set(self.cancel.load(Ordering::Relaxed));
        self.keep_newest_variables();
        result.map_err(|error| self.diagnose(&error))
    }

    /// What comes before every run of a text.
    pub(super) fn begin(&mut self, name: &str, text: &str) {
        self.forget_what_was_stopped();
        self.task.begin();
        self.meters.start();
        self.host.journal().enter(name, text);
    }

    /// A computation that was stopped leaves the flag behind it; one that was set since is for what comes now.
    fn forget_what_was_stopped(&self) {
        if self.was_stopped.take() {
            self.cancel.store(false, Ordering::Relaxed);
        }
    }

    /// Looks for syntax errors without running anything.
    ///
    /// # Errors
    /// The first syntax error.
    pub fn check(&mut self, name: &str, text: &str) -> Result<(), Box<Diagnostic>> {
        self.compile(name, text).map(|_| ()).map_err(|error| self.diagnose(&error))
    }

    pub(super) fn diagnose(&self, error: &EvalAltResult) -> Box<Diagnostic> {
        let frame = Frame { engine: &self.engine, sources: &self.sources, scope: &self.scope, catalog: self.catalog() };
        let mut diagnostic = frame.diagnose(error);
        // A builtin cannot tell who stopped it.
        let is_asked = self.cancel.load(Ordering::Relaxed);
        let late = self.meters.late().filter(|_| diagnostic.ending == Ending::Interrupted && !is_asked);
        if let Some((message, hint)) = late.and_then(Stop::explain) {
            diagnostic.message = message;
            diagnostic.ending = Ending::Failed;
            diagnostic.hints.extend(hint);
        }
        Box::new(diagnostic)
    }

    pub(super) fn compile(&mut self, name: &str, text: &str) -> Result<AST, Box<EvalAltResult>> {
        self.standard.read_for(&mut self.engine, text)?;
        if let Some(before) = self.before.take() {
            whole::widen_new(&mut self.engine, &before);
        }
        let (code, insertions) = rewrite::prepare(&self.engine, text);
        let blank = self.sources.enter(name, text, insertions);
        self.tokens.reset();
        Ok(self.engine.compile_with_scope(&self.scope, "\n".repeat(blank) + code.as_str())?)
    }

    fn evaluate(&mut self, name: &str, text: &str) -> Result<Value, Box<EvalAltResult>> {
        let ast = self.compile(name, text)?;
        self.define(name, &ast);
        warn_of_replaced(&self.engine, &ast);
        match self.perform(ast.statements()).map_err(|error| *error) {
            Ok(value) | Err(EvalAltResult::Return(value, _)) => Ok(value),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes up the functions of a text that is going to run.
    pub(super) fn define(&mut self, name: &str, ast: &AST) {
        self.functions.combine(ast.clone_functions_only());
        self.catalog.take();
        let global = &mut self.global;
        global.source = Some(name.into());
        global.lib.clear();
        global.lib.push(self.functions.shared_lib().clone());
        global.level = 0;
        global.scope_level = 0;
        global.num_operations = 0;
    }

    /// Runs statements of a text whose functions are defined.
    #[allow(deprecated)] // `eval_statements_raw` marks an unstable interface; the version of Rhai is pinned.
    pub(super) fn perform(&mut self, statements: &[Stmt]) -> Result<Value, Box<EvalAltResult>> {
        self.engine.eval_statements_raw(&mut self.global, &mut Caches::new(), &mut self.scope, statements)
    }

    /// A second `let x` shadows the first and keeps it alive; drop what can no longer be named.
    pub(super) fn keep_newest_variables(&mut self) {
        let mut seen = BTreeSet::new();
        // By value: a copy of what a script keeps may not fit into memory beside it. What closures share stays shared.
        let mut newest: Vec<_> = std::mem::take(&mut self.scope).into_iter().collect();
        newest.reverse();
        newest.retain(|(name, ..)| seen.insert(name.clone()));
        let mut scope = Scope::new();
        for (name, value, _) in newest.into_iter().rev() {
            if value.is_read_only() {
                scope.push_constant_dynamic(name, value);
            } else {
                scope.push_dynamic(name, value);
            }
        }
        self.scope = scope;
    }

    /// Defines or overwrites a variable.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.scope.set_or_push(name, value.into());
    }

    /// Defines a constant, which scripts can read but not change.
    pub fn set_constant(&mut self, name: &str, value: impl Into<Value>) {
        self.scope.push_constant_dynamic(name, value.into());
    }

    /// Defines the constant `args`, which scripts take for what their user gave; files that they write name it.
    pub fn set_arguments(&mut self, arguments: Vec<String>) {
        self.host.journal().give(&arguments);
        self.set_constant("args", arguments);
    }

    /// A variable's value, if it is defined and of this type.
    pub fn get<T: Clone + 'static>(&self, name: &str) -> Option<T> {
        self.scope.get_value(name)
    }

    /// A value as the language prints it.
    pub fn display(&self, value: &Value) -> String {
        let mut scope = Scope::new();
        scope.push_dynamic("value", value.clone());
        let function = if value.is_string() { "to_debug" } else { "to_string" };
        self.forget_what_was_stopped();
        self.tokens.reset();
        self.meters.start();
        self.engine
            .eval_expression_with_scope::<String>(&mut scope, &format!("value.{function}()"))
            .unwrap_or_else(|_| value.to_string())
    }

    /// Whether a text ends in the middle of something, so that a prompt should ask for more. What closes a bracket that
    /// is not open comes right by nothing.
    pub fn is_incomplete(&self, text: &str) -> bool {
        if matches!(unmatched(text), Some(Unmatched::Closing { .. } | Unmatched::Other { .. })) {
            return false;
        }
        let (code, _) = rewrite::prepare(&self.engine, text);
        self.tokens.reset();
        let Err(error) = self.engine.compile_with_scope(&self.scope, &code) else { return false };
        match &*error.0 {
            ParseErrorType::UnexpectedEOF | ParseErrorType::WrongDocComment => true,
            ParseErrorType::BadInput(rhai::LexError::UnterminatedString) => text.matches('`').count() % 2 == 1,
            _ => diagnostics::points_to_the_end(&code, error.1),
        }
    }

    /// The training of the text that ran last which the user stopped; its model keeps what it had learned by then.
    pub fn unfinished(&self) -> Option<Unfinished> {
        self.task.unfinished()
    }

    /// Everything that has a name and a doc comment.
    pub fn catalog(&self) -> &Catalog {
        self.catalog.get_or_init(|| {
            Catalog::read(&self.engine, &self.functions, self.standard.unregistered(&self.engine), &self.tables)
        })
    }
}
