//! A run in which long computations end the statement that they stand in, and files are only read.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Dynamic, EvalAltResult, Expr, Scope, Stmt};

use crate::error::Error;
use crate::lang::failure::Failure;
use crate::lang::runtime::Runtime;
use crate::lang::stop::Stop;

/// Runs each statement as far as it goes, and gives the errors that are none of the rehearsal itself. What depends on a
/// statement that failed is not known, and what goes wrong for that reason is no error of its own.
pub(super) fn run(runtime: &mut Runtime, ast: &AST) -> Vec<EvalAltResult> {
    let mut errors = Vec::new();
    // Variables whose value is not known, since what would have given it was left out.
    let mut unknown = BTreeSet::new();
    for statement in ast.statements() {
        // Variables that were forgotten shift the places at which the compiled text expects the others.
        runtime.global.always_search_scope = true;
        match runtime.perform(&[anew(statement)]) {
            Ok(_) => {}
            Err(error) if is_end(&error) => break,
            Err(error) => {
                if !is_of_rehearsal(&error, &unknown) {
                    let is_stopped = matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..));
                    errors.push(*error);
                    if is_stopped {
                        break;
                    }
                }
                forget(statement, &mut runtime.scope, &mut unknown);
            }
        }
    }
    errors
}

/// A statement that makes its variable anew: a second `let` of a name would overwrite what stands where the first was
/// compiled to be.
fn anew(statement: &Stmt) -> Stmt {
    match statement {
        Stmt::Var(variable, flags, position) => {
            let mut variable = variable.clone();
            variable.2 = None;
            Stmt::Var(variable, *flags, *position)
        }
        other => other.clone(),
    }
}

/// Whether a script ends here: by itself, or because it takes longer than a rehearsal may.
fn is_end(error: &EvalAltResult) -> bool {
    match error.unwrap_inner() {
        EvalAltResult::Return(..) => true,
        EvalAltResult::ErrorTerminated(why, _) => {
            why.read_lock::<Stop>().is_none_or(|stop| !matches!(*stop, Stop::Beyond | Stop::Interrupted))
        }
        _ => false,
    }
}

/// Whether an error says nothing of the script: it comes of what was left out, or of what is not there yet.
fn is_of_rehearsal(error: &EvalAltResult, unknown: &BTreeSet<String>) -> bool {
    match error.unwrap_inner() {
        EvalAltResult::ErrorTerminated(why, _) => why.read_lock::<Stop>().is_some_and(|stop| *stop == Stop::Beyond),
        EvalAltResult::ErrorVariableNotFound(name, _) | EvalAltResult::ErrorModuleNotFound(name, _) => {
            unknown.contains(name)
        }
        EvalAltResult::ErrorRuntime(value, _) => match value.read_lock::<Failure>() {
            Some(failure) => {
                // `assert` and operators raise errors without a name.
                let is_claim = failure.function.is_empty() || failure.function.starts_with("assert");
                is_claim && !unknown.is_empty() || matches!(failure.error, Error::File { .. } | Error::Interrupted)
            }
            // What a script throws may be about what was left out.
            None => !unknown.is_empty(),
        },
        _ => false,
    }
}

/// Forgets the variables that a statement, of which only a part ran, would have defined or changed.
fn forget(statement: &Stmt, scope: &mut Scope<'static>, unknown: &mut BTreeSet<String>) {
    let mut names = BTreeSet::new();
    statement.walk(&mut Vec::new(), &mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(variable, ..))) => {
                names.insert(variable.0.name.to_string());
            }
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => names.extend(root(&assignment.1.lhs)),
            Some(ASTNode::Stmt(Stmt::Import(import, _))) => {
                names.insert(import.1.name.to_string());
            }
            Some(ASTNode::Expr(Expr::Dot(chain, ..))) => {
                let changes = |name: &String| scope.get(name).is_some_and(|value| value.is_array() || value.is_map());
                names.extend(root(&chain.lhs).filter(changes));
            }
            _ => {}
        }
        true
    });
    for name in names {
        while scope.remove::<Dynamic>(&name).is_some() {}
        unknown.insert(name);
    }
    // That something was left out counts, also where no variable is lost.
    unknown.insert(String::new());
}

/// The variable that a place belongs to: `x` of `x.y[0]`.
fn root(place: &Expr) -> Option<String> {
    match place {
        Expr::Variable(variable, ..) => Some(variable.1.to_string()),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => root(&chain.lhs),
        _ => None,
    }
}
