//! Text broken into lines for a narrow terminal.

/// Lines are broken to stay below this number of characters.
pub(super) const WIDTH: usize = 78;

/// Text in lines that fit.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
}

impl Page {
    pub(super) fn title(&mut self, title: &str) {
        self.text.push('\n');
        self.line("", title);
    }

    /// `text` behind `head`, broken at blanks outside brackets where there are such; further lines are indented.
    pub(super) fn line(&mut self, head: &str, text: &str) {
        let indent = " ".repeat(head.chars().count() + 4);
        let (mut line, mut is_begun) = (head.to_owned(), false);
        for piece in pieces(text, WIDTH - indent.len()) {
            if is_begun && line.chars().count() + 1 + piece.chars().count() > WIDTH {
                self.text.push_str(&line);
                self.text.push('\n');
                line = format!("{indent}{piece}");
            } else {
                line.push_str(if is_begun { " " } else { "" });
                line.push_str(piece);
            }
            is_begun = true;
        }
        self.text.push_str(&line);
        self.text.push('\n');
    }
}

/// The parts of `text` between blanks outside round brackets, and of those longer than `width` between all blanks.
fn pieces(text: &str, width: usize) -> Vec<&str> {
    let (mut pieces, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (place, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                pieces.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    let split = |piece: &&str| piece.chars().count() > width;
    pieces.into_iter().flat_map(|piece| if split(&piece) { piece.split(' ').collect() } else { vec![piece] }).collect()
}
