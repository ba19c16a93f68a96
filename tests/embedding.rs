//! The library without the command: what it depends on, and a program that embeds it (`examples/embed/`).

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

/// Runs cargo without the network in a folder of the repository.
fn cargo(folder: &str, arguments: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let output = Command::new(env!("CARGO")).args(arguments).arg("--offline").current_dir(folder).output().unwrap();
    let Output { status, stdout, stderr } = output;
    assert!(status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// The packages of a dependency tree with their features.
fn packages(folder: &str, arguments: &[&str]) -> BTreeSet<String> {
    let tree = cargo(folder, &[&["tree", "--prefix", "none", "--format", "{p} {f}"], arguments].concat());
    tree.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

/// Seen to fail with the default features.
#[test]
fn the_library_has_nothing_of_a_terminal() {
    let packages = packages(".", &["--no-default-features", "--edges", "normal"]);
    assert!(packages.iter().any(|package| package.starts_with("rhai ")), "{packages:?}");
    let terminal = ["clap", "console", "ctrlc", "landlock", "rustyline", "termcolor"];
    let is_terminal = |package: &&String| terminal.iter().any(|name| package.starts_with(&format!("{name} ")));
    let found: Vec<_> = packages.iter().filter(is_terminal).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// Seen to fail without the features that `examples/embed/Cargo.toml` asks for.
#[test]
fn another_program_embeds_the_language() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    std::fs::copy(lock, Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/embed/Cargo.lock")).unwrap();
    // The same crate may have other features for macros and build scripts: once without these, once with them.
    // Elsewhere features are others, and the test takes minutes where some are not shared.
    let shared_on = if cfg!(target_os = "linux") { ["normal,no-proc-macro", "normal,build"].as_slice() } else { &[] };
    for edges in shared_on {
        let shared = packages(".", &["--edges", &format!("{edges},dev")]);
        let own = packages("examples/embed", &["--edges", edges]);
        let is_dependency = |package: &&String| !package.starts_with("tumble ") && !package.starts_with("embedding ");
        let twice: Vec<_> = own.difference(&shared).filter(is_dependency).collect();
        assert!(twice.is_empty(), "compiled anew because of other features, see examples/embed/Cargo.toml: {twice:?}");
    }
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_str().unwrap();
    let printed = cargo("examples/embed", &["run", "--quiet", "--profile", profile, "--target-dir", target]);
    let lines: Vec<&str> = printed.lines().collect();
    let truth = [
        "printed: [\"2.0\"]",
        "covariance of x at t = 1: 0.2271",
        "its deviation: 0.4766",
        "steps of training: 50",
        "stopped: error: interrupted",
    ];
    assert_eq!(lines[..5], truth);
    assert_eq!(lines[lines.len() - 1], "samples: mean 3.0, variance 0.25");
}
