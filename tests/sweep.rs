//! Sweeps from outside: the same table however the points are computed, and nothing lost of what is done.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// 24 points that sample. `OPTIONS` is replaced, as is `WORK`, which stands at the beginning of the closure.
const SCRIPT: &str = r#"
let d = dataset::diamond();
let count = 200;
let table = sweep(#{ tau: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], seed: 0..4 }, |point| {
    WORK
    let p = process::active(#{ tau: point.tau });
    let s = sample(score::exact(p, d), #{ count: count, steps: 10, seed: point.seed });
    #{ distance: measure::sliced_wasserstein(s.x, d.sample(500, 9)), first: s.x.to_array()[0], kind: p.kind }
}, #{ OPTIONS });
print(`${table.len()} rows`);
"#;

/// A folder with the script, in which it runs.
struct Place {
    folder: tempfile::TempDir,
}

/// Exit code, standard output and standard error of a run.
struct Outcome {
    code: Option<i32>,
    out: String,
    said: String,
}

impl Place {
    fn new(options: &str, work: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write(options, work);
        place
    }

    fn write(&self, options: &str, work: &str) {
        self.write_text(&SCRIPT.replace("OPTIONS", options).replace("WORK", work));
    }

    fn write_text(&self, text: &str) {
        fs::write(self.path("study.rhai"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumble"));
        command.args(arguments).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().unwrap())
    }

    fn sweep(&self) -> Outcome {
        self.run(&["run", "study.rhai"])
    }

    fn table(&self) -> String {
        fs::read_to_string(self.path("runs/table.csv")).unwrap()
    }

    /// The numbers of the processes that hold points.
    fn holders(&self) -> BTreeSet<u32> {
        let points = fs::read_dir(self.path("runs")).into_iter().flatten().map(|entry| entry.unwrap().path());
        let names = points.filter_map(|point| fs::read_to_string(point.join(".tumble/result.json.hold")).ok());
        names.filter_map(|name| name.strip_prefix("process ")?.parse().ok()).collect()
    }

    /// Starts the script, and waits until so many processes compute points.
    fn start(&self, holders: usize) -> Child {
        let mut child = self.command(&["run", "study.rhai"]).spawn().unwrap();
        wait_for(|| {
            assert_eq!(child.try_wait().unwrap(), None, "it ended before");
            self.holders().len() >= holders
        });
        child
    }
}

impl Outcome {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), said: text(output.stderr) }
    }

    /// Exit code and words of standard error.
    fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.said);
        words.iter().for_each(|words| assert!(self.said.contains(words), "no `{words}`: {}", self.said));
    }
}

