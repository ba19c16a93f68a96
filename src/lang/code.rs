//! The part of a script on which what a call gives may depend.

use std::ops::Range;

use super::assist::scan::{Kind, Piece, pieces};
use super::assist::{definitions, depth};

/// The lines of `text` that the result of the call, whose name begins at the byte `at`, may depend on: all up to the
/// call with its second argument, a closure, and the functions behind it. Comments, blanks and the other arguments of
/// the call are left out: whoever changes these changes no result of the closure.
pub(super) fn lines_before(text: &str, at: usize) -> Vec<String> {
    let mut all = pieces(text);
    all.retain(|piece| piece.kind != Kind::Comment);
    let word = |piece: &Piece| &text[piece.range.clone()];
    let name = all.iter().position(|piece| piece.range.contains(&at)).unwrap_or(all.len());
    // Everything may matter to what does not look like a call, and to one in a function, a closure or a loop.
    let sign = |at: Option<usize>| at.and_then(|at| all.get(at)).map_or("", word);
    let is_inside = depth(&text[..at]) > 0 || [".", "|"].contains(&sign(name.checked_sub(1)));
    let is_call = sign(Some(name)) == "sweep" && sign(Some(name + 1)) == "(";
    let arguments = if is_call && !is_inside { arguments(text, &all, name + 2) } else { Vec::new() };
    let end = arguments.last().map_or(all.len(), |last| last.end);
    let left_out = |i: usize| arguments.iter().enumerate().any(|(n, range)| n != 1 && range.contains(&i));
    let behind = definitions(text).into_iter().map(|found| found.range);
    let behind: Vec<_> =
        behind.filter(|range| all.get(end).is_some_and(|piece| range.start > piece.range.start)).collect();
    let is_function = |piece: &Piece| behind.iter().any(|range| range.contains(&piece.range.start));
    let kept = all.iter().enumerate().filter(|(i, piece)| (*i <= end && !left_out(*i)) || is_function(piece));
    lines(text, kept.map(|(_, piece)| piece))
}

/// All lines of a text, without comments and blanks.
pub(super) fn all_lines(text: &str) -> Vec<String> {
    let all = pieces(text);
    lines(text, all.iter().filter(|piece| piece.kind != Kind::Comment))
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
        lines_before(text, text.find("sweep").unwrap())
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
        ];
        for (old, new) in same {
            assert_eq!(lines_of(&TEXT.replacen(old, new, 1)), lines_of(TEXT), "{new}");
        }
        for (old, new) in [("10", "20"), ("f(a, steps)", "f(a, 1)"), ("a + b", "a - b")] {
            assert_ne!(lines_of(&TEXT.replacen(old, new, 1)), lines_of(TEXT), "{new}");
        }
    }

    #[test]
    fn all_counts_of_what_is_no_call() {
        assert_eq!(lines_before("let s = sweep;\ns.call(1)", 8), ["let s = sweep;", "s.call(1)"]);
        assert_eq!(lines_before("sweep(a, |x| x)", 0), ["sweep(, |x| x)"]);
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
            assert_ne!(lines_of(text), lines_of(&text.replace("10", "20")), "{text}");
        }
    }
}
