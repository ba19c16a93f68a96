//! Doc comments laid out in lines that fit.

use super::types::{self, Member, Type};
use crate::error::nearest;
use crate::lang::catalog::{Catalog, Entry};
use crate::lang::diagnostics::{Diagnostic, visible, words_of};

/// How help is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Columns.
    pub width: usize,
    /// Whether headings, names and code are to be told apart by ANSI colours.
    pub colour: bool,
}

impl Page {
    /// Help on a function, property, module or type.
    ///
    /// # Errors
    /// When there is none of that name, with the nearest one.
    pub fn named(self, catalog: &Catalog, name: &str) -> Result<String, Diagnostic> {
        let name = name.trim().trim_end_matches("()").trim_end_matches("::");
        if let Some(entry) = catalog.get(name) {
            return Ok(self.entry(entry));
        }
        if let Some(text) = self.of_type(catalog, name) {
            return Ok(text);
        }
        if catalog.modules().any(|module| module == name) {
            return Ok(self.list(catalog, |entry| entry.name.strip_prefix(name).is_some_and(|r| r.starts_with("::"))));
        }
        let members: Vec<_> = catalog.entries().filter(|entry| last_part(&entry.name) == name).collect();
        if !members.is_empty() {
            return Ok(members.iter().map(|entry| self.entry(entry)).collect::<Vec<_>>().join("\n"));
        }
        let mut candidates: Vec<&str> = types::type_names().collect();
        candidates.extend(catalog.names().chain(catalog.modules()));
        candidates.extend(catalog.entries().map(|entry| last_part(&entry.name)));
        let mut diagnostic = Diagnostic::plain(format!("there is no help on `{name}`"));
        diagnostic.hints.extend(nearest(name, candidates).map(|near| format!("did you mean `{near}`?")));
        Err(diagnostic)
    }

    /// What a type is, what gives one, and what may stand behind its dot; none of a type that nobody knows.
    pub fn of_type(self, catalog: &Catalog, name: &str) -> Option<String> {
        let Type { name, about, from } = types::named(name)?;
        let members = types::members(catalog, Some(name));
        let called = |member: &Member<'_>| format!("{}{}", member.name, if member.is_method { "(..)" } else { "" });
        let mut rows: Vec<(String, &str)> =
            members.iter().map(|member| (called(member), member.entry.summary())).collect();
        rows.sort();
        rows.dedup_by(|a, b| a.0 == b.0);
        let rows: Vec<_> = rows.iter().map(|(name, about)| (name.as_str(), *about)).collect();
        let code: Vec<_> = from.iter().map(|code| format!("    {}\n", self.paint(GREEN, code))).collect();
        let heading = |text: &str| format!("{}\n", self.paint(BOLD, text));
        let parts =
            [heading(name), self.doc(about), heading("\nFrom"), code.concat(), heading("\nMembers"), self.table(&rows)];
        Some(parts.concat())
    }

