//! The experiments of `scripts/paper/`, quickly: each asserts its findings itself, and leaves its pictures and results.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Each script must be quick on two cores; this is with room for slower machines.
const MOST_SECONDS: f64 = 120.0;

/// A test for each experiment.
macro_rules! experiments {
    ($($name:ident),* $(,)?) => {
        const EXPERIMENTS: &[&str] = &[$(stringify!($name)),*];

        mod experiment {
            $(
                #[test]
                fn $name() {
                    super::finds_what_it_says(stringify!($name));
                }
            )*
        }
    };
}

experiments! {
    digits, effective, entropy, equivalent, fig2a, fig2b, fig3a, fig3b, fig4, fisher, hierarchy, learned_process, memory,
    memory_images, modes, speciation,
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn finds_what_it_says(name: &str) {
    let out = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let run = Command::new(env!("CARGO_BIN_EXE_tumble"))
        .args(["--quiet", "--allow-write"])
        .arg(out.path())
        .args(["run", &format!("scripts/paper/{name}.rhai"), "--", "--quick", "--out"])
        .arg(out.path())
        .current_dir(top())
        .output()
        .unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!("{name}: {seconds:.1} s");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for ending in ["json", "png"] {
        assert!(out.path().join(format!("{name}.{ending}")).is_file(), "left no {ending}");
    }
    assert!(seconds < MOST_SECONDS, "took {seconds:.0} s");
}

/// What has a function `run` and takes arguments is an experiment; `all.rhai` runs it, and so does this file.
#[test]
fn every_experiment_is_run() {
    let folder = top().join("scripts/paper");
    let all = std::fs::read_to_string(folder.join("all.rhai")).unwrap();
    let is_experiment = |text: &str| text.lines().any(|line| line.starts_with("if is_def_var(\"args\")"));
    let mut found = Vec::new();
    for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|ending| ending == "rhai")
            && is_experiment(&std::fs::read_to_string(&path).unwrap())
        {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            assert!(all.contains(&format!("import \"{name}\" as")), "`{name}` is not in all.rhai");
            found.push(name);
        }
    }
    found.sort();
    assert_eq!(found, EXPERIMENTS);
}
