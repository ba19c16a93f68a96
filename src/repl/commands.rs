//! The commands of the prompt: one table, read by dispatch, `:help` and completion.

use std::path::Path;
use std::time::Instant;

use tumble::Diagnostic;
use tumble::error::nearest;

use super::session::{Outcome, Session};
use crate::cli::terminal;

/// What may follow a command; completion goes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    /// A documented name.
    Name,
    File,
    Code,
}

/// One command of the prompt.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// What follows it, as help shows it.
    form: &'static str,
    about: &'static str,
    pub(crate) takes: Takes,
    run: fn(&mut Session, &str) -> Result<Outcome, Diagnostic>,
}

/// All commands.
pub(crate) const COMMANDS: &[Command] = &[
    Command {
        name: ":help",
        form: ":help [NAME]",
        about: "help on a function or module, or this page",
        takes: Takes::Name,
        run: help,
    },
    Command {
        name: ":vars",
        form: ":vars",
        about: "variables, their types and values",
        takes: Takes::Nothing,
        run: variables,
    },
    Command {
        name: ":time",
        form: ":time EXPRESSION",
        about: "evaluate and tell how long it took",
        takes: Takes::Code,
        run: time,
    },
    Command {
        name: ":load",
        form: ":load FILE",
        about: "run a script; what it defines stays",
        takes: Takes::File,
        run: load,
    },
    Command {
        name: ":save",
        form: ":save FILE",
        about: "write the inputs that succeeded as a script",
        takes: Takes::File,
        run: save,
    },
    Command {
        name: ":reset",
        form: ":reset",
        about: "forget all variables and functions",
        takes: Takes::Nothing,
        run: reset,
    },
    Command { name: ":quit", form: ":quit", about: "leave, as Ctrl-D does", takes: Takes::Nothing, run: quit },
];

const KEYS: &[(&str, &str)] = &[
    ("Tab", "complete names, options, properties, files"),
    ("Enter", "evaluate; in an unfinished input a new line, in an empty one evaluate anyway"),
    ("Up, Down, Ctrl-R", "earlier inputs, search them"),
    ("Ctrl-C", "clear the input; stop a computation, keeping what is defined"),
    ("Ctrl-D", "leave"),
];

/// Carries out a line that begins with a colon.
pub(crate) fn run(session: &mut Session, line: &str) -> Outcome {
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let result = match COMMANDS.iter().find(|command| command.name == name) {
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
fn required<'a>(argument: &'a str, form: &str) -> Result<&'a str, Diagnostic> {
    if argument.is_empty() {
        return Err(Diagnostic::plain(format!("something is missing: {form}")));
    }
    Ok(argument)
}

fn help(session: &mut Session, name: &str) -> Result<Outcome, Diagnostic> {
    let page = session.page();
    let catalog = session.runtime.catalog();
    if name.is_empty() {
        let commands: Vec<_> = COMMANDS.iter().map(|command| (command.form, command.about)).collect();
        let modules: Vec<_> = catalog.modules().collect();
        let functions: Vec<_> = catalog.entries().map(|entry| entry.name.as_str()).filter(is_function).collect();
        let intro =
            "Inputs are statements of the Rhai language; the value of an expression is shown and kept in `ans`.";
        let section = |heading: &str, body: String| format!("{}{body}", page.doc(heading));
        let text = [
            page.doc(intro),
            section("# Commands", page.table(&commands)),
            section("# Keys", page.table(KEYS)),
            section("# Modules (:help NAME lists one)", page.doc(&modules.join(", "))),
            section("# Functions", page.doc(&functions.join(", "))),
        ];
        terminal::print_page(text.join("\n").trim_end());
        return Ok(Outcome::Done);
    }
    if let Some(command) =
        COMMANDS.iter().find(|command| command.name.trim_start_matches(':') == name.trim_start_matches(':'))
    {
        terminal::print_page(page.table(&[(command.form, command.about)]).trim_end());
        return Ok(Outcome::Done);
    }
    terminal::print_page(page.named(catalog, name)?.trim_end());
    Ok(Outcome::Done)
}

fn is_function(name: &&str) -> bool {
    !name.contains("::") && !name.contains('.')
}

fn variables(session: &mut Session, _: &str) -> Result<Outcome, Diagnostic> {
    let page = session.page();
    let all = session.runtime.variables();
    if all.is_empty() {
        terminal::print("no variables yet");
        return Ok(Outcome::Done);
    }
    let longest = all.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in all {
        let kind = session.runtime.type_name(&value);
        let start = format!("{name:longest$}  {kind:8}  ");
        let room = page.width.saturating_sub(start.chars().count() + 1).max(10);
        terminal::print(&format!("{start}{}", one_line(&session.runtime.display(&value), room)));
    }
    Ok(Outcome::Done)
}

/// The beginning of a text on one line.
fn one_line(text: &str, room: usize) -> String {
    // Only the beginning counts, and a long array has a long text.
    let line = text.chars().take(4 * room).collect::<String>();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= room && text.chars().count() <= 4 * room {
        return line;
    }
    line.chars().take(room.saturating_sub(4)).chain(" ...".chars()).collect()
}

fn time(session: &mut Session, code: &str) -> Result<Outcome, Diagnostic> {
    let code = required(code, ":time EXPRESSION")?;
    let start = Instant::now();
    let outcome = session.evaluate(code);
    terminal::print(&format!("{:.6} s", start.elapsed().as_secs_f64()));
    Ok(outcome)
}

fn load(session: &mut Session, file: &str) -> Result<Outcome, Diagnostic> {
    let path = Path::new(unquoted(required(file, ":load FILE")?));
    let text = session.runtime.host().read_text(path)?;
    let name = path.display().to_string();
    let result = session.setup.interrupt.during(|| session.runtime.run_named(&name, &text));
    Ok(session.conclude(&format!("// {name}\n{text}"), result))
}

fn save(session: &mut Session, file: &str) -> Result<Outcome, Diagnostic> {
    let path = Path::new(unquoted(required(file, ":save FILE")?));
    let script = session.script();
    session.runtime.host().write_script(path, &script)?;
    terminal::print(&format!("{} inputs written to {}", session.inputs.len(), path.display()));
    Ok(Outcome::Done)
}

/// File names may be written as in the language, in quotes.
fn unquoted(file: &str) -> &str {
    file.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(file)
}

fn reset(session: &mut Session, _: &str) -> Result<Outcome, Diagnostic> {
    session.runtime = session.setup.runtime()?;
    session.inputs.clear();
    Ok(Outcome::Done)
}

fn quit(_: &mut Session, _: &str) -> Result<Outcome, Diagnostic> {
    Ok(Outcome::Leave(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_to_one_line() {
        assert_eq!(one_line("a\n  b", 20), "a b");
        assert_eq!(one_line(&"abc ".repeat(100), 12), "abc abc  ...");
    }
}
