//! Assertions, for examples, tests and scripts that check themselves.

use rhai::plugin::*;
use rhai::{Dynamic, Engine, FnPtr};

use crate::error::Error;
use crate::lang::failure::{Outcome, refuse, refused};
use crate::lang::options::{UNKNOWN, number_argument};

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Stops with an error when the condition does not hold.
    ///
    /// # Example
    /// ```rhai
    /// assert(1 < 2);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn assert(condition: bool) -> Outcome<()> {
        if condition { Ok(()) } else { Err(refused("the assertion does not hold")) }
    }

    /// Stops with an error that shows both values when they differ.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(1 + 1, 2);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn assert_eq(ctx: NativeCallContext, value: Dynamic, expected: Dynamic) -> Outcome<()> {
        if ctx.call_native_fn::<bool>("==", (value.clone(), expected.clone()))? {
            return Ok(());
        }
        let show = |value: Dynamic| ctx.call_native_fn::<String>("to_debug", (value,));
        Err(refused(format!("the values differ: got {}, expected {}", show(value)?, show(expected)?)))
    }

    /// Stops with an error when two numbers differ by more than `tolerance`.
    ///
    /// # Example
    /// ```rhai
    /// assert_near(sqrt(2), 1.414, 1e-3);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn assert_near(ctx: NativeCallContext, value: Dynamic, expected: Dynamic, tolerance: Dynamic) -> Outcome<()> {
        let value = number_argument(&ctx, "value", &value)?;
        let expected = number_argument(&ctx, "expected", &expected)?;
        let tolerance = number_argument(&ctx, "tolerance", &tolerance)?;
        let difference = (value - expected).abs();
        if difference <= tolerance {
            return Ok(());
        }
        Err(refused(format!("{value} differs from {expected} by {difference:e}, more than {tolerance:e}")))
    }

    /// Refuses a key of a map of options that the calling function does not have, as builtins do.
    ///
    /// # Example
    /// ```rhai
    /// fn twice(options) {
    ///     for name in options.keys() { if name != "x" { refuse_option(name); } }
    ///     2 * options.x
    /// }
    /// assert_fails(|| twice(#{ x: 1, y: 2 }), "`y` is not an option here");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn refuse_option(name: &str) -> Outcome<()> {
        Err(refuse(Error::argument(name, UNKNOWN)))
    }

    /// Stops with an error unless calling the closure fails with an error that contains `text`.
    ///
    /// # Example
    /// ```rhai
    /// assert_fails(|| process::active(#{ tau: 0 }), "tau = 0");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn assert_fails(ctx: NativeCallContext, closure: FnPtr, text: &str) -> Outcome<()> {
        let Err(error) = closure.call_raw(&ctx, None, []) else {
            return Err(refused(format!("no error, expected one with {text:?}")));
        };
        if matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..)) {
            return Err(error);
        }
        let message = crate::lang::caught::words(&ctx, &error);
        if message.contains(text) {
            Ok(())
        } else {
            Err(refused(format!("the error is {message:?}, expected {text:?} in it")))
        }
    }
}
