//! The command from outside: exit codes, streams, interruption, the prompt behind a pipe.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn tumble(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tumble"));
    command.args(arguments).env("TUMBLE_HISTORY", "").env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    tumble(arguments).output().unwrap()
}

/// Exit code, standard output and standard error of a run.
fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Runs `arguments` with `input` on standard input.
fn run_with(arguments: &[&str], input: &str) -> Output {
    let mut child =
        tumble(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn script(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn code_prints_its_value() {
    assert_eq!(outcome(&run(&["-e", "1 / 2"])), (0, "0.5\n".into(), String::new()));
    assert_eq!(outcome(&run(&["-e", "let x = 1;"])), (0, String::new(), String::new()));
    assert_eq!(outcome(&run(&["-e", "-(2 ** 2)"])), (0, "-4\n".into(), String::new()));
    assert_eq!(outcome(&run(&["--threads", "2", "-e", "print(3)"])), (0, "3\n".into(), String::new()));
}

/// What a result may be off by is said where it is made. Each was seen to pass without a word.
#[test]
fn warnings_come_without_being_asked_for() {
    let cases = [
        ("plot::scatter([[0, 0], [1, 0.0 / 0]]);", "1 of 2 left out, not finite"),
        ("dataset::mixture(#{ means: [[16777216.0]], std: 0.5 });", "hold to 2"),
        ("dataset::mixture(#{ means: [[0.0]], std: 1e-41 });", "where single precision loses digits"),
    ];
    for (text, warning) in cases {
        let (code, _, said) = outcome(&run(&["-e", text]));
        assert!(code == 0 && said.contains("warning: ") && said.contains(warning), "{text}: {said}");
    }
}

/// What a script takes by itself ends with a sentence that says how to raise the limit.
#[test]
fn limits_say_how_to_raise_them() {
    let cases = [
        ("operations=1e5", "loop {}", "has computed 100_000 operations by itself, its limit", "--limit operations=1e6"),
        ("output=1K", "loop { print(\"aaaaaaaaaaaa\") }", "has printed 1024 bytes, its limit", "--limit output=10G"),
        ("time=0.2s,operations=1e12", "loop {}", "has run for 0.2 s, its limit", "--limit time=1h"),
        (
            "time=0.2s",
            "sample(score::exact(process::active(), dataset::diamond()), #{ method: \"em\", steps: 1_000_000 })",
            "has run for 0.2 s, its limit",
            "--limit time=1h",
        ),
    ];
    for (limit, text, message, hint) in cases {
        let (code, _, said) = outcome(&run(&["-q", "--limit", limit, "-e", text]));
        assert!(code == 1 && said.contains(message) && said.contains(hint), "{limit}: {code} {said}");
    }
    let (code, _, said) = outcome(&run(&["--limit", "tim=1", "-e", "1"]));
    assert!(code == 1 && said.contains("did you mean `time`?"), "{said}");
}

/// Seen to be ended by the system, or to abort.
#[cfg(target_os = "linux")]
#[test]
fn what_grows_without_end_is_refused() {
    let growing = [
        "let s = \"ab\"; loop { s += s; }",
        "let s = \"ab\"; loop { s = s + s; }",
        "let a = [1, 2]; loop { a += a; }",
        "let a = [1, 2]; loop { a = a + a; }",
        "let a = [1, 2]; loop { a.append(a); }",
    ];
    for text in growing {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -v 4000000; exec \"$0\" -e \"$1\"", env!("CARGO_BIN_EXE_tumble"), text]);
        let (code, _, said) = outcome(&shell.output().unwrap());
        let refusals = ["would take", "longer than 16777216", "leaves no memory"];
        assert!(code == 1 && refusals.iter().any(|refusal| said.contains(refusal)), "{text}: {code} {said}");
    }
}

#[test]
fn exit_codes_say_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let failing = script(&folder, "failing.rhai", "let a = 1;\na.b");
    let leaving = script(&folder, "leaving.rhai", "fn f() { exit(7); } try { f() } catch { print(1) }");
    let code = |arguments: &[&str]| run(arguments).status.code().unwrap();
    assert_eq!(code(&["run", &failing]), 1);
    assert_eq!(code(&["run", "no_such_file.rhai"]), 1);
    assert_eq!(code(&["run", &leaving]), 7);
    assert_eq!(code(&["-e", "exit()"]), 0);
    assert_eq!(code(&["-e", "exit(1000)"]), 1);
    assert_eq!(code(&["bogus"]), 2);
    assert_eq!(code(&["run"]), 2);
    assert_eq!(code(&["--threads", "many", "-e", "1"]), 2);
    assert_eq!(code(&["-e", "1", "repl"]), 2);
    assert_eq!(code(&["--help"]), 0);
    assert_eq!(code(&["--version"]), 0);
}

