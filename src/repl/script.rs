//! A session as a script.

use std::collections::{HashMap, HashSet};

use tumble::lang::assist;
use tumble::task::Unfinished;

/// An input that succeeded, or that a user stopped in its training.
#[derive(Debug, Clone, Default)]
pub(crate) struct Input {
    pub(crate) text: String,
    /// Whether it gave the value that `ans` then held.
    pub(crate) gave_value: bool,
    /// Whether that was shown.
    pub(crate) is_shown: bool,
    /// The training that the user stopped.
    pub(crate) unfinished: Option<Unfinished>,
}

/// Inputs as a script that does the same again, and how many of their trainings it cannot end where the user did.
///
/// A script may define a function once: of several, the last one stands. What was shown is printed. Trainings with a
/// folder go on in it, where they are refused otherwise; those that were stopped end where they were.
pub(crate) fn script(inputs: &[Input]) -> (String, usize) {
    let uses_answer = inputs.iter().any(|input| mentions_answer(&input.text));
    let mut newer: HashSet<(String, usize)> = HashSet::new();
    let mut parts: Vec<String> = Vec::new();
    let (texts, lost) = as_stopped(inputs);
    for (input, Written { remark, text: whole }) in inputs.iter().zip(texts).rev() {
        let mut text = whole.trim_end().to_owned();
        let mut functions = String::new();
        for function in assist::definitions(&whole).into_iter().rev() {
            if newer.insert((function.name.clone(), function.parameters.len())) {
                functions = format!("{}\n{functions}", &whole[function.range.clone()]);
            }
            text.replace_range(function.range, "");
        }
        let answer = uses_answer && input.gave_value;
        // Of a name alone nothing is to be done again.
        if answer || input.is_shown || !functions.is_empty() || !is_path(&text) {
            parts.push(functions + remark + statements(text.trim(), answer, input.is_shown).as_str());
        }
    }
    parts.reverse();
    (parts.concat(), lost)
}

/// What stands for an input.
struct Written {
    remark: &'static str,
    text: String,
}

const STOPPED: &str = "// Was stopped by hand: the same steps of the same schedule, kept in no folder.\n";
const REFUSED: &str = "throw \"in the session the training that follows was stopped by hand; here it would go to its \
                       end, and files would be written anew: remove this line to let it\";\n";

/// The texts of inputs, their trainings ended where they were stopped, and how many cannot be.
fn as_stopped(inputs: &[Input]) -> (Vec<Written>, usize) {
    let mut stopped: HashMap<&str, Unfinished> = HashMap::new();
    let mut lost = 0;
    let texts = inputs.iter().map(|Input { text, unfinished, .. }| {
        let folder = assist::folder_of_training(text);
        let earlier = folder.and_then(|folder| stopped.get(folder).copied());
        stopped.extend(folder.zip(*unfinished));
        // What goes on from a stop to its end.
        let whole = || earlier.map(|earlier| Unfinished { done: earlier.total, ..earlier });
        let Some(unfinished) = unfinished.or_else(whole) else {
            return Written { remark: "", text: assist::resuming(text) };
        };
        // No training has no steps.
        let is_any = unfinished.done > earlier.map_or(0, |earlier| earlier.done);
        match assist::stopped(text, unfinished, earlier.is_some()).filter(|_| is_any) {
            Some(text) => Written { remark: STOPPED, text },
            None => {
                lost += 1;
                Written { remark: REFUSED, text: assist::resuming(text) }
            }
        }
    });
    (texts.collect(), lost)
}

/// What ends a script, and at a prompt no more than the input.
const RETURN: &str = "return ";

