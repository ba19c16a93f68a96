//! The house rules as a test: every room depends only on rooms below it, and some things stay in their rooms.

#[path = "layers/imports.rs"]
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use imports::{Uses, uses_of_files};

/// The rooms from the ground up; a room may use those before it and itself.
const ROOMS: &[&str] = &[
    "error", "settings", "vector", "rng", "ranks", "host", "task", "gauss", "tensor", "expr", "data", "process", "nn",
    "score", "measure", "sample", "physics", "explain", "train", "plot", "artefact", "sweep", "lang", "cli", "repl",
    "jupyter", "main",
];

/// What may be used only in some rooms or files: (what, where it may, why). A path leads out of the crate, or is a room
/// after `crate::`; a word after a dot is a method.
const RESERVED: &[(&str, &[&str], &str)] = &[
    ("rhai", &["lang"], "the rooms below know nothing of the language"),
    (".collect_fn_metadata", &["lang/catalog.rs"], "metadata of Rhai moves between releases"),
    ("std::fs", &["host"], "the host is the one way to the file system"),
    ("cap_std", &["host"], "the host is the one way to the file system"),
    (".canonicalize", &["host"], "the host is the one way to the file system"),
    (".exists", &["host"], "the host is the one way to the file system"),
    (".is_file", &["host"], "the host is the one way to the file system"),
    (".is_dir", &["host"], "the host is the one way to the file system"),
    (".read_dir", &["host"], "the host is the one way to the file system"),
    ("std::net", &[], "no connections"),
    ("jupyter_zmq_client", &["jupyter"], "no connections but those of a notebook"),
    ("mpi", &["ranks"], "only the ranks know what connects them"),
    ("tokio", &["jupyter"], "no connections but those of a notebook"),
    (
        "std::process::Command",
        &["cli/bench.rs", "cli/workers.rs", "cli/slurm/queue.rs"],
        "no processes but those of the command",
    ),
    ("std::env", &["cli", "repl", "jupyter", "main.rs"], "the environment belongs to the terminal"),
    ("std::io::stdin", &["cli", "repl", "main.rs"], "only the terminal's rooms read from it"),
    ("std::io::stdout", &["cli", "repl", "main.rs"], "only the terminal's rooms write to it"),
    ("std::io::stderr", &["cli", "repl", "main.rs"], "only the terminal's rooms write to it"),
    ("print", &["cli", "repl", "main.rs"], "only the terminal's rooms write to it"),
    ("println", &["cli", "repl", "main.rs"], "only the terminal's rooms write to it"),
    ("eprint", &["cli", "repl", "main.rs"], "only the terminal's rooms write to it"),
    ("eprintln", &["cli", "repl", "main.rs"], "only the terminal's rooms write to it"),
    ("dbg", &[], "it is for the moment"),
    ("std::time::Instant", &["host", "cli", "repl"], "time is the host's to tell"),
    ("std::time::SystemTime", &[], "nothing is seeded from the clock"),
    (
        "crate::tensor",
        &[
            "tensor", "data", "process", "score", "measure", "sample", "physics", "explain", "train", "plot",
            "artefact", "sweep", "lang",
        ],
        "prompt and command never touch tensors",
    ),
    ("candle_core::Tensor::rand", &[], "Candle's generator cannot be seeded"),
    ("candle_core::Tensor::randn", &[], "Candle's generator cannot be seeded"),
    (".rand_like", &[], "Candle's generator cannot be seeded"),
    (".randn_like", &[], "Candle's generator cannot be seeded"),
    ("rand::rng", &[], "random numbers come from streams with a seed"),
    ("rand::random", &[], "random numbers come from streams with a seed"),
];

/// A file's room; the crate root is none.
fn room(file: &str) -> Option<&str> {
    let name = file.split('/').next().unwrap().trim_end_matches(".rs");
    (name != "lib").then_some(name)
}

