//! What is changed in a text before it is compiled.
//!
//! Some constructs mean something else to Rhai than to a physicist, and no function of the language is asked about
//! them: `switch` on a symbol silently takes the default arm, `a[i]` refuses a whole number that is a float, `t[1, 2]`,
//! `t[1..]` and `.5` are syntax errors, all closures made in a loop see the last value of its variable, and what
//! `catch (e)` binds for an error of Rhai names Rust types. Guard functions and missing pieces are written into the
//! text; positions are mapped back.

use std::borrow::Cow;

use rhai::{Engine, Position, Token};

/// Names of the guard functions; not names that a user would take.
pub(super) const SWITCH: &str = "switch_on";
pub(super) const INDEX: &str = "index_at";
pub(super) const CATCH: &str = "caught_as";

/// Text put into a line.
#[derive(Debug, Clone)]
struct Insertion {
    line: usize,
    /// Column, from 1, of the character that it was put before.
    column: usize,
    text: Cow<'static, str>,
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
                shift += insertion.text.chars().count();
            }
        }
        column.saturating_sub(shift).max(1)
    }
}

/// The text as it is compiled: without a byte-order mark and a first line for the shell, and with the guards.
pub(super) fn prepare(engine: &Engine, text: &str) -> (String, Insertions) {
    // Editors of Windows put the mark first; a blank keeps the columns.
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) if rest.starts_with("#!") => Cow::Borrowed(rest),
        Some(rest) => Cow::Owned(format!(" {rest}")),
        None => Cow::Borrowed(text),
    };
    // `#!/usr/bin/env -S tumble run` makes a script a program.
    let first_line = if text.starts_with("#!") { text.find('\n').unwrap_or(text.len()) } else { 0 };
    guard(engine, &text[first_line..])
}

fn guard(engine: &Engine, text: &str) -> (String, Insertions) {
    let mut reader = Reader::default();
    reader.read(engine, text);
    let mut insertions = reader.insertions;
    insertions.sort_by_key(|insertion| (insertion.line, insertion.column));
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for insertion in insertions.iter().rev() {
        let line = &mut lines[insertion.line - 1];
        let at = line.char_indices().nth(insertion.column - 1).map_or(line.len(), |(i, _)| i);
        line.insert_str(at, &insertion.text);
    }
    (lines.join("\n"), Insertions(insertions))
}

/// Line and column, from 1.
type Spot = (usize, usize);

/// An open bracket.
enum Bracket {
    /// Of a position in an array, a map, a tensor.
    Index {
        first: Option<Spot>,
        tokens: usize,
        is_literal: bool,
        commas: usize,
        /// What the last token of the present entry is.
        last: Last,
        /// The ends of ranges that were left open.
        open: Vec<(Spot, String)>,
    },
    /// Of a map.
    Map,
    Other,
}

/// The last token of an entry of an index.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// There is none yet.
    None,
    /// The dots of a range.
    Dots,
    Other,
}

/// The end of a range that has none: beyond every axis, and the same whole number as a float.
pub(super) const END: i64 = (1 << 53) - 1;

/// Goes through the tokens of a text and collects what must be put in.
#[derive(Default)]
struct Reader {
    insertions: Vec<Insertion>,
    brackets: Vec<Bracket>,
    /// For each open `switch`: bracket depth, and where its value begins.
    switches: Vec<(usize, Option<Spot>)>,
    /// Depths at which an interpolated text is open: behind its `${..}` the tokenizer must be told to read text again.
    texts: Vec<usize>,
    /// Whether the last token ends a value, so that a bracket behind it is an index.
    after_value: bool,
    /// The tokens of `catch (e)` read so far, with the name.
    catch: Option<(usize, String)>,
    /// A decimal point without digits before it.
    point: Option<Spot>,
    /// Loops, the innermost last.
    loops: Vec<Loop>,
}

/// A `for` being read.
struct Loop {
    variables: Vec<String>,
    /// Bracket depth of its head.
    depth: usize,
    /// Whether `in` was read.
    is_named: bool,
    /// Where its body begins.
    body: Option<Spot>,
    has_closure: bool,
}

impl Reader {
    fn read(&mut self, engine: &Engine, text: &str) {
        let texts = [text];
        let (tokens, control) = engine.lex(&texts);
        for (token, position) in tokens {
            if matches!(token, Token::EOF | Token::LexError(_)) {
                break;
            }
            let spot = spot(position);
            self.decimal_point(&token, spot);
            self.catch(&token, spot);
            self.switch(&token, spot);
            self.closures_in_loops(&token, spot);
            self.bracket(&token, spot);
            let depth = self.brackets.len();
            match token {
                Token::RightBrace if self.texts.last() == Some(&depth) => control.borrow_mut().is_within_text = true,
                Token::InterpolatedString(_) if self.texts.last() != Some(&depth) => self.texts.push(depth),
                Token::StringConstant(_) if self.texts.last() == Some(&depth) => drop(self.texts.pop()),
                _ => {}
            }
        }
    }

