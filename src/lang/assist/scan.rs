//! A light look at an input being typed: where strings, comments, numbers and words are. It never fails, since what
//! is typed is unfinished most of the time.

use std::ops::Range;

use crate::lang::sources::is_of_word;

/// What a piece of the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lang) enum Kind {
    Comment,
    /// With its quotes; the last one may be missing.
    String,
    Number,
    Keyword,
    Word,
    /// One character of anything else but white space.
    Sign,
}

/// A piece of the input, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lang) struct Piece {
    pub(in crate::lang) kind: Kind,
    pub(in crate::lang) range: Range<usize>,
}

/// Words of the language.
pub(super) const KEYWORDS: &[&str] = &[
    "let", "const", "fn", "private", "if", "else", "switch", "for", "in", "while", "loop", "do", "until", "break",
    "continue", "return", "throw", "try", "catch", "import", "export", "as", "true", "false", "this",
];

/// The pieces of an input, in order; white space is left out.
pub(in crate::lang) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = piece(rest, first);
        if !first.is_whitespace() {
            pieces.push(Piece { kind, range: at..at + length });
        }
        at += length;
    }
    pieces
}

fn piece(rest: &str, first: char) -> (Kind, usize) {
    let run = |belongs: &dyn Fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
    match first {
        '"' | '`' | '\'' => (Kind::String, string(rest, first)),
        '/' if rest.starts_with("//") => (Kind::Comment, run(&|c| c != '\n')),
        '/' if rest.starts_with("/*") => (Kind::Comment, block_comment(rest)),
        c if c.is_ascii_digit() => (Kind::Number, number(rest)),
        c if c.is_alphabetic() || c == '_' => {
            let length = run(&is_of_word);
            (if KEYWORDS.contains(&&rest[..length]) { Kind::Keyword } else { Kind::Word }, length)
        }
        c => (Kind::Sign, c.len_utf8()),
    }
}

/// Bytes of a comment that may have others in it, as those of Rhai may.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let change = if rest[at..].starts_with("/*") { 1 } else { -i32::from(rest[at..].starts_with("*/")) };
        depth += change;
        at += if change == 0 { rest[at..].chars().next().map_or(1, char::len_utf8) } else { 2 };
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Bytes up to and with the closing quote; only a backtick string goes over lines.
fn string(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            '\n' if quote != '`' => return i,
            c if c == quote => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Whether a string lacks its closing quote.
pub(super) fn is_open(string: &str) -> bool {
    let mut characters = string.chars();
    let quote = characters.next();
    characters.next_back() != quote
}

fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut end = 0;
    while let Some(&byte) = bytes.get(end) {
        let next = bytes.get(end + 1).copied().unwrap_or(b' ');
        let belongs = match byte {
            // `1..3` is a range and `2.sqrt()` a call.
            b'.' => next.is_ascii_digit(),
            b'+' | b'-' => end > 0 && matches!(bytes[end - 1], b'e' | b'E') && !rest.starts_with("0x"),
            other => other.is_ascii_alphanumeric() || other == b'_',
        };
        if !belongs {
            break;
        }
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::cases;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        pieces(text).into_iter().map(|piece| (piece.kind, &text[piece.range])).collect()
    }

    #[test]
    fn comments_may_have_comments_in_them() {
        assert_eq!(
            kinds("1 /* a /* é */ // c */ x"),
            [(Kind::Number, "1"), (Kind::Comment, "/* a /* é */ // c */"), (Kind::Word, "x")]
        );
        assert_eq!(kinds("/* /* */ x"), [(Kind::Comment, "/* /* */ x")]);
    }

    #[test]
    fn an_input_falls_into_pieces() {
        use Kind::*;
        let expected = vec![
            (Keyword, "let"),
            (Word, "θ_1"),
            (Sign, "="),
            (Number, "1.5e-3"),
            (Sign, "+"),
            (Word, "f"),
            (Sign, "("),
            (String, r#""a\"b""#),
            (Sign, ")"),
            (Sign, ";"),
            (Comment, "// end"),
        ];
        assert_eq!(kinds(r#"let θ_1 = 1.5e-3 + f("a\"b"); // end"#), expected);
        assert_eq!(kinds("1..3"), vec![(Number, "1"), (Sign, "."), (Sign, "."), (Number, "3")]);
        assert_eq!(kinds("\"open"), vec![(String, "\"open")]);
    }

    proptest::proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn pieces_cover_all_but_white_space(text in "\\PC*") {
            let mut at = 0;
            for piece in pieces(&text) {
                proptest::prop_assert!(text[at..piece.range.start].trim().is_empty());
                proptest::prop_assert!(!piece.range.is_empty());
                at = piece.range.end;
            }
            proptest::prop_assert!(text[at..].trim().is_empty());
        }
    }
}
