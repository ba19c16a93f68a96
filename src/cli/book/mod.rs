//! `tumble doc --book`: the book as static pages, whose examples are run while it is written.

mod chapter;
mod markdown;
mod page;
mod reference;
mod results;
mod workshop;

use std::path::Path;

use tumble::{Diagnostic, Error, Host};

use super::setup::Setup;
use super::terminal;
use markdown::Links;
use workshop::{Workshop, failed};

/// A text of the book beside this source: the name of its page, and the text.
macro_rules! chapters {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../../stdlib/book/", $name, ".md")))),*]
    };
}

/// The chapters in their order; `index` is the first page.
const CHAPTERS: &[(&str, &str)] = chapters! {
    "index" "tour" "processes" "networks" "adding"
};

/// Files that all pages share.
const SHARED: &[(&str, &str)] = &[("book.css", include_str!("book.css")), ("book.js", include_str!("book.js"))];

/// Writes the book into `folder` and returns the exit code.
pub(super) fn write(setup: &Setup, folder: &Path) -> u8 {
    match book(setup, folder) {
        Ok(()) => {
            terminal::print(&format!("wrote {}", folder.join("index.html").display()));
            0
        }
        Err(diagnostic) => terminal::report(&diagnostic),
    }
}

fn book(setup: &Setup, folder: &Path) -> Result<(), Box<Diagnostic>> {
    let host = Host::default();
    // Examples run in a folder of their own.
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| failed(Error::file("write", path, error)));
    let (target, repository) = (absolute(folder)?, absolute(Path::new("."))?);
    host.create_folder(&target).map_err(failed)?;
    let runtime = setup.runtime().map_err(failed)?;
    let links = Links::of(runtime.catalog());
    let workshop = Workshop::open(setup).map_err(failed)?;
    let chapters = CHAPTERS.iter().map(|(name, text)| chapter::page(&workshop, name, text, &links, &target));
    let chapters: Result<Vec<_>, _> = chapters.collect();
    workshop.close();
    let mut pages = chapters?;
    pages.push(results::page(&links, &repository, &target).map_err(failed)?);
    pages.extend(reference::pages(runtime.catalog(), &links));
    let write = |name: &str, text: &str| host.write_bytes(&target.join(name), text.as_bytes()).map_err(failed);
    for (i, page) in pages.iter().enumerate() {
        write(&page.file(), &page.html(&pages, i))?;
    }
    write("search.js", &page::search_index(&pages))?;
    SHARED.iter().try_for_each(|(name, text)| write(name, text))
}
