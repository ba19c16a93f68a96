//! What the name under a cursor means.

use super::Page;
use super::brackets::{called, open};
use super::receiver::{receiver, valued};
use super::scan::{Kind, Piece, pieces};
use crate::lang::runtime::Runtime;

/// Type and value of the variable, or help on the function, member or module, that is named where the `cursor` stands,
/// in bytes of `text`; else help on the function in whose brackets that is.
pub fn inspect(runtime: &Runtime, text: &str, cursor: usize, page: Page) -> Option<String> {
    let all = pieces(text);
    let touches = |piece: &Piece| piece.kind == Kind::Word && (piece.range.start..=piece.range.end).contains(&cursor);
    // A key of a map says something to the function that takes the map.
    let sign = |at: usize| all.get(at).map(|piece| &text[piece.range.clone()]);
    let is_key = |at: usize| sign(at + 1) == Some(":") && sign(at + 2) != Some(":");
    let named = all.iter().position(touches).filter(|&at| !is_key(at));
    let named = named.and_then(|at| name(runtime, text, &all[..=at], page));
    named.or_else(|| {
        let before = all.iter().take_while(|piece| piece.range.end <= cursor).count();
        let mut calls = open(text, &all[..before]).into_iter().rev().filter(|bracket| !bracket.called.is_empty());
        calls.find_map(|call| page.named(runtime.catalog(), &call.called).ok())
    })
}

/// What the name means that these pieces end with.
fn name(runtime: &Runtime, text: &str, pieces: &[Piece], page: Page) -> Option<String> {
    let (last, before) = pieces.split_last()?;
    let word = &text[last.range.clone()];
    let help = |name: &str| page.named(runtime.catalog(), name).ok();
    match before.last().map_or("", |piece| &text[piece.range.clone()]) {
        ":" => help(&called(text, pieces)).or_else(|| variable(runtime, word, page)),
        "." => {
            let owner = valued(runtime, &receiver(text, &before[..before.len() - 1]));
            let member = owner.map(|owner| format!("{}.{word}", runtime.type_name(&owner)));
            member.filter(|member| runtime.catalog().get(member).is_some()).and_then(|member| help(&member))
        }
        .or_else(|| help(word)),
        _ => variable(runtime, word, page).or_else(|| help(word)),
    }
}

fn variable(runtime: &Runtime, word: &str, page: Page) -> Option<String> {
    let value = valued(runtime, &[word])?;
    Some(format!("{word}: {}\n{}", runtime.type_name(&value), runtime.show(&value, page.width)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_at_the_cursor_is_explained() {
        let mut runtime = Runtime::new();
        let _ = runtime.run("let p = process::active(); let tau = 0.5;").unwrap();
        let page = Page { width: 80, colour: false };
        // The cursor is where the bar stands.
        let explained = |marked: &str| {
            let cursor = marked.find('|').unwrap();
            inspect(&runtime, &marked.replace('|', ""), cursor, page).unwrap_or_default()
        };
        assert!(explained("let q = process::act|ive(").starts_with("process::active("));
        assert!(explained("pro|cess::active(").contains("process::passive"));
        assert!(explained("tra|in(m, d)").starts_with("train("));
        assert!(explained("p.ki|nd").starts_with("Process.kind"));
        assert_eq!(explained("1 + tau|"), "tau: number\n0.5");
        // A key of an option map, and the blank behind a bracket.
        assert!(explained("train(m, d, #{ ste|ps: 1 })").starts_with("train("));
        assert!(explained("train(m, measure::fisher(p, 1), |").starts_with("train("));
        assert_eq!(explained("let nonsuch| = 1"), "");
    }
}
