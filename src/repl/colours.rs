//! Light colours for an input being typed.

use tumble::lang::assist::{Style, highlight};

/// The input with ANSI colours; `cursor` is where the cursor stands, if it matters. Characters that control a terminal,
/// as they come with what is pasted, are left out: the editor counts them as having no width.
pub(crate) fn coloured(text: &str, cursor: Option<usize>) -> String {
    let shown = |text: &str| text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), "");
    if text.trim_start().starts_with(':') {
        return shown(text);
    }
    let mut out = String::with_capacity(2 * text.len());
    let mut at = 0;
    for (range, style) in highlight(text, cursor) {
        out.push_str(&shown(&text[at..range.start]));
        out.push_str(&format!("\x1b[{}m{}\x1b[0m", code(style), shown(&text[range.clone()])));
        at = range.end;
    }
    out + shown(&text[at..]).as_str()
}

/// The coloured text of an input with a mark on the lines that go on: in the place of a blank, since the editor counts
/// columns without it.
pub(crate) fn marked(coloured: &str) -> String {
    coloured.replace("\n ", "\n\x1b[2m·\x1b[0m")
}

fn code(style: Style) -> &'static str {
    match style {
        Style::Keyword => "35",
        Style::String => "32",
        Style::Number => "36",
        Style::Comment => "2",
        Style::Bracket => "1;4",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_controls_no_terminal() {
        assert_eq!(bare(&coloured("a\u{1b}[2J + \u{9b}31m", None)), "a[2J + 31m");
        assert_eq!(bare(&coloured(":load \u{7}x", None)), ":load x");
    }

    /// A text without its colours; what else begins with an escape is no colour of ours.
    fn bare(coloured: &str) -> String {
        let mut bare = String::new();
        let mut rest = coloured;
        while let Some((before, after)) = rest.split_once("\x1b[") {
            bare.push_str(before);
            let (code, after) = after.split_once('m').unwrap();
            assert!(code.chars().all(|c| c.is_ascii_digit() || c == ';'), "{coloured:?}");
            rest = after;
        }
        bare + rest
    }

    #[test]
    fn lines_that_go_on_are_marked_without_a_change_of_width() {
        assert_eq!(bare(&marked(&coloured("f(\n    1,\n2)", None))), "f(\n·   1,\n2)");
    }

    #[test]
    fn colours_do_not_change_the_text() {
        let text = "let x = [1, (2 + 3)]; // \"end\"";
        let coloured = coloured(text, Some(text.find(')').unwrap() + 1));
        assert!(coloured.contains("\x1b[1;4m(\x1b[0m") && coloured.contains("\x1b[1;4m)\x1b[0m"), "{coloured:?}");
        assert_eq!(bare(&coloured), text);
    }
}
