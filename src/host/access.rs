//! What is done with files, and who decides by their names.

use std::path::Path;

/// What is to be done with a file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading a file, or asking whether there is one.
    Read,
    /// Writing a file, or replacing one.
    Write,
    /// Creating a folder.
    Create,
}

impl Access {
    /// As errors say it.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Create => "create",
        }
    }
}

/// Decides which files may be touched by the names that scripts give them. Links and `..` may lead from there to
/// anywhere; [`super::Permissions`] go by where they lead.
pub trait Policy: Send + Sync {
    /// What errors call it, such as "read only".
    fn name(&self) -> &str;
    /// Whether `access` to `path`, as the caller wrote it, is allowed.
    fn allows(&self, access: Access, path: &Path) -> bool;
}
