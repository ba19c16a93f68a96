//! Texts changed token by token.

use std::sync::OnceLock;

use super::arguments::ODD;
use super::choices::Choices;
use super::library::library;

/// The tokens of a text, roughly: words, numbers, strings, blanks and single signs.
pub fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c if c.is_whitespace() => rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        tokens.push(&rest[..end]);
        rest = &rest[end..];
    }
    tokens
}

/// All tokens of the scripts of the library, each once.
fn vocabulary() -> &'static [&'static str] {
    static VOCABULARY: OnceLock<Vec<&'static str>> = OnceLock::new();
    VOCABULARY.get_or_init(|| {
        let mut all: Vec<&str> = library().scripts.iter().flat_map(|text| tokens(text)).collect();
        all.extend(library().calls.iter().map(|call| call.name.as_str()));
        all.retain(|token| !token.trim().is_empty());
        all.sort_unstable();
        all.dedup();
        all
    })
}

/// A text of the library, with up to `most` changes.
pub fn changed_script(choices: &mut Choices, most: usize) -> String {
    let text = choices.one(&library().scripts);
    let mut tokens: Vec<&str> = tokens(text);
    for _ in 0..=choices.below(most) {
        change(&mut tokens, choices);
    }
    tokens.concat()
}

/// Tokens that follow each other by chance.
pub fn spliced(choices: &mut Choices, most: usize) -> String {
    let mut text = String::new();
    while !choices.is_over() && text.len() < most {
        text.push_str(choices.word(vocabulary()));
        text.push_str(choices.word(&[" ", "", "\n"]));
    }
    text
}

fn change(tokens: &mut Vec<&str>, choices: &mut Choices) {
    let meaning: Vec<usize> = (0..tokens.len()).filter(|&i| !tokens[i].trim().is_empty()).collect();
    if meaning.is_empty() {
        return;
    }
    let place = *choices.one(&meaning);
    let numbers: Vec<usize> =
        meaning.iter().copied().filter(|&i| tokens[i].starts_with(|c: char| c.is_ascii_digit())).collect();
    match choices.below(16) {
        // Most scripts are still scripts when a number is another.
        0..=10 if !numbers.is_empty() => tokens[*choices.one(&numbers)] = choices.word(ODD),
        0..=11 => tokens[place] = choices.word(ODD),
        12 => tokens[place] = choices.word(vocabulary()),
        13 => drop(tokens.remove(place)),
        14 => tokens.insert(place, choices.word(vocabulary())),
        _ => {
            let other = *choices.one(&meaning);
            tokens.swap(place, other);
        }
    }
}
