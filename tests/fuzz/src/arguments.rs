//! Expressions of the language: odd values, and values of the kinds that functions ask for.

use tumble::lang::catalog::OptionEntry;

use super::choices::Choices;
use super::library::{Call, library};

/// Values at the edge of what there is, as scripts write them.
pub const ODD: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "7",
    "1e-3",
    "1e300",
    "-1e300",
    "5e-324",
    "1e39",
    "1e-46",
    "0.0/0.0",
    "1.0/0.0",
    "-1.0/0.0",
    "9223372036854775807",
    "(-9223372036854775807 - 1)",
    "9007199254740993",
    "4294967296",
    "65536",
    "1000",
    "true",
    "false",
    "()",
    "\"\"",
    "\"x\"",
    "\"\\x1b[31mred\\x07\"",
    "\"\\x1b]0;title\\x07\\r\\n\\t\\x00\"",
    "\"\\u202eabc\\u009b31m\"",
    "\"é∂ß\u{301}𝒳\"",
    "\"a\".pad(300, \"b\")",
    "'c'",
    "[]",
    "[[]]",
    "[1, 2, 3]",
    "[[1, 2], [3, 4]]",
    "[[1, 2], [3]]",
    "[0.5, \"x\", ()]",
    "[1e300, -1e300, 0.0/0.0]",
    "[[[[1]]]]",
    "#{}",
    "#{ x: 1 }",
    "#{ x: [[0.5]], eta: [[0.1]] }",
    "#{ a: #{ b: [#{}] }, \"\\x1b\": 1 }",
    "blob(3, 7)",
    "0..3",
    "3..=0",
    "(0..9223372036854775807)",
    "zeros([0])",
    "zeros([2, 0, 3])",
    "zeros([1, 1, 1, 1, 1])",
    "ones([3])",
    "tensor(2.5)",
    "tensor([1, 2, 3]) / 0",
    "|x| x",
    "|| 1",
    "|a, b, c| a + b",
    "folder",
];

