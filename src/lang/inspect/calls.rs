//! Calls in the text of a script, against everything that has a name.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, FnAccess, FnCallExpr, Position, Stmt};

use crate::error::{Error, nearest, suggestion};
use crate::lang::catalog::{Catalog, Entry, Form};
use crate::lang::failure::Failure;
use crate::lang::options::UNKNOWN;
use crate::lang::sources::is_of_word;

/// What Rhai itself does by these names, with whatever number of arguments.
const KEYWORDS: &[&str] =
    &["call", "curry", "debug", "eval", "Fn", "is_def_fn", "is_def_var", "is_shared", "print", "type_of"];

/// Call forms listed at most.
const FORMS: usize = 4;

/// The functions that can be called, by the names that they are called by, with the numbers of their arguments.
pub(super) struct Functions(BTreeMap<String, BTreeSet<usize>>);

impl Functions {
    pub(super) fn of(native: Vec<Form>, catalog: &Catalog, ast: &AST) -> Self {
        let mut functions = Self(BTreeMap::new());
        for form in native {
            functions.add(form.name, form.types.len());
        }
        for form in catalog.entries().flat_map(|entry| &entry.forms) {
            if let Some((name, inner)) = form.split_once('(') {
                let inner = inner.trim_end_matches(')');
                functions.add(name.to_owned(), if inner.is_empty() { 0 } else { inner.split(", ").count() });
            }
        }
        for function in ast.iter_functions() {
            functions.add(function.name.to_owned(), function.params.len());
        }
        functions
    }

    fn add(&mut self, name: String, count: usize) {
        self.0.entry(name).or_default().insert(count);
    }
}

/// Something wrong with a call.
pub(super) enum Problem {
    /// What the language would say of it.
    Error(Box<EvalAltResult>),
    /// No form of the function has that number of arguments.
    Count { message: String, hint: Option<String>, position: Position },
}

/// Looks at calls.
pub(super) struct Calls<'a> {
    catalog: &'a Catalog,
    functions: Functions,
    /// Names of modules that there are: whether their functions are known.
    modules: BTreeMap<String, bool>,
}

impl<'a> Calls<'a> {
    pub(super) fn new(catalog: &'a Catalog, functions: Functions) -> Self {
        let known = catalog.modules().map(|module| (module.to_owned(), true));
        // What the text itself defines at its top.
        let own = [("global".to_owned(), false)];
        Self { catalog, functions, modules: known.chain(own).collect() }
    }

