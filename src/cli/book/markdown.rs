//! Markdown as HTML: names of functions lead to their reference, and code is handed to who knows what to do with it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use tumble::lang::assist::{Style, highlight};
use tumble::lang::catalog::{Catalog, Entry};

/// Where the reference of a name is.
pub(super) struct Links(BTreeMap<String, String>);

impl Links {
    pub(super) fn of(catalog: &Catalog) -> Self {
        Self(catalog.entries().map(|entry| (entry.name.clone(), address(entry))).collect())
    }

    /// Where the name is that a piece of code begins with: `train`, `score::mlp(p, d)`.
    fn find(&self, code: &str) -> Option<&str> {
        let name = code.split('(').next().unwrap_or_default();
        self.0.get(name).map(String::as_str)
    }
}

/// The page that describes an entry, without its ending: one for each module, one for functions without, and one for
/// properties.
pub(super) fn page_of(entry: &Entry) -> String {
    match entry.name.split_once("::") {
        Some((module, _)) => format!("reference-{module}"),
        None if entry.name.contains('.') => "reference-properties".to_owned(),
        None => "reference".to_owned(),
    }
}

/// The anchor of an entry on its page.
pub(super) fn anchor(entry: &Entry) -> String {
    entry.name.replace("::", "-")
}

fn address(entry: &Entry) -> String {
    format!("{}.html#{}", page_of(entry), anchor(entry))
}

/// A part of a page that has a heading.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) text: String,
}

/// A text as HTML.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// Its heading of the first level.
    pub(super) title: String,
    pub(super) html: String,
    /// What is before the first heading of the second level, then one for each of them.
    pub(super) sections: Vec<Section>,
}

/// Who makes HTML of a block of code, from what stands behind its opening fence and its text; and of the address of a
/// picture another one, or none where it is to be had nowhere.
pub(super) trait Maker {
    type Error;

    fn code(&mut self, info: &str, code: &str) -> Result<String, Self::Error>;

    fn picture(&self, address: &str) -> Option<String> {
        Some(address.to_owned())
    }
}

/// Makes HTML of a text.
pub(super) fn render<M: Maker>(text: &str, links: &Links, maker: &mut M) -> Result<Rendered, M::Error> {
    let mut rendered = Rendered { sections: vec![Section::default()], ..Rendered::default() };
    let mut ids = BTreeSet::new();
    let mut out: Vec<Event> = Vec::new();
    let mut events = Parser::new_ext(text, Options::ENABLE_TABLES);
    let mut in_link = false;
    while let Some(event) = events.next() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let info = if let CodeBlockKind::Fenced(info) = kind { info } else { CowStr::from("") };
                let (code, _) = words(events.by_ref().take_while(|e| !matches!(e, Event::End(TagEnd::CodeBlock))));
                note(&mut rendered, &code);
                out.push(Event::Html(maker.code(&info, &code)?.into()));
            }
            Event::Start(Tag::Heading { level, .. }) => {
                let inner = events.by_ref().take_while(|e| !matches!(e, Event::End(TagEnd::Heading(_))));
                let (title, inner) = words(inner);
                out.push(Event::Html(heading(level, &title, inner, &mut ids, &mut rendered).into()));
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                let (title, _) = words(events.by_ref().take_while(|e| !matches!(e, Event::End(TagEnd::Image))));
                let image = maker.picture(&dest_url).map(|address| picture(&address, &title));
                out.extend(image.map(|image| Event::InlineHtml(image.into())));
            }
            Event::Code(code) => {
                let shown = format!("<code>{}</code>", escape(&code));
                let address = links.find(&code).filter(|_| !in_link);
                let shown = address.map_or_else(|| shown.clone(), |to| format!("<a href=\"{to}\">{shown}</a>"));
                note(&mut rendered, &code);
                out.push(Event::InlineHtml(shown.into()));
            }
            Event::Start(Tag::Table(alignment)) => {
                out.push(Event::Html("<div class=\"wide\">".into()));
                out.push(Event::Start(Tag::Table(alignment)));
            }
            Event::End(TagEnd::Table) => out.extend([Event::End(TagEnd::Table), Event::Html("</div>\n".into())]),
            event => {
                in_link = match event {
                    Event::Start(Tag::Link { .. }) => true,
                    Event::End(TagEnd::Link) => false,
                    _ => in_link,
                };
                match &event {
                    Event::Text(text) => note(&mut rendered, text),
                    Event::End(_) | Event::SoftBreak | Event::HardBreak => note(&mut rendered, " "),
                    _ => {}
                }
                out.push(event);
            }
        }
    }
    html::push_html(&mut rendered.html, out.into_iter());
    Ok(rendered)
}

/// Adds to the text that the present section is found by.
fn note(rendered: &mut Rendered, text: &str) {
    if let Some(section) = rendered.sections.last_mut() {
        section.text.push_str(text);
    }
}

