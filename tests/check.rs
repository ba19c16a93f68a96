//! What `tumble check` finds, and that it finds nothing where nothing is wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether the scripts pass, and what is said of them.
fn check(folder: &Path, files: &[PathBuf]) -> (bool, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_tumble")).arg("check").args(files).current_dir(folder).output().unwrap();
    assert!(output.stdout.is_empty(), "a check prints nothing of a script");
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

/// What is said of a script, which must leave no file.
fn said_of(text: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script.rhai");
    std::fs::write(&file, text).unwrap();
    let found = check(folder.path(), &["script.rhai".into()]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a check writes nothing");
    found
}

#[test]
fn what_is_wrong_is_found_without_running_it() {
    let cases = [
        // Also where no run would come: in a branch, in a function, behind a training.
        ("if 1 > 2 { smaple(3); }", "there is no function `smaple`"),
        ("fn f(m) { process::actve() }", "there is no function `process::actve`"),
        ("let p = proces::active();", "there is no module `proces`"),
        ("fn f(m) { m.smaple(3) }", "there is no function `smaple`"),
        ("fn f(m) { sample(m, #{ cuont: 3 }) }", "`cuont` is not an option here"),
        ("fn f() { process::active(#{ tua: 3 }) }", "did you mean `tau`?"),
        ("fn f(x) { tanh(x, 2) }", "`tanh` is not called with 2 arguments"),
        ("fn f(x) { x } fn g() { f(1, 2) }", "`f` is not called with 2 arguments"),
        ("import \"nowhere\" as n;", "nowhere.rhai"),
        // Processes and networks are traced.
        (
            "sde(#{ drift: |s, t, p| #{ x: -p.k * s.x }, noise: |s, t, p| #{ x: 1 }, horizon: 2 });",
            "`k` is not a parameter",
        ),
        (
            "let p = process::active(); let d = dataset::diamond();
             score::network(p, d, |z, t| layer::answer(layer::dense(z, 64) + layer::dense(z, 32)));",
            "no sum of values of shapes [64] and [32]",
        ),
        // What trains reads its options, and what stands behind it is seen.
        (
            "let p = process::active(); let d = dataset::diamond(); let m = score::mlp(p, d);
             train(m, d, #{ steps: 1000000 });
             process::active(#{ tau: -1 });",
            "tau",
        ),
        (
            "let d = dataset::diamond(); let m = score::mlp(process::active(), d);
             let options = #{ stesp: 10 }; train(m, d, options);",
            "did you mean `steps`?",
        ),
    ];
    for (text, expected) in cases {
        let (passes, said) = said_of(text);
        assert!(!passes && said.contains(expected), "{text}\n{said}");
    }
}

#[test]
fn every_error_is_said() {
    let (_, said) = said_of("fn f() { smaple(1) }\nfn g() { trian(1) }");
    assert!(said.contains("smaple") && said.contains("trian"), "{said}");
    // Seen to end with the first wrong value. What comes of one that failed is none of its own.
    let text = "let p = process::active(#{ tau: -1 }); procces::active();\nlet q = p.vary(#{ k: 2 });\n\
                let d = dataset::diamond(#{ std: -1 });\nlet e = [1, 2]; e.first;\nsamlpe(p);\n\
                fn g(x) { x.nothing } g(1);\n";
    let (_, said) = said_of(text);
    assert_eq!(said.matches("error: ").count(), 6, "{said}");
    for wrong in ["tau = -1", "`procces`", "`std`", "`first`", "`samlpe`", "`nothing`"] {
        assert!(said.contains(wrong), "{wrong}: {said}");
    }
}

#[test]
fn what_may_be_right_passes() {
    let cases = [
        // What depends on a training, by whatever way.
        "let d = dataset::diamond(); let m = score::mlp(process::active(), d);
         let r = train(m, d, #{ steps: 1000000 }); print(r.seconds.to_fixed(1)); assert(m.steps == 1000000);
         let all = []; for i in 0..2 { all.push(sample(m).x); } assert(all.len == 2); print(all[1].shape);
         let best = (); if r.loss[0][0] > 0 { best = sample(m, #{ count: 3 }); } print(best.x);",
        // Closures in maps are called as methods.
        "let map = #{ double: |x| 2 * x }; map.double(3);",
        "let twice = |x| 2 * x; twice.call(3);",
        // Files are not written, so that they are not there.
        "io::write(\"a.json\", #{ a: 1 }); let a = io::read(\"a.json\"); print(a.a);",
        "noise::coloured(#{ components: [[1, 0.1], [0.5, 2]], variance2: 0.7 });",
        // Variables that were forgotten are made again, and leave the others as they are.
        "let d = dataset::diamond(); let m = score::exact(process::active(), d); let s = sample(m, #{ count: 10 });
         let a = plot::scatter([s.x]); let e = 1; let f = 5; let m = 2; let e = 3; assert(m == 2 && e == 3 && f == 5);",
        "if is_def_var(\"args\") { print(args.len); }",
        "exit(3); process::active(#{ tau: -1 });",
    ];
    for text in cases {
        let (passes, said) = said_of(text);
        assert!(passes, "{text}\n{said}");
    }
}

#[test]
fn all_scripts_of_the_repository_pass() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["examples", "scripts", "scripts/paper"].map(|folder| top.join(folder));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let scripts: Vec<_> = files.filter(|file| file.extension().is_some_and(|ending| ending == "rhai")).collect();
    assert!(scripts.len() > 20);
    let (passes, said) = check(top, &scripts);
    assert!(passes, "{said}");
}

/// What draws or measures with options must not do so in a rehearsal: none may be missing in the list.
#[test]
fn what_is_long_is_listed() {
    let list = include_str!("../src/lang/long.rs");
    let runtime = tumble::Runtime::new();
    let takes_options = |form: &String| form.ends_with("options: map)");
    let names = runtime.catalog().entries().filter(|entry| entry.forms.iter().any(takes_options));
    let (mut lost, mut count) = (Vec::new(), 0);
    for (module, function) in names.filter_map(|entry| entry.name.split_once("::")) {
        if ["measure", "plot"].contains(&module) {
            count += 1;
            lost.extend((!list.contains(&format!("\"{function}\""))).then_some(function));
        }
    }
    assert!(count > 20 && lost.is_empty(), "{count}: {lost:?}");
}
