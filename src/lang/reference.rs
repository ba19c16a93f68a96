//! The catalog as one page of Markdown, `stdlib/REFERENCE.md`, and as definitions for editors.

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

    /// Definitions of all functions for editors that know Rhai: a name, which is `global` or that of a module, and the
    /// text of its file `.d.rhai`.
    pub fn definitions(&self) -> Vec<(&str, String)> {
        let modules = self.modules().map(|module| (module, format!("module {module};\n")));
        let files = [("global", "module static;\n".to_owned())].into_iter().chain(modules);
        files.map(|(file, head)| (file, head + self.functions_of(file).as_str())).collect()
    }

    fn functions_of(&self, file: &str) -> String {
        let own = self.entries().filter_map(|entry| match entry.name.split_once("::") {
            Some((module, name)) => (module == file).then_some((entry, name)),
            None => (file == "global" && !entry.name.contains('.')).then_some((entry, entry.name.as_str())),
        });
        let mut text = String::new();
        for (entry, name) in own {
            for form in &entry.forms {
                let Some((_, rest)) = form.split_once('(') else { continue };
                let parameters = rest.rsplit_once(')').map_or(rest, |(parameters, _)| parameters);
                text.push('\n');
                text.extend(entry.doc.lines().map(|line| format!("/// {line}").trim_end().to_owned() + "\n"));
                text.push_str(&format!("fn {name}({});\n", typed(parameters)));
            }
        }
        text
    }
}

/// Parameters, all of which have a type in definitions: `?` where it may be any.
fn typed(parameters: &str) -> String {
    let each = parameters.split(", ").filter(|parameter| !parameter.is_empty());
    let each = each.map(|own| if own.contains(':') { own.to_owned() } else { format!("{own}: ?") });
    each.collect::<Vec<_>>().join(", ")
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

#[cfg(test)]
mod tests {
    use crate::Runtime;

    #[test]
    fn editors_find_each_function_with_its_words() {
        let runtime = Runtime::new();
        let files = runtime.catalog().definitions();
        let of = |name: &str| &files.iter().find(|(file, _)| *file == name).unwrap().1;
        assert!(of("process").starts_with("module process;\n\n/// "), "{}", of("process"));
        assert!(of("process").contains("\nfn active(options: ?);\n") && !of("process").contains("anon$"));
        assert!(of("global").contains("\nfn train(score: Score, data: Dataset, options: map);\n"));
    }
}
