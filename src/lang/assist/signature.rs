//! What a call that is being typed still takes.

use super::brackets::{Open, open};
use super::receiver::{receiver, valued};
use super::scan::{Kind, Piece, is_open, pieces};
use crate::lang::runtime::Runtime;

/// What a call still takes that a text ends in: `data: Dataset, options: map)` behind `train(m, `, and the same behind
/// a comma where an argument is begun, `train(m`.
pub fn signature(runtime: &Runtime, text: &str) -> Option<String> {
    let all = pieces(text);
    // In a string its own words are of more use.
    let is_string = |piece: &Piece| piece.kind == Kind::String && is_open(&text[piece.range.clone()]);
    let last = all.last().filter(|last| last.kind != Kind::Comment && !is_string(last))?;
    let is_begun = !["(", ","].contains(&&text[last.range.clone()]);
    let Open { at, commas, called: name, .. } = open(text, &all).pop()?;
    let given = commas + usize::from(is_begun);
    let before = &all[..at];
    let entry = runtime.catalog().get(&name).filter(|_| !name.is_empty())?;
    let owner = match before.iter().rev().map(|piece| &text[piece.range.clone()]).nth(1) {
        Some(".") => {
            let owner = valued(runtime, &receiver(text, &before[..before.len() - 2]));
            Some(owner.map(|owner| runtime.type_name(&owner)))
        }
        _ => None,
    };
    // Of a value that is not known: methods of one type only.
    let kinds = || entry.forms.iter().filter_map(|form| form.split_once('('));
    let kinds = || kinds().map(|(_, rest)| kind_of(rest.split([',', ')']).next().unwrap_or_default()));
    let first = kinds().next()?;
    if owner == Some(None) && kinds().any(|kind| kind != first) {
        return None;
    }
    let rest = |form: &String| {
        let mut parameters: Vec<&str> = form.split_once('(')?.1.rsplit_once(')')?.0.split(", ").collect();
        if let Some(kind) = &owner {
            let own = kind_of(parameters.remove(0));
            (own == kind.as_deref().unwrap_or(first)).then_some(())?;
        }
        let rest = parameters.get(given..).filter(|rest| rest.iter().any(|parameter| !parameter.is_empty()))?;
        Some(format!("{}{})", if is_begun { ", " } else { "" }, rest.join(", ")))
    };
    // Of several as long, the first.
    entry.forms.iter().filter_map(rest).rev().max_by_key(|rest| rest.matches(',').count())
}

/// The type of a parameter, if it says one.
fn kind_of(parameter: &str) -> &str {
    parameter.split_once(": ").map_or("", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_tells_what_it_still_takes() {
        let mut runtime = Runtime::new();
        let _ = runtime.run("let p = process::active(); let d = dataset::diamond(); fn energy(x, k) { x }").unwrap();
        let of = |text: &str| signature(&runtime, text).unwrap_or_default();
        assert_eq!(of("train("), "score: Score, data: Dataset, options: map)");
        assert_eq!(of("let r = train(m, "), "data: Dataset, options: map)");
        assert_eq!(of("train(score::exact(p, d), d, "), "options: map)");
        assert_eq!(of("energy(1, "), "k)");
        assert_eq!(of("process::active("), "options)");
        assert_eq!(of("1 + hypot(3, "), "b: number)");
        // A method has its value before the dot, which tells whose it is.
        assert_eq!(of("p.kernel("), "t)");
        assert_eq!(of("d.sample("), "count, seed)");
        // Nobody knows whose it is.
        assert_eq!(of("f(x).sample("), "");
        assert_eq!([of("train(m"), of("energy(1 + 2")], [", data: Dataset, options: map)", ", k)"]);
        // In other brackets, in and behind the last argument, and of what nobody knows.
        for text in [
            "train(m, #{ steps: 1, ",
            "energy(1, 2",
            "energy(1, 2, ",
            "nonsuch(",
            "(",
            "let x = [1, ",
            "// train(",
            "train(\"",
            "f(x, \"a",
        ] {
            assert_eq!(of(text), "", "{text}");
        }
    }
}
