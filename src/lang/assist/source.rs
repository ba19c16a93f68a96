//! The script text of functions.

use super::definitions::definitions;
use crate::lang::runtime::Runtime;

/// The script text of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file or input that it stands in.
    pub file: String,
    /// Its first line there, from 1.
    pub line: usize,
    /// The text, with its doc comment.
    pub text: String,
}

/// The texts of the function `name`, one for each number of parameters that it is written for: of the session's own, of
/// the modules that it imported and of the standard library, the first that has one. None for what is built in.
pub fn source(runtime: &Runtime, name: &str) -> Vec<Source> {
    let (module, function) = name.rsplit_once("::").map_or((None, name), |(module, last)| (Some(module), last));
    let texts = runtime.texts();
    let fits = |file: &str| match module {
        Some(module) => runtime.files_of(module).iter().any(|known| known == file),
        None => true,
    };
    let found = texts.iter().filter(|(file, _)| fits(file)).map(|(file, text)| written(file, text, function));
    found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

fn written(file: &str, text: &str, function: &str) -> Vec<Source> {
    let own = definitions(text).into_iter().filter(|definition| definition.name == function);
    let source = own.map(|definition| Source {
        file: file.to_owned(),
        line: text[..definition.range.start].matches('\n').count() + 1,
        text: text[definition.range].to_owned(),
    });
    source.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_show_their_text() {
        let mut runtime = Runtime::new();
        drop(runtime.run_named("input 1", "let a = 1;\nfn f(x) { x }").unwrap());
        drop(runtime.run_named("input 2", "fn f(x) { 2 * x }").unwrap());
        let own = source(&runtime, "f");
        assert_eq!((own[0].file.as_str(), own[0].line, own[0].text.as_str()), ("input 2", 1, "fn f(x) { 2 * x }"));
        let standard = source(&runtime, "process::active");
        assert_eq!(standard[0].file, "stdlib/process/active.rhai");
        assert!(standard[0].text.contains("fn active(") && standard[0].text.starts_with("///"));
        assert!(source(&runtime, "verify")[0].text.contains("fn verify("));
        assert!(source(&runtime, "train").is_empty() && source(&runtime, "measure::active").is_empty());
    }
}
