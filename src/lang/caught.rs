//! What `catch (e)` binds: an error in the words that an uncaught one is shown in.
//!
//! For errors of its own Rhai binds a map whose `message` names Rust types and repeats the way of the calls. The text
//! calls a guard (see `rewrite`) that reads the error back from there and puts it into words.

use rhai::{Dynamic, Engine, EvalAltResult, Map, NativeCallContext, Position, Scope};

use super::diagnostics::Diagnostic;
use super::explain::Frame;
use super::failure::Failure;
use super::names::names;
use super::rewrite::CATCH;
use super::sources::Sources;
use super::surroundings::sources;
use crate::error::Error;

/// Registers the guard.
pub(super) fn install(engine: &mut Engine) {
    engine.register_fn(CATCH, |ctx: NativeCallContext, value: Dynamic| {
        match value.read_lock::<Map>().and_then(|map| rhai_error(&map)) {
            Some(error) => Dynamic::from(failure(&ctx, &error)),
            None => value.clone(),
        }
    });
}

fn failure(ctx: &NativeCallContext, error: &EvalAltResult) -> Failure {
    let Diagnostic { message, hints, .. } = diagnose(ctx, error);
    let error = Error::refused(message);
    let error = if hints.is_empty() { error } else { error.with_hint(hints.join("; ")) };
    Failure { error, function: String::new() }
}

/// What was wrong and the way out, in one line.
pub(super) fn words(ctx: &NativeCallContext, error: &EvalAltResult) -> String {
    let Diagnostic { message, hints, .. } = diagnose(ctx, error);
    [vec![message], hints].concat().join("; ")
}

/// What was wrong, in one line, and all that is known of it, with its places.
pub(super) fn report(ctx: &NativeCallContext, error: &EvalAltResult) -> (String, String) {
    let (engine, sources, scope, names) = (ctx.engine(), sources(ctx), Scope::new(), names(ctx));
    let diagnostic = Frame { engine, sources: &sources, scope: &scope, catalog: names.catalog(engine) }.diagnose(error);
    (diagnostic.message.replace('\n', " "), diagnostic.render(false))
}

fn diagnose(ctx: &NativeCallContext, error: &EvalAltResult) -> Diagnostic {
    let (engine, sources, scope, names) = (ctx.engine(), Sources::default(), Scope::new(), names(ctx));
    Frame { engine, sources: &sources, scope: &scope, catalog: names.catalog(engine) }.diagnose(error)
}

/// The error that Rhai made this map of; nothing for a map of the user's.
fn rhai_error(map: &Map) -> Option<EvalAltResult> {
    use EvalAltResult as E;
    let text = |key: &str| map.get(key).and_then(|value| value.clone().into_string().ok());
    text("error").filter(|kind| kind.starts_with("Error"))?;
    let message = text("message")?;
    // The first line is the innermost error, with its place; the others say where it was called from.
    let first = message.lines().next().unwrap_or_default();
    let end = [" @ '", " (line "].iter().filter_map(|mark| first.rfind(mark)).min().unwrap_or(first.len());
    let (problem, nowhere) = (&first[..end], Position::NONE);
    let behind = |start: &str| problem.strip_prefix(start).map(str::to_owned);
    let types = |start: &str| {
        let (actual, expected) = problem.strip_prefix(start)?.trim_end_matches(')').split_once(" (expecting ")?;
        Some((expected.to_owned(), actual.to_owned()))
    };
    Some(
        None.or_else(|| behind("Function not found: ").map(|name| E::ErrorFunctionNotFound(name, nowhere)))
            .or_else(|| behind("Variable not found: ").map(|name| E::ErrorVariableNotFound(name, nowhere)))
            .or_else(|| behind("Property not found: ").map(|name| E::ErrorPropertyNotFound(name, nowhere)))
            .or_else(|| behind("Module not found: ").map(|name| E::ErrorModuleNotFound(name, nowhere)))
            .or_else(|| types("Data type incorrect: ").map(|(a, b)| E::ErrorMismatchDataType(a, b, nowhere)))
            .or_else(|| types("Output type incorrect: ").map(|(a, b)| E::ErrorMismatchOutputType(a, b, nowhere)))
            .or_else(|| behind("Indexer unavailable: ").map(|what| E::ErrorIndexingType(what, nowhere)))
            .or_else(|| behind("Data race detected on ").map(|what| E::ErrorDataRace(what, nowhere)))
            .or_else(|| (problem == "For loop expects iterable type").then(|| E::ErrorFor(nowhere)))
            .or_else(|| problem.contains("registered for type").then(|| E::ErrorDotExpr(problem.to_owned(), nowhere)))
            .unwrap_or_else(|| E::ErrorArithmetic(problem.to_owned(), nowhere)),
    )
}
