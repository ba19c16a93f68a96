//! The commands of Slurm.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use tumble::Error;

/// The tasks of arrays that wait or run, as `123_4`, each with Slurm's word for it: `PENDING`, `RUNNING`.
pub(in crate::cli) type Waiting = BTreeMap<String, String>;

/// Submits a batch file and returns the number of the job.
///
/// # Errors
/// When Slurm is not there, or refuses.
pub(super) fn submit(file: &Path) -> tumble::Result<String> {
    let answer = ask("sbatch", [OsStr::new("--parsable"), file.as_os_str()])?;
    // A number, and behind a semicolon the cluster.
    let id = answer.trim().split(';').next().unwrap_or_default();
    match !id.is_empty() && id.chars().all(|c| c.is_ascii_digit()) {
        true => Ok(id.to_owned()),
        false => Err(Error::refused(format!("`sbatch` answers {:?}, which is no number of a job", answer.trim()))),
    }
}

/// The tasks of this user.
///
/// # Errors
/// As [`submit`].
pub(in crate::cli) fn waiting() -> tumble::Result<Waiting> {
    let answer = ask("squeue", ["--noheader", "--array", "--me", "--format=%i %T"])?;
    let task = |line: &str| line.trim().split_once(' ').map(|(task, word)| (task.to_owned(), word.trim().to_owned()));
    Ok(answer.lines().filter_map(task).collect())
}

/// How many tasks an array may have, as far as Slurm says.
pub(super) fn limit() -> Option<usize> {
    let answer = ask("scontrol", ["show", "config"]).ok()?;
    let line = answer.lines().find_map(|line| line.trim().strip_prefix("MaxArraySize"))?;
    // Numbers of tasks are less than it; without arrays it is 0.
    line.trim_start_matches([' ', '=']).trim().parse().ok().filter(|size| *size > 1)
}

fn ask(program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> tumble::Result<String> {
    let output = match Command::new(program).args(arguments).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let hint = "install Slurm's commands on this machine (Debian: apt install slurm-client), or submit from one \
                        of the cluster's; --dry-run prints the batch file";
            return Err(Error::refused(format!("there is no `{program}` here")).with_hint(hint));
        }
        Err(error) => return Err(Error::file("start", Path::new(program), error)),
    };
    let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(Error::refused(format!("`{program}` refuses: {said}")))
    }
}
