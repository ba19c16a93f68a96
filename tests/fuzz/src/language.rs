//! Scripts by a grammar: statements, control flow, and calls of everything in the catalog.

use super::arguments::any;
use super::choices::Choices;
use super::tokens::changed_script;
use super::trial::Trial;

/// What the names stand for that generated scripts use.
pub const VARIABLES: &str = "let v0 = 1; let v1 = [0.5, 2]; let v2 = #{ x: 1 };\n";

/// The target.
pub fn run(bytes: &[u8]) {
    Trial::default().run(&script(&mut Choices::new(bytes)));
}

/// The script that some bytes stand for.
pub fn script(choices: &mut Choices) -> String {
    if choices.once_in(3) {
        return changed_script(choices, 4);
    }
    let mut text = VARIABLES.to_owned();
    for _ in 0..6 {
        if choices.is_over() {
            break;
        }
        // What fails ends no more than itself.
        text.push_str(&match statement(choices, 0) {
            function if function.starts_with("fn ") => function + "\n",
            other => format!("try {{ {other} }} catch {{ }}\n"),
        });
    }
    text
}

fn block(choices: &mut Choices, depth: usize) -> String {
    let count = if depth > 2 { 1 } else { 1 + choices.below(2) };
    (0..count).map(|_| statement(choices, depth + 1)).collect()
}

fn statement(choices: &mut Choices, depth: usize) -> String {
    let variable = choices.word(&["v0", "v1", "v2"]);
    let value = any(choices, depth);
    match choices.below(if depth > 2 { 4 } else { 14 }) {
        0 => format!("{value};"),
        1 => format!("{}{variable} = {value};", choices.word(&["", "", "let "])),
        2 => format!("{variable} {} {value};", choices.word(&["=", "+=", "-=", "*=", "/=", "**=", "%="])),
        3 => format!("print({value});"),
        4 => format!("for i in {value} {{ {} }}", block(choices, depth)),
        5 => format!("if {value} == v0 {{ {} }} else {{ {} }}", block(choices, depth), block(choices, depth)),
        6 => format!("try {{ {} }} catch (e) {{ print(e); v0 = e.message; }}", block(choices, depth)),
        7 => format!("while v0 != {value} {{ {} break; }}", block(choices, depth)),
        8 => format!("{variable}[{}] = {value};", any(choices, depth + 1)),
        9 => format!("{variable}.x = {value};"),
        10 => format!("{variable} = |a, b| {{ {} a }};", block(choices, depth)),
        11 if depth == 0 => format!("fn f{}(a) {{ {} a }} f0({value});", choices.below(3), block(choices, 1)),
        12 => format!("{variable} = switch {value} {{ 0 => 1, 1..5 => {}, _ => 2 }};", any(choices, depth + 1)),
        _ => format!("{variable}.call({value});"),
    }
}