#[test]
fn a_script_sees_its_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let file = script(&folder, "a.rhai", "#!/usr/bin/env -S tumble run\nprint(args);");
    let (code, out, _) = outcome(&run(&["run", &file, "--", "one", "-2"]));
    assert_eq!((code, out.as_str()), (0, "[\"one\", \"-2\"]\n"));
    let given = "[\"a\", \"b\"]\n";
    for words in [&["run", &file, "a", "b"][..], &[&file, "a", "b"], &["--threads", "1", &file, "--quiet", "a", "b"]] {
        assert_eq!(outcome(&run(words)), (0, given.into(), String::new()), "{words:?}");
    }
    let (code, _, said) = outcome(&run(&["rum", &file]));
    assert!(code == 2 && said.contains("unrecognized subcommand 'rum'"), "{said}");
    let constant = script(&folder, "b.rhai", "args = 1;");
    assert_eq!(run(&["run", &constant]).status.code(), Some(1));
    let (code, out, _) = outcome(&run_with(&["run", "-", "--", "x"], "print(args[0]);"));
    assert_eq!((code, out.as_str()), (0, "x\n"));
}

#[test]
fn errors_go_to_standard_error_without_colours() {
    let (code, out, err) = outcome(&run(&["-e", "print(1); sqrtt(2)"]));
    assert_eq!((code, out.as_str()), (1, "1\n"));
    assert!(err.contains("did you mean `sqrt`?") && !err.contains('\x1b'), "{err}");
}

#[test]
fn check_reports_every_file_and_prints_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let good = script(&folder, "good.rhai", "print(1);");
    let bad = script(&folder, "bad.rhai", "let = 3;");
    let worse = script(&folder, "worse.rhai", "[1, 2");
    assert_eq!(outcome(&run(&["check", &good])), (0, String::new(), String::new()));
    let (code, out, err) = outcome(&run(&["check", &bad, &good, &worse]));
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("bad.rhai:1:5") && err.contains("worse.rhai:1:1"), "{err}");
}

#[test]
fn documentation_is_found_and_corrected() {
    let (code, out, _) = outcome(&run(&["doc", "process::active"]));
    assert!(code == 0 && out.starts_with("process::active("), "{out}");
    let (code, _, err) = outcome(&run(&["doc", "proces"]));
    assert!(code == 1 && err.contains("did you mean `process`?"), "{err}");
    assert!(outcome(&run(&["doc"])).1.contains("process::passive"));
}