fn wait_for(mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn kill(process: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
}

fn is_running(process: u32) -> bool {
    // One that has ended and is not waited for is none.
    let status = fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"));
    status.is_ok_and(|status| !status.lines().any(|line| line.starts_with("State:") && line.contains('Z')))
}

/// What a sweep without faults in one process leaves.
static UNDISTURBED: LazyLock<String> = LazyLock::new(|| {
    let place = Place::new("folder: \"runs\"", "");
    place.sweep().says(0, &["sweep: 24/24, "]);
    place.table()
});

#[test]
fn one_process_and_two_give_the_same_table() {
    let one = UNDISTURBED.clone();
    assert_eq!(one.lines().count(), 25);
    assert!(one.starts_with("seed,tau,distance,first,kind\n0,0.1,0."), "{one}");
    let place = Place::new("folder: \"runs\", jobs: 2", "");
    let outcome = place.sweep();
    outcome.says(0, &["sweep: 1/24, seed ", "sweep: 24/24, seed ", ": distance 0."]);
    assert_eq!((outcome.out.as_str(), place.table()), ("24 rows\n", one));
    // Each process runs the script up to the sweep only, and what it prints is not seen.
    assert_eq!(place.holders(), BTreeSet::new());
    let again = place.sweep();
    again.says(0, &["sweep: all 24 points are there, in `runs`"]);
    assert!(!again.said.contains("seed"), "{}", again.said);
    // Without a folder, too; that table is only printed.
    place.write("", "");
    assert_eq!(place.sweep().out, "24 rows\n");
}

#[test]
fn a_point_that_fails_does_not_end_the_others() {
    for jobs in [1, 2] {
        let options = format!("folder: \"runs\", jobs: {jobs}");
        let work = "print(`at ${point.index}`); if point.seed == 2 && !io::exists(\"good\") { throw \"too hot\"; }";
        let place = Place::new(&options, work);
        let outcome = place.sweep();
        let error = "runs/seed=2,tau=0.1/error.txt";
        let sentence = format!("warning: sweep: 6 of 24 points failed, the first at seed 2, tau 0.1, see `{error}`");
        outcome.says(0, &["seed 2, tau 0.5 failed: too hot", &sentence, "the same command tries them again"]);
        assert!(outcome.out.ends_with("18 rows\n"), "{}", outcome.out);
        let text = fs::read_to_string(place.path(error)).unwrap();
        assert!(text.starts_with("error: too hot\n") && text.contains("study.rhai:5:"), "{text}");
        assert_eq!(fs::read_to_string(place.path("runs/seed=2,tau=0.1/output.txt")).unwrap(), "at 12\n");
        let status = place.run(&["status", "runs"]).out;
        assert!(status.starts_with("runs: 24 points of study.rhai: 18 done, 6 failed\n"), "{status}");
        assert!(status.contains("  failed   seed 2, tau 0.6: too hot\n"), "{status}");
        fs::write(place.path("good"), "").unwrap();
        place.sweep().says(0, &["sweep: goes on after 18 of 24 points, from `runs`"]);
        assert_eq!(place.table(), *UNDISTURBED);
        assert!(!place.path(error).exists());
    }
}

#[test]
fn where_all_points_fail_the_script_does() {
    let place = Place::new("folder: \"runs\"", "sample(1, 2);");
    place.sweep().says(1, &["sweep: 24/24, seed 3, tau 0.6 failed: ", "study.rhai:5:5"]);
    place.write("folder: \"others\", jobs: 2", "throw \"too hot\";");
    let sentence = "error: all 24 points failed, the first: too hot, see `others/seed=0,tau=0.1/error.txt`";
    place.sweep().says(1, &[sentence]);
}

/// Killed, as by the system when memory runs out.
#[test]
fn a_process_that_is_lost_costs_its_point_until_the_next_run() {
    let place = Place::new("folder: \"runs\", jobs: 2", "sleep(0.1);");
    let child = place.start(2);
    let victim = place.holders().into_iter().next().unwrap();
    kill(victim, "-KILL");
    let outcome = Outcome::of(child.wait_with_output().unwrap());
    outcome.says(0, &["failed: the process that computed it was killed by signal 9", "1 of 24 points failed"]);
    assert_eq!(outcome.out, "23 rows\n");
    place.sweep().says(0, &["goes on after 23 of 24 points"]);
    assert_eq!(place.table(), *UNDISTURBED);
}

#[test]
fn no_process_outlives_the_one_that_started_it() {
    let place = Place::new("folder: \"runs\", jobs: 2", "sleep(0.5);");
    let mut child = place.start(2);
    let workers = place.holders();
    assert!(!workers.contains(&child.id()) && workers.iter().all(|worker| is_running(*worker)));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for(|| !workers.iter().any(|worker| is_running(*worker)));
    place.write("folder: \"runs\", jobs: 2", "sleep(0.5);");
    let path = place.path("runs/sweep.json");
    assert!(path.exists());
    // Who is gone holds nothing: one process does all that is left.
    let status = place.run(&["status", "runs"]).out;
    assert!(status.contains(" missing\n") && !status.contains(" running"), "{status}");
}

#[test]
fn what_is_stopped_goes_on() {
    for (jobs, signal, code) in [(1, "-INT", 130), (2, "-INT", 130), (2, "-TERM", 143)] {
        let place = Place::new(&format!("folder: \"runs\", jobs: {jobs}"), "sleep(0.1);");
        let child = place.start(jobs);
        wait_for(|| place.path("runs/seed=0,tau=0.1/result.json").exists());
        let start = Instant::now();
        kill(child.id(), signal);
        let outcome = Outcome::of(child.wait_with_output().unwrap());
        outcome.says(code, &[" of 24 points are kept in `runs`; the same command goes on\n", "interrupted\n"]);
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!((outcome.out.as_str(), place.holders()), ("", BTreeSet::new()));
        place.sweep().says(0, &["sweep: goes on after "]);
        assert_eq!(place.table(), *UNDISTURBED);
    }
}

/// Two runs by two users of one folder share the points.
#[test]
fn several_runs_share_a_folder() {
    let place = Place::new("folder: \"runs\"", "sleep(0.05);");
    let first = place.start(1);
    let second = place.command(&["run", "study.rhai"]).spawn().unwrap();
    for child in [first, second] {
        let outcome = Outcome::of(child.wait_with_output().unwrap());
        outcome.says(0, &[]);
        assert_eq!(outcome.out, "24 rows\n");
        let own = outcome.said.lines().filter(|line| line.contains("/24, seed")).count();
        assert!(own > 0, "{}", outcome.said);
    }
    assert_eq!(place.table(), *UNDISTURBED);
}

#[test]
fn another_sweep_is_refused_with_the_difference() {
    let place = Place::new("folder: \"runs\"", "");
    place.sweep().says(0, &[]);
    let text = SCRIPT.replace("OPTIONS", "folder: \"runs\"").replace("WORK", "");
    let other = text.replace("count = 200", "count = 100").replace("0.5, 0.6]", "0.5]");
    place.write_text(&other);
    let outcome = place.sweep();
    assert_eq!(outcome.code, Some(1));
    let expected = "\
error: sweep: `folder` has results of another sweep, `runs`: the axis `tau` no longer has 0.6; `count` was 200, and is 100; \
the script had `let count = 200;`, and has `let count = 100;`
  ┌─ study.rhai:9:7
  │
9 │ }, #{ folder: \"runs\" });
  │       ^^^^^^
  │
  = take another folder, or remove `runs` to begin anew; if its results hold all the same, remove `runs/sweep.json` \
alone
";
    assert_eq!(outcome.said, expected);
    // More values, other plots and comments are the same sweep.
    let more = text.replace("0..4", "0..5").replace("let d", "// The data.\nlet d") + "print(table[24].seed);";
    place.write_text(&more);
    let outcome = place.sweep();
    outcome.says(0, &["sweep: goes on after 24 of 30 points, from `runs`", "sweep: 30/30, seed 4, tau 0.6: "]);
    assert_eq!(outcome.out, "30 rows\n4\n");
    // Results that hold all the same.
    place.write_text(&other);
    fs::remove_file(place.path("runs/sweep.json")).unwrap();
    place.sweep().says(0, &[]);
    assert_eq!(place.table().lines().count(), 21);
}

