//! `tumble new`.

use std::path::Path;

use tumble::{Error, Host};

use super::terminal;

/// The experiment that a new folder gets.
const EXPERIMENT: &str = include_str!("../../stdlib/new/experiment.rhai");

/// Makes a folder with an experiment, says how it is run, and returns the exit code.
pub(super) fn experiment(host: &Host, folder: &Path) -> tumble::Result<u8> {
    let file = folder.join("experiment.rhai");
    if host.entries(folder).is_ok_and(|entries| !entries.is_empty()) {
        let what = format!("`{}` is there already, and is not empty", folder.display());
        return Err(Error::refused(what).with_hint("take another name"));
    }
    host.create_folder(folder)?;
    host.write_bytes(&file, EXPERIMENT.as_bytes())?;
    terminal::print(&format!("{} is an experiment that takes some seconds", file.display()));
    terminal::print(&format!("tumble run {}", file.display()));
    Ok(0)
}