/// Statements that something may follow; with `let ans = ` before the last one if its value is used, and printed if it
/// was shown.
fn statements(text: &str, is_answer: bool, is_shown: bool) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut text = text.to_owned();
    let last = assist::last_statement(&text);
    if text[last..].starts_with(RETURN) {
        text.replace_range(last..last + RETURN.len(), "");
    }
    // Blocks and branches are no arguments.
    let is_block = |text: &str| ["if", "switch", "loop", "{"].iter().any(|word| text.starts_with(word));
    match (is_answer || (is_shown && is_block(&text[last..])), is_shown) {
        (true, _) => text.insert_str(last, "let ans = "),
        (false, true) => {
            text.insert(assist::end_of_code(&text), ')');
            text.insert_str(last, "print(");
        }
        (false, false) => {}
    }
    if !text.ends_with(';') {
        // Behind a comment a semicolon would be part of it.
        let last = text.lines().next_back().unwrap_or_default();
        text.push_str(if last.contains("//") { "\n;" } else { ";" });
    }
    text.push('\n');
    if is_shown && text[last..].starts_with("let ans = ") {
        text.push_str("print(ans);\n");
    }
    text
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
    use std::cell::RefCell;
    use std::rc::Rc;

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
        let (script, _) = script(&session.inputs);
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
        let (script, _) = script(&session.inputs);
        assert!(!script.contains("Old"), "{script}");
        assert_eq!(Runtime::new().eval::<i64>(&format!("{script} ans")).unwrap(), 40, "{script}");
    }

    /// Seen to lose a training before a misspelt name, and to write an untrained model in the place of a trained one.
    #[test]
    fn what_was_done_before_an_input_failed_is_kept() {
        let mut session = Session::new(Runtime::new(), Setup::for_tests());
        for input in ["let l = [1]; l.push(2); nosuch(l)", "let l = [5] l", "l.push(3); l[7]; l.push(9)", "nosuch(l)"] {
            session.evaluate(input);
        }
        let (script, _) = script(&session.inputs);
        assert_eq!(script, "let l = [1]; l.push(2);\nl.push(3);\n");
        assert_eq!(session.runtime.eval::<Vec<i64>>("l").unwrap(), [1, 2, 3]);
    }

    /// Seen to print nothing at all.
    #[test]
    fn a_saved_session_prints_what_was_shown() {
        let printed = Rc::new(RefCell::new(Vec::new()));
        let kept = printed.clone();
        let mut session = Session::new(Runtime::new(), Setup::for_tests());
        for input in
            ["let x = [1, 2]", "x // all", "x;", "x.len + 1", "if x.len > 1 { 5 } else { 6 }", "x;", "return 7"]
        {
            session.evaluate(input);
        }
        let (script, _) = script(&session.inputs);
        let print = move |text: &str| kept.borrow_mut().push(text.to_owned());
        let mut runtime = Runtime::builder().print(print).build().unwrap();
        drop(runtime.run(&script).expect(&script));
        assert_eq!(*printed.borrow(), ["[1, 2]", "3", "5", "7"], "{script}");
    }

    /// A training that was stopped twice and went on to its end: all parts are of one schedule.
    #[test]
    fn trainings_of_a_saved_session_end_where_they_were_stopped() {
        let input = |text: &str, done: Option<u64>| Input {
            text: text.to_owned(),
            unfinished: done.map(|done| Unfinished { done, total: 900, before: 0 }),
            ..Input::default()
        };
        let inputs = [
            input("let m = 1", None),
            input("train(m, d, #{ checkpoint: \"a\" })", Some(300)),
            input("m", None),
            input("train(m, d, #{ checkpoint: \"a\", resume: true })", Some(500)),
            input("train(m, d, #{ checkpoint: \"a\", resume: true })", None),
            input("train(m, d, #{ checkpoint: \"b\" })", None),
            input("for i in 0..2 { train(m, d) }", Some(300)),
            input("train(m, d)", Some(0)),
        ];
        let expected = [
            "let m = 1;\n",
            STOPPED,
            "train(m, d, #{ steps: 300, total: 900 });\n",
            STOPPED,
            "train(m, d, #{ steps: 500 - m.steps, total: 900 });\n",
            STOPPED,
            "train(m, d, #{ steps: 900 - m.steps, total: 900 });\n",
            "train(m, d, #{ checkpoint: \"b\", resume: true });\n",
            REFUSED,
            "for i in 0..2 { train(m, d) };\n",
            REFUSED,
            "train(m, d);\n",
        ];
        assert_eq!(script(&inputs), (expected.concat(), 2));
    }
}