/// Ways to a value of a kind, as the catalog calls it; `$Kind` stands for another value.
const MADE: &[(&str, &[&str])] = &[
    ("number", &["1", "2", "0.5", "0", "3", "-1", "$?"]),
    ("bool", &["true", "false", "($number) < ($number)"]),
    ("char", &["'c'", "'\\x1b'", "'é'"]),
    ("string", &["\"x\"", "\"eta\"", "folder + \"out.csv\"", "\"diamond\"", "`a${$number}`", "$?"]),
    ("array", &["[1, 2, 3]", "[0.5, 0.1]", "[[0.0, 0.0], [1.0, 1.0]]", "[$number, $number]", "[$Tensor]", "[$?]"]),
    ("map", &["#{}", "#{ x: $number }", "#{ x: $Tensor, eta: $Tensor }", "$?"]),
    ("blob", &["blob(4, 1)", "blob($number)"]),
    (
        "closure",
        &[
            "|x| x",
            "|a, b| a * b",
            "|s, t, p| #{ x: -s.x }",
            "|s, t, p| #{ x: s.eta - s.x, eta: -s.eta / 0.5 }",
            "|z, t, c| layer::answer(layer::dense(layer::flatten(z), 4))",
            "|tau| process::active(#{ tau: tau })",
            "|x| $number",
            "|| $?",
        ],
    ),
    (
        "Tensor",
        &[
            "tensor([[0.1, 0.2], [0.3, 0.4]])",
            "random_normal([8, 2], 1)",
            "random_normal([2, 4, 4], 1)",
            "tensor([1, 2, 3])",
            "ones([3, 3])",
            "tensor($array)",
            "$Tensor * ($number)",
            "$Tensor + $Tensor",
            "($State).x",
        ],
    ),
    (
        "Process",
        &[
            "process::active()",
            "process::passive()",
            "process::cld()",
            "process::vp()",
            "process::double_well()",
            "process::circle()",
            "process::run_and_tumble()",
            "process::active(#{ tau: $number })",
            "sde(#{ state: [\"x\"], drift: |s, t, p| #{ x: -s.x * ($number) }, noise: |s, t, p| #{ x: 1 }, horizon: 1 })",
            "sde(#{ state: [\"x\", \"v\"], params: #{ k: $number }, drift: |s, t, p| #{ x: s.v, v: -p.k * s.x - s.v }, \
             noise: |s, t, p| #{ v: sqrt(2) }, start: |p| #{ v: normal(0, 1) }, horizon: 2 })",
            "($Score).process",
        ],
    ),
    (
        "Dataset",
        &[
            "dataset::diamond()",
            "dataset::mixture(#{ means: [[-1], [1]], std: 0.3 })",
            "dataset::mixture(#{ means: [[0, 0], [1, $number]], std: 0.1 })",
            "dataset::moons()",
            "dataset::from_array($Tensor)",
            "dataset::from_array(random_normal([6, 4, 4], 1))",
            "dataset::from_array([[0, 0], [1, 1]], #{ labels: [\"a\", \"b\"] })",
            "($Dataset).normalise(\"whole\")",
        ],
    ),
    (
        "Score",
        &[
            "score::exact(process::active(), dataset::diamond())",
            "score::exact($Process, $Dataset)",
            "score::mlp(process::passive(), dataset::diamond(), #{ hidden: [4], seed: 1 })",
            "score::mlp($Process, $Dataset, #{ hidden: [3], seed: 1 })",
            "($Score).given($string)",
        ],
    ),
    (
        "State",
        &[
            "perturb(process::active(), [[0.0, 0.0], [1.0, 0.5]], 0.5, 7)",
            "sample($Score, #{ count: 3, steps: 2 })",
            "simulate($Process, $array, #{ steps: 3 })",
            "perturb($Process, $Tensor, $number, 7)",
        ],
    ),
    (
        "Classifier",
        &["train_classifier(process::passive(), dataset::from_array([[0, 0], [1, 1]], #{ labels: [\"a\", \"b\"] }), \
             #{ steps: 2, hidden: [3], batch: 2 })"],
    ),
    (
        "Picture",
        &["plot::scatter($Tensor)", "plot::lines([#{ x: [1, 2], y: [3, $number] }])", "plot::histogram($array)"],
    ),
    ("options", &["#{}"]),
    ("data", &["$Dataset", "$Tensor"]),
    ("process", &["$Process"]),
    ("score", &["$Score"]),
    ("x", &["$Tensor", "$number", "$State"]),
    ("x0", &["[[0.0, 0.0]]", "[0.5]", "$Tensor"]),
    ("t", &["0.5", "0", "$number"]),
    ("a", &["$Tensor", "$array", "$number"]),
    ("b", &["$Tensor", "$array", "$number"]),
    ("axis", &["0", "1", "-1", "$number"]),
    ("shape", &["[2]", "[2, 3]", "[$number, $number]", "$number"]),
    ("count", &["3", "0", "17", "$number"]),
    ("seed", &["1", "$number"]),
    ("Expression", &["$number"]),
    ("samples", &["$Tensor", "$State"]),
    ("trajectory", &["$Tensor", "$State"]),
    ("paths", &["$Tensor", "$State"]),
    ("processes", &["[$Process]"]),
    ("times", &["[0.5, 0.2]", "[$number]"]),
];

/// How deep values are nested.
const DEEPEST: usize = 4;

/// An expression that most likely gives what a parameter of this name and kind takes.
pub fn argument(choices: &mut Choices, name: &str, kind: &str, depth: usize) -> String {
    if choices.once_in(8) {
        return odd(choices);
    }
    let wanted = if kind.is_empty() { name } else { kind };
    if depth > DEEPEST {
        let made = MADE.iter().find(|(known, _)| *known == wanted);
        let simple = made.and_then(|(_, ways)| ways.iter().find(|way| !way.contains('$')));
        return simple.map_or_else(|| odd(choices), |way| (*way).to_owned());
    }
    match MADE.iter().find(|(known, _)| *known == wanted) {
        Some((_, ways)) => filled(choices, ways, depth),
        None => any(choices, depth),
    }
}

fn filled(choices: &mut Choices, ways: &[&str], depth: usize) -> String {
    let mut parts = choices.word(ways).split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '?').unwrap_or(part.len());
        match &part[..end] {
            // Of a template string.
            "" => text.push('$'),
            "?" => text.push_str(&any(choices, depth + 1)),
            kind => text.push_str(&argument(choices, "", kind, depth + 1)),
        }
        text.push_str(&part[end..]);
    }
    text
}

