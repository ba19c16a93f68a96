//! Arrays, strings and byte arrays of a length that a script gives, or that grow, which the language would make without
//! asking for the memory.

use rhai::plugin::*;
use rhai::{Array, Blob, Dynamic, Engine, INT, ImmutableString};

use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::surroundings::host;

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// Fills an array, a string or a byte array up at its end, to `length` entries or characters.
    ///
    /// # Errors
    /// When the memory does not suffice.
    ///
    /// # Example
    /// ```rhai
    /// let a = [1];
    /// a.pad(3, 0);
    /// assert_eq(a, [1, 0, 0]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn pad(ctx: NativeCallContext, array: &mut Array, length: INT, item: Dynamic) -> Outcome<()> {
        let length = afford(&ctx, length, size_of::<Dynamic>())?;
        array.resize(length.max(array.len()), item);
        Ok(())
    }

    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_string(ctx: NativeCallContext, text: &mut ImmutableString, length: INT, part: &str) -> Outcome<()> {
        let length = afford(&ctx, length, size_of::<char>())?;
        let missing = length.saturating_sub(text.chars().count());
        *text = text.chars().chain(part.chars().cycle().take(missing)).collect::<String>().into();
        Ok(())
    }

    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_character(ctx: NativeCallContext, text: &mut ImmutableString, length: INT, part: char) -> Outcome<()> {
        pad_string(ctx, text, length, part.encode_utf8(&mut [0; 4]))
    }

    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_bytes(ctx: NativeCallContext, bytes: &mut Blob, length: INT, value: INT) -> Outcome<()> {
        let length = afford(&ctx, length, 1)?;
        bytes.resize(length.max(bytes.len()), value as u8);
        Ok(())
    }

    /// A byte array of a length, all 0 or `value`.
    ///
    /// # Errors
    /// When the memory does not suffice.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(blob(2, 7).to_array(), [7, 7]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn blob(ctx: NativeCallContext, length: INT, value: INT) -> Outcome<Blob> {
        Ok(vec![value as u8; afford(&ctx, length, 1)?])
    }

    #[rhai_fn(name = "blob", return_raw)]
    pub fn blob_of_zeros(ctx: NativeCallContext, length: INT) -> Outcome<Blob> {
        blob(ctx, length, 0)
    }

    #[rhai_fn(name = "+", return_raw)]
    pub fn strings(ctx: NativeCallContext, a: &str, b: &str) -> Outcome<ImmutableString> {
        afford_sum(&ctx, a.len(), b.len(), 1)?;
        Ok([a, b].concat().into())
    }

    #[rhai_fn(name = "+=", name = "append", return_raw)]
    pub fn longer_string(ctx: NativeCallContext, text: &mut ImmutableString, more: ImmutableString) -> Outcome<()> {
        afford_sum(&ctx, text.len(), more.len(), 1)?;
        *text += more;
        Ok(())
    }

    #[rhai_fn(name = "+", return_raw)]
    pub fn arrays(ctx: NativeCallContext, mut a: Array, b: Array) -> Outcome<Array> {
        append(ctx, &mut a, b)?;
        Ok(a)
    }

    /// Appends the entries of another array.
    ///
    /// # Errors
    /// When the memory does not suffice.
    ///
    /// # Example
    /// ```rhai
    /// let a = [1];
    /// a.append([2, 3]);
    /// assert_eq(a, [1, 2, 3]);
    /// ```
    #[rhai_fn(name = "append", name = "+=", return_raw)]
    pub fn append(ctx: NativeCallContext, array: &mut Array, more: Array) -> Outcome<()> {
        afford_sum(&ctx, array.len(), more.len(), size_of::<Dynamic>())?;
        array.extend(more);
        Ok(())
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// When the memory does not suffice.
    ///
    /// # Example
    /// ```rhai
    /// let a = [1];
    /// a.push("b");
    /// assert_eq(a.len, 2);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn push(ctx: NativeCallContext, array: &mut Array, item: Dynamic) -> Outcome<()> {
        // It doubles when it is full.
        if array.len() == array.capacity() {
            afford_sum(&ctx, array.len(), array.len(), size_of::<Dynamic>())?;
        }
        array.push(item);
        Ok(())
    }
}

/// Copies of what has grown that there is to be memory for: the next operator takes both its sides by value.
const COPIES: f64 = 3.0;

/// Whether something of two lengths together, of entries of `size` bytes, fits into memory.
fn afford_sum(ctx: &NativeCallContext, a: usize, b: usize, size: usize) -> Outcome<()> {
    let length = a.saturating_add(b);
    let bytes = COPIES * length as f64 * size as f64;
    host(ctx).afford(bytes, |problem| Error::refused(format!("a length of {length} {problem}"))).raise(ctx)
}

/// The length, 0 for a negative one, if as many entries of `size` bytes fit into memory.
fn afford(ctx: &NativeCallContext, length: INT, size: usize) -> Outcome<usize> {
    let length = usize::try_from(length).unwrap_or(0);
    let granted = host(ctx)
        .afford(length as f64 * size as f64, |problem| Error::argument("length", format!("of {length} {problem}")));
    granted.map(|()| length).raise(ctx)
}
