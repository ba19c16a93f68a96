//! Options of functions as data.

/// An option of a function: a key of the map that it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionEntry {
    /// The key.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// What stands where it is not given, as help shows it: `0.5`, `"cosine"`, `the horizon`.
    pub default: Option<String>,
    /// What numbers it may be: "above 0".
    pub range: Option<String>,
    /// The words of a choice, each with what it means; as they are written, without quotes. The first is the default.
    pub words: Vec<(String, String)>,
    /// Where it exists only under a word of a choice: the name of the choice, and the word. An option that exists under
    /// several words stands once for each.
    pub owner: Option<(String, String)>,
}

/// The options that the section `# Options` of a doc comment lists as "- `name`: meaning" or "- `one`, `two`: meaning".
pub(super) fn written(doc: &str) -> Vec<OptionEntry> {
    let section = doc.lines().skip_while(|line| *line != "# Options").skip(1);
    let section = section.take_while(|line| !line.starts_with("# "));
    let items = section.filter_map(|line| line.strip_prefix("- `")?.split_once(':'));
    items
        .flat_map(|(names, meaning)| names.split('`').step_by(2).map(move |name| (name, meaning)))
        .map(|(name, meaning)| OptionEntry {
            name: name.to_owned(),
            meaning: meaning.trim().to_owned(),
            ..OptionEntry::default()
        })
        .collect()
}
