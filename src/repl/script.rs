//! A session as a script.

use std::collections::HashSet;

use tumble::lang::assist;

/// An input that succeeded.
pub(crate) struct Input {
    pub(crate) text: String,
    /// Whether it gave the value that `ans` then held.
    pub(crate) gave_value: bool,
    /// Whether the user stopped what it computed.
    pub(crate) was_stopped: bool,
}

/// Inputs that succeeded as a script that gives the same again. A script may define a function once: of several, the
/// last one stands. Where values were only looked at nothing is to be done again. Trainings with a folder go on in it,
/// where they are refused otherwise.
pub(crate) fn script(inputs: &[Input]) -> String {
    let uses_answer = inputs.iter().any(|input| mentions_answer(&input.text));
    let mut newer: HashSet<(String, usize)> = HashSet::new();
    let mut parts: Vec<String> = Vec::new();
    for input in inputs.iter().rev().filter(|input| uses_answer || !is_path(&input.text)) {
        let mut text = input.text.trim_end().to_owned();
        let mut functions = String::new();
        for function in assist::definitions(&input.text).into_iter().rev() {
            if newer.insert((function.name.clone(), function.parameters.len())) {
                functions = format!("{}\n{functions}", &input.text[function.range.clone()]);
            }
            text.replace_range(function.range, "");
        }
        let stopped = if input.was_stopped { "// Was stopped by hand; a script does all of it.\n" } else { "" };
        let statements = statements(&assist::resuming(text.trim()), uses_answer && input.gave_value);
        parts.push(functions + stopped + statements.as_str());
    }
    parts.reverse();
    parts.concat()
}

/// Statements that something may follow; with `let ans = ` before the last one, if its value is used.
fn statements(text: &str, is_answer: bool) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut text = text.to_owned();
    if is_answer {
        text.insert_str(assist::last_statement(&text), "let ans = ");
    }
    if !text.ends_with(';') {
        // Behind a comment a semicolon would be part of it.
        let last = text.lines().next_back().unwrap_or_default();
        text.push_str(if last.contains("//") { "\n;" } else { ";" });
    }
    text + "\n"
}

fn mentions_answer(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "ans")
}

/// Whether a text only names a value, as `p` and `r.loss` do.
fn is_path(text: &str) -> bool {
    text.trim().chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
}

#[cfg(test)]
mod tests {
    use tumble::Runtime;

    use super::*;
    use crate::cli::Setup;
    use crate::repl::session::{Outcome, Session};

    #[test]
    fn a_saved_session_runs_again() {
        let mut session = Session::new(Runtime::new(), Setup::for_tests());
        for input in ["let x = 2 // two", "x * 3", "let y = ans + 1;", "fn f(a) { a }", "y.z", "if y > 6 { f(y) }"] {
            session.evaluate(input);
        }
        let script = script(&session.inputs);
        assert!(!script.contains("y.z"), "{script}");
        assert_eq!(Runtime::new().eval::<i64>(&format!("{script} y")).unwrap(), 7);
    }

    /// Two functions of one name would not compile.
    #[test]
    fn a_saved_session_defines_a_function_once() {
        let mut session = Session::new(Runtime::new(), Setup::for_tests());
        let inputs = [
            "/// Old.\nfn f(a) { a } 1 + 1",
            "fn f(a) { 3 * a }",
            "fn f(a, b) { a }",
            "let x = 1; f(x) + 1",
            "ans * 10",
        ];
        for input in inputs {
            assert_eq!(session.evaluate(input), Outcome::Done, "{input}");
        }
        let script = script(&session.inputs);
        assert!(!script.contains("Old"), "{script}");
        assert_eq!(Runtime::new().eval::<i64>(&format!("{script} ans")).unwrap(), 40, "{script}");
    }

    /// A training that was stopped and went on: the script of it is done in its folder at once.
    #[test]
    fn a_saved_session_goes_on_in_the_folders_of_its_trainings() {
        let input = |text: &str, was_stopped| Input {
            text: text.to_owned(),
            gave_value: text.starts_with("train"),
            was_stopped,
        };
        let inputs = [
            input("let m = 1", false),
            input("train(m, d, #{ checkpoint: \"a\" })", true),
            input("m", false),
            input("m.weights", false),
            input("train(m, d, #{ checkpoint: \"a\", resume: true })", false),
        ];
        let expected = "let m = 1;\n// Was stopped by hand; a script does all of it.\ntrain(m, d, #{ checkpoint: \"a\", \
                        resume: true });\ntrain(m, d, #{ checkpoint: \"a\", resume: true });\n";
        assert_eq!(script(&inputs), expected);
    }
}
