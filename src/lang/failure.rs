//! How an error of the rooms below travels through a script: as a value that `catch` can look at, with the function
//! that raised it.

use rhai::plugin::*;
use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};

use crate::error::Error;

/// What a builtin returns.
pub(crate) type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// An error raised by a builtin; what `catch (e)` binds.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// What went wrong.
    pub(crate) error: Error,
    /// The script-visible function that raised it.
    pub(crate) function: String,
}

/// Turns errors of the rooms below into errors of the script, at the position of the call.
pub(crate) trait Raise<T> {
    /// The value, or the error raised at the call that `ctx` stands for.
    fn raise(self, ctx: &NativeCallContext) -> Outcome<T>;
}

impl<T> Raise<T> for crate::Result<T> {
    fn raise(self, ctx: &NativeCallContext) -> Outcome<T> {
        self.map_err(|error| match error {
            // Not catchable by the script, so that Ctrl-C always reaches the prompt.
            Error::Interrupted => EvalAltResult::ErrorTerminated("interrupted".into(), ctx.call_position()).into(),
            error => {
                let failure = Failure { error, function: ctx.fn_name().to_owned() };
                EvalAltResult::ErrorRuntime(Dynamic::from(failure), ctx.call_position()).into()
            }
        })
    }
}

/// An error of an operator or another function without a name.
pub(crate) fn refuse(error: Error) -> Box<EvalAltResult> {
    let failure = Failure { error, function: String::new() };
    EvalAltResult::ErrorRuntime(Dynamic::from(failure), Position::NONE).into()
}

/// The same, from a sentence.
pub(crate) fn refused(what: impl Into<String>) -> Box<EvalAltResult> {
    refuse(Error::refused(what))
}

/// Registers what a script can do with a caught error.
pub(super) fn install(engine: &mut Engine) {
    engine.register_type_with_name::<Failure>("Error");
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
#[allow(unreachable_pub)]
mod functions {
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(failure: &mut Failure) -> String {
        failure.error.to_string()
    }

    /// What was wrong.
    #[rhai_fn(get = "message", pure)]
    pub fn message(failure: &mut Failure) -> String {
        failure.error.to_string()
    }

    /// A text that a script throws is its own message.
    #[rhai_fn(get = "message", pure)]
    pub fn message_of_text(text: &mut rhai::ImmutableString) -> rhai::ImmutableString {
        text.clone()
    }

    /// Name of the function that raised the error.
    #[rhai_fn(get = "function", pure)]
    pub fn function(failure: &mut Failure) -> String {
        failure.function.clone()
    }

    /// The way out, or an empty string.
    #[rhai_fn(get = "hint", pure)]
    pub fn hint(failure: &mut Failure) -> String {
        failure.error.hint().unwrap_or_default().to_owned()
    }
}
