//! The part of a script on which what a call gives may depend.

use std::collections::BTreeSet;
use std::ops::Range;

use super::assist::scan::{Kind, Piece, pieces};
use super::assist::{definitions, depth};

/// A part of a text: what counts of it, and how users are shown it.
pub(super) struct Code {
    /// Its words and signs, by which two are compared.
    pub(super) essence: String,
    /// Its lines.
    pub(super) lines: Vec<String>,
}

impl Code {
    fn of<'a>(text: &str, pieces: impl Iterator<Item = &'a Piece> + Clone) -> Self {
        Self { essence: joined(text, pieces.clone()), lines: lines(text, pieces) }
    }

    /// What the result of the call may depend on whose name begins at the byte `at`: all up to the call with its second
    /// argument, a closure, and of the functions those that may be used there; one that `is_native` by its name takes
    /// the place of a builtin, in the standard library too. Comments, blanks and the other arguments of the call are
    /// left out: whoever changes these changes no result of the closure.
    pub(super) fn before(text: &str, at: usize, is_native: impl Fn(&str) -> bool) -> Self {
        let all = significant(text);
        let name = all.iter().position(|piece| piece.range.contains(&at)).unwrap_or(all.len());
        let sign = |at: Option<usize>| at.and_then(|at| all.get(at)).map_or("", |piece| &text[piece.range.clone()]);
        // Everything may matter to what does not look like a call, and to one in a function, a closure or a loop.
        let is_inside = depth(&text[..at]) > 0 || [".", "|"].contains(&sign(name.checked_sub(1)));
        let is_call = sign(Some(name)) == "sweep" && sign(Some(name + 1)) == "(";
        let arguments = if is_call && !is_inside { arguments(text, &all, name + 2) } else { Vec::new() };
        let Some(end) = arguments.last().map(|last| last.end) else { return Self::of(text, all.iter()) };
        let functions = definitions(text);
        let function = |piece: &Piece| functions.iter().position(|found| found.range.contains(&piece.range.start));
        // One of a form that is not known may be used anywhere.
        if all.iter().any(|piece| &text[piece.range.clone()] == "fn" && function(piece).is_none()) {
            return Self::of(text, all.iter());
        }
        let left_out =
            |i: usize| i > end || arguments.iter().enumerate().any(|(n, range)| n != 1 && range.contains(&i));
        let mut used: BTreeSet<usize> = (0..functions.len()).filter(|n| is_native(&functions[*n].name)).collect();
        loop {
            let is_kept = |(i, piece): &(usize, &Piece)| match function(piece) {
                Some(function) => used.contains(&function),
                None => !left_out(*i),
            };
            let kept: Vec<&Piece> = all.iter().enumerate().filter(is_kept).map(|(_, piece)| piece).collect();
            let is_new =
                |n: &usize| !used.contains(n) && kept.iter().any(|piece| may_call(text, piece, &functions[*n].name));
            let new: Vec<usize> = (0..functions.len()).filter(is_new).collect();
            if new.is_empty() {
                return Self::of(text, kept.into_iter());
            }
            used.extend(new);
        }
    }

    /// All of a text, without comments and blanks.
    pub(super) fn all(text: &str) -> Self {
        Self::of(text, significant(text).iter())
    }
}

/// What counts of the text of a module.
pub(super) fn essence(text: &str) -> String {
    joined(text, significant(text).iter())
}

/// The pieces of a text but for comments, a byte-order mark and a first line for the shell.
fn significant(text: &str) -> Vec<Piece> {
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let line = if text[mark..].starts_with("#!") { text.find('\n').unwrap_or(text.len()) } else { mark };
    let mut all = pieces(&text[line..]);
    all.retain(|piece| piece.kind != Kind::Comment);
    all.iter_mut().for_each(|piece| piece.range = piece.range.start + line..piece.range.end + line);
    all
}

/// Whether a piece may stand for a call of the function of this name: a text may have code in it, or be a name.
fn may_call(text: &str, piece: &Piece, name: &str) -> bool {
    let word = &text[piece.range.clone()];
    match piece.kind {
        Kind::String => word.contains(name),
        // A name may be put together, and a module calls what it does not have itself.
        _ => word == name || word == "Fn" || word == "import",
    }
}

/// Pieces by themselves; the last comma before a bracket says nothing.
fn joined<'a>(text: &str, pieces: impl Iterator<Item = &'a Piece>) -> String {
    let mut words: Vec<&str> = Vec::new();
    for piece in pieces {
        let word = &text[piece.range.clone()];
        if [")", "]", "}"].contains(&word) && words.last() == Some(&",") {
            words.pop();
        }
        words.push(word);
    }
    words.join("\n")
}

/// The pieces of each argument of a call of which the first begins with the piece `first`.
pub(super) fn arguments(text: &str, all: &[Piece], first: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut depth) = (first, 0_usize);
    let mut bars = None;
    for (i, piece) in all.iter().enumerate().skip(first) {
        match &text[piece.range.clone()] {
            // The names of a closure, between bars, have commas of their own.
            "|" if depth == 0 && (i == start || bars == Some(start)) => bars = bars.is_none().then_some(start),
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth > 0 => depth -= 1,
            ")" => {
                found.push(start..i);
                return found;
            }
            "," if depth == 0 && bars.is_none() => {
                found.push(start..i);
                start = i + 1;
            }
            _ => {}
        }
    }
    // It is not closed, as no call is that runs.
    Vec::new()
}

