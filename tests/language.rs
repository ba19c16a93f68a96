//! Runs the tests that are written in the language: every file of `tests/language/`, each in a session of its own.

use std::path::{Path, PathBuf};

use tumble::Runtime;

/// A test for each file.
macro_rules! files {
    ($($name:ident),* $(,)?) => {
        const FILES: &[&str] = &[$(stringify!($name)),*];

        mod file {
            $(
                #[test]
                fn $name() {
                    super::passes(stringify!($name));
                }
            )*
        }
    };
}

files! {
    arithmetic, classes, compare, dataset, details, device, equilibrium, explain, ising, kernel, known, measure, network,
    noise, numbers, physics, plot, processes, properties, pulses, sample, scales, score, seeds, start, tensor, time, torus,
    tracing, train, verify,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language")
}

fn passes(name: &str) {
    if let Err(error) = Runtime::new().run_file(&folder().join(name).with_extension("rhai")) {
        panic!("{error}");
    }
}

#[test]
fn every_file_is_run() {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, FILES);
}

/// The examples in the doc comments are what `:help` shows; each must assert something, and hold.
#[test]
fn every_documented_example_passes() {
    let names: Vec<(String, Vec<String>)> =
        Runtime::new().catalog().entries().map(|entry| (entry.name.clone(), entry.examples())).collect();
    let mut failures = Vec::new();
    for (name, examples) in names {
        for code in examples {
            if !code.contains("assert") {
                failures.push(format!("{name}: the example proves nothing"));
            }
            if let Err(error) = Runtime::new().run_named(&name, &code) {
                failures.push(error.to_string());
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn everything_is_documented() {
    let runtime = Runtime::new();
    let bare: Vec<_> = runtime.catalog().entries().filter(|entry| entry.doc.is_empty()).map(|e| &e.name).collect();
    assert!(bare.is_empty(), "without doc comment: {bare:?}");
}

/// Made anew by `tumble doc --reference > stdlib/REFERENCE.md`.
#[test]
fn the_reference_is_true() {
    let written = include_str!("../stdlib/REFERENCE.md");
    let now = Runtime::new().catalog().reference();
    let first = written.lines().zip(now.lines()).find(|(a, b)| a != b);
    assert!(written.trim_end() == now.trim_end(), "stdlib/REFERENCE.md is out of date: {first:?}");
}