/// A heading, which opens a section if it is of the second level.
fn heading(
    level: HeadingLevel,
    title: &str,
    inner: Vec<Event>,
    ids: &mut BTreeSet<String>,
    rendered: &mut Rendered,
) -> String {
    let mut shown = String::new();
    html::push_html(&mut shown, inner.into_iter());
    let id = (1..).map(|count| id_of(title, count)).find(|id| ids.insert(id.clone())).expect("numbers do not end");
    match level {
        HeadingLevel::H1 => rendered.title = title.to_owned(),
        HeadingLevel::H2 => {
            rendered.sections.push(Section { id: id.clone(), title: title.to_owned(), text: String::new() });
        }
        _ => note(rendered, title),
    }
    format!("<{level} id=\"{id}\">{shown}</{level}>\n")
}

/// The anchor of a title; `count` tells those of equal titles apart.
fn id_of(title: &str, count: usize) -> String {
    let words: Vec<_> = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let id = words.join("-").to_lowercase();
    if count == 1 { id } else { format!("{id}-{count}") }
}

/// The text of some events, and the events.
fn words<'a>(events: impl Iterator<Item = Event<'a>>) -> (String, Vec<Event<'a>>) {
    let events: Vec<_> = events.collect();
    let text = events.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        Event::SoftBreak => Some(" "),
        _ => None,
    });
    (text.collect(), events)
}

/// A picture, which is only fetched when it comes into sight.
pub(super) fn picture(address: &str, title: &str) -> String {
    format!("<img src=\"{}\" alt=\"{}\" loading=\"lazy\">", escape(address), escape(title))
}

/// A block of code; that of scripts with its parts marked.
pub(super) fn code_block(info: &str, code: &str) -> String {
    let language = info.split_whitespace().next().unwrap_or_default();
    let shown = if language == "rhai" { coloured(code.trim_end()) } else { escape(code.trim_end()) };
    format!("<pre class=\"code\"><code>{shown}</code></pre>\n")
}

/// A script with its parts marked.
pub(super) fn coloured(code: &str) -> String {
    let mut shown = String::new();
    let mut done = 0;
    for (Range { start, end }, style) in highlight(code, None) {
        let class = match style {
            Style::Keyword => "k",
            Style::String => "s",
            Style::Number => "n",
            Style::Comment => "c",
            Style::Bracket => continue,
        };
        let part = escape(&code[start..end]);
        shown.push_str(&format!("{}<span class=\"{class}\">{part}</span>", escape(&code[done..start])));
        done = end;
    }
    shown + escape(&code[done..]).as_str()
}

/// A text in which nothing is markup.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails on code that says so.
    struct Strict;

    impl Maker for Strict {
        type Error = String;

        fn code(&mut self, info: &str, code: &str) -> Result<String, String> {
            if code.contains("fail") { Err(code.to_owned()) } else { Ok(code_block(info, code)) }
        }

        fn picture(&self, address: &str) -> Option<String> {
            (address == "there.png").then(|| address.to_owned())
        }
    }

    fn rendered(text: &str) -> Result<Rendered, String> {
        let links = Links([("train".to_owned(), "reference.html#train".to_owned())].into());
        render(text, &links, &mut Strict)
    }

    #[test]
    fn names_lead_to_the_reference() {
        let html = |text: &str| rendered(text).unwrap().html;
        let link = "<a href=\"reference.html#train\"><code>train(m, d)</code></a>";
        assert_eq!(html("See `train(m, d)`."), format!("<p>See {link}.</p>\n"));
        assert_eq!(html("See `trains`."), "<p>See <code>trains</code>.</p>\n");
        // A link inside a link is none.
        assert_eq!(html("[`train`](tour.html)"), "<p><a href=\"tour.html\"><code>train</code></a></p>\n");
    }

    #[test]
    fn headings_are_told_apart() {
        let page = rendered("# A `page`\n\nFirst\nwords.\n\n## Twice\n\nSome `code`.\n\n## Twice\n").unwrap();
        assert_eq!(page.title, "A page");
        let parts: Vec<_> = page.sections.iter().map(|part| (part.id.as_str(), part.text.trim())).collect();
        assert_eq!(parts, [("", "First words."), ("twice", "Some code."), ("twice-2", "")]);
    }

    #[test]
    fn code_is_handed_over_and_its_errors_come_back() {
        let shown = rendered("```rhai\nlet x = \"<\"; // why\n```\n").unwrap().html;
        let inner = "<span class=\"k\">let</span> x = <span class=\"s\">&quot;&lt;&quot;</span>; \
                     <span class=\"c\">// why</span>";
        assert_eq!(shown, format!("<pre class=\"code\"><code>{inner}</code></pre>\n"));
        assert_eq!(rendered("Text.\n\n```rhai\nfail\n```\n").unwrap_err(), "fail\n");
    }

    #[test]
    fn pictures_that_are_nowhere_are_left_out() {
        assert!(rendered("![a \"b\"](there.png)").unwrap().html.contains("alt=\"a &quot;b&quot;\""));
        assert_eq!(rendered("![a](lost.png)").unwrap().html, "<p></p>\n");
    }
}
