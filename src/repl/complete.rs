//! What Tab offers: what the language has, commands, and files.

use rustyline::completion::{FilenameCompleter, Pair};
use tumble::lang::assist::{self, Candidate, Completion};

use super::commands::{COMMANDS, SETTINGS, Takes, named};
use super::session::Session;

/// Where the word being completed begins, and what it may become.
type Offer = (usize, Vec<Pair>);

/// What may follow in `input` at its end.
pub(crate) fn complete(session: &Session, input: &str) -> Offer {
    match input.strip_prefix(':') {
        Some(_) => command(session, input),
        None => code(session, input),
    }
}

fn offer(name: &str, text: String) -> Pair {
    Pair { display: name.to_owned(), replacement: text }
}

fn files(input: &str) -> Offer {
    let (start, mut offers) = FilenameCompleter::new().complete_path(input, input.len()).unwrap_or_default();
    // The editor shows names as they are.
    offers.retain(|offer| !offer.replacement.contains(char::is_control));
    (start, offers)
}

fn code(session: &Session, input: &str) -> Offer {
    match assist::complete(&session.runtime, input) {
        Completion::Path => files(input),
        Completion::Names { start, candidates } => {
            (start, candidates.into_iter().map(|Candidate { name, text, .. }| offer(&name, text)).collect())
        }
    }
}

fn command(session: &Session, input: &str) -> Offer {
    let Some((name, argument)) = input.split_once(' ') else {
        let names = COMMANDS.iter().map(|command| command.name).filter(|name| name.starts_with(input));
        return (0, names.map(|name| offer(name, format!("{name} "))).collect());
    };
    let start = input.len() - argument.len();
    match named(name).map_or(Takes::Nothing, |command| command.takes) {
        Takes::Nothing => (start, Vec::new()),
        Takes::File => files(input),
        Takes::Code => {
            let (at, offers) = code(session, argument);
            (start + at, offers)
        }
        Takes::Setting => setting(start, argument),
        Takes::Name => {
            let catalog = session.runtime.catalog();
            let variables = session.runtime.variables();
            let mut names: Vec<&str> = assist::type_names().collect();
            names.extend(catalog.names().chain(catalog.modules()));
            names.extend(variables.iter().map(|(name, _)| name.as_str()));
            names.retain(|name| name.starts_with(argument));
            names.sort_unstable();
            names.dedup();
            (start, names.into_iter().map(|name| offer(name, name.to_owned())).collect())
        }
    }
}

/// The names of settings, and the words that the one named may be.
fn setting(start: usize, argument: &str) -> Offer {
    let Some((name, value)) = argument.split_once(' ') else {
        let names = SETTINGS.iter().map(|setting| setting.name).filter(|name| name.starts_with(argument));
        return (start, names.map(|name| offer(name, format!("{name} "))).collect());
    };
    let words = SETTINGS.iter().find(|setting| setting.name == name).map_or(&[][..], |setting| setting.words);
    let words = words.iter().filter(|word| word.starts_with(value));
    (start + name.len() + 1, words.map(|word| offer(word, (*word).to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Setup;
    use tumble::Runtime;

    fn offers(session: &Session, input: &str) -> Vec<String> {
        complete(session, input).1.into_iter().map(|pair| pair.replacement).collect()
    }

    #[test]
    fn commands_and_what_follows_them_are_offered() {
        let session = Session::new(Runtime::new(), Setup::for_tests());
        assert_eq!(offers(&session, ":he"), [":help "]);
        assert_eq!(offers(&session, ":help process::pas"), ["process::passive"]);
        assert_eq!(offers(&session, ":help Proc")[0], "Process");
        assert_eq!(offers(&session, ":time process::pas"), ["passive("]);
        assert_eq!(offers(&session, "process::pas"), ["passive("]);
        assert_eq!(offers(&session, ":set qu"), ["quiet "]);
        assert_eq!(offers(&session, ":set quiet of"), ["off"]);
    }

    #[test]
    fn files_are_offered_in_strings() {
        let session = Session::new(Runtime::new(), Setup::for_tests());
        // The tests run in the root of the package.
        let (start, offers) = complete(&session, "import \"Cargo.t");
        assert_eq!((start, offers.len()), (8, 1));
        assert!(offers[0].replacement.starts_with("Cargo.toml"));
    }
}
