//! Which files scripts may read and write: those below some folders, which are opened once and reached in no other way.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::access::Access;
use super::place::{Base, Place, Resolved};
use super::record::{RECORDS, Record};
use crate::error::{Error, Result};

/// The ending of scripts.
const SCRIPT: &str = "rhai";

/// Which files scripts may read and write, by where their paths lead to: through links and `..`, when they are opened.
///
/// What is allowed for a folder holds for all below it but hidden names, those that begin with a dot, which must be
/// allowed by themselves. What may be written may be read. Scripts (`.rhai`) are not replaced, nor is a file that the
/// program did not write, unless [`Permissions::allow_write`] names it, or a folder above it for the latter. To know
/// its files again the host keeps a record of each, in a folder `.tumble` beside it.
///
/// ```
/// use tumble::host::{Host, Permissions};
/// let permissions = Permissions::none().working_folder(".".as_ref())?;
/// let mut tumble = tumble::Runtime::builder().host(Host::default().with_permissions(permissions)).build()?;
/// let error = tumble.run("io::read(\"/etc/passwd\")").unwrap_err().to_string();
/// assert!(error.contains("outside of what scripts may read (the working directory)"));
/// # Ok::<(), tumble::Error>(())
/// ```
pub struct Permissions {
    grants: Vec<Grant>,
    everything: bool,
    /// The script that runs, whatever its ending.
    script: Option<PathBuf>,
    names_flags: bool,
}

/// One path that is allowed, with all below it.
struct Grant {
    /// To read, or to write and read.
    access: Access,
    /// As errors list it.
    name: String,
    path: PathBuf,
    /// The path itself, or the nearest folder above it.
    base: Base,
    /// Whether the user named it.
    is_told: bool,
}

impl Grant {
    fn allows(&self, access: Access, path: &Path) -> bool {
        (access == Access::Read || self.access == Access::Write) && path.starts_with(&self.path)
    }

    /// Whether a name below the path begins with a dot.
    fn hides(&self, path: &Path) -> bool {
        let inner = path.strip_prefix(&self.path).unwrap_or(path);
        // The `..` of a path that does not exist is no name.
        let is_hidden = |part| matches!(part, Component::Normal(name) if name.as_encoded_bytes().starts_with(b"."));
        inner.components().any(is_hidden)
    }
}

impl Permissions {
    /// No files at all, to begin with.
    #[must_use]
    pub fn none() -> Self {
        Self { grants: Vec::new(), everything: false, script: None, names_flags: false }
    }

    /// All files, those that the program did not write included; scripts are not replaced.
    #[must_use]
    pub fn all() -> Self {
        Self { everything: true, ..Self::none() }
    }