    fn insert(&mut self, (line, column): Spot, text: impl Into<Cow<'static, str>>) {
        self.insertions.push(Insertion { line, column, text: text.into() });
    }

    /// `.5` gets its zero.
    fn decimal_point(&mut self, token: &Token, spot: Spot) {
        let is_number = matches!(token, Token::IntegerConstant(_) | Token::FloatConstant(_));
        if let Some((line, column)) = self.point.take()
            && is_number
            && spot == (line, column + 1)
        {
            self.insert((line, column), "0");
        }
        self.point = (*token == Token::Period && !self.after_value).then_some(spot);
    }

    /// Behind `catch (e) {` the error is replaced by one in the words of the language.
    fn catch(&mut self, token: &Token, spot: Spot) {
        self.catch = match (self.catch.take(), token) {
            (_, Token::Catch) => Some((1, String::new())),
            (Some((1, name)), Token::LeftParen) => Some((2, name)),
            (Some((2, _)), Token::Identifier(name)) => Some((3, name.to_string())),
            (Some((3, name)), Token::RightParen) => Some((4, name)),
            (Some((4, name)), Token::LeftBrace) => {
                self.insert((spot.0, spot.1 + 1), format!(" {name} = {CATCH}({name});"));
                None
            }
            _ => None,
        };
    }

    /// All closures made in a loop would share its variable, and see its last value: where there are some, each pass
    /// gets a variable of its own.
    fn closures_in_loops(&mut self, token: &Token, spot: Spot) {
        let depth = self.brackets.len();
        if *token == Token::For {
            let (variables, body) = (Vec::new(), None);
            self.loops.push(Loop { variables, depth, is_named: false, body, has_closure: false });
        }
        let opens_closure = !self.after_value && matches!(token, Token::Pipe | Token::Or);
        let Some(innermost) = self.loops.last_mut() else { return };
        match (token, innermost.body) {
            (Token::Identifier(name), None) if !innermost.is_named => innermost.variables.push(name.to_string()),
            (Token::In, None) => innermost.is_named = true,
            (Token::LeftBrace, None) if depth == innermost.depth => innermost.body = Some((spot.0, spot.1 + 1)),
            (Token::RightBrace, Some(body)) if depth == innermost.depth + 1 => {
                let ended = self.loops.pop();
                let Some(Loop { variables, has_closure: true, .. }) = ended else { return };
                let own: Vec<_> = variables.iter().map(|name| format!(" let {name} = {name};")).collect();
                self.insert(body, own.concat());
                // It is in the loops around this one, too.
                self.loops.iter_mut().filter(|outer| outer.body.is_some()).for_each(|outer| outer.has_closure = true);
            }
            _ => {}
        }
        if opens_closure && let Some(innermost) = self.loops.last_mut() {
            innermost.has_closure |= innermost.body.is_some();
        }
    }

    /// The value of a `switch` is guarded. One without its `{` is a syntax error, reported in the user's own text.
    fn switch(&mut self, token: &Token, spot: Spot) {
        let depth = self.brackets.len();
        match self.switches.last_mut() {
            Some((at, first @ None)) if *at == depth => *first = Some(spot),
            Some(&mut (at, Some(first))) if at == depth && *token == Token::LeftBrace => {
                self.switches.pop();
                self.insert(first, format!("{SWITCH}("));
                self.insert(spot, ")");
            }
            _ => {}
        }
        if *token == Token::Switch {
            self.switches.push((depth, None));
        }
    }

