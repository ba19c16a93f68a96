//! `:run`, `:reload`, `:save`, `:reset` and `:quit`.

use std::path::PathBuf;

use tumble::Diagnostic;

use crate::repl::script::script;
use crate::repl::session::{Outcome, Session};

pub(super) fn run(session: &mut Session, file: &str) -> Result<Outcome, Diagnostic> {
    let path = path(file);
    let text = session.runtime.host().read_text(&path)?;
    let name = path.display().to_string();
    let result = session.run_named(&name, &text);
    // What shells read from the first line would not stand first in a saved session.
    let code = if text.starts_with("#!") { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    Ok(session.conclude(&format!("// {name}\n{code}"), result))
}

pub(super) fn reload(session: &mut Session, _: &str) -> Result<Outcome, Diagnostic> {
    let changed = session.runtime.changed_imports();
    if changed.is_empty() {
        let what = if session.runtime.imports().is_empty() { "nothing is imported" } else { "no module has changed" };
        session.setup.screen.print(what);
    }
    for (name, file) in changed {
        let file = file.display().to_string();
        session.setup.screen.print(&format!("{name}: {file} read again"));
        // The new one takes the name; a saved session imports the file as it is then anyway.
        let import = format!("import {file:?} as {name};");
        let result = session.run_named("reload", &import);
        result.map(drop).map_err(|error| *error)?;
    }
    Ok(Outcome::Done)
}

pub(super) fn save(session: &mut Session, file: &str) -> Result<Outcome, Diagnostic> {
    let path = path(file);
    if session.inputs.is_empty() {
        return Err(Diagnostic::plain("there is nothing to save: no input has succeeded yet".to_owned()));
    }
    let host = session.runtime.host();
    let over = match (host.has_file(&path)?, session.saved.contains(&path)) {
        (true, true) => ", over what was saved there before",
        (true, false) => {
            let problem = format!("{} is there already, and not of this session", path.display());
            let mut diagnostic = Diagnostic::plain(problem);
            diagnostic.hints.push("take another name, or remove it first".into());
            return Err(diagnostic);
        }
        (false, _) => "",
    };
    let (text, lost) = script(&session.inputs);
    host.write_script(&path, &text)?;
    session.saved.insert(path.clone());
    let say = |text: &str| session.setup.screen.print(text);
    let count = session.inputs.len();
    let inputs = if count == 1 { "input" } else { "inputs" };
    say(&format!("{count} {inputs} written to {}{over}", path.display()));
    let stopped = session.inputs.iter().filter(|input| input.unfinished.is_some()).count();
    let trainings = |count| match count {
        1 => ("1 training was stopped by hand".to_owned(), "it"),
        _ => (format!("{count} trainings were stopped by hand"), "them"),
    };
    if stopped > lost {
        let (what, them) = trainings(stopped - lost);
        say(&format!("{what}: the script ends {them} after as many steps"));
    }
    if lost > 0 {
        let (what, them) = trainings(lost);
        say(&format!("{what} and cannot be ended so: the script stops before {them}, and says why"));
    }
    Ok(Outcome::Done)
}

/// File names may be written as in the language, in quotes, and begin with `~/`.
fn path(file: &str) -> PathBuf {
    let file = file.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(file);
    match (file.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(file),
    }
}

pub(super) fn reset(session: &mut Session, _: &str) -> Result<Outcome, Diagnostic> {
    session.runtime = session.setup.runtime()?;
    session.inputs.clear();
    Ok(Outcome::Done)
}

pub(super) fn quit(_: &mut Session, _: &str) -> Result<Outcome, Diagnostic> {
    Ok(Outcome::Leave(0))
}
