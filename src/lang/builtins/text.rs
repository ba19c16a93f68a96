//! Numbers and words in columns.

use rhai::plugin::*;
use rhai::{Dynamic, Engine, INT};

use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::number_argument;

/// Wider columns are a mistake.
const WIDEST: INT = 10_000;

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// A number with a fixed count of decimals, as text.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(PI.to_fixed(3), "3.142");
    /// assert_eq(to_fixed(2, 1), "2.0");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn to_fixed(ctx: NativeCallContext, value: Dynamic, decimals: INT) -> Outcome<String> {
        let value = number_argument(&ctx, "value", &value)?;
        let decimals = in_range(&ctx, "decimals", decimals, 0, 100)?;
        Ok(format!("{value:.decimals$}"))
    }

    /// Text filled up with blanks on the right to a width in characters.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq("tau".pad_right(5) + "|", "tau  |");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn pad_right(ctx: NativeCallContext, text: &str, width: INT) -> Outcome<String> {
        let width = in_range(&ctx, "width", width, 0, WIDEST)?;
        Ok(format!("{text:<width$}"))
    }

    /// Text filled up with blanks on the left to a width in characters.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(2.5.to_fixed(1).pad_left(6), "   2.5");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn pad_left(ctx: NativeCallContext, text: &str, width: INT) -> Outcome<String> {
        let width = in_range(&ctx, "width", width, 0, WIDEST)?;
        Ok(format!("{text:>width$}"))
    }
}

fn in_range(ctx: &NativeCallContext, name: &str, value: INT, low: INT, high: INT) -> Outcome<usize> {
    if (low..=high).contains(&value) {
        return Ok(value as usize);
    }
    Err(Error::argument(name, format!("must lie between {low} and {high}, got {value}"))).raise(ctx)
}
