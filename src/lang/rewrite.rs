//! What is changed in a text before it is compiled.
//!
//! The one construct that cannot be caught otherwise: `switch` on a symbol silently takes the default arm, because
//! Rhai compares hashes and a symbol has none. The value switched on is passed through a guard function, written into
//! the text before it is compiled; positions are mapped back.

use rhai::{Engine, Token};

/// Name of the guard function; not a name a user would take.
pub(super) const GUARD: &str = "switch_on";

/// Text put into a line.
#[derive(Debug, Clone, Copy)]
struct Insertion {
    line: usize,
    /// Column, from 1, of the character that it was put before.
    column: usize,
    text: &'static str,
}

/// What was put into a text.
#[derive(Debug, Clone, Default)]
pub(super) struct Insertions(Vec<Insertion>);

impl Insertions {
    /// The column in the user's text of a column in the compiled one.
    pub(super) fn original_column(&self, line: usize, column: usize) -> usize {
        let mut shift = 0;
        for insertion in self.0.iter().filter(|insertion| insertion.line == line) {
            if insertion.column + shift < column {
                shift += insertion.text.len();
            }
        }
        column.saturating_sub(shift).max(1)
    }
}

/// The text as it is compiled: without a first line for the shell, the value of every `switch` guarded.
pub(super) fn prepare(engine: &Engine, text: &str) -> (String, Insertions) {
    // `#!/usr/bin/env -S tumble run` makes a script a program.
    let first_line = if text.starts_with("#!") { text.find('\n').unwrap_or(text.len()) } else { 0 };
    guard_switches(engine, &text[first_line..])
}

fn guard_switches(engine: &Engine, text: &str) -> (String, Insertions) {
    if !text.contains("switch") {
        return (text.to_owned(), Insertions::default());
    }
    let insertions = find(engine, text);
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for insertion in insertions.iter().rev() {
        let line = &mut lines[insertion.line - 1];
        let at = line.char_indices().nth(insertion.column - 1).map_or(line.len(), |(i, _)| i);
        line.insert_str(at, insertion.text);
    }
    (lines.join("\n"), Insertions(insertions))
}

fn find(engine: &Engine, text: &str) -> Vec<Insertion> {
    let texts = [text];
    let (tokens, control) = engine.lex(&texts);
    let mut insertions = Vec::new();
    // For each open `switch`: bracket depth, and whether its value has begun.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut depth = 0_usize;
    // Depths at which an interpolated text is open: behind its `${..}` the tokenizer must be told to read text again.
    let mut texts_open: Vec<usize> = Vec::new();
    for (token, position) in tokens {
        if let Some((at, begun)) = open.last_mut()
            && *at == depth
            && let (Some(line), Some(column)) = (position.line(), position.position())
        {
            if !*begun {
                *begun = true;
                insertions.push(Insertion { line, column, text: "switch_on(" });
            } else if token == Token::LeftBrace {
                insertions.push(Insertion { line, column, text: ")" });
                open.pop();
            }
        }
        match token {
            Token::EOF | Token::LexError(_) => break,
            Token::Switch => open.push((depth, false)),
            Token::LeftParen | Token::LeftBracket | Token::LeftBrace | Token::MapStart => depth += 1,
            Token::RightParen | Token::RightBracket | Token::RightBrace => {
                depth = depth.saturating_sub(1);
                if token == Token::RightBrace && texts_open.last() == Some(&depth) {
                    control.borrow_mut().is_within_text = true;
                }
            }
            Token::InterpolatedString(_) if texts_open.last() != Some(&depth) => texts_open.push(depth),
            Token::StringConstant(_) if texts_open.last() == Some(&depth) => {
                texts_open.pop();
            }
            _ => {}
        }
    }
    // A `switch` without its `{` is a syntax error, which should be reported in the user's own text.
    if open.is_empty() { insertions } else { Vec::new() }
}
