//! A chapter: Markdown whose scripts are run, one after the other in one session, and shown with what they say and
//! draw.

use std::path::Path;

use tumble::{Diagnostic, Host};

use super::markdown::{Links, Maker, code_block, escape, picture, render};
use super::page::{Page, Part};
use super::workshop::{Bench, Outcome, Workshop, failed};

/// The page of a chapter; its pictures are written to a folder of its name below `target`.
///
/// # Errors
/// What goes wrong in an example.
pub(super) fn page(
    workshop: &Workshop,
    name: &str,
    text: &str,
    links: &Links,
    target: &Path,
) -> Result<Page, Box<Diagnostic>> {
    let bench = workshop.bench(name).map_err(failed)?;
    let mut examples = Examples { chapter: name, bench, target, count: 0 };
    let rendered = render(text, links, &mut examples)?;
    Ok(Page::new(name, Part::Chapter, rendered))
}

struct Examples<'a> {
    chapter: &'a str,
    bench: Bench,
    target: &'a Path,
    count: usize,
}

impl Maker for Examples<'_> {
    type Error = Box<Diagnostic>;

    /// What stands behind "rhai" says what becomes of a script: nothing, it is run; "wrong", it is run and must fail,
    /// and its error is shown; else it is saved under that name. Other code is only shown.
    fn code(&mut self, info: &str, code: &str) -> Result<String, Self::Error> {
        let shown = code_block(info, code);
        let outcome = match info.split_once(' ').unwrap_or((info, "")) {
            ("rhai", "") => self.run(code)?,
            ("rhai", "wrong") => self.fail(code)?,
            ("rhai" | "csv", name) if !name.is_empty() => {
                self.bench.save(name, code).map_err(failed)?;
                return Ok(format!("<figure><figcaption>{}</figcaption>{shown}</figure>\n", escape(name)));
            }
            _ => return Ok(shown),
        };
        let mut html = format!("<figure>{shown}");
        if !outcome.text.is_empty() {
            html.push_str(&format!("<pre class=\"output\"><samp>{}</samp></pre>\n", escape(outcome.text.trim_end())));
        }
        for path in outcome.pictures {
            html.push_str(&self.keep(&path)?);
        }
        Ok(html + "</figure>\n")
    }
}

impl Examples<'_> {
    /// The name of the next example, for errors.
    fn next(&mut self) -> String {
        self.count += 1;
        format!("example {} of the chapter {}", self.count, self.chapter)
    }

    fn run(&mut self, code: &str) -> Result<Outcome, Box<Diagnostic>> {
        let name = self.next();
        self.bench.run(&name, code)
    }

    fn fail(&mut self, code: &str) -> Result<Outcome, Box<Diagnostic>> {
        let name = self.next();
        match self.bench.run("script", code) {
            Ok(_) => Err(Box::new(Diagnostic::plain(format!("{name} should end in an error, and does not")))),
            Err(diagnostic) => {
                Ok(Outcome { text: self.bench.neutral(&diagnostic.render(false)), pictures: Vec::new() })
            }
        }
    }

    /// Keeps a picture beside the page.
    fn keep(&self, path: &Path) -> Result<String, Box<Diagnostic>> {
        let host = Host::default();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = self.target.join(self.chapter);
        let keep =
            || host.create_folder(&folder).and_then(|()| host.write_bytes(&folder.join(&*name), &host.read(path)?));
        keep().map_err(failed)?;
        Ok(picture(&format!("{}/{name}", self.chapter), &format!("What the script above draws: {name}")))
    }
}
