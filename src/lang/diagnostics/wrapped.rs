//! Sentences in windows.

/// A text with its lines broken between words where they are wider than a window; what goes on begins with two blanks.
pub fn wrapped(text: &str, width: usize) -> String {
    let fits = |line: &str| line.chars().count() <= width;
    let lines = text.split('\n').map(|line| match fits(line) {
        true => line.to_owned(),
        false => {
            let indent = &line[..line.len() - line.trim_start().len()];
            let room = width.saturating_sub(indent.chars().count() + INDENT.len()).max(NARROWEST);
            format!("{indent}{}", words_of(line, room).join(&format!("\n{indent}{INDENT}")))
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

const INDENT: &str = "  ";
/// In no window are there lines that are broken sooner.
const NARROWEST: usize = 12;

/// The words of a text, in lines of no more than that many characters where a word is not longer.
pub(crate) fn words_of(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        let text = "warning: the noise at the shortest time\n  is wide";
        assert_eq!(wrapped(text, 80), text);
        assert_eq!(wrapped(text, 24), "warning: the noise at\n  the shortest time\n  is wide");
        assert_eq!(wrapped("    a long line with an indent", 20), "    a long line\n      with an indent");
        assert_eq!(wrapped("nobreakinalongword_at_all", 5), "nobreakinalongword_at_all");
    }
}
