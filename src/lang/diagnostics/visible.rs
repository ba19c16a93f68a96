//! Texts of others on their way to a terminal: what would control it, and what would reorder what is shown, becomes a
//! sign that can be seen.

use std::borrow::Cow;

/// The text with a sign in the place of each character that controls a terminal, but for the ends of lines and tabs: an
/// escape becomes `␛`. Each becomes one character, so that columns stay.
///
/// Strings, file names, names in saved models: all may hold what was made to move the cursor, or to fake what a program
/// says. The library's own texts, such as [`Diagnostic::render`](super::Diagnostic::render), are safe to show; values
/// that scripts print are not, until they went through this.
pub fn visible(text: &str) -> Cow<'_, str> {
    let text = if text.contains("\r\n") { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    if text.chars().all(|c| sign(c) == c) {
        return text;
    }
    Cow::Owned(text.chars().map(sign).collect())
}

/// What stands for a character.
fn sign(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).expect("a picture of a control character"),
        '\u{7f}' => '\u{2421}',
        // Control characters without a picture, and those that turn the direction of what follows.
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_controls_a_terminal() {
        assert!(matches!(visible("a\tb\nü ∂ 𝒳"), Cow::Borrowed("a\tb\nü ∂ 𝒳")));
        assert_eq!(visible("\u{1b}[2J\u{7}\r\u{7f}\u{9b}31m\u{202e}"), "␛[2J␇␍␡\u{fffd}31m\u{fffd}");
        assert_eq!(visible("a\r\nb"), "a\nb");
        let all: String = (0..0x3000).filter_map(char::from_u32).collect();
        assert!(visible(&all).chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
    }
}
