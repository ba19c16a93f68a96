//! Where a path leads: resolved once, and from then on reached only through the handle of a folder, so that no link
//! that somebody moves between a look and its use leads elsewhere.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cap_fs_ext::{FileTypeExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, Metadata, OpenOptions};

/// A path without links as far as it exists, and the nearest folder above its end that exists.
pub(super) struct Resolved {
    pub(super) path: PathBuf,
    pub(super) folder: PathBuf,
}

impl Resolved {
    /// Follows links and `..`.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().is_empty() {
            return Err(io::Error::other("the name is empty"));
        }
        let whole = std::path::absolute(path)?;
        for existing in whole.ancestors() {
            let Ok(real) = existing.canonicalize() else { continue };
            let rest = whole.strip_prefix(existing).expect("an ancestor is a prefix");
            if rest.components().any(|part| part == Component::ParentDir) {
                return Err(io::Error::other("it goes back by `..` from a folder that does not exist"));
            }
            let folder = if real.is_dir() { real.clone() } else { real.parent().unwrap_or(&real).to_owned() };
            // Joining nothing would leave a separator at the end.
            let path = if rest.as_os_str().is_empty() { real } else { real.join(rest) };
            return Ok(Self { path, folder });
        }
        Err(io::ErrorKind::NotFound.into())
    }
}

/// A folder that is held open.
#[derive(Clone)]
pub(super) struct Base {
    handle: Arc<Dir>,
    path: PathBuf,
}

impl Base {
    /// Opens a folder that a path without links names.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let handle = Arc::new(Dir::open_ambient_dir(path, ambient_authority())?);
        Ok(Self { handle, path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The place of a resolved path that is below the folder.
    pub(super) fn place(&self, path: PathBuf) -> io::Result<Place> {
        let inner = path.strip_prefix(&self.path).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
        // The folder itself.
        let inner = if inner.as_os_str().is_empty() { PathBuf::from(".") } else { inner.to_owned() };
        Ok(Place { base: self.clone(), inner, path })
    }
}

/// A file or a folder, which need not exist, by way of a folder that is held open.
pub(super) struct Place {
    base: Base,
    inner: PathBuf,
    /// The whole path, for words and for comparisons only.
    pub(super) path: PathBuf,
}

impl Place {
    /// The place of a path that may lead anywhere.
    pub(super) fn anywhere(resolved: Resolved) -> io::Result<Self> {
        Base::open(&resolved.folder)?.place(resolved.path)
    }

    /// Another name in the same folder.
    pub(super) fn beside(&self, name: impl AsRef<OsStr>) -> Self {
        let [inner, path] = [&self.inner, &self.path].map(|path| path.with_file_name(&name));
        Self { base: self.base.clone(), inner, path }
    }

    /// A name in the folder that this is.
    pub(super) fn within(&self, name: impl AsRef<Path>) -> Self {
        let [inner, path] = [&self.inner, &self.path].map(|path| path.join(&name));
        Self { base: self.base.clone(), inner, path }
    }

    /// What is there; a link is not followed.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.base.handle.symlink_metadata(&self.inner)
    }

    pub(super) fn is_folder(&self) -> bool {
        self.metadata().is_ok_and(|metadata| metadata.is_dir())
    }

    /// Whether there is what can be read from beginning to end.
    pub(super) fn is_file(&self) -> bool {
        self.metadata().is_ok_and(|metadata| metadata.is_file())
    }

    /// Opens a regular file for reading, and says what else it is. Never waits for whoever would write into a pipe.
    pub(super) fn open(&self) -> io::Result<File> {
        // Before opening it, which wakes up some devices, and on what was opened, which may be another by now.
        only_files(self.metadata()?.file_type())?;
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = self.base.handle.open_with(&self.inner, &options)?;
        only_files(file.metadata()?.file_type())?;
        Ok(file.into_std())
    }

    /// Creates a file where there is nothing.
    pub(super) fn create_new(&self) -> io::Result<File> {
        let options = OpenOptions::new().read(true).write(true).create_new(true).clone();
        Ok(self.base.handle.open_with(&self.inner, &options)?.into_std())
    }

    /// Opens a file for writing, which is created where there is nothing.
    pub(super) fn create(&self) -> io::Result<File> {
        let options = OpenOptions::new().read(true).write(true).create(true).clone();
        Ok(self.base.handle.open_with(&self.inner, &options)?.into_std())
    }

    /// Opens a file, which exists, to write at its end.
    pub(super) fn open_end(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).follow(FollowSymlinks::No);
        Ok(self.base.handle.open_with(&self.inner, &options)?.into_std())
    }

    /// Gives the file the name of another place of the same folder, in place of what has it.
    pub(super) fn rename(&self, to: &Self) -> io::Result<()> {
        self.base.handle.rename(&self.inner, &to.base.handle, &to.inner)
    }

    /// Writes a new file here, which then takes the name of `to`.
    pub(super) fn replace(&self, to: &Self, bytes: &[u8]) -> io::Result<()> {
        let written = self.create_new()?.write_all(bytes).and_then(|()| self.rename(to));
        if written.is_err() {
            // Worthless now, whether or not it can be removed.
            let _ = self.remove();
        }
        written
    }

    /// Makes the names in the folder outlast a loss of power, where the system can: what has its name now has it then.
    pub(super) fn settle(&self) {
        let folder = self.base.handle.open_dir(self.inner_folder());
        let _ = folder.and_then(|folder| folder.into_std_file().sync_all());
    }

    /// Whether the folder exists that it is in.
    pub(super) fn has_folder(&self) -> bool {
        self.base.handle.is_dir(self.inner_folder())
    }

    fn inner_folder(&self) -> &Path {
        match self.inner.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        self.base.handle.remove_file(&self.inner)
    }

    /// Creates a folder and those above it, where they do not exist.
    pub(super) fn create_folder(&self) -> io::Result<()> {
        self.base.handle.create_dir_all(&self.inner)
    }

    /// The names in a folder with what they are, where a link is a link.
    pub(super) fn entries(&self) -> io::Result<Vec<(PathBuf, FileType)>> {
        let entries = self.base.handle.read_dir(&self.inner)?;
        entries
            .map(|entry| {
                let entry = entry?;
                Ok((entry.file_name().into(), entry.file_type()?))
            })
            .collect()
    }
}

/// Whether a path ends with a separator.
pub(super) fn names_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|end| std::path::is_separator(char::from(*end)))
}

/// Refuses what is no regular file: to read a pipe is to wait, and a device may never end.
pub(super) fn only_files(kind: FileType) -> io::Result<()> {
    let other = match kind {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "it is a folder",
        kind if kind.is_symlink() => "it is a link that leads nowhere",
        kind if kind.is_fifo() => "it is a named pipe, not a file",
        kind if kind.is_socket() => "it is a socket, not a file",
        _ => "it is a device, not a file",
    };
    Err(io::Error::other(other))
}
