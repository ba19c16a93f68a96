//! `tumble jupyter install`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jupyter_protocol::JupyterKernelspec;
use tumble::{Error, Host};

use crate::cli::{Install, terminal};

/// Writes where Jupyter looks how this program is started with `flags`, says so, and returns the exit code.
///
/// # Errors
/// When the name is none that Jupyter knows kernels by, and when the file cannot be written.
pub(crate) fn install(install: &Install, flags: &[String]) -> tumble::Result<u8> {
    let name = &install.name;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) || name.starts_with('.')
    {
        let problem = format!("must be of letters, digits, `-`, `_` and `.`, got `{name}`");
        return Err(Error::argument("--name", problem));
    }
    let data = match &install.prefix {
        Some(prefix) => prefix.join("share/jupyter"),
        None => user_data()?,
    };
    let folder = data.join("kernels").join(name);
    let program = std::env::current_exe().map_err(|error| Error::file("find", Path::new("tumble"), error))?;
    let file = folder.join("kernel.json");
    let host = Host::default();
    host.create_folder(&folder)?;
    let text = serde_json::to_string_pretty(&specification(name, &program, flags)).expect("texts only");
    host.write_bytes(&file, format!("{text}\n").as_bytes())?;
    terminal::print(&format!("wrote {}", file.display()));
    terminal::print(&format!(
        "open JupyterLab or a notebook and choose the kernel `{name}`; or: jupyter console --kernel {name}"
    ));
    terminal::print(&format!("jupyter kernelspec remove {name} takes it away again"));
    Ok(0)
}

/// How the kernel is started.
fn specification(name: &str, program: &Path, flags: &[String]) -> JupyterKernelspec {
    let program = program.display().to_string();
    let own = ["jupyter", "run", "{connection_file}"].map(str::to_owned);
    JupyterKernelspec {
        argv: std::iter::once(program).chain(flags.iter().cloned()).chain(own).collect(),
        display_name: name.to_owned(),
        language: "rhai".to_owned(),
        metadata: Some(HashMap::new()),
        // Signals reach no kernel on another machine.
        interrupt_mode: Some("message".to_owned()),
        env: Some(HashMap::new()),
    }
}

/// Where Jupyter looks for what belongs to the user.
fn user_data() -> tumble::Result<PathBuf> {
    if let Some(folder) = std::env::var_os("JUPYTER_DATA_DIR").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    jupyter_zmq_client::user_data_dir()
        .map_err(|error| Error::refused(error.to_string()).with_hint("`--prefix DIR` names a folder instead"))
}
