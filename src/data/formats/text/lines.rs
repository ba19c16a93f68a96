//! From the bytes of a file to lines without comments.

use std::borrow::Cow;
use std::path::Path;

use crate::error::{Error, Result};

/// The text of a file, UTF-8 or with a mark UTF-16, with lines that end in `\n`.
///
/// # Errors
/// When the bytes are no such text.
pub(super) fn text_of<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, str>> {
    let refuse = || {
        Error::file("read", path, "it is not a UTF-8 text file")
            .with_hint("save it as UTF-8; a table of numbers needs no other letters than ASCII")
    };
    let text: Cow<str> = match bytes {
        [0xff, 0xfe, rest @ ..] => from_utf16(rest, u16::from_le_bytes).ok_or_else(refuse)?.into(),
        [0xfe, 0xff, rest @ ..] => from_utf16(rest, u16::from_be_bytes).ok_or_else(refuse)?.into(),
        _ => {
            let text = str::from_utf8(bytes).map_err(|_| refuse())?;
            text.strip_prefix('\u{feff}').unwrap_or(text).into()
        }
    };
    Ok(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text })
}

fn from_utf16(bytes: &[u8], word: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let words: Vec<u16> = pairs.iter().map(|&pair| word(pair)).collect();
    String::from_utf16(&words).ok().filter(|_| rest.is_empty())
}

/// What is behind the first `count` lines.
pub(super) fn behind(text: &str, count: usize) -> &str {
    let Some(last) = count.checked_sub(1) else { return text };
    text.match_indices('\n').nth(last).map_or("", |(at, _)| &text[at + 1..])
}

/// A text without its comments, and the last comment before the first other line.
pub(super) struct Cleaned<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) heading: Option<&'a str>,
}

/// What makes a comment of a whole line without being asked for: the marks of MATLAB, of Grace, to which GROMACS
/// writes, of Fortran and of C.
const LINES: [&str; 4] = ["%", "@", "!", "//"];

/// Whether a line is a comment by its mark alone. One of configuration files stands between fields, too, so words must
/// follow, and no other.
fn is_comment(line: &str) -> bool {
    let words = line.strip_prefix("; ").unwrap_or_default().trim_start();
    LINES.iter().any(|mark| line.starts_with(mark)) || words.starts_with(char::is_alphabetic) && !words.contains(';')
}

/// Takes out comments, from `mark` outside of quotes to the end of the line; without a mark given from `#`, or of lines
/// that begin with one of [`LINES`]. An empty mark stands for none.
pub(super) fn without_comments<'a>(text: &'a str, mark: Option<&str>) -> Cleaned<'a> {
    let begins_line = |line: &str| line.starts_with(mark.unwrap_or("#")) || mark.is_none() && is_comment(line);
    let mark = mark.unwrap_or("#");
    if mark.is_empty() || !text.contains(mark) && !text.lines().any(|line| is_comment(line.trim_start())) {
        return Cleaned { text: text.into(), heading: None };
    }
    let (mut clean, mut heading, mut is_top, mut in_quotes) = (String::with_capacity(text.len()), None, true, false);
    for line in text.split_inclusive('\n') {
        let content = line.trim_start();
        if !in_quotes && begins_line(content) {
            if is_top {
                heading = Some(content.trim_start_matches(mark).trim_start_matches(['%', '@', '!', '/', ';']).trim());
            }
        } else {
            is_top &= content.is_empty();
            let end = comment_in(line, mark, &mut in_quotes).unwrap_or(line.len());
            clean.push_str(line[..end].trim_end_matches('\n'));
        }
        // Every line stays one, so that errors can count them.
        clean.push('\n');
    }
    Cleaned { text: clean.into(), heading }
}

/// Where the comment of a line begins; a quotation mark opens where no word is before it.
fn comment_in(line: &str, mark: &str, in_quotes: &mut bool) -> Option<usize> {
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        if !*in_quotes && line[at..].starts_with(mark) {
            return Some(at);
        }
        if character == '"' && (*in_quotes || !before.is_alphanumeric()) {
            *in_quotes = !*in_quotes;
        }
        before = character;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> (String, Option<&str>) {
        let Cleaned { text, heading } = without_comments(text, None);
        (text.into_owned(), heading)
    }

    #[test]
    fn comments_go_and_lines_stay() {
        assert_eq!(clean("1,2 # first\n3,4\n"), ("1,2 \n3,4\n".into(), None));
        assert_eq!(clean("# one\n  ## x, y\n1,2\n# z\n"), ("\n\n1,2\n\n".into(), Some("x, y")));
        assert_eq!(clean("% matlab\n50%,2\n"), ("\n50%,2\n".into(), Some("matlab")));
        assert_eq!(clean("! fortran\n// c, d\n1,2\n"), ("\n\n1,2\n".into(), Some("c, d")));
        assert_eq!(clean("; a file, b\n1,2\n"), ("\n1,2\n".into(), Some("a file, b")));
        // A first field without a name, and one without a number.
        assert_eq!(clean(";x;y\n0;1;2\n; 1;2\n; nan; 2\n").1, None);
        assert_eq!(clean("\"a\",\"#n\"\n1,2 #\n"), ("\"a\",\"#n\"\n1,2 \n".into(), None));
        assert_eq!(clean("1,2\n"), ("1,2\n".into(), None));
        let given = |mark| without_comments("1 # 2 // 3\n", Some(mark)).text.into_owned();
        assert_eq!(given("//"), "1 # 2 \n");
        assert_eq!(given(""), "1 # 2 // 3\n");
    }

    #[test]
    fn lines_and_letters() {
        assert_eq!(behind("a\nb\nc", 0), "a\nb\nc");
        assert_eq!(behind("a\nb\nc", 2), "c");
        assert_eq!(behind("a\nb\nc", 9), "");
        let text = |bytes: &[u8]| text_of(Path::new("x.csv"), bytes).map(Cow::into_owned);
        assert_eq!(text(b"\xef\xbb\xbf1\r\n2\r3").unwrap(), "1\n2\n3");
        assert_eq!(text(b"\xff\xfe1\0\n\0").unwrap(), "1\n");
        assert_eq!(text(b"\xfe\xff\x001").unwrap(), "1");
        assert!(text(b"Gr\xf6\xdfe").unwrap_err().to_string().ends_with("it is not a UTF-8 text file"));
    }
}
