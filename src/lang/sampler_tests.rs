//! A sampler that is one file and a line in a list, and is there for the tests only: it is known wherever samplers are.

use super::Runtime;
use super::assist::{Completion, Page, complete};

fn offers(runtime: &Runtime, text: &str) -> Vec<String> {
    match complete(runtime, text) {
        Completion::Names { candidates, .. } => candidates.into_iter().map(|candidate| candidate.text).collect(),
        Completion::Path => vec!["a path".to_owned()],
    }
}

fn error(runtime: &mut Runtime, text: &str) -> String {
    let diagnostic = runtime.run(text).unwrap_err();
    format!("{}; {}", diagnostic.message, diagnostic.hints.join("; "))
}

#[test]
fn a_new_sampler_is_listed_and_offered_where_it_can_be_chosen() {
    let runtime = Runtime::new();
    let catalog = runtime.catalog();
    let page = Page { width: 1000, colour: false };
    for function in ["sample", "reverse", "accuracy", "convergence"] {
        let options = catalog.get(function).unwrap().options();
        let method = options.iter().find(|option| option.name == "method").unwrap();
        let listed = ("midpoint".to_owned(), "the midpoint rule on the flow".to_owned());
        assert!(method.words.contains(&listed), "{function}: {:?}", method.words);
        let own = options.iter().find(|option| option.name == "middle").unwrap();
        assert_eq!(own.owner, Some(("method".to_owned(), "midpoint".to_owned())), "{function}");
        let help = page.named(catalog, function).unwrap();
        assert!(help.contains("the midpoint rule on the flow"), "{help}");
        assert!(help.contains("where in the step it looks"), "{help}");
        let call = |options: &str| format!("{function}(m, #{{ {options}");
        assert_eq!(offers(&runtime, &call("method: \"mid")), ["midpoint\""], "{function}");
        assert_eq!(offers(&runtime, &call("method: \"midpoint\", mid")), ["middle: "], "{function}");
        assert!(offers(&runtime, &call("mid")).is_empty(), "{function}");
    }
    let explain = catalog.get("explain").unwrap().options();
    assert!(explain[0].words.iter().any(|(word, _)| word == "midpoint"));
    let reference = catalog.reference();
    assert!(reference.contains("the midpoint rule on the flow") && reference.contains("where in the step it looks"));
}

#[test]
fn a_new_sampler_runs_and_errors_know_it() {
    let mut runtime = Runtime::new();
    let _ = runtime.run("let m = score::exact(process::active(), dataset::diamond());").unwrap();
    let taken = "let s = sample(m, #{ method: \"midpoint\", middle: 0.4, count: 10, steps: 20 }); s.nfe";
    assert_eq!(runtime.eval::<i64>(taken).unwrap(), 40);
    assert!(runtime.eval::<String>("s.to_string()").unwrap().contains("midpoint"));
    let shown = "explain(m, #{ method: \"midpoint\" }).to_string()";
    assert!(runtime.eval::<String>(shown).unwrap().contains("Step of \"midpoint\": midpoint rule"));
    let order = "convergence(process::passive(), #{ method: \"midpoint\", grid: \"uniform\", end: 0.1, steps: [50, 100] })[1].variance_order";
    assert!((runtime.eval::<f64>(order).unwrap() - 2.0).abs() < 0.3);
    for (text, told) in [
        ("sample(m, #{ method: \"midpont\" })", "\"midpoint\", got \"midpont\"; did you mean \"midpoint\"?"),
        ("sample(m, #{ middle: 0.4 })", "it belongs to `method: \"midpoint\"`"),
        ("sample(m, #{ method: \"midpoint\", middle: 2 })", "`middle` must be from 0.1 to 0.9, got 2"),
        (
            "sample(score::mlp(process::double_well(), dataset::diamond()), #{ method: \"splitting\" })",
            "\"pc\" or \"midpoint\"",
        ),
    ] {
        let found = error(&mut runtime, text);
        assert!(found.contains(told), "{found}");
    }
}
