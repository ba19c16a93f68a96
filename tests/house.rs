//! Habits of the house that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest line of a comment, in characters; the formatter holds code to the same, but leaves comments as they are.
const WIDEST: usize = 120;

/// The files below a folder of the repository, by path from its top.
fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Seen to fail with a word more in the first line of `src/lib.rs`.
#[test]
fn comments_fit_into_their_lines() {
    let mut wide = Vec::new();
    for folder in ["src", "tests", "stdlib", "scripts", "examples"] {
        for (ending, marker) in [("rs", "//"), ("rhai", "//"), ("sh", "#"), ("py", "#")] {
            for file in files(folder, &[ending]) {
                let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file)).unwrap();
                let is_wide = |line: &str| line.trim_start().starts_with(marker) && line.chars().count() > WIDEST;
                let lines = (1..).zip(text.lines()).filter(|(_, line)| is_wide(line));
                wide.extend(lines.map(|(number, _)| format!("{}:{number}", file.display())));
            }
        }
    }
    assert!(wide.is_empty(), "beyond {WIDEST} characters: {wide:#?}");
}

/// Where numbers may become single precision: the place for it, functions and random numbers made of bits, and files
/// that hold other types.
const ROUNDING: &[&str] = &["src/vector", "src/rng.rs", "src/data/formats/npy.rs"];

/// Seen to fail with `frame.clock as f32` in `score/basis/frame.rs`.
#[test]
fn double_precision_becomes_single_in_one_place() {
    let mut wrong = Vec::new();
    let is_test = |file: &PathBuf| file.file_stem().unwrap().to_string_lossy().ends_with("tests");
    let may = |file: &PathBuf| is_test(file) || ROUNDING.iter().any(|place| file.starts_with(place));
    for file in files("src", &["rs"]).into_iter().filter(|file| !may(file)) {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file)).unwrap();
        let code = text.split("#[cfg(test)]\nmod").next().unwrap();
        let lines = (1..).zip(code.lines()).filter(|(_, line)| line.contains(" as f32"));
        wrong.extend(lines.map(|(number, _)| format!("{}:{number}", file.display())));
    }
    assert!(wrong.is_empty(), "not by `vector::single`: {wrong:#?}");
}

/// What stands between backticks and inside the brackets of links in a page.
fn named(page: &str) -> Vec<&str> {
    let spans = page.split('`').skip(1).step_by(2);
    let links = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    spans.chain(links).collect()
}

/// Seen to fail with `src/plots` in README.md, and with the room of settings left out.
#[test]
fn the_readme_names_what_is_there() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(top.join("README.md")).unwrap();
    let is_path =
        |name: &&str| ["src/", "stdlib/", "tests/", "scripts/", "examples/"].iter().any(|f| name.starts_with(f));
    let words = named(&page).into_iter().flat_map(str::split_whitespace).filter(is_path);
    let lost: Vec<_> = words.filter(|name| !top.join(name).exists()).collect();
    assert!(lost.is_empty(), "README.md names {lost:?}");
    // The folder `task` belongs to `task.rs`; what only tests use is no room.
    let is_room = |room: &PathBuf| !["lib.rs", "property.rs", "README.md"].iter().any(|file| room.ends_with(file));
    let named: Vec<_> = named(&page).into_iter().map(|name| top.join(name).with_extension("")).collect();
    let is_named = |room: &PathBuf| named.contains(&room.with_extension(""));
    let rooms = fs::read_dir(top.join("src")).unwrap().map(|entry| entry.unwrap().path());
    let unnamed: Vec<_> = rooms.filter(is_room).filter(|room| !is_named(room)).collect();
    assert!(unnamed.is_empty(), "README.md does not name {unnamed:?}");
}
