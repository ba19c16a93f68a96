//! Waiting.

use std::time::Duration;

use rhai::plugin::*;
use rhai::{Engine, FLOAT, INT};

use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::surroundings::task;
use crate::settings::written;

/// Registers the function.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

/// The longest wait in seconds: nothing that a script waits for comes from outside.
const LONGEST: f64 = 5.0;
/// How long to wait between two looks at whether somebody asked to stop.
const NAP: Duration = Duration::from_millis(20);

#[export_module]
#[allow(unreachable_pub)]
mod functions {
    /// Waits for some seconds, 5 at most; Ctrl-C ends it.
    ///
    /// # Errors
    /// When `seconds` is negative or above 5.
    ///
    /// # Example
    /// ```rhai
    /// let start = timestamp();
    /// sleep(0.01);
    /// assert(start.elapsed >= 0.01);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn sleep(ctx: NativeCallContext, seconds: FLOAT) -> Outcome<()> {
        if !(0.0..=LONGEST).contains(&seconds) {
            let problem = format!("must be from 0 to {LONGEST}, got {}", written(seconds));
            return Err(Error::argument("seconds", problem)).raise(&ctx);
        }
        let task = task(&ctx);
        let (start, whole) = (task.host().now(), Duration::from_secs_f64(seconds));
        loop {
            task.check().raise(&ctx)?;
            let left = whole.saturating_sub(task.host().since(start));
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(NAP));
        }
    }

    // Both kinds of numbers: of Rhai's own there are two.
    #[rhai_fn(name = "sleep", return_raw, volatile)]
    pub fn sleep_whole(ctx: NativeCallContext, seconds: INT) -> Outcome<()> {
        sleep(ctx, seconds as FLOAT)
    }
}