    /// Names with their summaries whose name or doc comment has all of `words`; first those whose name has one.
    ///
    /// # Errors
    /// When there is none.
    pub fn found(self, catalog: &Catalog, words: &str) -> Result<String, Diagnostic> {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let has_all = |entry: &&Entry| {
            let text = format!("{}\n{}", entry.name, entry.doc).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        let mut entries: Vec<&Entry> = catalog.entries().filter(has_all).collect();
        entries.sort_by_key(|entry| {
            let place = |text: &str| !words.iter().any(|word| text.to_lowercase().contains(word));
            (place(&entry.name), place(entry.summary()))
        });
        if entries.is_empty() {
            let mut diagnostic = Diagnostic::plain(format!("no help has all of `{}`", words.join(" ")));
            diagnostic.hints.push("fewer words find more; `:help` lists the modules".to_owned());
            return Err(diagnostic);
        }
        // A summary may go over lines, up to the first empty one.
        let first = |entry: &Entry| entry.doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let firsts: Vec<String> = entries.iter().map(|entry| first(entry)).collect();
        let names = entries.iter().map(|entry| entry.name.as_str());
        Ok(self.table(&names.zip(firsts.iter().map(String::as_str)).collect::<Vec<_>>()))
    }

    /// Every name with its summary, one line each.
    pub fn overview(self, catalog: &Catalog) -> String {
        self.list(catalog, |_| true)
    }

    fn list(self, catalog: &Catalog, wanted: impl Fn(&Entry) -> bool) -> String {
        let entries: Vec<&Entry> = catalog.entries().filter(|entry| wanted(entry)).collect();
        let rows: Vec<(&str, &str)> = entries.iter().map(|entry| (entry.name.as_str(), entry.summary())).collect();
        self.table(&rows)
    }

    /// Two columns: names, and what they are in what is left of the width.
    pub fn table(self, rows: &[(&str, &str)]) -> String {
        let longest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let column = longest.min(self.width / 2) + 2;
        let mut text = String::new();
        for (name, about) in rows {
            let gap = column.saturating_sub(name.chars().count());
            let mut lines = words_of(&visible(about), self.width.saturating_sub(column).max(20)).into_iter();
            text.push_str(&self.paint(BOLD, name));
            // A name longer than its column has the line to itself.
            let first = if gap >= 2 { lines.next() } else { None };
            text.push_str(&format!("{}{}\n", " ".repeat(gap), first.unwrap_or_default()));
            for line in lines {
                text.push_str(&format!("{}{line}\n", " ".repeat(column)));
            }
        }
        text
    }

    /// Call forms, then the doc comment.
    fn entry(self, entry: &Entry) -> String {
        let mut text = String::new();
        for form in &entry.forms {
            text.push_str(&self.hanging(form, 0, 4, BOLD));
        }
        text.push('\n');
        text.push_str(&self.doc(&entry.doc));
        text
    }

    /// A doc comment: headings in bold, paragraphs and lists wrapped, code as it stands.
    pub fn doc(self, doc: &str) -> String {
        let mut text = String::new();
        let mut paragraph = String::new();
        let mut in_code = false;
        for line in doc.lines() {
            let is_item = line.trim_start().starts_with("- ");
            let starts_block = line.is_empty() || line.starts_with("# ") || is_item;
            if in_code || starts_block || line.starts_with("```") {
                text.push_str(&self.block(&paragraph));
                paragraph.clear();
            }
            if line.starts_with("```") {
                in_code = !in_code;
            } else if in_code {
                text.push_str(&format!("    {}\n", self.paint(GREEN, line)));
            } else if let Some(heading) = line.strip_prefix("# ") {
                text.push_str(&format!("{}\n", self.paint(BOLD, heading)));
            } else if line.is_empty() {
                text.push('\n');
            } else if is_item || paragraph.is_empty() {
                line.clone_into(&mut paragraph);
            } else {
                paragraph = format!("{paragraph} {}", line.trim());
            }
        }
        text + self.block(&paragraph).as_str()
    }

    fn block(self, paragraph: &str) -> String {
        let indent = paragraph.len() - paragraph.trim_start().len();
        match paragraph.trim_start() {
            "" => String::new(),
            item if item.starts_with("- ") => self.hanging(item, indent + 2, indent + 4, PLAIN),
            other => self.hanging(other, 2, 2, PLAIN),
        }
    }

    fn hanging(self, text: &str, first: usize, rest: usize, style: &str) -> String {
        let lines = words_of(&visible(text), self.width.saturating_sub(first.max(rest) + 1).max(20));
        let indents = std::iter::once(first).chain(std::iter::repeat(rest));
        lines.iter().zip(indents).map(|(line, n)| format!("{}{}\n", " ".repeat(n), self.paint(style, line))).collect()
    }

    /// Text in an ANSI style, where colours are wanted.
    pub fn paint(self, style: &str, text: &str) -> String {
        // The doc comments of a user's functions may be anybody's.
        let text = visible(text);
        if self.colour && !style.is_empty() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.into_owned() }
    }
}

const PLAIN: &str = "";
const BOLD: &str = "1";
const GREEN: &str = "32";

fn last_part(name: &str) -> &str {
    name.rsplit([':', '.']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Page = Page { width: 40, colour: false };

    #[test]
    fn help_fits_the_terminal() {
        let runtime = crate::Runtime::new();
        for entry in runtime.catalog().entries() {
            for line in NARROW.entry(entry).lines().filter(|line| !line.starts_with("    ")) {
                let one_word = line.trim().split(' ').count() == 1;
                assert!(line.chars().count() <= 40 || one_word, "{line:?}");
            }
        }
        assert!(NARROW.overview(runtime.catalog()).lines().all(|line| line.chars().count() <= 60));
    }

    #[test]
    fn a_doc_comment_is_laid_out() {
        let doc = "Does a thing that takes more than one line to say.\n\n# Options\n- `tau`: persistence time, above \
                   0,\n  in seconds\n  - `\"a\"`: one of its words, the first\n\n# Example\n```rhai\nlet x = 1;\n\nassert(x == 1);\n```";
        let expected = "  Does a thing that takes more than one\n  line to say.\n\nOptions\n  - `tau`: persistence time, above 0,\n    \
                        in seconds\n    - `\"a\"`: one of its words, the\n      first\n\nExample\n    let x = 1;\n    \n    assert(x == 1);\n";
        assert_eq!(NARROW.doc(doc), expected);
    }

    #[test]
    fn names_and_doc_comments_are_searched() {
        let runtime = crate::Runtime::new();
        let found = |words: &str| NARROW.found(runtime.catalog(), words);
        assert!(found("Wasserstein").unwrap().starts_with("measure::sliced_wasserstein"));
        assert!(found("checkpoint resume").unwrap().contains("train"));
        assert!(found("checkpoint nonsuch").unwrap_err().hints[0].contains("fewer words"));
    }

    #[test]
    fn unknown_names_are_corrected() {
        let runtime = crate::Runtime::new();
        let help = |name: &str| NARROW.named(runtime.catalog(), name);
        assert_eq!(help("proces").unwrap_err().hints, ["did you mean `process`?"]);
        assert!(help("process").is_ok_and(|text| text.contains("process::active")));
        assert!(help("active").is_ok_and(|text| text.contains("persistence")));
        let process = help("Process").unwrap();
        assert!(
            process.starts_with("Process\n  A noise process: how data") && process.contains("\nkernel(..)  "),
            "{process}"
        );
        assert!(help("kind").is_ok_and(|text| text.contains("Process.kind")));
    }
}