/// Pieces as lines, one for each of the text that has any.
fn lines<'a>(text: &str, pieces: impl Iterator<Item = &'a Piece>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut last = None;
    for piece in pieces {
        let word = &text[piece.range.clone()];
        let is_new = last.is_none_or(|end: usize| text[end..piece.range.start].contains('\n'));
        match lines.last_mut().filter(|_| !is_new) {
            Some(line) => {
                if text[..piece.range.start].ends_with(char::is_whitespace) {
                    line.push(' ');
                }
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
        last = Some(piece.range.end);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "let steps = 10;   // few\n\n/* why */ let t = sweep(#{ seed: 0..5 },\n    |a, b| f(a, steps), #{ folder: \"x\" });\n\
                        plot(t);\nfn f(a, b) {\n    a + b\n}\nplot(f(1, 2));";

    fn lines_of(text: &str) -> Vec<String> {
        Code::before(text, text.find("sweep(").unwrap(), |name| name == "sqrt").lines
    }

    fn essence_of(text: &str) -> String {
        Code::before(text, text.find("sweep(").unwrap(), |name| name == "sqrt").essence
    }

    #[test]
    fn results_depend_on_what_comes_before_and_on_functions() {
        let expected = ["let steps = 10;", "let t = sweep(,", "|a, b| f(a, steps),)", "fn f(a, b) {", "a + b", "}"];
        assert_eq!(lines_of(TEXT), expected);
    }

    /// What a user changes without changing a result.
    #[test]
    fn other_axes_options_comments_and_plots_are_the_same_code() {
        let same = [
            ("0..5", "0..50"),
            ("few", "many"),
            ("\"x\"", "\"x\", jobs: 2"),
            ("plot(t)", "plot(t, #{ colour: \"red\" })"),
            ("\n\n", "\n"),
            ("plot(f(1, 2));", ""),
            ("let steps", "\u{feff}#!/usr/bin/env tumble\nlet steps"),
            ("let steps = 10", "let steps =\n  10"),
            ("f(a, steps)", "f(a,steps,)"),
            ("plot(f(1, 2));", "fn show(t) { plot(t) }\nshow(t);"),
            ("let steps", "fn unused() { 1 }\nlet steps"),
        ];
        for (old, new) in same {
            assert_eq!(essence_of(&TEXT.replacen(old, new, 1)), essence_of(TEXT), "{new}");
        }
        for (old, new) in [("10", "20"), ("f(a, steps)", "f(a, 1)"), ("a + b", "a - b"), ("10", "\"1 0\"")] {
            assert_ne!(essence_of(&TEXT.replacen(old, new, 1)), essence_of(TEXT), "{new}");
        }
        assert_ne!(essence_of(&TEXT.replacen("10", "\"1 0\"", 1)), essence_of(&TEXT.replacen("10", "\"10\"", 1)));
    }

    /// By way of others, of texts with code in them, and by names that are only known when it runs.
    #[test]
    fn functions_count_that_may_be_called() {
        let functions = "fn f(a) { g(a) }\nfn g(a) { 10 }";
        for call in ["f(p)", "`${f(p)}`", "Fn(\"f\").call(p)", "Fn(`${word}`).call(p)", "p.f()", "[f]"] {
            let text = format!("let t = sweep(a, |p| {call});\nplot(t);\n{functions}");
            assert_ne!(essence_of(&text), essence_of(&text.replace("10", "20")), "{call}");
            let text = format!("{functions}\nlet t = sweep(a, |p| {call});\nplot(t);");
            assert_ne!(essence_of(&text), essence_of(&text.replace("10", "20")), "{call}");
        }
        for text in
            ["import \"m\" as m; let t = sweep(a, |p| m::g(p));\nfn f(a) { 10 }", "sweep(a, |p| p);\nfn sqrt(a) { 10 }"]
        {
            assert_ne!(essence_of(text), essence_of(&text.replace("10", "20")), "{text}");
        }
        let typed = "let t = sweep(a, |p| p.a.double());\nfn int.double() { 10 }";
        assert_ne!(essence_of(typed), essence_of(&typed.replace("10", "20")));
    }

    #[test]
    fn all_counts_of_what_is_no_call() {
        assert_eq!(Code::before("let s = sweep;\ns.call(1)", 8, |_| false).lines, ["let s = sweep;", "s.call(1)"]);
        assert_eq!(Code::before("sweep(a, |x| x)", 0, |_| false).lines, ["sweep(, |x| x)"]);
    }

    /// Seen to leave the closure of a method out, and what a function is called with.
    #[test]
    fn all_counts_of_what_stands_inside() {
        for text in [
            "#{ a: [1, 2] }.sweep(|p| 10, 1);\nplot(1)",
            "fn study(f) { sweep(a, |p| f.call(p), 1) }\nstudy(|x| 10)",
            "for k in 0..2 { sweep(a, |p| d, 1); d *= 10 }",
            "let w = |f| sweep(a, f, 1);\nw.call(|p| 10)",
        ] {
            assert_ne!(essence_of(text), essence_of(&text.replace("10", "20")), "{text}");
        }
    }
}
