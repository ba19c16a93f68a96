//! Maps of options: of each function that takes one, with names near to its own and values of any kind.

use super::arguments::{argument, option_map};
use super::choices::Choices;
use super::language::VARIABLES;
use super::library::{Call, library};
use super::trial::Trial;

/// The target.
pub fn run(bytes: &[u8]) {
    Trial::default().run(&script(&mut Choices::new(bytes)));
}

/// The script that some bytes stand for: a call of a function that takes options.
pub fn script(choices: &mut Choices) -> String {
    let takers: Vec<&Call> = library().calls.iter().filter(|call| !call.entry.options().is_empty()).collect();
    let call = *choices.one(&takers);
    // What stands in front of the map, in the longest form.
    let form = call.forms.iter().max_by_key(|form| form.len()).expect("a function has a form");
    let values: Vec<String> = form
        .iter()
        .map(|(name, kind)| match name == "options" {
            true => option_map(choices, call.entry.options(), 1),
            false => argument(choices, name, kind, 2),
        })
        .collect();
    format!("{VARIABLES}{}({})", call.name, values.join(", "))
}
