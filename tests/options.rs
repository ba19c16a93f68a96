//! What is documented of options is what functions read, and the other way round.
//!
//! For builtins the tables see to it: the reader panics where a declared option is not asked for. Functions of the
//! standard library list theirs in doc comments, which are compared here with what the functions do.

use std::path::Path;

use tumble::Runtime;
use tumble::lang::catalog::{Entry, OptionEntry};

/// Functions of the standard library that take options: the arguments before the map, and options that keep them short.
const CALLS: &[(&str, &str, &str)] = &[
    ("best_tau", "dataset::diamond(), ", "taus: [0.1, 1], seeds: 2, count: 50, steps: 3"),
    ("compare", "[process::active()], dataset::diamond(), ", "exact: true, seeds: 1, count: 50, steps: 5, hidden: [4]"),
    ("convergence", "process::passive(), ", "steps: [5, 10]"),
    (
        "measure::shuffle_ablation",
        "score::exact(process::active(), dataset::diamond()), dataset::diamond(), ",
        "t: 0.5, count: 50, sampling: #{ steps: 3 }",
    ),
    (
        "measure::speciation_by_cloning",
        "score::exact(process::active(), dataset::diamond()), dataset::diamond(), ",
        "times: [0.5, 0.3], count: 50",
    ),
    ("noise::coloured", "", "components: [[1, 0.1]]"),
    ("score::resnet", "process::passive(), dataset::diamond(), ", "simulated: true, width: 4, blocks: 1"),
    (
        "score::unet",
        "process::passive(), dataset::from_array(random_normal([4, 4, 4], 1)), ",
        "simulated: true, channels: 4, multipliers: [1], blocks: 1, attention: [], embedding: 4, groups: 2",
    ),
    ("verify", "process::passive(), ", "count: 100, steps: 5"),
];

/// Options that exist only beside another one: the function, the option, and what must be given with it.
const BESIDE: &[(&str, &str, &str)] = &[
    ("noise::coloured", "frequency1", "components: [[1, 0.1, 2]]"),
    ("noise::coloured", "blend1", "components: [[1, 0.1, 2]]"),
    ("noise::coloured", "weight1_1", CHAIN),
    ("noise::coloured", "coupling1_1", CHAIN),
    ("noise::coloured", "damping1", CHAIN),
    ("process::double_well", "tau", "Ta: 1"),
    ("process::vp", "offset", "schedule: \"cosine\""),
];
const CHAIN: &str = "components: [#{ weights: [1, 0.5], couplings: [1], damping: 1 }]";

/// Entries of the functions of the standard library that take a map of options.
fn written_in_the_language(runtime: &Runtime) -> Vec<Entry> {
    let has_options = |entry: &&Entry| entry.forms.iter().any(|form| form.ends_with("options)"));
    runtime.catalog().entries().filter(has_options).cloned().collect()
}

/// A call with the option `key`, with the word of a choice that brings it, and with what keeps the call short.
fn call(entry: &Entry, option: &str, value: &str, owner: Option<&(String, String)>) -> String {
    let known = CALLS.iter().find(|(name, ..)| *name == entry.name);
    assert!(known.is_some() || entry.name.starts_with("process::"), "{} is not in the table of calls", entry.name);
    let (arguments, usual) = known.map_or(("", ""), |(_, arguments, usual)| (*arguments, *usual));
    let beside = BESIDE.iter().find(|(function, name, _)| *function == entry.name && *name == option);
    let usual = beside.map_or(usual, |(.., others)| others);
    let chosen = owner.map(|(choice, word)| format!("options.{choice} = {word:?};")).unwrap_or_default();
    format!("let options = #{{ {usual} }}; {chosen} options.{option} = {value}; {}({arguments}options)", entry.name)
}

/// Why a call fails; nothing if it does not.
fn problem(code: &str) -> String {
    Runtime::new().run(code).err().map(|error| error.to_string()).unwrap_or_default()
}

const REFUSED: [&str; 3] = ["is not an option", "is not a parameter", "belongs to"];

