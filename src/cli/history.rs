//! Where the prompt keeps its inputs.

use std::path::PathBuf;

use tumble::Host;

/// `TUMBLE_HISTORY` (empty: nowhere), else under `XDG_STATE_HOME`, else in the home folder.
pub(super) fn file() -> Option<PathBuf> {
    if let Some(file) = std::env::var_os("TUMBLE_HISTORY") {
        return (!file.is_empty()).then(|| made(file.into()));
    }
    let state = std::env::var_os("XDG_STATE_HOME").filter(|folder| !folder.is_empty());
    if let Some(folder) = state.map(|folder| PathBuf::from(folder).join("tumble"))
        && Host::default().create_folder(&folder).is_ok()
    {
        return Some(made(folder.join("history")));
    }
    std::env::home_dir().map(|home| made(home.join(".tumble_history")))
}

/// The kernel's wall can let through only what is there. To what is there the line editor only appends, so its mark of
/// the format must be there too.
fn made(file: PathBuf) -> PathBuf {
    if Host::default().has_file(&file).is_ok_and(|is_there| !is_there) {
        // A full disk or a read-only home must not end the session.
        let _ = Host::default().write_bytes(&file, b"#V2\n");
    }
    file
}