/// Trains for some steps in the folder `runs` of that folder.
fn train(folder: &Path, name: &str, steps: u32) -> Output {
    let script = format!(
        "let d = dataset::diamond(); let m = score::mlp(process::active(), d, #{{ hidden: [8] }}); \
         train(m, d, #{{ steps: {steps}, interval: 5, batch: 32, checkpoint: \"runs/{name}\" }});"
    );
    let output = tumble(&["--threads", "1", "-e", &script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

#[test]
fn trainings_are_watched_once_where_nobody_looks() {
    let folder = tempfile::tempdir().unwrap();
    let watch = |path: &str| outcome(&tumble(&["watch", path]).current_dir(folder.path()).output().unwrap());
    let (code, out, said) = watch("runs");
    assert!((code, out.as_str()) == (1, "") && said.contains("no log of a training in `runs` yet"), "{said}");
    train(folder.path(), "a", 40);
    let (code, one, said) = watch("runs/a");
    assert_eq!((code, said.as_str()), (0, ""));
    let lines: Vec<&str> = one.lines().collect();
    assert_eq!(lines.len(), 2 + 7 + 11, "{one}");
    assert!(lines[0].starts_with("runs/a: step 40/40, loss ") && lines[0].contains(", done in "), "{one}");
    assert!(lines[1].chars().all(|c| c == '█') && lines[2].starts_with("loss over the steps"), "{one}");
    assert!(lines[9] == "loss by time" && lines[10].trim_start().starts_with("0.1"), "{one}");
    assert!(!one.contains('\u{1b}') && lines.iter().all(|line| line.chars().count() <= 100), "{one}");
    // What was killed in the middle of a line.
    let log = folder.path().join("runs/a/log.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, &text[..text.len() - 20]).unwrap();
    assert!(watch("runs/a").1.starts_with("runs/a: step 35/40, loss "));
    train(folder.path(), "b", 10);
    let (_, both, _) = watch("runs");
    let lines: Vec<&str> = both.lines().collect();
    assert!(lines.len() == 4 && lines[0].starts_with("runs/a: ") && lines[2].starts_with("runs/b: "), "{both}");
}

/// A log file is looked at early. Seen to have its first line after five seconds.
#[test]
fn a_log_of_progress_begins_soon() {
    let script = "let d = dataset::diamond(); train(score::mlp(process::active(), d), d, #{ steps: 2_000_000 });";
    let mut child = tumble(&["--threads", "1", "-e", script]).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let waited = start.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("train: step ") && line.contains(" left"), "{line}");
    assert!(waited < Duration::from_secs(5), "{waited:?}");
}

/// Whatever is shown of progress; and once, however often it is met.
#[test]
fn warnings_are_given_once() {
    let code = "let d = dataset::from_array([[0.0], [1.0]]); let p = process::passive(#{ horizon: 0.1 }); \
                for i in 0..3 { score::exact(p, d); }";
    for arguments in [&["-e", code][..], &["--quiet", "-e", code]] {
        let (status, out, err) = outcome(&run(arguments));
        assert_eq!((status, out.as_str()), (0, ""), "{err}");
        assert_eq!(err.matches("warning: ").count(), 1, "{err}");
    }
}

#[test]
fn jobs_are_timed() {
    let (code, out, err) = outcome(&run(&["bench", "--quick", "sample_exact", "start"]));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{out}");
    for (line, job) in lines.iter().zip(["sample_exact", "start"]) {
        assert_eq!((&line["job"], &line["peer"]), (&job.into(), &"tumble".into()));
        assert!(line["per_second"].as_f64().unwrap() > 0.0, "{line}");
    }
    let (code, out, err) = outcome(&run(&["bench", "tran_mlp"]));
    assert!((code, out.as_str()) == (1, "") && err.contains("did you mean `train_mlp`?"), "{err}");
}

#[test]
fn no_nesting_overflows_the_stack() {
    let nested = |depth: usize| format!("{}1{}", "1 + (".repeat(depth), ")".repeat(depth));
    let failures = [
        "fn f(n) { f(n + 1) } f(0)".to_owned(),
        // Deep expressions in deep calls: no limit on either alone would do.
        format!("fn f(n) {{ {} }} f(0)", nested(300).replace('1', "f(n)")),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        "let f = |g| g.call(g); f.call(f)".to_owned(),
    ];
    for code in failures {
        let (status, _, err) = outcome(&run_with(&["run", "-"], &code));
        assert_eq!(status, 1, "{}", err.chars().take(300).collect::<String>());
        assert!(err.contains("deep"), "{}", err.chars().take(300).collect::<String>());
    }
    let sum = format!("print({})", vec!["1"; 900].join(" + "));
    assert_eq!(outcome(&run_with(&["run", "-"], &sum)), (0, "900\n".into(), String::new()));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = tumble(&["-e", "for i in 0..1_000_000 { print(i); }"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(line, "0\n");
    assert_eq!(output.status.code(), Some(141));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn interruption_is_quick_and_told() {
    let endless = "print(\"started\"); try { loop {} } catch { print(\"caught\") }";
    let mut child = tumble(&["-e", endless]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    let start = Instant::now();
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(output.stderr, b"interrupted\n");
    // Generous: the machine may be busy. Unloaded it takes a few milliseconds.
    assert!(start.elapsed() < Duration::from_secs(2));
    line.clear();
    assert_eq!(out.read_line(&mut line).unwrap(), 0, "{line}");
}

#[test]
fn the_prompt_behind_a_pipe() {
    let input = "let x = 3\nx * 2\nans + 1\nfn f(a) {\n  a + 1\n}\nf(2)\n:vars\n";
    let (code, out, err) = outcome(&run_with(&[], input));
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "6\n7\n3\nx    whole number  3\nans  whole number  3\n");
    // A script has blank lines inside its blocks; one of a Windows editor begins with a mark.
    let script = "\u{feff}let p = #{\n\n    a: 1,\n\n};\nfn f(x) {\n    let y = x;\n\n    y + 1\n}\n\nf(p.a)\n";
    assert_eq!(outcome(&run_with(&[], script)), (0, "2\n".into(), String::new()));
}

#[test]
fn the_prompt_behind_a_pipe_stops_at_the_first_error() {
    let (code, out, err) = outcome(&run_with(&["repl"], "1\ny\n2\n"));
    assert_eq!((code, out.as_str()), (1, "1\n"));
    assert!(err.contains("input 2:1:1"), "{err}");
    assert_eq!(run_with(&[], "exit(5)\n1\n").status.code(), Some(5));
    // The end of the input ends an unfinished statement.
    assert_eq!(run_with(&[], "let a = [1,\n").status.code(), Some(1));
}

#[test]
fn commands_of_the_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved.rhai").display().to_string();
    let input = format!("let x = 2\nx + 1\nlet y = ans * 10\n:save {saved}\n:reset\n:load \"{saved}\"\ny\n:quit\n99\n");
    let folder = folder.path().display().to_string();
    let (code, out, err) = outcome(&run_with(&["--allow-write", &folder], &input));
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, format!("3\n3 inputs written to {saved}\n3\n30\n"));
    assert!(Path::new(&saved).is_file());
    let (code, _, err) = outcome(&run_with(&[], ":hepl\n"));
    assert!(code == 1 && err.contains("did you mean `:help`?"), "{err}");
    assert!(outcome(&run_with(&[], ":help sde\n")).1.contains("horizon"));
}

/// As a newcomer would: the folder, then what it says to run.
#[test]
fn a_new_experiment_runs() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |arguments: &[&str]| outcome(&tumble(arguments).current_dir(folder.path()).output().unwrap());
    let (code, out, err) = inside(&["new", "study"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("tumble run study/experiment.rhai"), "{out}");
    let (code, _, err) = inside(&["new", "study"]);
    assert!(code == 1 && err.contains("take another name"), "{err}");
    let (code, out, err) = inside(&["--quiet", "run", "study/experiment.rhai"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("tau 0.1: distance 0.") && out.contains("tau 0.5: distance 0."), "{out}");
    assert!(folder.path().join("samples.png").is_file());
}

#[test]
fn help_lists_the_commands_of_the_prompt() {
    let (code, out, _) = outcome(&run(&["repl", "--help"]));
    assert!(code == 0 && out.contains(":search WORDS") && out.contains(":save FILE"), "{out}");
}

/// Whoever built it with MPI shares the work instead: `tests/mpi.rs`.
#[cfg(not(feature = "mpi"))]
#[test]
fn processes_that_know_nothing_of_each_other_are_warned_once() {
    let said = |count: &str, rank: &str| {
        let mut command = tumble(&["-e", "1"]);
        command.env("OMPI_COMM_WORLD_SIZE", count).env("OMPI_COMM_WORLD_RANK", rank);
        let (code, out, err) = outcome(&command.output().unwrap());
        assert_eq!((code, out.as_str()), (0, "1\n"));
        err
    };
    let warning = said("3", "0");
    assert!(warning.contains("3 processes do the same work") && warning.contains("--features mpi"), "{warning}");
    assert_eq!((said("3", "1"), said("1", "0")), (String::new(), String::new()));
}