#[test]
fn the_standard_library_reads_what_it_documents() {
    let runtime = Runtime::new();
    let entries = written_in_the_language(&runtime);
    assert!(entries.len() > 15);
    for entry in &entries {
        assert!(!entry.options().is_empty(), "{} documents no options", entry.name);
        for OptionEntry { name, default, owner, .. } in entry.options() {
            let value = default.as_deref().filter(|text| Runtime::new().run(text).is_ok()).unwrap_or("1");
            let problem = problem(&call(entry, name, value, owner.as_ref()));
            assert!(
                !REFUSED.iter().any(|words| problem.contains(words)),
                "{}: {name} = {value}: {problem}",
                entry.name
            );
        }
        let problem = problem(&call(entry, "no_such_option", "1", None));
        let is_refused = REFUSED.iter().any(|words| problem.contains(words)) && problem.contains("no_such_option");
        assert!(is_refused, "{} takes an option that does not exist: {problem}", entry.name);
    }
}

#[test]
fn the_standard_library_documents_what_it_reads() {
    let runtime = Runtime::new();
    let entries = written_in_the_language(&runtime);
    for entry in &entries {
        let (module, name) = entry.name.split_once("::").unwrap_or(("tools", &entry.name));
        // Networks are functions that make scores.
        let folder = if module == "score" { "network" } else { module };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib").join(folder).join(format!("{name}.rhai"));
        let text = std::fs::read_to_string(&file).unwrap();
        for reader in ["options.remove(\"", "options.get(\""] {
            for read in text.split(reader).skip(1).filter_map(|rest| rest.split('"').next()) {
                let is_documented = entry.options().iter().any(|option| option.name == read);
                assert!(is_documented, "{} reads `{read}` and does not document it", entry.name);
            }
        }
    }
}

#[test]
fn processes_have_the_defaults_that_they_document() {
    let mut runtime = Runtime::new();
    let entries = written_in_the_language(&runtime);
    for entry in entries.iter().filter(|entry| entry.name.starts_with("process::")) {
        let mut known = vec!["horizon"];
        for option in entry.options() {
            let Some(default) = &option.default else { continue };
            let (call, name) = (format!("{}()", entry.name), option.name.as_str());
            known.push(name);
            if runtime.run(default).is_err() {
                continue; // In words.
            }
            let code = match name {
                "horizon" => format!("{call}.horizon == {default}"),
                _ => format!("let p = {call}.params; !(\"{name}\" in p) || p.{name} == {default}"),
            };
            assert!(runtime.eval::<bool>(&code).unwrap(), "{}: `{name}` is not {default}", entry.name);
        }
        // The variances and times of a sum of processes are numbered.
        let names = format!("{}().params.keys().filter(|name| !(name[-1] in \"0123456789\")).to_string()", entry.name);
        let names = runtime.eval::<String>(&names).unwrap();
        for name in names.split('"').skip(1).step_by(2) {
            assert!(known.contains(&name), "{} does not document `{name}` with its default", entry.name);
        }
    }
}

#[test]
fn every_map_of_options_is_declared_and_has_an_example() {
    let runtime = Runtime::new();
    for entry in runtime.catalog().entries() {
        if !entry.forms.iter().any(|form| form.contains("options: map") || form.ends_with("options)")) {
            assert!(entry.options().is_empty(), "{} has options but takes no map", entry.name);
            continue;
        }
        assert!(!entry.options().is_empty() && entry.doc.contains("# Options\n"), "{} declares no options", entry.name);
        let call = format!("{}(", entry.name.rsplit("::").next().unwrap());
        assert!(entry.examples().iter().any(|code| code.contains(&call)), "{} has no example", entry.name);
    }
}

/// The form without the map exists exactly where nothing must be given.
#[test]
fn what_need_not_be_given_can_be_left_out() {
    let runtime = Runtime::new();
    for entry in runtime.catalog().entries().filter(|entry| !entry.options().is_empty()) {
        let is_required = entry.options().iter().any(|option| option.required.is_some());
        let has_shorter = entry.forms.iter().any(|form| !form.contains("options"));
        assert_eq!(is_required, !has_shorter, "{}: {:?}", entry.name, entry.forms);
    }
}
