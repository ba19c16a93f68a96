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
        check_text(&ctx, length)?;
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
        check_text(&ctx, a.len().saturating_add(b.len()))?;
        Ok([a, b].concat().into())
    }

    #[rhai_fn(name = "+=", name = "append", return_raw)]
    pub fn longer_string(ctx: NativeCallContext, text: &mut ImmutableString, more: ImmutableString) -> Outcome<()> {
        check_text(&ctx, text.len().saturating_add(more.len()))?;
        *text += more;
        Ok(())
    }

    /// Puts `new` in the place of every `old` of a string.
    ///
    /// # Errors
    /// When the string would be longer than 16 MiB.
    ///
    /// # Example
    /// ```rhai
    /// let s = "a-b-c";
    /// s.replace("-", "::");
    /// assert_eq(s, "a::b::c");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn replace(ctx: NativeCallContext, text: &mut ImmutableString, old: &str, new: &str) -> Outcome<()> {
        let places = text.matches(old).count();
        check_text(&ctx, text.len().saturating_add(places.saturating_mul(new.len())))?;
        *text = text.replace(old, new).into();
        Ok(())
    }

    #[rhai_fn(name = "replace", return_raw)]
    pub fn replace_by_character(
        ctx: NativeCallContext,
        text: &mut ImmutableString,
        old: &str,
        new: char,
    ) -> Outcome<()> {
        replace(ctx, text, old, new.encode_utf8(&mut [0; 4]))
    }

    #[rhai_fn(name = "replace", return_raw)]
    pub fn replace_character(ctx: NativeCallContext, text: &mut ImmutableString, old: char, new: &str) -> Outcome<()> {
        replace(ctx, text, old.encode_utf8(&mut [0; 4]), new)
    }

    /// The bytes of a byte array as an array of whole numbers.
    ///
    /// # Errors
    /// When the memory does not suffice.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(blob(2, 7).to_array(), [7, 7]);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn to_array(ctx: NativeCallContext, bytes: &mut Blob) -> Outcome<Array> {
        afford_sum(&ctx, bytes.len(), 0, size_of::<Dynamic>())?;
        Ok(bytes.iter().map(|byte| Dynamic::from(INT::from(*byte))).collect())
    }

    /// The text that a byte array has, in UTF-8; what is none becomes a replacement character.
    ///
    /// # Errors
    /// When it is longer than 16 MiB.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(blob(2, 97).as_string(), "aa");
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn as_string(ctx: NativeCallContext, bytes: &mut Blob) -> Outcome<String> {
        check_text(&ctx, bytes.len())?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    #[rhai_fn(name = "+", return_raw)]
    pub fn bytes(ctx: NativeCallContext, mut a: Blob, b: Blob) -> Outcome<Blob> {
        longer_bytes(ctx, &mut a, b)?;
        Ok(a)
    }

    #[rhai_fn(name = "+=", name = "append", return_raw)]
    pub fn longer_bytes(ctx: NativeCallContext, bytes: &mut Blob, more: Blob) -> Outcome<()> {
        afford_sum(&ctx, bytes.len(), more.len(), 1)?;
        bytes.extend(more);
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

/// The longest text that a script puts together, in bytes: copies of it are made without a question.
const LONGEST_TEXT: usize = 16 << 20;

/// Refuses a text of more than [`LONGEST_TEXT`] bytes.
fn check_text(ctx: &NativeCallContext, bytes: usize) -> Outcome<()> {
    if bytes <= LONGEST_TEXT {
        return Ok(());
    }
    let problem = format!("a text of {bytes} bytes is longer than {LONGEST_TEXT}, the longest of a script");
    Err(Error::refused(problem).with_hint("numbers are kept in tensors, and written by io::write")).raise(ctx)
}

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
