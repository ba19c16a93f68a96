//! Light colours for an input being typed, and the bracket that matches the one at the cursor.

use std::ops::Range;

use super::scan::{Kind, Piece, pieces};

const MATCHING: &str = "1;4";

/// The input with ANSI colours; `cursor` is where the cursor stands, if it matters.
pub(crate) fn highlight(text: &str, cursor: Option<usize>) -> String {
    if text.trim_start().starts_with(':') {
        return text.to_owned();
    }
    let pieces = pieces(text);
    let pair = cursor.and_then(|cursor| matching(text, &pieces, cursor));
    let mut out = String::with_capacity(2 * text.len());
    let mut at = 0;
    for Piece { kind, range } in &pieces {
        out.push_str(&text[at..range.start]);
        let style = match kind {
            Kind::Keyword => Some("35"),
            Kind::String => Some("32"),
            Kind::Number => Some("36"),
            Kind::Comment => Some("2"),
            Kind::Sign if pair.as_ref().is_some_and(|pair| pair.contains(range)) => Some(MATCHING),
            Kind::Sign | Kind::Word => None,
        };
        match style {
            Some(style) => out.push_str(&format!("\x1b[{style}m{}\x1b[0m", &text[range.clone()])),
            None => out.push_str(&text[range.clone()]),
        }
        at = range.end;
    }
    out + &text[at..]
}

/// The bracket before the cursor, or under it, and its counterpart.
fn matching(text: &str, pieces: &[Piece], cursor: usize) -> Option<[Range<usize>; 2]> {
    let mut open: Vec<&Piece> = Vec::new();
    for piece in pieces.iter().filter(|piece| piece.kind == Kind::Sign) {
        let wanted = match &text[piece.range.clone()] {
            "(" | "[" | "{" => {
                open.push(piece);
                continue;
            }
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => continue,
        };
        let partner = open.pop()?;
        let at_cursor = |range: &Range<usize>| range.end == cursor || range.start == cursor;
        if text[partner.range.clone()] == *wanted && (at_cursor(&partner.range) || at_cursor(&piece.range)) {
            return Some([partner.range.clone(), piece.range.clone()]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_do_not_change_the_text() {
        let text = "let x = [1, (2 + 3)]; // \"end\"";
        let coloured = highlight(text, Some(text.find(')').unwrap() + 1));
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
