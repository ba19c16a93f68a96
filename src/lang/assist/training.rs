//! Trainings in the texts of a session that is to be run again.

use std::ops::Range;

use super::brackets::{entries, open};
use super::scan::{Kind, pieces};
use crate::lang::code::arguments;
use crate::lang::sources::is_of_word;
use crate::task::Unfinished;

/// A text with `resume: true` in each map of options that has a folder for checkpoints and does not say so.
pub fn resuming(text: &str) -> String {
    let all = pieces(text);
    let mut resuming = text.to_owned();
    for at in (1..all.len()).rev().filter(|&at| &text[all[at].range.clone()] == "}") {
        let map = open(text, &all[..at]).pop().filter(|map| map.is_map).unwrap_or_default();
        let has = |name| map.entries.iter().any(|(key, _)| *key == name);
        if has("checkpoint") && !has("resume") {
            let last = all[..at].iter().rfind(|piece| piece.kind != Kind::Comment).expect("the key");
            let comma = if &text[last.range.clone()] == "," { "" } else { "," };
            resuming.insert_str(last.range.end, &format!("{comma} resume: true"));
        }
    }
    resuming
}

/// The one training of a text, as a call with all its arguments.
struct Training<'a> {
    /// The first argument, or the value before the dot.
    model: &'a str,
    /// Where its options stand, or would.
    options: Range<usize>,
    /// Keys and values of its options, as they are written.
    entries: Vec<(&'a str, &'a str)>,
    /// Where the statement ends that it stands in.
    end: usize,
}

impl<'a> Training<'a> {
    /// None where there are several, where it may run more than once, or its options are made elsewhere.
    fn of(text: &'a str) -> Option<Self> {
        let mut all = pieces(text);
        all.retain(|piece| piece.kind != Kind::Comment);
        let sign = |at: usize| all.get(at).map_or("", |piece| &text[piece.range.clone()]);
        let bytes = |range: &Range<usize>| all[range.start].range.start..all[range.end - 1].range.end;
        let mut calls = (0..all.len()).filter(|&at| sign(at) == "train" && sign(at + 1) == "(");
        let (at, None) = (calls.next()?, calls.next()) else { return None };
        let is_repeated = open(text, &all[..at]).iter().any(|bracket| sign(bracket.at) == "{" && !bracket.is_map)
            || all[..at].iter().any(|piece| &text[piece.range.clone()] == "|");
        let given: Vec<_> = arguments(text, &all, at + 2).into_iter().filter(|given| !given.is_empty()).collect();
        let (first, last) = (given.first()?, given.last().filter(|_| !is_repeated)?);
        let is_method = at > 1 && sign(at - 1) == ".";
        let has_options = sign(last.start) == "#" && sign(last.start + 1) == "{" && sign(last.end - 1) == "}";
        if given.len() + usize::from(is_method) != 2 + usize::from(has_options) {
            return None;
        }
        let given_options = if has_options { entries(text, &all, last.start + 1) } else { Vec::new() };
        let behind = bytes(last).end;
        let mut depth = 0;
        let end = all[last.end + 1..].iter().find(|piece| {
            let sign = &text[piece.range.clone()];
            depth += i32::from(matches!(sign, "(" | "[" | "{")) - i32::from(matches!(sign, ")" | "]" | "}"));
            depth <= 0 && sign == ";"
        });
        Some(Self {
            model: if is_method { sign(at - 2) } else { &text[bytes(first)] },
            options: if has_options { bytes(last) } else { behind..behind },
            entries: given_options
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| (key, &text[bytes(&value)]))
                .collect(),
            end: end.map_or(text.len(), |end| end.range.end),
        })
    }

    fn given(&self, key: &str) -> Option<&'a str> {
        self.entries.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}

/// Options of a folder, in which a training that ends early cannot be told from the whole one.
const OF_FOLDERS: &[&str] = &["checkpoint", "every", "keep", "resume", "tensorboard"];

