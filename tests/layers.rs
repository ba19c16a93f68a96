//! The house rules as a test: every room depends only on rooms below it.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the ground up; a room may use those before it and itself.
const ROOMS: &[&str] = &[
    "error", "settings", "vector", "rng", "host", "task", "tensor", "gauss", "expr", "data", "process", "nn", "score",
    "measure", "sample", "explain", "train", "plot", "lang", "cli", "repl", "main",
];

/// Words that may stand only in some rooms or files: (word, where it may, why).
const RESERVED: &[(&str, &[&str], &str)] = &[
    ("rhai::", &["lang", "lib.rs"], "the rooms below know nothing of the language"),
    ("collect_fn_metadata", &["lang/catalog.rs"], "metadata of Rhai moves between releases"),
    ("std::fs", &["host"], "the host is the one way to the file system"),
    (".canonicalize(", &["host"], "the host is the one way to the file system"),
    (".is_file(", &["host"], "the host is the one way to the file system"),
    (".is_dir(", &["host"], "the host is the one way to the file system"),
    ("std::env", &["cli", "repl", "main.rs"], "the environment belongs to the terminal"),
    ("println!", &["cli", "repl", "main.rs"], "only the terminal's rooms write to it"),
    ("Instant", &["host", "cli", "repl"], "time is the host's to tell"),
    ("SystemTime", &[], "nothing is seeded from the clock"),
    (
        "crate::tensor",
        &["data", "process", "score", "measure", "sample", "explain", "train", "plot", "lang"],
        "prompt and command never touch tensors",
    ),
    ("Tensor::randn", &[], "Candle's generator cannot be seeded"),
    ("Tensor::rand(", &[], "Candle's generator cannot be seeded"),
];

fn source_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each source file: its path below `src`, and its text without comments and without its tests.
fn program() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    source_files(&root, &mut files);
    assert!(files.len() > 40, "the sources were not found");
    let read = |file: &PathBuf| {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        let text = fs::read_to_string(file).unwrap();
        let text = text.split("#[cfg(test)]\nmod").next().unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        (name, code.join("\n"))
    };
    let is_test = |name: &str| name.ends_with("tests.rs") || name.contains("/tests/");
    files.iter().map(read).filter(|(name, _)| !is_test(name)).collect()
}

fn room(name: &str) -> &str {
    name.split('/').next().unwrap().trim_end_matches(".rs")
}

fn height(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

#[test]
fn every_room_has_its_place() {
    let homeless: Vec<_> = program()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name != "lib.rs" && height(room(name)).is_none())
        .collect();
    assert!(homeless.is_empty(), "rooms that the list does not know: {homeless:?}");
}

#[test]
fn rooms_use_only_what_stands_below() {
    let mut wrong = Vec::new();
    for (name, code) in program().iter().filter(|(name, _)| name != "lib.rs") {
        let own = height(room(name)).unwrap();
        for used in code.split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if height(&used).is_some_and(|height| height > own) {
                wrong.push(format!("{name} uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn reserved_words_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (name, code) in program() {
        for (word, places, why) in RESERVED {
            // A root file of the room itself, `tensor.rs`, may of course name itself.
            let allowed = places.iter().any(|place| name.starts_with(place)) || word.ends_with(room(&name));
            if code.contains(word) && !allowed {
                wrong.push(format!("{name} has `{word}`: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
