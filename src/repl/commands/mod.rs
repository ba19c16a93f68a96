//! The commands of the prompt: one table, read by dispatch, `:help`, completion and `tumble repl --help`.

mod files;
mod help;
mod settings;
mod values;

use tumble::Diagnostic;
use tumble::error::nearest;

use super::session::{Outcome, Session};
use super::tour;
use crate::cli::terminal;

/// What may follow a command; completion goes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    /// A documented name.
    Name,
    File,
    Code,
    /// What can be set, and a value.
    Setting,
}

/// One command of the prompt.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// Other names that it is known by.
    also: &'static [&'static str],
    /// What follows it, as help shows it.
    form: &'static str,
    about: &'static str,
    pub(crate) takes: Takes,
    run: fn(&mut Session, &str) -> Result<Outcome, Diagnostic>,
}

/// A row of the table: what is typed, what it does, what follows it, and who does it.
const fn row(
    form: &'static str,
    name: &'static str,
    about: &'static str,
    takes: Takes,
    run: fn(&mut Session, &str) -> Result<Outcome, Diagnostic>,
) -> Command {
    Command { name, also: &[], form, about, takes, run }
}

/// All commands.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[Command] = &[
    row(":help [NAME]", ":help", "help on a function or module, or this page", Takes::Name, help::help),
    row(":search WORDS", ":search", "names whose help has all these words", Takes::Nothing, help::search),
    row(":source NAME", ":source", "the script text of a function", Takes::Name, help::source),
    row(":tour [STEP]", ":tour", "the next of ten short steps, or that one", Takes::Nothing, tour::tour),
    row(":vars", ":vars", "variables, their types and values", Takes::Nothing, values::variables),
    row(":type EXPRESSION", ":type", "evaluate and tell the type", Takes::Code, values::kind),
    row(":time EXPRESSION", ":time", "evaluate and tell how long it took", Takes::Code, values::time),
    Command {
        also: &[":load"],
        ..row(":run FILE", ":run", "run a script; what it defines stays", Takes::File, files::run)
    },
    row(":reload", ":reload", "read imported modules again whose file has changed", Takes::Nothing, files::reload),
    row(":save FILE", ":save", "write the inputs that succeeded as a script", Takes::File, files::save),
    row(":set [NAME VALUE]", ":set", "change a setting of the session, or list them", Takes::Setting, settings::set),
    row(":reset", ":reset", "forget all variables and functions", Takes::Nothing, files::reset),
    Command {
        also: &[":q", ":exit"],
        ..row(":quit", ":quit", "leave, as Ctrl-D does", Takes::Nothing, files::quit)
    },
];

pub(super) use settings::SETTINGS;

/// The command that a word names.
pub(crate) fn named(word: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == word || command.also.contains(&word))
}

/// Forms of all commands and what they do.
pub(crate) fn rows() -> Vec<(&'static str, &'static str)> {
    COMMANDS.iter().map(|command| (command.form, command.about)).collect()
}

/// Carries out a line that begins with a colon.
pub(crate) fn run(session: &mut Session, line: &str) -> Outcome {
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let result = match named(name) {
        Some(command) => (command.run)(session, argument.trim()),
        None => {
            let mut diagnostic = Diagnostic::plain(format!("there is no command `{name}`"));
            let near = nearest(name, COMMANDS.iter().map(|command| command.name));
            diagnostic.hints.push(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`:help` lists the commands".into(),
            });
            Err(diagnostic)
        }
    };
    result.unwrap_or_else(|diagnostic| Outcome::Failed(terminal::report(&diagnostic)))
}

/// Refuses an empty argument.
fn required<'a>(argument: &'a str, command: &str) -> Result<&'a str, Diagnostic> {
    if argument.is_empty() {
        let form = named(command).map_or(command, |command| command.form);
        return Err(Diagnostic::plain(format!("something is missing: {form}")));
    }
    Ok(argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_one_name_and_documented() {
        for command in COMMANDS {
            assert!(command.form.starts_with(command.name) && !command.about.is_empty(), "{}", command.name);
            for word in command.also.iter().chain([&command.name]) {
                assert!(std::ptr::eq(named(word).unwrap(), command), "{word} is another command too");
            }
        }
    }
}
