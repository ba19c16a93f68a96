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

/// What a value or a script says, in a window: of tables that are wider, blanks between columns go before columns do,
/// and lines break between words.
pub fn fitted(text: &str, width: usize) -> String {
    let lines: Vec<Vec<char>> = text.split('\n').map(|line| line.chars().collect()).collect();
    let mut fitted = Vec::new();
    for rows in lines.chunk_by(|line, next| is_row(line) && is_row(next)) {
        let is_wide = rows.iter().any(|row| row.len() > width);
        // A row that is shown alone has others before and behind it.
        let rows = if is_wide && rows.len() > 1 { squeezed(rows) } else { rows.to_vec() };
        fitted.extend(rows.iter().map(|row| folded(row, width)));
    }
    fitted.join("\n")
}

/// Whether a line has a gap, as rows of tables have.
fn is_row(line: &[char]) -> bool {
    let begin = line.iter().position(|c| *c != ' ').unwrap_or(line.len());
    line[begin..].windows(3).any(|three| three[0] == ' ' && three[1] == ' ' && three[2] != ' ')
}

/// Rows with two blanks at most where all have blanks.
fn squeezed(rows: &[Vec<char>]) -> Vec<Vec<char>> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let is_blank = |at: usize| rows.iter().all(|row| row.get(at).is_none_or(|c| *c == ' '));
    let blanks: Vec<bool> = (0..columns).map(is_blank).collect();
    let indent = blanks.iter().position(|is_blank| !is_blank).unwrap_or(columns);
    let is_kept = |at: usize| at < indent.max(2) || !(blanks[at] && blanks[at - 1] && blanks[at - 2]);
    let kept = |row: &Vec<char>| row.iter().enumerate().filter(|(at, _)| is_kept(*at)).map(|(_, c)| *c).collect();
    rows.iter().map(kept).collect()
}

/// A line broken between words, whose gaps stay; what goes on is indented by two blanks more.
fn folded(line: &[char], width: usize) -> String {
    let indent = line.iter().position(|c| *c != ' ').unwrap_or(0);
    let margin = " ".repeat(indent + INDENT.len());
    let (mut lines, mut rest, mut used) = (Vec::new(), line, indent);
    // Of the first line the indent is a part.
    let mut room = width.max(indent + NARROWEST);
    while rest.len() > room {
        let blank = |at: &usize| rest[*at] == ' ';
        let behind = || (room + 1..rest.len()).find(blank);
        let Some(end) = (used + 1..=room).rev().find(blank).or_else(behind) else { break };
        lines.push(String::from_iter(&rest[..end]).trim_end().to_owned());
        rest = &rest[end..];
        rest = &rest[rest.iter().position(|c| *c != ' ').unwrap_or(rest.len())..];
        (used, room) = (0, width.saturating_sub(margin.len()).max(NARROWEST));
    }
    lines.push(String::from_iter(rest));
    lines.join(&format!("\n{margin}"))
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

    #[test]
    fn tables_lose_blanks_before_they_break() {
        let table = "a:\n  name          size      share\n  convolution     12   of it all\n  dense            7\nend";
        assert_eq!(fitted(table, 80), table);
        let narrow = "a:\n  name         size     share\n  convolution    12  of it all\n  dense           7\nend";
        assert_eq!(fitted(table, 30), narrow);
        let broken = "a:\n  name         size\n    share\n  convolution    12\n    of it all\n  dense           7\nend";
        assert_eq!(fitted(table, 20), broken);
    }

    #[test]
    fn values_break_between_words() {
        assert_eq!(fitted("[1.25, 2.5, 3.75, 4]", 12), "[1.25, 2.5,\n  3.75, 4]");
        assert_eq!(fitted("    times  [1, 2, 3, 4, 5]", 20), "    times  [1, 2, 3,\n      4, 5]");
        assert_eq!(fitted("a\n\nnobreakinalongword_at_all", 5), "a\n\nnobreakinalongword_at_all");
        for width in 0..40 {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let text = "  one two  three\n four    five six\n\n seven";
            assert_eq!(words(&fitted(text, width)), words(text), "{width}");
        }
    }
}
