//! Characters that act on a terminal, made visible.

use std::borrow::Cow;

/// The text with a visible character in the place of each that would act on a terminal or turn the order of others
/// around, but for ends of lines and tabs: what a script, a file or its name says must not move the cursor, set the
/// title or hide what follows.
pub fn visible(text: &str) -> Cow<'_, str> {
    match text.contains(acts) {
        true => text.chars().map(|c| if acts(c) { picture(c) } else { c }).collect::<String>().into(),
        false => text.into(),
    }
}

fn acts(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One character for one, so that columns stay.
fn picture(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '\u{2421}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown() {
        assert_eq!(visible("a\u{1b}[31mb\r\u{7}\u{7f}"), "a␛[31mb␍␇␡");
        assert_eq!(visible("\u{9b}2J \u{202e}abc"), "\u{fffd}2J \u{fffd}abc");
        assert!(matches!(visible("τ = 0.5\n\tx"), Cow::Borrowed(_)));
    }
}
