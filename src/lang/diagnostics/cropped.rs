//! Source lines that are wider than the window, cut around what is pointed at.

use std::ops::Range;

use codespan_reporting::files::{Error, Files, SimpleFile};

/// What stands for the part of a line that is left out.
const GAP: &str = "...";

/// A text in which one line is cut.
struct Cropped {
    file: SimpleFile<String, String>,
    /// The number of that line, from 0.
    line: usize,
    /// Characters that its columns are behind those of the whole line.
    behind: usize,
}

/// Texts, each with the line that is pointed at cut to a width.
pub(super) struct Crops {
    width: usize,
    all: Vec<Cropped>,
}

impl Crops {
    /// For lines of at most `width` characters, numbers of lines and all.
    pub(super) fn new(width: usize) -> Self {
        Self { width, all: Vec::new() }
    }

    /// Takes up a text of which the bytes `range` are pointed at; its number, and where they are now.
    pub(super) fn add(&mut self, name: String, text: String, range: Range<usize>) -> (usize, Range<usize>) {
        let start = text[..range.start].rfind('\n').map_or(0, |end| end + 1);
        let end = text[range.start..].find('\n').map_or(text.len(), |end| range.start + end);
        let line = text[..start].matches('\n').count();
        // The number of the line, a bar and the spaces around it.
        let room = self.width.saturating_sub((line + 1).to_string().len() + 3);
        let (kept, range) = window(&text[start..end], range.start - start..range.end - start, room);
        let (text, range, behind) = match kept {
            None => (text, start + range.start..start + range.end, 0),
            Some((line, behind)) => {
                (format!("{}{line}{}", &text[..start], &text[end..]), start + range.start..start + range.end, behind)
            }
        };
        self.all.push(Cropped { file: SimpleFile::new(name, text), line, behind });
        (self.all.len() - 1, range)
    }

    fn get(&self, id: usize) -> Result<&Cropped, Error> {
        self.all.get(id).ok_or(Error::FileMissing)
    }
}

impl<'a> Files<'a> for Crops {
    type FileId = usize;
    type Name = &'a String;
    type Source = &'a str;

    fn name(&'a self, id: usize) -> Result<&'a String, Error> {
        Ok(self.get(id)?.file.name())
    }

    fn source(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(self.get(id)?.file.source())
    }

    fn line_index(&'a self, id: usize, byte: usize) -> Result<usize, Error> {
        self.get(id)?.file.line_index((), byte)
    }

    fn line_range(&'a self, id: usize, line: usize) -> Result<Range<usize>, Error> {
        self.get(id)?.file.line_range((), line)
    }

    fn column_number(&'a self, id: usize, line: usize, byte: usize) -> Result<usize, Error> {
        let cropped = self.get(id)?;
        let column = cropped.file.column_number((), line, byte)?;
        Ok(if line == cropped.line { column + cropped.behind } else { column })
    }
}

/// The part of a line about a range of it that fits into `room` characters, if the line does not, with how many
/// characters it is shifted; and where the range is in it.
fn window(line: &str, range: Range<usize>, room: usize) -> (Option<(String, usize)>, Range<usize>) {
    let length = line.chars().count();
    let gap = GAP.len();
    // Where nothing fits but gaps, nothing is gained.
    if length <= room || room < 4 * gap {
        return (None, range);
    }
    let before = line[..range.start].chars().count();
    let word = line[range.clone()].chars().count();
    let (inside, most) = (room - 2 * gap, length.saturating_sub(room - gap));
    let first = (before + word.min(inside) / 2).saturating_sub(inside / 2);
    // Nothing is left out in front where that would be no more than what stands for it.
    let first = if first <= gap { 0 } else { first.min(most) };
    let last = if first == 0 {
        room - gap
    } else if first == most {
        length
    } else {
        first + inside
    };
    let place = |count: usize| line.char_indices().nth(count).map_or(line.len(), |(place, _)| place);
    let (start, end) = (place(first), place(last.min(length)));
    let front = if first > 0 { GAP } else { "" };
    let back = if end < line.len() { GAP } else { "" };
    let kept = format!("{front}{}{back}", &line[start..end]);
    let moved = |byte: usize| byte.clamp(start, end) - start + front.len();
    (Some((kept, first - front.len().min(first))), moved(range.start)..moved(range.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line that is shown, and what is pointed at in it.
    fn cut(line: &str, word: &str, room: usize) -> (String, String, usize) {
        let start = line.find(word).unwrap();
        let (kept, range) = window(line, start..start + word.len(), room);
        let (text, behind) = kept.unwrap_or((line.to_owned(), 0));
        assert!(text.chars().count() <= room.max(line.chars().count().min(room)), "{text}");
        (text.clone(), text[range].to_owned(), behind)
    }

    #[test]
    fn lines_are_cut_around_what_is_pointed_at() {
        let line = "let aaaa = 1 + bbbbbbbbbbbbb + wrong + cccccccccccccccc + dddddddddd;";
        for room in [20, 30, 40, 60] {
            for word in ["let", "aaaa", "wrong", "dddddddddd", ";"] {
                let (text, found, behind) = cut(line, word, room);
                assert_eq!(found, word, "{text}");
                let column = |text: &str| text[..text.find(word).unwrap()].chars().count();
                assert_eq!(column(&text) + behind, column(line), "{text}");
            }
        }
        assert_eq!(cut(line, "wrong", 23).0, "...bbb + wrong + ccc...");
        assert_eq!(cut("1 + é", "é", 20), ("1 + é".into(), "é".into(), 0));
        assert_eq!(cut(&"é".repeat(50), "é", 20).0, format!("{}...", "é".repeat(17)));
    }
}