    /// Allows reading below a folder, and writing what does not replace a file of the user. Of the root of all files it
    /// allows nothing.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn working_folder(self, folder: &Path) -> Result<Self> {
        self.granting(Access::Write, folder, Some("the working directory"))
    }

    /// Allows reading below the folder of the script that is going to run, and keeps the script from being replaced. Of
    /// the root of all files it allows nothing, nor for what comes from a pipe and is in no folder.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn script(mut self, script: &Path) -> Result<Self> {
        let script = Resolved::of(script).map_err(|error| Error::file("read", script, error))?;
        if !script.path.is_file() {
            return Ok(self);
        }
        self = self.granting(Access::Read, &script.folder, Some("the folder of the script"))?;
        self.script = Some(script.path);
        Ok(self)
    }

    /// Allows reading a file, or all below a folder.
    ///
    /// # Errors
    /// When the folder, or the one of the file, cannot be opened.
    pub fn allow_read(self, path: &Path) -> Result<Self> {
        self.granting(Access::Read, path, None)
    }

    /// Allows writing a file, or all below a folder, in place of files that the program did not write too.
    ///
    /// # Errors
    /// When the folder, or the one of the file, cannot be opened.
    pub fn allow_write(self, path: &Path) -> Result<Self> {
        self.granting(Access::Write, path, None)
    }

    /// The same, where errors name the flags of the command `tumble` as the way out.
    #[must_use]
    pub fn with_flags(self) -> Self {
        Self { names_flags: true, ..self }
    }

    fn granting(mut self, access: Access, path: &Path, name: Option<&str>) -> Result<Self> {
        let fault = |error| Error::file(access.verb(), path, error);
        let resolved = Resolved::of(path).map_err(fault)?;
        if name.is_some() && resolved.path.parent().is_none() {
            return Ok(self);
        }
        let base = Base::open(&resolved.folder).map_err(fault)?;
        let is_told = name.is_none();
        let name = name.map_or_else(|| format!("`{}`", path.display()), str::to_owned);
        self.grants.push(Grant { access, name, path: resolved.path, base, is_told });
        Ok(self)
    }

    /// The folders that must be reached for all of this, for another wall around the program: of a file the one that it
    /// is in, since it may be replaced. Nothing where everything is allowed.
    pub fn reach(&self) -> Option<impl Iterator<Item = (Access, &Path)>> {
        (!self.everything).then(|| self.grants.iter().map(|grant| (grant.access, grant.base.path())))
    }

    /// The place of a path, if `access` to it is allowed.
    pub(super) fn place(&self, access: Access, path: &Path, resolved: Resolved) -> Result<Place> {
        let fault = |error| Error::file(access.verb(), path, error);
        if self.everything {
            return Place::anywhere(resolved).map_err(fault);
        }
        let around: Vec<&Grant> = self.grants.iter().filter(|grant| grant.allows(access, &resolved.path)).collect();
        if around.is_empty() {
            return Err(self.outside(access, path, &resolved.path));
        }
        let Some(grant) = around.iter().find(|grant| !grant.hides(&resolved.path)) else {
            let problem = "names that begin with a dot are hidden, and scripts do not touch what is hidden";
            return Err(self.refused(access, path, problem, "allows it"));
        };
        grant.base.place(resolved.path).map_err(fault)
    }

    fn outside(&self, access: Access, path: &Path, resolved: &Path) -> Error {
        let allowed: Vec<&str> =
            self.grants.iter().filter(|grant| grant.allows(access, &grant.path)).map(|g| g.name.as_str()).collect();
        let allowed = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
        let led = match std::path::absolute(path) {
            Ok(whole) if whole != resolved => format!("it leads to `{}`, which", resolved.display()),
            _ => "it".to_owned(),
        };
        let problem = format!("{led} is outside of what scripts may {} ({allowed})", access.verb());
        self.refused(access, path, &problem, "allows it")
    }

    /// An error with the way out: the flag that `does` it, such as "replaces it".
    fn refused(&self, access: Access, path: &Path, problem: &str, does: &str) -> Error {
        let hint = match access {
            _ if !self.names_flags => "the program that runs the script has to allow it".to_owned(),
            Access::Read => format!("`--allow-read {}` {does}", quoted(path)),
            Access::Write | Access::Create => format!("`--allow-write {}` {does}", quoted(path)),
        };
        Error::file(access.verb(), path, problem).with_hint(hint)
    }

    /// The paths around a place where the user allowed to write.
    fn told(&self, place: &Place) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|grant| grant.is_told && grant.allows(Access::Write, &place.path))
    }

    /// Refuses to write scripts, unless the user named that one.
    pub(super) fn check_no_script(&self, path: &Path, place: &Place) -> Result<()> {
        let is_script = is_script(&place.path) || self.script.as_ref() == Some(&place.path);
        if !is_script || self.told(place).any(|grant| grant.path == place.path) {
            return Ok(());
        }
        Err(self.refused(Access::Write, path, "scripts write no scripts", "allows it"))
    }

    /// Refuses to write over what is not the program's: records, and files that it did not write.
    pub(super) fn check_replaceable(&self, path: &Path, place: &Place) -> Result<()> {
        self.check_settled(path, place).or_else(|error| {
            if Record::read(place).is_none() {
                return Err(error);
            }
            // Another process may have replaced it between the looks at its record and at itself.
            let _guard = Record::guard(place);
            self.check_settled(path, place)
        })
    }

    /// The same where nobody replaces it meanwhile: [`Record::guard`] is held, and would be waited for here.
    pub(super) fn check_settled(&self, path: &Path, place: &Place) -> Result<()> {
        if place.path.iter().any(|name| name.eq_ignore_ascii_case(RECORDS)) {
            return Err(Error::file("write", path, "the records of what was written are kept there"));
        }
        let is_told = self.everything || self.told(place).next().is_some();
        if is_told || place.metadata().is_err() {
            return Ok(());
        }
        let problem = match Record::read(place).map(|record| record.describes(place)) {
            None => "it exists, and was not written by tumble",
            Some(true) => return Ok(()),
            Some(false) => "it was changed since it was written by tumble",
        };
        Err(self.refused(Access::Write, path, problem, "replaces it"))
    }
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|ending: &OsStr| ending.eq_ignore_ascii_case(SCRIPT))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
