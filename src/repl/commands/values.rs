//! `:vars`, `:type` and `:time`.

use std::time::Instant;

use tumble::Diagnostic;

use crate::repl::session::{Outcome, Session};

pub(super) fn variables(session: &mut Session, _: &str) -> Result<Outcome, Diagnostic> {
    let page = session.page();
    let all = session.runtime.variables();
    if all.is_empty() {
        session.setup.screen.print("no variables yet");
        return Ok(Outcome::Done);
    }
    let longest = all.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in all {
        let kind = session.runtime.type_name(&value);
        let start = format!("{name:longest$}  {kind:8}  ");
        let room = page.width.saturating_sub(start.chars().count() + 1).max(10);
        session.setup.screen.print(&format!("{start}{}", one_line(&session.runtime.display(&value), room)));
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

pub(super) fn kind(session: &mut Session, code: &str) -> Result<Outcome, Diagnostic> {
    Ok(session.evaluate_with(code, |session, value| {
        session.setup.screen.print(&session.runtime.type_name(value));
    }))
}

pub(super) fn time(session: &mut Session, code: &str) -> Result<Outcome, Diagnostic> {
    let start = Instant::now();
    let outcome = session.evaluate(code);
    session.setup.screen.print(&format!("{:.6} s", start.elapsed().as_secs_f64()));
    Ok(outcome)
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
