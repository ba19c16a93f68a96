//! Functions that a text defines, found without compiling it.

use std::ops::Range;

use super::scan::{Kind, Piece, pieces};

/// A function that a text defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What it is called by.
    pub name: String,
    /// The names of its parameters.
    pub parameters: Vec<String>,
    /// Whether only the text itself can call it.
    pub is_private: bool,
    /// Its bytes in the text, with its doc comment.
    pub range: Range<usize>,
}

/// The functions that `text` defines, in order. One that is unfinished is left out.
pub fn definitions(text: &str) -> Vec<Definition> {
    let all = pieces(text);
    let starts = (0..all.len()).filter(|&i| all[i].kind == Kind::Keyword && &text[all[i].range.clone()] == "fn");
    starts.filter_map(|i| definition(text, &all, i)).collect()
}

/// The function whose `fn` is the piece `at`.
fn definition(text: &str, all: &[Piece], at: usize) -> Option<Definition> {
    let word = |i: usize| all.get(i).map_or("", |piece| &text[piece.range.clone()]);
    let name = all.get(at + 1).filter(|piece| piece.kind == Kind::Word)?;
    let close = (at + 3..all.len()).find(|&i| word(i) == ")")?;
    if word(at + 2) != "(" || word(close + 1) != "{" {
        return None;
    }
    let parameters = (at + 3..close).filter(|&i| all[i].kind == Kind::Word).map(|i| word(i).to_owned()).collect();
    let mut depth = 0;
    let end = (close + 1..all.len()).find(|&i| {
        depth += i32::from(word(i) == "{") - i32::from(word(i) == "}");
        depth == 0
    })?;
    let is_private = at > 0 && word(at - 1) == "private";
    let first = if is_private { at - 1 } else { at };
    let documents = |i: &usize| word(*i).starts_with("///") || word(*i).starts_with("/**");
    let start = (0..first).rev().take_while(documents).last().unwrap_or(first);
    let range = all[start].range.start..all[end].range.end;
    Some(Definition { name: text[name.range.clone()].to_owned(), parameters, is_private, range })
}

/// How many brackets of a text are open at its end.
pub fn depth(text: &str) -> usize {
    let signs = pieces(text).into_iter().filter(|piece| piece.kind == Kind::Sign);
    signs.fold(0, |depth: usize, piece| match &text[piece.range] {
        "(" | "[" | "{" => depth + 1,
        ")" | "]" | "}" => depth.saturating_sub(1),
        _ => depth,
    })
}

/// Where the last statement of a text begins that a `;` ends or nothing.
pub fn last_statement(text: &str) -> usize {
    let all = pieces(text);
    let mut depth = 0;
    let mut start = 0;
    for (i, piece) in all.iter().enumerate() {
        let word = &text[piece.range.clone()];
        depth += i32::from(matches!(word, "(" | "[" | "{")) - i32::from(matches!(word, ")" | "]" | "}"));
        if depth == 0 && word == ";" && all[i + 1..].iter().any(|piece| piece.kind != Kind::Comment) {
            start = i + 1;
        }
    }
    all[start.min(all.len())..].iter().find(|piece| piece.kind != Kind::Comment).map_or(0, |piece| piece.range.start)
}

/// Where the statement of a text begins in which the byte `at` is.
pub fn statement_at(text: &str, at: usize) -> usize {
    let end = text[at..].chars().next().map_or(at, |first| at + first.len_utf8());
    last_statement(&text[..end])
}

/// Where the last piece of a text ends that is no comment.
pub fn end_of_code(text: &str) -> usize {
    pieces(text).into_iter().rfind(|piece| piece.kind != Kind::Comment).map_or(0, |piece| piece.range.end)
}

/// Whether a text ends with a `;`, by which at a prompt its value is not shown.
pub fn is_silent(text: &str) -> bool {
    let last = pieces(text).into_iter().rfind(|piece| piece.kind != Kind::Comment);
    last.is_some_and(|piece| &text[piece.range] == ";")
}

/// The variables and constants that `text` exports as it defines them.
pub(super) fn exported(text: &str) -> Vec<String> {
    let all = pieces(text);
    let word = |i: usize| all.get(i).map_or("", |piece| &text[piece.range.clone()]);
    let exports = (0..all.len()).filter(|&i| all[i].kind == Kind::Keyword && word(i) == "export");
    exports.filter(|&i| matches!(word(i + 1), "let" | "const")).map(|i| word(i + 2).to_owned()).collect()
}

/// The files that `text` imports without a name.
pub(crate) fn nameless_imports(text: &str) -> Vec<String> {
    let all = pieces(text);
    let word = |i: usize| all.get(i).map_or("", |piece| &text[piece.range.clone()]);
    let nameless = (0..all.len()).filter(|&i| {
        all[i].kind == Kind::Keyword
            && word(i) == "import"
            && all.get(i + 1).is_some_and(|piece| piece.kind == Kind::String)
            && matches!(word(i + 2), ";" | "")
    });
    nameless.map(|i| word(i + 1).trim_matches('"').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_and_comments_are_none() {
        let texts = ["f(#{ a: [1", "(\"(\" // (", "f())", "`${(`"];
        assert_eq!(texts.map(depth), [3, 1, 0, 0]);
    }

    #[test]
    fn the_last_statement_begins_behind_a_semicolon() {
        for (text, expected) in
            [("1 + 1", 0), ("let x = 1; x", 11), ("let x = 1;", 0), ("f(|| { a; b }) // c;", 0), ("// a;\nb", 6)]
        {
            assert_eq!(last_statement(text), expected, "{text}");
        }
    }

    #[test]
    fn a_semicolon_at_the_end_hides_a_value() {
        let texts = ["x;", "x; // why", "x", "\";\"", "x; y", "f(|| { a; })", ""];
        assert_eq!(texts.map(is_silent), [true, true, false, false, false, false, false]);
    }

    #[test]
    fn an_import_has_a_name_or_is_found() {
        assert_eq!(nameless_imports("import \"a\"; import \"b\" as b; import \"c/d\""), ["a", "c/d"]);
    }

    #[test]
    fn functions_are_found_with_their_comments() {
        let text = "let a = 1; // fn no() { }\n/// Twice.\n/// As much.\nfn twice(x) { #{ y: 2 * x }.y }\n\
                    private fn f() { \"}\" }\ntwice(a); fn open(a, b) {";
        let found = definitions(text);
        let texts: Vec<_> = found.iter().map(|found| &text[found.range.clone()]).collect();
        let expected = ["/// Twice.\n/// As much.\nfn twice(x) { #{ y: 2 * x }.y }", "private fn f() { \"}\" }"];
        assert_eq!(texts, expected);
        assert_eq!(found[0].parameters, ["x"]);
        assert!(found[1].is_private && found[1].parameters.is_empty());
    }
}
