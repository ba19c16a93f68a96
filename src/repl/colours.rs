//! Light colours for an input being typed.

use tumble::lang::assist::{Style, highlight};

/// The input with ANSI colours; `cursor` is where the cursor stands, if it matters.
pub(crate) fn coloured(text: &str, cursor: Option<usize>) -> String {
    if text.trim_start().starts_with(':') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(2 * text.len());
    let mut at = 0;
    for (range, style) in highlight(text, cursor) {
        out.push_str(&text[at..range.start]);
        out.push_str(&format!("\x1b[{}m{}\x1b[0m", code(style), &text[range.clone()]));
        at = range.end;
    }
    out + &text[at..]
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
    fn colours_do_not_change_the_text() {
        let text = "let x = [1, (2 + 3)]; // \"end\"";
        let coloured = coloured(text, Some(text.find(')').unwrap() + 1));
        assert!(coloured.contains("\x1b[1;4m(\x1b[0m") && coloured.contains("\x1b[1;4m)\x1b[0m"), "{coloured:?}");
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\x1b') {
            bare.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        assert_eq!(bare + rest, text);
    }
}