#[test]
fn points_are_independent_and_have_a_folder() {
    let place = Place::new("", "");
    place.write_text(
        r#"
        let sum = 0;
        let table = sweep(#{ a: 1..=3, word: ["x/y", "z"] }, |point| {
            sum += point.a;
            io::write(point.folder + "/own.json", sum);
            #{ sum: sum, good: point.word == "z", index: point.index }
        }, #{ folder: "runs" });
        assert_eq!(table[5], #{ a: 3, word: "z", sum: 3, good: true, index: 5 });
        assert_eq!(io::read("runs/a=2,word=x%2Fy/own.json"), 2);
        "#,
    );
    place.sweep().says(0, &[]);
    // As it is in another process.
    let table = place.table();
    fs::remove_dir_all(place.path("runs")).unwrap();
    let text = fs::read_to_string(place.path("study.rhai")).unwrap().replace("\"runs\" }", "\"runs\", jobs: 2 }");
    place.write_text(&text);
    place.sweep().says(0, &[]);
    assert_eq!(place.table(), table);
}

/// Files carry what made them: here nothing that depends on which process computed what.
#[test]
fn files_have_the_same_bytes_whoever_computed_what() {
    let text = r#"
        let p = process::active();
        let d = dataset::diamond();
        let jobs = if io::exists("two") { 2 } else { 1 };
        let table = sweep(#{ seed: 0..6 }, |point| {
            if io::exists("bad") && point.seed == 3 { throw "bad"; }
            let s = sample(score::exact(p, d), #{ count: 20, steps: 2, seed: point.seed });
            io::write(point.folder + "/samples.npz", #{ x: s.x });
            #{ x: s.x.to_array()[0][0] }
        }, #{ folder: "runs", jobs: jobs });
        io::write("all.npz", #{ x: table.map(|row| row.x) });
    "#;
    let files = |marks: &[&str]| {
        let place = Place::new("", "");
        place.write_text(text);
        marks.iter().for_each(|mark| fs::write(place.path(mark), "").unwrap());
        place.sweep().says(0, &[]);
        if marks.contains(&"bad") {
            fs::remove_file(place.path("bad")).unwrap();
            place.sweep().says(0, &["goes on after 5 of 6"]);
        }
        ["all.npz", "runs/seed=0/samples.npz", "runs/seed=5/samples.npz"]
            .map(|file| fs::read(place.path(file)).unwrap())
    };
    let one = files(&[]);
    for marks in [&["two"][..], &["bad"], &["bad", "two"]] {
        assert!(files(marks) == one, "{marks:?}");
    }
}

#[test]
fn what_other_processes_say_is_heard() {
    let place = Place::new("", "");
    let text = r#"
        if io::exists("runs/sweep.json") && io::exists("bad") { throw "not twice"; }
        sweep(#{ a: 0..4 }, |point| {
            plot::scatter([[0, 0], [1, 0.0 / 0]]);
            #{ b: sweep(#{ c: 0..2 }, |inner| { print(`inner ${inner.c}`); #{ d: 1 } }).len() }
        }, #{ folder: "runs", jobs: 2 });
    "#;
    place.write_text(text);
    place.sweep().says(0, &["warning: panel 1: 1 of 2 left out, not finite"]);
    assert_eq!(fs::read_to_string(place.path("runs/a=3/output.txt")).unwrap(), "inner 0\ninner 1\n");
    fs::write(place.path("bad"), "").unwrap();
    fs::remove_dir_all(place.path("runs/a=2")).unwrap();
    // The processes find the folder that the first one has made by then.
    fs::remove_file(place.path("runs/sweep.json")).unwrap();
    let words = "error: the processes of the sweep ended before it was done: the last one ended with exit code 1";
    place.sweep().says(1, &["error: not twice", words, "`jobs: 1` computes in this process"]);
    place
        .run(&[
            "--limit",
            "time=1s",
            "-e",
            "sweep(#{ a: [1] }, |p| { sleep(3); #{ b: 1 } }, #{ folder: \"s\", jobs: 2 })",
        ])
        .says(1, &["has run for 1 s, its limit"]);
}

/// A script from standard input, code of the command line, and a second sweep: each is run again by other processes.
#[test]
fn whatever_runs_may_have_processes() {
    let place = Place::new("", "");
    let code = "sweep(#{ a: 0..4 }, |point| #{ b: 2 * point.a }, #{ folder: \"runs\", jobs: 2 }).len()";
    let outcome = place.run(&["-q", "-e", code]);
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(0), "4\n"), "{}", outcome.said);
    place.write_text(
        r#"
        let first = sweep(#{ a: 0..4 }, |p| #{ b: p.a + args[0].parse_int() }, #{ folder: "first", jobs: 2 });
        let sum = first.map(|row| row.b).reduce(|sum, b| sum + b, 0);
        let second = sweep(#{ c: 0..4 }, |p| #{ d: p.c + sum }, #{ folder: "second", jobs: 2 });
        print(second[3].d);
        "#,
    );
    let outcome = place.run(&["run", "study.rhai", "10"]);
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(0), "49\n"), "{}", outcome.said);
}

#[test]
fn a_script_that_is_checked_or_replayed_starts_nothing() {
    let place = Place::new("folder: \"runs\", jobs: 2", "");
    let outcome = place.run(&["check", "study.rhai"]);
    assert_eq!((outcome.code, outcome.said.as_str()), (Some(0), ""));
    assert!(!place.path("runs").exists());
    place.write("folder: \"runs\", jobs: 2", "sampel();");
    place.run(&["check", "study.rhai"]).says(1, &["sampel"]);
    place.write("folder: \"runs\", jobs: 2", "");
    place.sweep().says(0, &[]);
    let replayed = place.run(&["replay", "runs/table.csv"]);
    assert_eq!(replayed.code, Some(0), "{}{}", replayed.out, replayed.said);
    assert!(replayed.out.contains("made again, all "), "{}", replayed.out);
}

#[test]
fn what_is_there_is_gathered_while_it_runs() {
    let place = Place::new("folder: \"runs\", jobs: 2", "sleep(0.2);");
    place.run(&["status", "runs"]).says(1, &["there is no sweep"]);
    let child = place.start(2);
    wait_for(|| place.path("runs/seed=0,tau=0.2/result.json").exists());
    let gathered = place.run(&["gather", "runs"]);
    gathered.says(0, &[]);
    assert!(gathered.out.contains(" of 24 points are in `runs/table.csv`; "), "{}", gathered.out);
    assert!((2..24).contains(&place.table().lines().count()));
    let status = place.run(&["status", "runs"]).out;
    assert!(status.contains("  running  seed ") && status.contains(": process "), "{status}");
    Outcome::of(child.wait_with_output().unwrap()).says(0, &[]);
    assert_eq!(place.table(), *UNDISTURBED);
    assert_eq!(place.run(&["gather", "runs"]).out, "24 of 24 points are in `runs/table.csv`\n");
}

#[test]
fn a_submission_can_be_looked_at_without_slurm() {
    let place = Place::new("folder: \"runs\"", "if point.seed == 1 { throw \"too hot\"; }");
    let arguments = ["submit", "study.rhai", "--slurm", "--time=1:00:00 --mem=4G", "--dry-run"];
    let outcome = place.run(&arguments);
    outcome.says(0, &[]);
    let lines: Vec<&str> = outcome.out.lines().collect();
    assert_eq!(lines[..2], ["#!/bin/sh", "#SBATCH --job-name=\"runs\""]);
    assert_eq!(lines[2], "#SBATCH --array=0-23");
    assert_eq!(lines[4..6], ["#SBATCH --time=1:00:00 --mem=4G", "# A task is a point: task 0 is seed=0,tau=0.1."]);
    assert!(!place.path("runs").exists());
    // Of what is there nothing is submitted.
    place.sweep().says(0, &["6 of 24 points failed"]);
    assert!(place.run(&arguments).out.contains("\n#SBATCH --array=6-11\n"));
    let without = place.command(&["submit", "study.rhai"]).env("PATH", "").output().unwrap();
    Outcome::of(without).says(1, &["error: there is no `sbatch` here", "apt install slurm-client"]);
    place.run(&["share"]).says(1, &["`share` is for processes that tumble starts"]);
    place.write("", "");
    assert!(
        place
            .run(&arguments)
            .out
            .ends_with("nothing to submit: the script has no sweep with a folder that lacks results\n")
    );
}
