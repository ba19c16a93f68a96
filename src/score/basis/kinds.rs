//! The kinds of bases.

use serde_json::Value;

use super::{Basis, Subject, kernel, simulated};
use crate::error::{Error, Result};

/// Makes a basis of a subject from its description.
type Restore = fn(Value, Subject) -> Result<Box<dyn Basis>>;

/// What files call each kind, and how it comes back from them.
const KINDS: &[(&str, Restore)] = &[(kernel::KIND, kernel::restore), (simulated::KIND, simulated::restore)];

/// The basis of that kind for `subject` that described itself so.
///
/// # Errors
/// When the kind is unknown, or the description is damaged or does not fit the subject.
pub(in crate::score) fn restore(kind: &str, description: Value, subject: Subject) -> Result<Box<dyn Basis>> {
    let (_, restore) = KINDS.iter().find(|(known, _)| *known == kind).ok_or_else(|| {
        Error::argument("basis", format!("is of the kind `{kind}`, which this program does not have"))
    })?;
    restore(description, subject)
}
