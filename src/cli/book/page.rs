//! A page of the book: what is around its text, and by what words it is found.

use serde_json::json;

use super::markdown::{Rendered, Section, escape};

/// To which part of the contents a page belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Chapter,
    Reference,
}

/// A page without what is around it.
#[derive(Debug)]
pub(super) struct Page {
    name: String,
    part: Part,
    title: String,
    body: String,
    sections: Vec<Section>,
}

impl Page {
    pub(super) fn new(name: &str, part: Part, rendered: Rendered) -> Self {
        let Rendered { title, html, sections } = rendered;
        Self { name: name.to_owned(), part, title, body: html, sections }
    }

    pub(super) fn file(&self) -> String {
        format!("{}.html", self.name)
    }

    /// The whole page; it is the one of that number among `pages`.
    pub(super) fn html(&self, pages: &[Self], number: usize) -> String {
        let title = escape(&self.title);
        let contents = contents(pages, number);
        let to = |page: Option<&Self>, what: &str, arrow: &str| {
            let link = |page: &Self| {
                format!("<a rel=\"{what}\" href=\"{}\">{}</a>", page.file(), arrow.replace("..", &escape(&page.title)))
            };
            page.map(link).unwrap_or_default()
        };
        let before = to(number.checked_sub(1).and_then(|before| pages.get(before)), "prev", "← ..");
        let after = to(pages.get(number + 1), "next", ".. →");
        let body = &self.body;
        format!(
            r##"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · tumble</title>
<link rel="stylesheet" href="book.css">
<script src="search.js" defer></script>
<script src="book.js" defer></script>
</head>
<body>
<header>
<a class="name" href="index.html">tumble</a>
<a class="to-contents" href="#contents">Contents</a>
<form id="search" role="search" hidden><input type="search" placeholder="Search  (/)" aria-label="Search the book"></form>
</header>
<ol id="found" hidden></ol>
<main>
{body}<footer>{before}{after}</footer>
</main>
<nav id="contents" aria-label="Contents">
{contents}</nav>
</body>
</html>
"##
        )
    }

    /// The list of its own parts, where there are several.
    fn parts(&self) -> String {
        let sections: Vec<_> = self.sections.iter().filter(|section| !section.id.is_empty()).collect();
        // The reference lists its names in the page.
        if sections.len() < 2 || self.part == Part::Reference {
            return String::new();
        }
        let item =
            |section: &&Section| format!("<li><a href=\"#{}\">{}</a></li>\n", section.id, escape(&section.title));
        format!("<ul>\n{}</ul>\n", sections.iter().map(item).collect::<String>())
    }
}

/// The list of all pages, with the parts of the one that is shown.
fn contents(pages: &[Page], shown: usize) -> String {
    let part = |part: Part, title: &str| {
        let items = pages.iter().enumerate().filter(|(_, page)| page.part == part).map(|(i, page)| {
            let (here, parts) = if i == shown { (" aria-current=\"page\"", page.parts()) } else { ("", String::new()) };
            format!("<li><a href=\"{}\"{here}>{}</a>{parts}</li>\n", page.file(), escape(&page.title))
        });
        format!("<h2>{title}</h2>\n<ul>\n{}</ul>\n", items.collect::<String>())
    };
    part(Part::Chapter, "Book") + part(Part::Reference, "Reference").as_str()
}

/// What the search looks through, as a script that works where there is no server: title, page, text and address of
/// every section.
pub(super) fn search_index(pages: &[Page]) -> String {
    let mut rows = Vec::new();
    for page in pages {
        for section in &page.sections {
            // Without the marks of Markdown.
            let words = section.text.split_whitespace().filter(|word| *word != "#" && !word.starts_with("```"));
            let text = words.collect::<Vec<_>>().join(" ").replace('`', "");
            match section.id.as_str() {
                "" => rows.push(json!([page.title, "", text, page.file()])),
                id => rows.push(json!([section.title, page.title, text, format!("{}#{id}", page.file())])),
            }
        }
    }
    let rows: Vec<_> = rows.iter().map(ToString::to_string).collect();
    format!("const SECTIONS = [\n{}\n];\n", rows.join(",\n"))
}
