//! What is wrong with a text that does not compile, and which characters only look like those of a program.

use rhai::{LexError, ParseErrorType, Position};

use crate::lang::assist::brackets::{Unmatched, unmatched};
use crate::lang::diagnostics::Diagnostic;
use crate::lang::rewrite::{INDEX, SWITCH};

pub(super) const FOR: &str = "`for i in 0..10` counts from 0 to 9; arrays and the keys() of a map work too";

/// Puts an error of the parser into words; a slip of habit that explains it is a better hint than what is missing.
pub(super) fn explain(kind: &ParseErrorType, position: Position, slip: Option<String>, to: &mut Diagnostic) {
    match kind {
        ParseErrorType::UnexpectedEOF => to.message = "the text ends in the middle of a statement".into(),
        ParseErrorType::ExprTooDeep => {
            to.message = "this expression nests too deeply".into();
            to.hints.push("split it with `let`, or use a loop".into());
        }
        ParseErrorType::MismatchedType(wanted, _) if wanted.contains("iterable") => {
            to.message = lower_first(&kind.to_string());
            to.hints.push(FOR.into());
        }
        ParseErrorType::BadInput(LexError::UnexpectedInput(input)) => explain_character(input, to),
        // The sentences of the token filter.
        ParseErrorType::BadInput(_) => to.message = kind.to_string(),
        // Of the guards that are written into a text nobody knows.
        ParseErrorType::MissingToken(_, what) if what.contains(INDEX) => {
            to.message = "expecting ']' behind the position".into();
        }
        ParseErrorType::MissingToken(_, what) if what.contains(SWITCH) => {
            to.message = "expecting '{' before the cases of switch".into();
        }
        kind => to.message = lower_first(&kind.to_string()),
    }
    if let Some(slip) = slip {
        to.hints = vec![slip];
    } else if explain_bracket(kind, to) {
        // That is all there is to say.
    } else if let ParseErrorType::MissingToken(token, _) = kind
        && token == ";"
        && let Some((place, note)) = to.places.first_mut()
    {
        let earlier = place.text.lines().take(place.line - 1).enumerate().filter(|(_, line)| !line.trim().is_empty());
        let stands_first = place.text.lines().nth(place.line - 1).is_some_and(|now| {
            now.chars().take(position.position().unwrap_or(1).saturating_sub(1)).all(char::is_whitespace)
        });
        match earlier.last() {
            // Rhai notices at the next statement; the mark belongs behind the one that lacks it.
            Some((i, line)) if stands_first => {
                place.line = i + 1;
                place.column = line.trim_end().chars().count();
                *note = "a `;` is missing behind this".into();
            }
            _ => *note = "a `;` is missing before this".into(),
        }
    }
}

/// Says which bracket lacks its other, where that is what is wrong: at the place of the bracket, or beside that where
/// it was noticed.
fn explain_bracket(kind: &ParseErrorType, to: &mut Diagnostic) -> bool {
    let Some((place, _)) = to.places.first().cloned() else { return false };
    let noticed = place.range().start;
    let name = |at: usize| match place.text[..at].ends_with('#') {
        true => "#{",
        false => &place.text[at..=at],
    };
    let is_about_brackets = matches!(kind, ParseErrorType::MissingToken(..) | ParseErrorType::UnexpectedEOF);
    match unmatched(&place.text) {
        Some(Unmatched::Closing { at }) if noticed >= at => {
            to.message = format!("`{}` closes nothing", name(at));
            to.places = vec![(place.at(at), String::new())];
            true
        }
        Some(Unmatched::Other { open, at }) if noticed >= at => {
            to.message = format!("`{}` cannot close `{}`", name(at), name(open));
            to.places = vec![(place.at(at), String::new()), (place.at(open), "opened here".into())];
            true
        }
        Some(Unmatched::Open { at }) if is_about_brackets && noticed >= at => {
            if place.text[noticed.min(place.text.len())..].trim().is_empty() {
                to.message = format!("`{}` is not closed", name(at));
                to.places = vec![(place.at(at), String::new())];
            } else {
                to.places.push((place.at(at), "opened here, and not closed".into()));
            }
            true
        }
        _ => false,
    }
}

/// Characters that editors and pages put in the place of those of a program: what they are, and what to write.
const LOOK_ALIKES: &[(&str, &str, &str)] = &[
    ("\u{a0}\u{2007}\u{202f}", "a no-break space", "a space"),
    ("\u{2002}\u{2003}\u{2009}\u{200a}\u{3000}", "a space of a special width", "a space"),
    ("\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}", "an invisible character", "nothing in its place"),
    ("\u{2212}", "a minus sign from typesetting", "`-`"),
    ("\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}", "a dash from typesetting", "`-`"),
    ("“”„‟«»″", "a curly quotation mark", "`\"`"),
    ("‘’‚‛′´", "a curly quotation mark", "`\"`"),
    ("×·⋅∙", "a multiplication sign from typesetting", "`*`"),
    ("÷∕⁄", "a division sign from typesetting", "`/`"),
    ("≤", "a sign from typesetting", "`<=`"),
    ("≥", "a sign from typesetting", "`>=`"),
    ("≠", "a sign from typesetting", "`!=`"),
    ("²", "a power from typesetting", "`** 2`"),
    ("³", "a power from typesetting", "`** 3`"),
    ("√", "a sign from typesetting", "`sqrt(..)`"),
    ("…", "an ellipsis", "`..`"),
    ("，；：（）［］", "a wide punctuation mark", "the plain one"),
];

/// A character that no program has.
fn explain_character(input: &str, to: &mut Diagnostic) {
    let Some(c) = input.chars().next() else { return };
    let code = u32::from(c);
    let shown =
        if c.is_whitespace() || c.is_control() { format!("U+{code:04X}") } else { format!("`{c}` (U+{code:04X})") };
    match LOOK_ALIKES.iter().find(|(characters, _, _)| characters.contains(c)) {
        Some((_, name, instead)) => {
            to.message = format!("{shown} is {name}, which a script cannot have outside strings and comments");
            to.hints.push(format!("write {instead}"));
        }
        None => to.message = format!("unexpected character {shown}"),
    }
}

pub(super) fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    first + characters.as_str()
}