    /// A position is guarded unless it is a literal that Rhai takes as it is; several become an array, and ranges get
    /// the ends that they lack.
    fn bracket(&mut self, token: &Token, spot: Spot) {
        let is_closing = matches!(token, Token::RightParen | Token::RightBracket | Token::RightBrace);
        if let Some(Bracket::Index { first, tokens, is_literal, commas, last, open }) = self.brackets.last_mut() {
            let are_dots = matches!(token, Token::ExclusiveRange | Token::InclusiveRange);
            let ends_entry = is_closing || *token == Token::Comma;
            match *last {
                Last::None if are_dots => open.push((spot, "0".to_owned())),
                Last::Dots if ends_entry => open.push((spot, END.to_string())),
                _ => {}
            }
            *last = match ends_entry {
                true => Last::None,
                false if are_dots => Last::Dots,
                false => Last::Other,
            };
            if !is_closing {
                first.get_or_insert(spot);
                *tokens += 1;
                *is_literal = *tokens == 1 && matches!(token, Token::IntegerConstant(_) | Token::StringConstant(_));
                *commas += usize::from(*token == Token::Comma);
            }
        }
        let mut after_value = matches!(
            token,
            Token::Identifier(_)
                | Token::Reserved(_)
                | Token::IntegerConstant(_)
                | Token::FloatConstant(_)
                | Token::StringConstant(_)
                | Token::RightParen
                | Token::RightBracket
        );
        match token {
            Token::LeftBracket | Token::QuestionBracket if self.after_value => {
                let (last, open) = (Last::None, Vec::new());
                self.brackets.push(Bracket::Index { first: None, tokens: 0, is_literal: false, commas: 0, last, open });
            }
            Token::MapStart => self.brackets.push(Bracket::Map),
            Token::LeftParen | Token::LeftBracket | Token::LeftBrace => self.brackets.push(Bracket::Other),
            _ if is_closing => match self.brackets.pop() {
                Some(Bracket::Index { first: Some(first), is_literal: false, commas, open: ends, .. }) => {
                    let (open, close) = if commas > 0 { ("([", "])") } else { ("(", ")") };
                    self.insert(first, format!("{INDEX}{open}"));
                    ends.into_iter().for_each(|(spot, end)| self.insert(spot, end));
                    self.insert(spot, close);
                }
                // `}` of a block ends a statement.
                Some(Bracket::Map) => after_value = true,
                _ => {}
            },
            _ => {}
        }
        self.after_value = after_value;
    }
}

fn spot(position: Position) -> Spot {
    (position.line().unwrap_or(1), position.position().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> String {
        prepare(&Engine::new(), text).0
    }

    #[test]
    fn only_what_rhai_would_get_wrong_is_changed() {
        let cases = [
            ("a[0] + a[-1] + m[\"key\"]", "a[0] + a[-1] + m[\"key\"]"),
            ("a[i] = [x, 1]", "a[index_at(i)] = [x, 1]"),
            ("f(x)[n / 2][2.0]", "f(x)[index_at(n / 2)][index_at(2.0)]"),
            ("t[1, 0..2]", "t[index_at([1, 0..2])]"),
            ("t[1..]", "t[index_at(1..9007199254740991)]"),
            ("t[..3]", "t[index_at(0..3)]"),
            ("t[.., f(a, b)..]", "t[index_at([0..9007199254740991, f(a, b)..9007199254740991])]"),
            ("t[..=b[..2].len, 1..=2]", "t[index_at([0..=b[index_at(0..2)].len, 1..=2])]"),
            ("a[b[i], [1, 2][0]]", "a[index_at([b[index_at(i)], [1, 2][0]])]"),
            ("#{ x: 1 }[k]", "#{ x: 1 }[index_at(k)]"),
            ("if x { y } [1, 2]", "if x { y } [1, 2]"),
            ("for x in [1, 2] { return [x, x]; }", "for x in [1, 2] { return [x, x]; }"),
            ("`${a[i]} ${[1, 2]}` + b[j]", "`${a[index_at(i)]} ${[1, 2]}` + b[index_at(j)]"),
            ("switch a[i] { 1 => [2], _ => 3 }", "switch switch_on(a[index_at(i)] ){ 1 => [2], _ => 3 }"),
            ("try { } catch (e) { e }", "try { } catch (e) { e = caught_as(e); e }"),
            ("for i in a { f(|| i); }", "for i in a { let i = i; f(|| i); }"),
            ("for (x, i) in |a| a { x || i }", "for (x, i) in |a| a { x || i }"),
            ("for x in a { for y in b { |z| z } }", "for x in a { let x = x; for y in b { let y = y; |z| z } }"),
            ("try { } catch { }", "try { } catch { }"),
            ("[.5, -.5e-3, x.y, 0..5]", "[0.5, -0.5e-3, x.y, 0..5]"),
            ("\u{feff}let a = 1", " let a = 1"),
            ("\u{feff}#!/usr/bin/env tumble\nlet a = 1", "\nlet a = 1"),
            ("// a[i] .5\n\"a[i] .5\"", "// a[i] .5\n\"a[i] .5\""),
        ];
        for (text, expected) in cases {
            assert_eq!(prepared(text), expected);
        }
    }

    #[test]
    fn columns_are_those_of_the_text_written() {
        let (code, insertions) = prepare(&Engine::new(), "a[i] + b[j, k] + .5 + c");
        for name in ["a", "i", "b", "j", "k", "c"] {
            let column = code.replace("index_at", "########").find(name).unwrap() + 1;
            let original = "a[i] + b[j, k] + .5 + c".find(name).unwrap() + 1;
            assert_eq!(insertions.original_column(1, column), original, "{name}");
        }
    }
}
