//! What is wrong with a script, looked for without doing what it is for: names and option keys at every call, then a
//! rehearsal, in which processes and networks are made and nothing is trained, sampled, measured or drawn.

mod calls;
mod rehearsal;

use rhai::{AST, EvalAltResult};

use super::catalog::forms;
use super::diagnostics::Diagnostic;
use super::runtime::Runtime;
use super::surroundings::rehearse;
use calls::{Calls, Functions};

impl Runtime {
    /// What is wrong with a text, as far as that can be seen without training, sampling or measuring: syntax, names of
    /// functions and modules, numbers of arguments and keys of option maps, wherever they stand; and what goes wrong
    /// when each of its statements is run up to its first long computation. What depends on the result of one, or on a
    /// statement that fails, is not seen. That nothing is written is for the host to see to. What the text defined
    /// stays defined.
    pub fn inspect(&mut self, name: &str, text: &str) -> Vec<Diagnostic> {
        self.begin(name, text);
        let ast = match self.compile(name, text) {
            Ok(ast) => ast,
            Err(error) => return vec![*self.diagnose(&error)],
        };
        self.define(name, &ast);
        rehearse(&self.engine, true);
        let mut found = self.inspect_calls(name, &ast);
        for error in rehearsal::run(self, &ast) {
            let error = *self.diagnose(&error);
            // What is wrong with a call is found by its text, too, and anew by everyone who comes to it.
            if !found.iter().any(|known| is_same(known, &error)) {
                found.push(error);
            }
        }
        rehearse(&self.engine, false);
        self.global.always_search_scope = false;
        self.keep_newest_variables();
        found.sort_by_key(|diagnostic| diagnostic.places.first().map(|(place, _)| (place.line, place.column)));
        found
    }

    fn inspect_calls(&self, name: &str, ast: &AST) -> Vec<Diagnostic> {
        let functions = Functions::of(forms(&self.engine), self.catalog(), ast);
        let mut calls = Calls::new(self.catalog(), functions);
        let mut problems = calls.import(&self.engine, name, ast);
        problems.extend(calls.problems(ast));
        let say = |problem: calls::Problem| match problem {
            calls::Problem::Error(error) => *self.diagnose(&error),
            calls::Problem::Count { message, hint, position } => {
                let mut diagnostic = *self.diagnose(&EvalAltResult::ErrorRuntime(message.into(), position));
                diagnostic.hints.extend(hint);
                diagnostic
            }
        };
        problems.into_iter().map(say).collect()
    }
}

/// Whether two errors are one: at the same place, or, as positions of calls in modules differ, in the same line and
/// words.
fn is_same(known: &Diagnostic, error: &Diagnostic) -> bool {
    let Some(((known_place, _), (place, _))) = known.places.first().zip(error.places.first()) else { return false };
    let is_line = (&known_place.name, known_place.line) == (&place.name, place.line);
    is_line && (known_place.column == place.column || error.message.starts_with(&known.message))
}
