//! The catalog as one page of Markdown: `stdlib/REFERENCE.md`.

use super::catalog::{Catalog, Entry};

const HEAD: &str = "\
# Reference

Everything a script can call, from the doc comments on the functions themselves. Made by
`tumble doc --reference > stdlib/REFERENCE.md`; a test keeps it true. At the prompt, `:help NAME` shows the same.
";

impl Catalog {
    /// The reference of all documented names as Markdown: functions, then modules, then properties of types.
    pub fn reference(&self) -> String {
        let mut page = HEAD.to_owned();
        let is_property = |entry: &&Entry| entry.name.contains('.');
        section(&mut page, "Functions", self.entries().filter(|e| !e.name.contains("::") && !is_property(e)));
        for module in self.modules() {
            let prefix = format!("{module}::");
            section(&mut page, &format!("Module `{module}`"), self.entries().filter(|e| e.name.starts_with(&prefix)));
        }
        section(&mut page, "Properties", self.entries().filter(is_property));
        page
    }
}

fn section<'a>(page: &mut String, title: &str, entries: impl Iterator<Item = &'a Entry>) {
    page.push_str(&format!("\n## {title}\n"));
    for entry in entries {
        page.push_str(&format!("\n### {}\n\n", entry.name));
        if entry.forms.iter().any(|form| *form != entry.name) {
            page.push_str(&format!("```text\n{}\n```\n\n", entry.forms.join("\n")));
        }
        for line in entry.doc.lines() {
            match line.strip_prefix("# ") {
                Some(heading) => page.push_str(&format!("**{heading}**")),
                None => page.push_str(line),
            }
            page.push('\n');
        }
    }
}
