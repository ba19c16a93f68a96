//! The reference: everything a script can call, a page for each module.

use std::convert::Infallible;

use tumble::lang::catalog::{Catalog, Entry};

use super::markdown::{Links, Maker, Rendered, Section, anchor, code_block, coloured, escape, page_of, render};
use super::page::{Page, Part};

/// Shows code as it stands; the tests of the program run the examples of the reference.
pub(super) struct Show;

impl Maker for Show {
    type Error = Infallible;

    fn code(&mut self, info: &str, code: &str) -> Result<String, Infallible> {
        Ok(code_block(info, code))
    }
}

/// The pages: functions without a module, each module, properties.
pub(super) fn pages(catalog: &Catalog, links: &Links) -> Vec<Page> {
    let mut titles = vec![("reference".to_owned(), "Functions".to_owned())];
    titles.extend(catalog.modules().map(|module| (format!("reference-{module}"), format!("Module {module}"))));
    titles.push(("reference-properties".to_owned(), "Properties".to_owned()));
    titles.into_iter().map(|(name, title)| page(catalog, links, &name, title)).collect()
}

fn page(catalog: &Catalog, links: &Links, name: &str, title: String) -> Page {
    let mut rendered = Rendered { html: format!("<h1>{title}</h1>\n"), title, sections: vec![Section::default()] };
    let mut rows = String::new();
    let mut bodies = String::new();
    for entry in catalog.entries().filter(|entry| page_of(entry) == name) {
        let (id, name) = (anchor(entry), escape(&entry.name));
        let Ok(summary) = render(entry.summary(), links, &mut Show);
        let summary = summary.html.trim().trim_start_matches("<p>").trim_end_matches("</p>").to_owned();
        rows.push_str(&format!("<tr><td><a href=\"#{id}\"><code>{name}</code></a></td><td>{summary}</td></tr>\n"));
        bodies.push_str(&format!("<section id=\"{id}\">\n<h2><a href=\"#{id}\">{name}</a></h2>\n"));
        bodies.push_str(&body(entry, links));
        bodies.push_str("</section>\n");
        rendered.sections.push(Section { id, title: entry.name.clone(), text: entry.doc.clone() });
    }
    rendered.html.push_str(&format!("<table class=\"names\"><tbody>\n{rows}</tbody></table>\n{bodies}"));
    Page::new(name, Part::Reference, rendered)
}

/// Call forms, then the doc comment.
fn body(entry: &Entry, links: &Links) -> String {
    let forms = if entry.forms.iter().any(|form| *form != entry.name) {
        format!("<pre class=\"code\"><code>{}</code></pre>\n", coloured(&entry.forms.join("\n")))
    } else {
        String::new()
    };
    // Headings of a doc comment stand below that of its name.
    let lines = entry.doc.lines().map(|line| match line.strip_prefix("# ") {
        Some(heading) => format!("**{heading}**\n\n"),
        None => format!("{line}\n"),
    });
    let Ok(doc) = render(&lines.collect::<String>(), links, &mut Show);
    forms + doc.html.as_str()
}
