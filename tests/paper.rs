//! The experiments of `scripts/paper/`, quickly: each asserts its findings itself, and leaves its pictures and results.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Each script must be quick on two cores; this is with room for slower machines.
const MOST_SECONDS: f64 = 120.0;

/// The experiments: what has a function `run` and takes arguments.
fn experiments(folder: &Path) -> Vec<PathBuf> {
    let scripts = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_experiment = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "rhai")
            && std::fs::read_to_string(path).unwrap().lines().any(|line| line.starts_with("if is_def_var(\"args\")"))
    };
    let mut experiments: Vec<_> = scripts.filter(is_experiment).collect();
    experiments.sort();
    experiments
}

#[test]
fn every_experiment_finds_what_it_says() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = std::fs::read_to_string(top.join("scripts/paper/all.rhai")).unwrap();
    let experiments = experiments(&top.join("scripts/paper"));
    assert!(experiments.len() > 5, "{experiments:?}");
    let mut failures = Vec::new();
    for script in experiments {
        let name = script.file_stem().unwrap().to_str().unwrap();
        assert!(all.contains(&format!("import \"{name}\" as")), "`{name}` is not in all.rhai");
        let out = tempfile::tempdir().unwrap();
        let start = Instant::now();
        let run = Command::new(env!("CARGO_BIN_EXE_tumble"))
            .args(["--quiet", "--allow-write"])
            .arg(out.path())
            .args(["run", &format!("scripts/paper/{name}.rhai"), "--", "--quick", "--out"])
            .arg(out.path())
            .current_dir(top)
            .output()
            .unwrap();
        let seconds = start.elapsed().as_secs_f64();
        println!("{name}: {seconds:.1} s");
        let has = |ending: &str| out.path().join(format!("{name}.{ending}")).is_file();
        if !run.status.success() {
            failures.push(format!("{name}: {}", String::from_utf8_lossy(&run.stderr)));
        } else if !(has("json") && has("png")) {
            failures.push(format!("{name}: left no result or no picture"));
        } else if seconds > MOST_SECONDS {
            failures.push(format!("{name}: took {seconds:.0} s"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
