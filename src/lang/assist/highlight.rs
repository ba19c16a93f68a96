//! Which parts of a text deserve a colour.

use std::ops::Range;

use super::scan::{Kind, Piece, pieces};

/// Why a part of a text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A word of the language.
    Keyword,
    /// A string, its quotes included.
    String,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// The bracket at the cursor, and its counterpart.
    Bracket,
}

/// The parts of `text` that stand out, in bytes and in order; `cursor` is where the cursor stands, if it matters.
pub fn highlight(text: &str, cursor: Option<usize>) -> Vec<(Range<usize>, Style)> {
    let pieces = pieces(text);
    let pair = cursor.and_then(|cursor| matching(text, &pieces, cursor));
    let style = |piece: &Piece| match piece.kind {
        Kind::Keyword => Some(Style::Keyword),
        Kind::String => Some(Style::String),
        Kind::Number => Some(Style::Number),
        Kind::Comment => Some(Style::Comment),
        Kind::Sign if pair.as_ref().is_some_and(|pair| pair.contains(&piece.range)) => Some(Style::Bracket),
        Kind::Sign | Kind::Word => None,
    };
    pieces.iter().filter_map(|piece| Some((piece.range.clone(), style(piece)?))).collect()
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
    fn parts_that_stand_out() {
        let text = "let x = [1, (2 + 3)]; // \"end\"";
        let found = highlight(text, Some(text.find(')').unwrap() + 1));
        let parts: Vec<_> = found.into_iter().map(|(range, style)| (&text[range], style)).collect();
        let expected = [
            ("let", Style::Keyword),
            ("1", Style::Number),
            ("(", Style::Bracket),
            ("2", Style::Number),
            ("3", Style::Number),
            (")", Style::Bracket),
            ("// \"end\"", Style::Comment),
        ];
        assert_eq!(parts, expected);
        assert!(highlight("(1]", Some(3)).iter().all(|(_, style)| *style != Style::Bracket));
    }
}
