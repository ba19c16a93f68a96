//! The book that `tumble doc --book` writes, from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tumble::Runtime;

/// A book, written once for all tests, by a program that is not in the repository: what it needs it has.
static BOOK: LazyLock<Book> = LazyLock::new(|| Book::write(&std::env::temp_dir()));

struct Book {
    folder: tempfile::TempDir,
    /// The texts of its pages by their names.
    pages: BTreeMap<String, String>,
}

impl Book {
    fn write(from: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumble"));
        let output = command.args(["doc", "--book"]).arg(folder.path()).current_dir(from).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut pages = BTreeMap::new();
        for file in files(folder.path()).iter().filter(|file| file.extension().is_some_and(|e| e == "html")) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            pages.insert(name, std::fs::read_to_string(file).unwrap());
        }
        Self { folder, pages }
    }

    /// What is wrong with the addresses in its pages.
    fn dead(&self) -> Vec<String> {
        let mut dead = Vec::new();
        for (name, text) in &self.pages {
            for address in values(text, "href").chain(values(text, "src")) {
                let (file, anchor) = address.split_once('#').unwrap_or((address, ""));
                let file = if file.is_empty() { name } else { file };
                let is_there = self.folder.path().join(file).is_file();
                let has_anchor = || self.pages.get(file).is_some_and(|page| values(page, "id").any(|id| id == anchor));
                if !is_there || !anchor.is_empty() && !has_anchor() {
                    dead.push(format!("{name}: {address}"));
                }
            }
        }
        dead
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(file)).unwrap()
    }
}

/// The files in a folder and those below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The values of an attribute.
fn values<'a>(page: &'a str, attribute: &str) -> impl Iterator<Item = &'a str> {
    let begin = format!(" {attribute}=\"");
    page.match_indices(&begin)
        .map(|(at, found)| page[at + found.len()..].split('"').next().unwrap())
        .collect::<Vec<_>>()
        .into_iter()
}

/// Seen to fail with a link to `proceses.html` in the tour.
#[test]
fn every_link_leads_somewhere() {
    assert!(BOOK.pages.len() > 10, "{:?}", BOOK.pages.keys());
    let dead = BOOK.dead();
    assert!(dead.is_empty(), "{dead:#?}");
    for (name, page) in &BOOK.pages {
        let ids: Vec<_> = values(page, "id").collect();
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{name} has an anchor twice");
    }
}

/// A link of a text may lead out; what a page is made of must not.
#[test]
fn nothing_is_fetched_from_elsewhere() {
    for (name, page) in &BOOK.pages {
        assert!(values(page, "src").all(|address| !address.contains("//")), "{name}");
        assert_eq!(page.matches("<script").count(), 2, "{name}");
    }
    for file in ["book.css", "book.js", "search.js"] {
        let text = BOOK.text(file);
        assert!(!text.contains("url(") && !text.contains("@import") && !text.contains("fetch("), "{file}");
    }
}

#[test]
fn every_public_name_is_in_it() {
    let index = BOOK.text("search.js");
    let rows = index.trim().strip_prefix("const SECTIONS = ").and_then(|rest| rest.strip_suffix(';')).unwrap();
    let rows: Vec<[String; 4]> = serde_json::from_str(rows).unwrap();
    let addresses: BTreeMap<_, _> = rows.iter().map(|[title, _, _, address]| (title.as_str(), address)).collect();
    for entry in Runtime::new().catalog().entries() {
        let address = addresses.get(entry.name.as_str()).unwrap_or_else(|| panic!("{} is not found", entry.name));
        let (file, anchor) = address.split_once('#').unwrap();
        let page = &BOOK.pages[file];
        assert!(values(page, "id").any(|id| id == anchor), "{address}");
    }
}

/// What the examples print and draw is there, and nothing else of where they ran.
#[test]
fn examples_show_what_they_do() {
    let tour = &BOOK.pages["tour.html"];
    assert!(tour.contains("linear, constant coefficients, horizon 2"), "the value of a last expression");
    assert!(tour.contains("did you mean `count`?"), "an error");
    let pictures: BTreeSet<_> = values(tour, "src").filter(|address| address.ends_with(".png")).collect();
    assert_eq!(pictures, ["tour/data.png", "tour/loss.png", "tour/noised.png", "tour/samples.png"].into());
    let names_workshop: Vec<_> = BOOK.pages.iter().filter(|(_, page)| page.contains("tumble-replay-")).collect();
    assert!(names_workshop.is_empty(), "{names_workshop:?}");
    let ours =
        |path: &PathBuf| path.extension().is_some_and(|e| ["html", "css", "js", "png"].iter().any(|ours| e == *ours));
    let other: Vec<_> = files(BOOK.folder.path()).into_iter().filter(|path| !ours(path)).collect();
    assert!(other.is_empty(), "{other:?}");
}
