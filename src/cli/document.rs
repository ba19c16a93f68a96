//! `tumble doc`.

use std::path::Path;

use tumble::Runtime;
use tumble::lang::assist::Page;

use super::terminal;

/// Prints the documentation of `name`, or one line for everything there is, and returns the exit code.
pub(crate) fn show(runtime: &Runtime, name: Option<&str>) -> u8 {
    let page = Page { width: terminal::width(), colour: terminal::colour() };
    match name {
        None => terminal::print_page(page.overview(runtime.catalog()).trim_end()),
        Some(name) => match page.named(runtime.catalog(), name) {
            Ok(text) => terminal::print_page(text.trim_end()),
            Err(diagnostic) => return terminal::report(&diagnostic),
        },
    }
    0
}

/// Prints everything as one page of Markdown and returns the exit code.
pub(crate) fn reference(runtime: &Runtime) -> u8 {
    terminal::print(runtime.catalog().reference().trim_end());
    0
}

/// Writes the definitions that editors read into a folder and returns the exit code.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn definitions(runtime: &Runtime, folder: &Path) -> tumble::Result<u8> {
    let files = runtime.catalog().definitions();
    runtime.host().create_folder(folder)?;
    for (name, text) in &files {
        runtime.host().write_bytes(&folder.join(format!("{name}.d.rhai")), text.as_bytes())?;
    }
    let (count, folder) = (files.len(), folder.display());
    terminal::print(&format!(
        "{count} files of definitions are in {folder}: in its workspace Rhai's language server finds them"
    ));
    Ok(0)
}