fn height(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

fn program() -> BTreeMap<String, Uses> {
    let program = uses_of_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(program.len() > 40, "the sources were not found");
    program
}

#[test]
fn every_room_has_its_place() {
    let program = program();
    let homeless: Vec<_> =
        program.keys().filter(|file| room(file).is_some_and(|room| height(room).is_none())).collect();
    assert!(homeless.is_empty(), "rooms that the list does not know: {homeless:?}");
}

/// Seen to fail with `super::process::Process` and with `use crate::{process::*, ...}; Process::new` in `gauss`.
#[test]
fn rooms_use_only_what_stands_below() {
    let mut wrong = Vec::new();
    for (file, uses) in &program() {
        let Some(own) = room(file) else { continue };
        let above = |used: &&String| room(used).is_some_and(|used| height(used) > height(own));
        wrong.extend(uses.names.iter().filter(above).map(|used| format!("{file} uses {used}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Seen to fail with `use std::{fs as disk}; disk::read(..)`, with `assert!(path.is_file())` and with
/// `use candle_core::Tensor as T; T::randn(..)`.
#[test]
fn reserved_things_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (file, uses) in &program() {
        for (thing, places, why) in RESERVED {
            let is_allowed = places.iter().any(|place| file == place || room(file) == Some(place));
            if has(uses, thing) && !is_allowed {
                wrong.push(format!("{file} has `{thing}`: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn has(uses: &Uses, thing: &str) -> bool {
    if let Some(method) = thing.strip_prefix('.') {
        return uses.methods.contains(method);
    }
    if let Some(reserved) = thing.strip_prefix("crate::") {
        return uses.names.iter().any(|file| room(file) == Some(reserved));
    }
    let leads_there =
        |path: &String| path.strip_prefix(thing).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    uses.outside.iter().any(leads_there)
}

/// Seen to fail with a call of `super::layout::layout` in `plot/marks.rs`.
#[test]
fn no_files_need_each_other() {
    let program = program();
    let circles = circles(&program);
    let needs = |file: &str, circle: &[&str]| {
        let inside = program[file].needs.iter().map(String::as_str).filter(|needed| circle.contains(needed));
        format!("  {file} needs {}", inside.collect::<Vec<_>>().join(", "))
    };
    let describe = |circle: &Vec<&str>| circle.iter().map(|file| needs(file, circle)).collect::<Vec<_>>().join("\n");
    let described = circles.iter().map(describe).collect::<Vec<_>>().join("\n\n");
    assert!(circles.is_empty(), "{} circles of files:\n{described}", circles.len());
}

/// The groups of files each of which needs all others of its group, at least by way of others.
fn circles(program: &BTreeMap<String, Uses>) -> Vec<Vec<&str>> {
    let reached: BTreeMap<_, _> = program.keys().map(|file| (file.as_str(), reach(program, file))).collect();
    let mut circles = BTreeSet::new();
    for (file, needed) in &reached {
        if needed.contains(file) {
            circles.insert(needed.iter().copied().filter(|other| reached[other].contains(file)).collect());
        }
    }
    circles.into_iter().collect()
}

/// The files that a file needs, directly or by way of others.
fn reach<'a>(program: &'a BTreeMap<String, Uses>, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<_> = program[file].needs.iter().map(String::as_str).collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(program[file].needs.iter().map(String::as_str));
        }
    }
    reached
}

/// A program of a few files, and what its files use.
const SMALL: &[(&str, &str)] = &[
    ("lib.rs", "pub mod low; pub mod high; pub use low::Thing; #[cfg(test)] mod tests;"),
    ("low/mod.rs", "mod one; mod two; pub use one::Thing; pub struct Own; pub fn run() { two::go(); }"),
    ("low/one.rs", "pub struct Thing; made! { pub fn generated() {} } pub fn measure() {}"),
    (
        "low/two.rs",
        "use super::Thing; use std::{env, fs as disk}; pub fn go() { disk::read(env::args().x(super::one::measure)); }",
    ),
    (
        "high.rs",
        r#"use super::low as below; use crate::low::*;
           /// Uses no std::process.
           pub fn look(own: Own) { println!("{}", vec![below::generated().is_file(), crate::Thing]); }
           mod inner { pub use super::super::low::run; pub fn up() { super::look() } }
           #[cfg(test)] fn check() { std::thread::spawn(run); }
           #[test] #[cfg(test)] fn test() {}"#,
    ),
];

#[test]
fn paths_are_followed_to_what_they_name() {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in SMALL {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let program = uses_of_files(folder.path());
    let needs = |file: &str| program[file].needs.iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(program.len(), SMALL.len());
    // Handing on is no need, calling is.
    assert_eq!(needs("lib.rs"), [""; 0]);
    assert_eq!(needs("low/mod.rs"), ["low/two.rs"]);
    assert_eq!(needs("low/two.rs"), ["low/one.rs"]);
    assert_eq!(needs("high.rs"), ["low/mod.rs", "low/one.rs"]);
    assert!(program["low/mod.rs"].names.contains("low/one.rs"));
    let outside = |path: &str| program["low/two.rs"].outside.contains(path);
    assert!(outside("std::fs::read") && outside("std::env::args"), "{:?}", program["low/two.rs"].outside);
    let high = &program["high.rs"];
    assert!(high.outside.contains("println") && high.methods.contains("is_file"), "{high:?}");
    assert!(!high.outside.iter().any(|path| path.starts_with("std::")), "{high:?}");
    assert_eq!(circles(&program), [[""; 0]; 0]);
}
