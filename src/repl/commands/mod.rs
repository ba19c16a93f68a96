//! The commands of the prompt: one table, read by dispatch, `:help`, completion and `tumble repl --help`.

mod files;
mod settings;
mod texts;
mod values;

use tumble::Diagnostic;
use tumble::error::nearest;

use super::session::{Outcome, Session};
use super::tour;

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
    row(":help [NAME]", ":help", "help on a function, module, type or variable, or this page", Takes::Name, help),
    row(":search WORDS", ":search", "names whose help has all these words", Takes::Nothing, texts::search),
    row(":source NAME", ":source", "the script text of a function", Takes::Name, texts::source),
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
    row(":set [NAME [VALUE]]", ":set", "change a setting of the session, or show it, or all", Takes::Setting, settings::set),
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
        Some(command) => complete(command, argument.trim()).and_then(|()| (command.run)(session, argument.trim())),
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
    result.unwrap_or_else(|diagnostic| Outcome::Failed(session.setup.screen.report(&diagnostic)))
}

/// Refuses an empty argument of a command that needs one.
fn complete(command: &Command, argument: &str) -> Result<(), Diagnostic> {
    let is_alone = !command.form.contains(' ');
    let is_asked = !is_alone && !command.form.contains('[');
    match (is_alone && !argument.is_empty(), is_asked && argument.is_empty()) {
        (true, _) => Err(Diagnostic::plain(format!("`{}` takes nothing behind it, got `{argument}`", command.name))),
        (_, true) => Err(Diagnostic::plain(format!("something is missing: {}", command.form))),
        _ => Ok(()),
    }
}

const KEYS: &[(&str, &str)] = &[
    ("Tab", "complete names, options, properties, files"),
    ("Enter", "evaluate; in an unfinished input a new line, in an empty one evaluate anyway"),
    ("Up, Down", "earlier inputs; of those that begin with what is typed"),
    ("Ctrl-R", "search earlier inputs"),
    ("Ctrl-C", "clear the input; stop a computation, keeping what is defined"),
    ("Ctrl-D", "leave"),
];

fn help(session: &mut Session, name: &str) -> Result<Outcome, Diagnostic> {
    let page = session.page();
    if name.is_empty() {
        overview(session);
        return Ok(Outcome::Done);
    }
    let command = named(&format!(":{}", name.trim_start_matches(':')));
    let row = command.map(|command| page.table(&[(command.form, command.about)]));
    let entry = match variable(session, name) {
        Some(text) => Ok(text),
        None => page.named(session.runtime.catalog(), name),
    };
    // A command may bear the name of a function: `:save` and `save`.
    let text = match (row, entry) {
        (Some(row), Ok(entry)) if !name.starts_with(':') => format!("{row}\n{entry}"),
        (Some(row), _) => row,
        (None, entry) => entry?,
    };
    session.setup.screen.print_page(text.trim_end());
    Ok(Outcome::Done)
}

/// Help on the type of a variable that no function shares its name with.
fn variable(session: &Session, name: &str) -> Option<String> {
    let (_, value) = session.runtime.variables().into_iter().find(|(known, _)| known == name)?;
    let catalog = session.runtime.catalog();
    let kind = match session.runtime.type_name(&value).as_str() {
        "whole number" => "number".to_owned(),
        kind => kind.to_owned(),
    };
    session.page().of_type(catalog, &kind).filter(|_| catalog.names().all(|known| known != name))
}

fn overview(session: &Session) {
    let page = session.page();
    let catalog = session.runtime.catalog();
    let modules: Vec<_> = catalog.modules().collect();
    let is_function = |name: &&str| !name.contains("::") && !name.contains('.');
    let functions: Vec<_> = catalog.entries().map(|entry| entry.name.as_str()).filter(is_function).collect();
    let intro = "Inputs are statements of the Rhai language; the value of an expression is shown and kept in `ans`.";
    let section = |heading: &str, body: String| format!("{}{body}", page.doc(heading));
    let text = [
        page.doc(intro),
        section("# Commands", page.table(&rows())),
        section("# Keys", page.table(KEYS)),
        section("# Modules (:help NAME lists one)", page.doc(&modules.join(", "))),
        section("# Functions", page.doc(&functions.join(", "))),
    ];
    session.setup.screen.print_page(text.join("\n").trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_one_name_and_documented() {
        for command in COMMANDS {
            assert!(command.form.starts_with(command.name) && !command.about.is_empty(), "{}", command.name);
            for word in command.also.iter().chain([&command.name]) {
                assert_eq!(named(word).map(|found| found.name), Some(command.name), "{word} is another command too");
            }
        }
    }
}