fn odd(choices: &mut Choices) -> String {
    let value = choices.word(ODD);
    if value.starts_with(['"', '[', '#', '\'', '(']) { value.to_owned() } else { format!("({value})") }
}

/// Any expression.
pub fn any(choices: &mut Choices, depth: usize) -> String {
    if depth > DEEPEST {
        return odd(choices);
    }
    match choices.below(8) {
        0 | 1 => odd(choices),
        2 => choices.word(&["v0", "v1", "v2"]).to_owned(),
        3 => {
            let (a, b) = (any(choices, depth + 1), any(choices, depth + 1));
            let sign = choices.word(&["+", "-", "*", "/", "%", "**", "==", "!=", "<", ">=", "in", "??", "&", "|"]);
            format!("({a} {sign} {b})")
        }
        4 => format!("({})[{}]", any(choices, depth + 1), any(choices, depth + 1)),
        5 => {
            let (_, ways) = choices.one(MADE);
            filled(choices, ways, depth)
        }
        _ => {
            let chosen = choices.one(&library().calls);
            call(choices, chosen, depth)
        }
    }
}

/// A call of a function of the library, as a method or not; or a property.
pub fn call(choices: &mut Choices, call: &Call, depth: usize) -> String {
    if let Some((owner, property)) = call.name.split_once('.') {
        return format!("({}).{property}", argument(choices, "", owner, depth + 1));
    }
    let form = choices.one(&call.forms);
    let mut values: Vec<String> = form
        .iter()
        .map(|(name, kind)| match !call.entry.options().is_empty() && (name == "options") {
            true => option_map(choices, call.entry.options(), depth + 1),
            false => argument(choices, name, kind, depth + 1),
        })
        .collect();
    if choices.once_in(12) {
        values.pop();
    }
    if !call.name.contains("::") && !values.is_empty() && choices.once_in(2) {
        let receiver = values.remove(0);
        return format!("({receiver}).{}({})", call.name, values.join(", "));
    }
    format!("{}({})", call.name, values.join(", "))
}

/// Options by whose number the time goes.
const HEAVY: &[&str] = &[
    "count",
    "steps",
    "batch",
    "sweeps",
    "seeds",
    "probes",
    "simulations",
    "width",
    "channels",
    "blocks",
    "embedding",
    "directions",
    "projections",
    "size",
    "frames",
    "copies",
    "paths",
    "length",
    "sets",
    "every",
    "points",
    "grid_size",
];

/// A map of some of these options.
pub fn option_map(choices: &mut Choices, options: &[OptionEntry], depth: usize) -> String {
    let mut entries = Vec::new();
    let mut given = Vec::new();
    for option in options {
        let is_heavy = HEAVY.contains(&option.name.as_str()) && option.words.is_empty();
        if given.contains(&&option.name) || !(is_heavy || option.required.is_some() || choices.once_in(5)) {
            continue;
        }
        given.push(&option.name);
        let name = match choices.once_in(40) {
            true => near(choices, &option.name),
            false => option.name.clone(),
        };
        entries.push(format!("{name}: {}", option_value(choices, option, is_heavy, depth)));
    }
    format!("#{{ {} }}", entries.join(", "))
}

fn option_value(choices: &mut Choices, option: &OptionEntry, is_heavy: bool, depth: usize) -> String {
    let way = choices.below(8);
    match &option.default {
        _ if way == 7 => odd(choices),
        _ if way == 6 => any(choices, depth + 1),
        _ if is_heavy => choices.word(&["2", "4", "1", "3", "8", "5", "16"]).to_owned(),
        _ if !option.words.is_empty() => format!("{:?}", choices.one(&option.words).0),
        Some(default) if way < 3 && !default.contains(' ') => default.clone(),
        _ => {
            let kind = choices.word(&["number", "array", "closure", "string", "Tensor"]);
            argument(choices, &option.name, kind, depth + 1)
        }
    }
}

/// A name with a letter more, less, or another.
fn near(choices: &mut Choices, name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let place = choices.below(letters.len());
    match choices.below(3) {
        0 => letters.insert(place, 'x'),
        1 if letters.len() > 1 => drop(letters.remove(place)),
        _ => letters[place] = 'q',
    }
    letters.into_iter().collect()
}
