//! Where files come from: what they say of it, and whether they can be made again.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A working directory with a script, a module, and data.
struct Scene(tempfile::TempDir);

const SCRIPT: &str = r#"
import "lib" as lib;
let x = io::read("data.csv");
let p = process::active(#{ tau: lib::tau() });
let d = dataset::from_array(x);
let m = score::mlp(p, d, #{ hidden: [8], seed: 3 });
train(m, d, #{ steps: 20, batch: 16, seed: 5 });
m.save("out/model.safetensors");
let result = step("out/step.json", #{ tau: 0.5 }, || #{ mean: d.sample(10, 8).mean() });
let s = sample(m, #{ count: 300, steps: 5, seed: 2 });
io::write("out/samples.npz", #{ x: s.x, eta: s.eta });
io::write("out/samples.npy", s.x);
io::write("out/result.json", #{ result: result, args: args });
plot::scatter([s.x], #{ file: "out/figure.png" });
plot::scatter([s.x], #{ file: "out/figure.svg" });
plot::animate(simulate(p, x, #{ steps: 3, keep: "all", seed: 9 }).path("x"), #{ file: "out/paths.gif" });
"#;
const FILES: [&str; 8] = [
    "model.safetensors",
    "step.json",
    "samples.npz",
    "samples.npy",
    "result.json",
    "figure.png",
    "figure.svg",
    "paths.gif",
];

impl Scene {
    fn new() -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(scene.path("out")).unwrap();
        scene.file("a.rhai", SCRIPT);
        scene.file("lib.rhai", "fn tau() { 0.5 }");
        let rows: String = (0..200).map(|i| format!("{},{}\n", i % 7, i % 5)).collect();
        scene.file("data.csv", &rows);
        scene
    }

    /// After its script has run.
    fn run() -> Self {
        let scene = Self::new();
        scene.succeeds(&["run", "a.rhai", "--", "--seed", "1"]);
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn tumble(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumble"));
        command.arg("-q").args(arguments).current_dir(self.0.path()).env("TMPDIR", self.0.path()).output().unwrap()
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.tumble(arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// What is printed and complained of by what fails.
    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.tumble(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout) + &text(&output.stderr)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Seen to fail without the journal's order of calls, and where a step that is not computed again did not bring with it
/// what it once computed.
#[test]
fn every_file_says_what_made_it_and_is_made_again() {
    let scene = Scene::run();
    let script = Command::new("sha256sum").arg(scene.path("a.rhai")).output().map(|output| text(&output.stdout));
    for name in FILES {
        let path = format!("out/{name}");
        let info = scene.succeeds(&["info", &path]);
        for expected in [
            "as tumble wrote it",
            "script       a.rhai, SHA-256 ",
            "arguments    --seed 1",
            "imports      lib.rhai, SHA-256 ",
            "reads        data.csv, SHA-256 ",
            "processes    active: Ta 1, ",
            "train: batch 16, steps 20; seed 5",
        ] {
            assert!(info.contains(expected), "{name} does not say `{expected}`:\n{info}");
        }
        if let Ok(Some(hash)) = script.as_ref().map(|line| line.split_whitespace().next()) {
            assert!(info.contains(hash), "{info}");
        }
        let again = scene.succeeds(&["replay", &path]);
        assert!(again.contains("made again, all ") && again.contains(" bytes are the same"), "{name}: {again}");
    }
    let left =
        std::fs::read_dir(scene.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = left.filter(|name| name.starts_with("tumble-replay")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A copy has no record beside it: what is inscribed tells. The readers of other programs must not mind.
#[test]
fn what_is_copied_still_says_it() {
    let scene = Scene::run();
    for name in ["model.safetensors", "samples.npz", "figure.png", "figure.svg", "paths.gif"] {
        let copy = format!("copy of {name}");
        std::fs::copy(scene.path(&format!("out/{name}")), scene.path(&copy)).unwrap();
        let info = scene.succeeds(&["info", &copy]);
        assert!(info.contains("without the record beside it") && info.contains("train: batch 16"), "{name}: {info}");
        assert!(scene.fails(&["replay", &copy]).contains("there is no record of it"), "{name}");
    }
    scene.succeeds(&["-e", "score::load(\"copy of model.safetensors\"); io::read(\"copy of samples.npz\", \"x\")"]);
}

/// Seen to fail without the stage: the script would find its own files, or replace them.
#[test]
fn a_replay_touches_nothing_and_finds_nothing_of_its_own() {
    let scene = Scene::new();
    scene.file(
        "b.rhai",
        "if io::exists(\"m.npy\") { io::write(\"n.npy\", [1]) } else { io::write(\"n.npy\", [2]) }\nio::write(\"m.npy\", [3]);",
    );
    scene.succeeds(&["run", "b.rhai"]);
    let before = std::fs::metadata(scene.path("n.npy")).unwrap().modified().unwrap();
    scene.succeeds(&["replay", "n.npy"]);
    assert_eq!(std::fs::metadata(scene.path("n.npy")).unwrap().modified().unwrap(), before);
    scene.succeeds(&["replay", "m.npy"]);
}

#[test]
fn what_differs_is_named() {
    let scene = Scene::run();
    let rows: String = (0..200).map(|i| format!("{},{}\n", i % 7, i % 3)).collect();
    scene.file("data.csv", &rows);
    let different = scene.fails(&["replay", "out/samples.npy"]);
    for expected in
        ["`data.csv` has changed since", "out/samples.npy: different, ", " numbers differ, by ", "made again is"]
    {
        assert!(different.contains(expected), "{different}");
    }
    // The script as it was is kept; what it is now is another.
    scene.file("a.rhai", "throw 1");
    assert!(scene.fails(&["replay", "out/samples.npy"]).contains("different, "));
    scene.file("out/result.json", "{}");
    assert!(scene.succeeds(&["info", "out/result.json"]).contains("changed since tumble wrote it"));
    assert!(scene.succeeds(&["info", "data.csv"]).contains("no record of tumble beside it"));
    assert!(scene.fails(&["info", "no_such.png"]).contains("no such file"));
}

/// A run that goes on where another stopped writes the same bytes. Seen to fail where what a step had computed was not
/// taken over from its file.
#[test]
fn a_run_that_skips_its_steps_writes_the_same() {
    let scene = Scene::run();
    let bytes = |name: &str| std::fs::read(scene.path(&format!("out/{name}"))).unwrap();
    let first: Vec<_> = FILES.iter().map(|name| bytes(name)).collect();
    scene.succeeds(&["run", "a.rhai", "--", "--seed", "1"]);
    for (name, first) in FILES.iter().zip(first) {
        assert_eq!(bytes(name), first, "{name}");
    }
}

/// The log of a training has seconds in it: it is no input of the run that goes on in it, and is not made again.
#[test]
fn a_log_is_no_result() {
    let scene = Scene::new();
    let script = "let d = dataset::diamond(); let m = score::mlp(process::active(), d, #{ hidden: [8] }); \
                  train(m, d, #{ steps: 20, batch: 16, checkpoint: \"runs/a\", every: 10, resume: true, tensorboard: true }); \
                  m.save(\"m.safetensors\");";
    scene.file("d.rhai", script);
    scene.succeeds(&["run", "d.rhai"]);
    let model = std::fs::read(scene.path("m.safetensors")).unwrap();
    std::fs::remove_file(scene.path("runs/a/step-00000020.safetensors")).unwrap();
    scene.succeeds(&["run", "d.rhai"]);
    assert_eq!(std::fs::read(scene.path("m.safetensors")).unwrap(), model);
    assert!(scene.succeeds(&["replay", "m.safetensors"]).contains(" bytes are the same"));
    let info = scene.succeeds(&["info", "runs/a/log.jsonl"]);
    assert!(info.contains("text of 20 lines") && info.contains("as tumble wrote it"), "{info}");
    assert!(scene.fails(&["replay", "runs/a/log.jsonl"]).contains("different, "));
}

/// Seen to give the mean of the data from before.
#[test]
fn a_step_whose_input_has_changed_is_computed_again() {
    let scene = Scene::new();
    let script =
        "let x = io::read(\"data.csv\"); print(step(\"mean.json\", #{}, || { print(\"computing\"); x.mean() }));";
    scene.file("c.rhai", script);
    scene.file("data.csv", "1\n2\n3\n");
    assert_eq!(scene.succeeds(&["run", "c.rhai"]), "computing\n2.0\n");
    assert_eq!(scene.succeeds(&["run", "c.rhai"]), "2.0\n");
    scene.file("data.csv", "1\n2\n6\n");
    assert_eq!(scene.succeeds(&["run", "c.rhai"]), "computing\n3.0\n");
    assert_eq!(scene.succeeds(&["run", "c.rhai"]), "3.0\n");
}

/// Of an input by an absolute path only the last part of the name is kept, the same on every machine.
#[test]
fn a_step_says_what_it_cannot_look_at() {
    let scene = Scene::new();
    let script = format!("step(\"sum.json\", #{{}}, || io::read(\"{}\").sum())", scene.path("out/in.csv").display());
    scene.file("sum.rhai", &script);
    scene.file("out/in.csv", "1\n2\n");
    scene.succeeds(&["run", "sum.rhai"]);
    scene.file("out/in.csv", "5\n2\n");
    let output = Command::new(env!("CARGO_BIN_EXE_tumble")).args(["run", "sum.rhai"]).current_dir(&scene.0).output();
    let said = text(&output.unwrap().stderr);
    assert!(said.contains("whether `in.csv` has changed is not known"), "{said}");
}

/// Seen to fail where the record was believed without a look at the file.
#[test]
fn a_file_that_was_edited_is_an_input_as_any_other() {
    let scene = Scene::new();
    scene.file(
        "b.rhai",
        "if !io::exists(\"d.csv\") { dataset::moons().sample(5, 7).save(\"d.csv\"); }\n\
                          io::write(\"out.npz\", #{ x: io::read(\"d.csv\") });",
    );
    scene.succeeds(&["run", "b.rhai"]);
    let before = scene.succeeds(&["info", "out.npz"]);
    assert!(before.contains("computes     sample; seed 7") && !before.contains("reads"), "{before}");
    scene.file("d.csv", "7,1\n8,2\n9,3\n");
    scene.succeeds(&["run", "b.rhai"]);
    let after = scene.succeeds(&["info", "out.npz"]);
    assert!(after.contains("reads        d.csv, SHA-256") && !after.contains("seed 7"), "{after}");
}

#[test]
fn a_text_of_a_file_passes_for_no_line_of_its_own() {
    let scene = Scene::new();
    scene.file("c.rhai", "io::write(\"c.npz\", #{ x: [1, 2] });");
    scene.succeeds(&["run", "c.rhai", "--", "a\nstate        changed", "x y", "it's", "\u{1b}[31m"]);
    let said = scene.succeeds(&["info", "c.npz"]);
    assert!(said.contains("arguments    'a␊state        changed' 'x y' 'it'\\''s' '␛[31m'\n"), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("state ")).count(), 1);
}

#[test]
fn what_was_entered_at_a_prompt_is_replayed_input_by_input() {
    let scene = Scene::new();
    let mut prompt = Command::new(env!("CARGO_BIN_EXE_tumble"));
    prompt.current_dir(scene.0.path()).env("TUMBLE_HISTORY", "").stdin(std::process::Stdio::piped());
    let mut prompt = prompt.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let inputs = "fn f() { 1 }\nlet a = f();\nfn f() { 2 }\nio::write(\"a.npy\", [a, f()])\n";
    std::io::Write::write_all(&mut prompt.stdin.take().unwrap(), inputs.as_bytes()).unwrap();
    assert!(prompt.wait().unwrap().success());
    assert!(scene.succeeds(&["replay", "a.npy"]).contains("all "));
}

/// A record may be anybody's. Seen to be read, where the folder of the script that a record names was opened.
#[test]
fn a_forged_record_opens_no_folder() {
    let scene = Scene::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.csv"), "1,2\n").unwrap();
    std::fs::write(outside.path().join("a.txt"), "").unwrap();
    let secret = outside.path().join("secret.csv");
    scene.file(
        "b.rhai",
        &format!("try {{ io::read({:?}) }} catch (e) {{ io::write(\"e.json\", [1]); throw e }}", secret),
    );
    scene.fails(&["run", "b.rhai"]);
    let record = scene.path(".tumble/e.json.json");
    let forged = std::fs::read_to_string(&record).unwrap();
    let forged = forged.replace("\"b.rhai\"", &format!("{:?}", outside.path().join("a.txt")));
    std::fs::write(&record, forged).unwrap();
    let output = scene.tumble(&["replay", "e.json"]);
    assert!(text(&output.stderr).contains("is outside of what scripts may read"), "{}", text(&output.stderr));
}
