//! The kernel for Jupyter, driven by Jupyter's own client: `tests/jupyter/drive.py`, which says what is promised.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python that has the client, made below the build folder where there is none yet; or why there is none.
fn python(top: &Path) -> Result<PathBuf, String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("jupyter-venv");
    let python = folder.join("bin/python");
    let run = |command: &mut Command| {
        let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success().then_some(()).ok_or_else(|| format!("{command:?}: {said}"))
    };
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    let wanted = top.join("tests/jupyter/requirements.txt");
    if run(Command::new(&python).args(["-c", "import jupyter_client, nbclient, nbconvert, nbformat"])).is_err() {
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(wanted))?;
    }
    Ok(python)
}

/// `-- --nocapture` shows what it does.
#[test]
fn jupyter_finds_what_it_expects() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = match python(top) {
        Ok(python) => python,
        Err(why) => {
            eprintln!("left out: there is no Python with Jupyter's client, and none could be made: {why}");
            return;
        }
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("jupyter");
    // What an earlier run left there, records of its files included, must not count.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let status = Command::new(python)
        .arg(top.join("tests/jupyter/drive.py"))
        .args([Path::new(env!("CARGO_BIN_EXE_tumble")), &top.join("examples/04_notebook.ipynb"), &folder])
        .status()
        .unwrap();
    assert!(status.success());
}
