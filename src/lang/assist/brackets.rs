//! Brackets without their others.

use super::scan::{Kind, pieces};

/// The first bracket of a text that has no other, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lang) enum Unmatched {
    /// It closes nothing.
    Closing { at: usize },
    /// It closes a bracket of another kind.
    Other { open: usize, at: usize },
    /// It is open at the end; of several, the innermost.
    Open { at: usize },
}

/// The first bracket that has no other, if any.
pub(in crate::lang) fn unmatched(text: &str) -> Option<Unmatched> {
    let mut open = Vec::new();
    for piece in pieces(text).into_iter().filter(|piece| piece.kind == Kind::Sign) {
        let at = piece.range.start;
        let opening = match &text[piece.range] {
            "(" | "[" | "{" => {
                open.push(at);
                continue;
            }
            ")" => '(',
            "]" => '[',
            "}" => '{',
            _ => continue,
        };
        match open.pop() {
            None => return Some(Unmatched::Closing { at }),
            Some(before) if !text[before..].starts_with(opening) => return Some(Unmatched::Other { open: before, at }),
            Some(_) => {}
        }
    }
    open.pop().map(|at| Unmatched::Open { at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bracket_without_another_is_found() {
        let cases = [
            ("f(#{ a: [1] })", None),
            ("1 + 2)", Some(Unmatched::Closing { at: 5 })),
            ("f(3]", Some(Unmatched::Other { open: 1, at: 3 })),
            ("f(#{ a: [1 }", Some(Unmatched::Other { open: 8, at: 11 })),
            ("f(#{ a: 1", Some(Unmatched::Open { at: 3 })),
            ("\")\" // )\n('(', `)`)", None),
        ];
        for (text, expected) in cases {
            assert_eq!(unmatched(text), expected, "{text}");
        }
    }
}