/// A text with its training as it was when the user stopped it: with as many steps, of the same schedule, and without
/// a folder. `goes_on` says that it went on from a stop, of a training that the text before this one ends so too. None
/// where no options give the same weights.
pub fn stopped(text: &str, unfinished: Unfinished, goes_on: bool) -> Option<String> {
    let training = Training::of(text)?;
    let Unfinished { done, total, before } = unfinished;
    let is_name = |text: &str| text.split('.').all(|word| !word.is_empty() && word.chars().all(is_of_word));
    let mut options = vec![match goes_on {
        false => format!("steps: {done}"),
        true if is_name(training.model) => format!("steps: {} - {}.steps", before + done, training.model),
        true => return None,
    }];
    let is_constant = training.given("schedule") == Some("\"constant\"");
    if training.given("total").is_none() && !(is_constant && training.given("warmup").is_none_or(|steps| steps == "0"))
    {
        // A schedule of this call alone cannot be told of a model that was trained before.
        options.push((before == 0).then(|| format!("total: {total}"))?);
    }
    let kept = training.entries.iter().filter(|(key, _)| *key != "steps" && !OF_FOLDERS.contains(key));
    options.extend(kept.map(|(key, value)| format!("{key}: {value}")));
    let comma = if training.options.is_empty() { ", " } else { "" };
    let mut text = text.to_owned();
    text.replace_range(training.options, &format!("{comma}#{{ {} }}", options.join(", ")));
    Some(text)
}

/// The folder of the one training of a text, as it is written.
pub fn folder_of_training(text: &str) -> Option<&str> {
    Training::of(text)?.given("checkpoint")
}

/// A text up to the end of the statement that trains.
pub fn up_to_training(text: &str) -> Option<&str> {
    Training::of(text).map(|training| &text[..training.end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trainings_with_a_folder_go_on() {
        let after = |text: &str, expected: &str| assert_eq!(resuming(text), expected);
        after("f(#{ checkpoint: \"a\" })", "f(#{ checkpoint: \"a\", resume: true })");
        after(
            "f(#{ checkpoint: x + y(1, 2), }); g(#{ checkpoint: `a` // b\n})",
            "f(#{ checkpoint: x + y(1, 2), resume: true }); g(#{ checkpoint: `a`, resume: true // b\n})",
        );
        for text in
            ["f(#{ checkpoint: \"a\", resume: x })", "{ checkpoint }", "#{ a: 1 }", "// #{ checkpoint: 1 }", "}"]
        {
            after(text, text);
        }
    }

    const STOP: Unfinished = Unfinished { done: 1200, total: 20_000, before: 0 };

    /// Seen to keep the folder, and a schedule that ends with the stop.
    #[test]
    fn a_training_ends_where_it_was_stopped() {
        let after = |text: &str, goes_on, expected: &str| {
            assert_eq!(
                stopped(text, STOP, goes_on).as_deref(),
                Some(expected).filter(|text| !text.is_empty()),
                "{text}"
            );
        };
        after("let r = train(m, d);", false, "let r = train(m, d, #{ steps: 1200, total: 20000 });");
        after("m.train(d)", false, "m.train(d, #{ steps: 1200, total: 20000 })");
        after(
            "train(m, d, #{ steps: 2 * n, lr: f(1, [2, 3]), checkpoint: \"a\", every: 10, }); // why",
            false,
            "train(m, d, #{ steps: 1200, total: 20000, lr: f(1, [2, 3]) }); // why",
        );
        after(
            "train(m, d, #{ schedule: \"constant\", steps: 9 })",
            false,
            "train(m, d, #{ steps: 1200, schedule: \"constant\" })",
        );
        after(
            "train(m, d, #{ checkpoint: \"a\", resume: true })",
            true,
            "train(m, d, #{ steps: 1200 - m.steps, total: 20000 })",
        );
        // What may run more than once, or what nobody knows.
        for text in [
            "for i in 0..2 { train(m, d) }",
            "let f = || train(m, d); f.call()",
            "train(m, d); train(n, d)",
            "train(m, d, options)",
            "f()",
        ] {
            after(text, false, "");
        }
        let later = Unfinished { before: 500, ..STOP };
        assert_eq!(stopped("train(m, d)", later, false), None);
        let total = "train(m, d, #{ total: 30_000 })";
        assert_eq!(stopped(total, later, false).unwrap(), "train(m, d, #{ steps: 1200, total: 30_000 })");
    }

    #[test]
    fn what_stands_behind_a_training_is_told_apart() {
        let text = "let m = f({ 1; 2 }); train(m, d, #{ checkpoint: path + \"/a\" }); m.save(\"m\")";
        assert_eq!(folder_of_training(text), Some("path + \"/a\""));
        assert!(up_to_training(text).unwrap().ends_with("\"/a\" });"));
        assert_eq!(up_to_training("train(m, d)"), Some("train(m, d)"));
    }
}
