//! The chapter on the paper's experiments: the report that the repository keeps of them.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use tumble::{Host, Result};

use super::markdown::{Links, Maker, code_block, render};
use super::page::{Page, Part};

/// The report of the last full run.
const REPORT: &str = include_str!("../../../scripts/paper/RESULTS.md");
/// Where its pictures are, and from where the report names them.
const FOLDER: &str = "scripts/paper";

const WITH_PICTURES: &str = "The text is that of the last full run, the pictures those in `scripts/paper/full/`.";
const WITHOUT_PICTURES: &str = "The text is that of the last full run. Its pictures are in the repository of tumble, in \
                                `scripts/paper/full/`; run `tumble doc --book DIR` in its folder to have them here.";

/// The page; pictures are those below the working directory, in the repository.
pub(super) fn page(links: &Links, repository: &Path, target: &Path) -> Result<Page> {
    let report = REPORT.split_once("\n\n").map_or(REPORT, |(_, rest)| rest);
    let mut pictures = Pictures { folder: repository.join(FOLDER), found: Vec::new() };
    pictures.found = pictures.look(report);
    let note = if pictures.found.is_empty() { WITHOUT_PICTURES } else { WITH_PICTURES };
    let text = format!("# Results of the paper\n\n{note}\n\n{report}");
    let Ok(rendered) = render(&text, links, &mut pictures);
    let host = Host::default();
    host.create_folder(&target.join("results"))?;
    for name in &pictures.found {
        host.write_bytes(&target.join(copy(name)), &host.read(&pictures.folder.join(name))?)?;
    }
    Ok(Page::new("results", Part::Chapter, rendered))
}

struct Pictures {
    folder: PathBuf,
    /// As the report names them.
    found: Vec<String>,
}

impl Pictures {
    /// The pictures of a report that are there.
    fn look(&self, report: &str) -> Vec<String> {
        let named = report.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let has = |name: &str| Host::default().has_file(&self.folder.join(name)).unwrap_or(false);
        let is_there = |name: &&str| name.ends_with(".png") && has(name);
        named.filter(is_there).map(str::to_owned).collect()
    }
}

/// Where in the book a picture of the report is.
fn copy(name: &str) -> String {
    format!("results/{}", name.rsplit('/').next().unwrap_or(name))
}

impl Maker for Pictures {
    type Error = Infallible;

    fn code(&mut self, info: &str, code: &str) -> std::result::Result<String, Infallible> {
        Ok(code_block(info, code))
    }

    fn picture(&self, address: &str) -> Option<String> {
        self.found.iter().any(|name| name == address).then(|| copy(address))
    }
}

#[cfg(test)]
mod tests {
    use tumble::lang::catalog::Catalog;

    use super::*;

    fn html(repository: &Path, target: &Path) -> String {
        let page = page(&Links::of(&Catalog::default()), repository, target).unwrap();
        page.html(std::slice::from_ref(&page), 0)
    }

    #[test]
    fn pictures_are_those_of_the_repository() {
        let target = tempfile::tempdir().unwrap();
        let there = html(Path::new(env!("CARGO_MANIFEST_DIR")), target.path());
        let pictures: Vec<_> = there.split("<img src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(pictures.contains(&"results/fig2a.png") && there.contains(WITH_PICTURES.split('`').next().unwrap()));
        let host = Host::default();
        let lost: Vec<_> = pictures.iter().filter(|name| !host.has_file(&target.path().join(name)).unwrap()).collect();
        assert!(lost.is_empty(), "{lost:?}");
        // Elsewhere the page says where they are.
        let elsewhere = html(target.path(), target.path());
        assert!(elsewhere.contains("Its pictures are in the repository") && !elsewhere.contains("<img"));
    }
}