    /// Takes up the functions of the modules that a script imports, and says which cannot be.
    pub(super) fn import(&mut self, engine: &Engine, source: &str, ast: &AST) -> Vec<Problem> {
        let mut problems = Vec::new();
        ast.walk(&mut |path: &[ASTNode]| {
            let Some(ASTNode::Stmt(Stmt::Import(import, position))) = path.last() else { return true };
            let (Expr::StringConstant(file, _), alias) = (&import.0, &import.1) else { return true };
            let module = engine.module_resolver().resolve(engine, Some(source), file, *position);
            self.modules.insert(alias.name.to_string(), module.is_ok());
            match module {
                Ok(module) => {
                    let functions = module.iter_script_fn_info().filter(|(_, access, ..)| *access == FnAccess::Public);
                    functions.for_each(|(_, _, name, count, _)| {
                        self.functions.add(format!("{}::{name}", alias.name), count);
                    });
                }
                // A module that computes something long is as good as one that was not looked at.
                Err(error) if matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..)) => {}
                Err(error) => problems.push(Problem::Error(error)),
            }
            true
        });
        problems
    }

    /// What is wrong with the calls of a script.
    pub(super) fn problems(&self, ast: &AST) -> Vec<Problem> {
        let names = local_names(ast);
        let mut problems = Vec::new();
        ast.walk(&mut |path: &[ASTNode]| {
            let found = match path.last() {
                Some(ASTNode::Expr(Expr::FnCall(call, position)) | ASTNode::Stmt(Stmt::FnCall(call, position))) => {
                    self.problem(call, *position, false, &names)
                }
                Some(ASTNode::Expr(Expr::MethodCall(call, position))) => self.problem(call, *position, true, &names),
                _ => None,
            };
            problems.extend(found);
            true
        });
        problems
    }

    fn problem(
        &self,
        call: &FnCallExpr,
        position: Position,
        is_method: bool,
        local: &BTreeSet<String>,
    ) -> Option<Problem> {
        let is_word = call.name.chars().all(is_of_word);
        if call.op_token.is_some() || !is_word || KEYWORDS.contains(&call.name.as_str()) {
            return None;
        }
        let module = call.namespace.path.first().map(|root| root.name.as_str());
        match module.map(|module| self.modules.get(module)) {
            Some(None) => return not_there(EvalAltResult::ErrorModuleNotFound(module?.to_owned(), position)),
            // Of what could not be imported, or is imported further in, nothing is known.
            Some(Some(false)) => return None,
            _ if call.namespace.path.len() > 1 => return None,
            _ => {}
        }
        let name = module.map_or_else(|| call.name.to_string(), |module| format!("{module}::{}", call.name));
        let count = call.args.len() + usize::from(is_method);
        let Some(counts) = self.functions.0.get(&name) else {
            // A map may keep a closure under any key.
            let may_be = is_method && local.contains(call.name.as_str());
            let signature = format!("{name} ()");
            return if may_be { None } else { not_there(EvalAltResult::ErrorFunctionNotFound(signature, position)) };
        };
        let entry = self.catalog.get(&name).filter(|entry| entry.name == name);
        if !counts.contains(&count) {
            // The forms of the text's own functions are not in the catalog yet.
            let message = format!("`{name}` is not called with {count} argument{}", if count == 1 { "" } else { "s" });
            let forms = entry.map(|entry| entry.forms[..entry.forms.len().min(FORMS)].join(", "));
            return Some(Problem::Count {
                message,
                hint: forms.map(|forms| format!("it is called as {forms}")),
                position,
            });
        }
        unknown_key(call, entry?).map(|error| {
            let failure = Failure { error, function: call.name.to_string() };
            Problem::Error(EvalAltResult::ErrorRuntime(Dynamic::from(failure), position).into())
        })
    }
}

fn not_there(error: EvalAltResult) -> Option<Problem> {
    Some(Problem::Error(error.into()))
}

/// The first key of a literal option map that the function does not have.
fn unknown_key(call: &FnCallExpr, entry: &Entry) -> Option<Error> {
    let Some(Expr::Map(map, _)) = call.args.last() else { return None };
    let known: Vec<&str> = entry.options().iter().map(|option| option.name.as_str()).collect();
    if known.is_empty() {
        return None;
    }
    let key = map.0.iter().map(|(key, _)| key.name.as_str()).find(|key| !known.contains(key))?;
    // Doc comments list families of options by some of their names: `tau1`, "and likewise for the others".
    let is_of_family = key.ends_with(|c: char| c.is_ascii_digit()) && known.iter().any(|name| name.ends_with('1'));
    let is_likely = !is_of_family && (nearest(key, known.iter().copied()).is_some() || !entry.is_written());
    is_likely.then(|| Error::argument(key, UNKNOWN).with_hint(suggestion(key, &known, "the options are")))
}

/// Names that a text may give to closures: of variables, and the keys of its maps.
fn local_names(ast: &AST) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(variable, ..))) => {
                names.insert(variable.0.name.to_string());
            }
            Some(ASTNode::Expr(Expr::Map(map, _))) => {
                names.extend(map.0.iter().map(|(key, _)| key.name.to_string()));
            }
            Some(ASTNode::Expr(Expr::Property(property, _))) => {
                names.insert(property.2.to_string());
            }
            _ => {}
        }
        true
    });
    names
}
