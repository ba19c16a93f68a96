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

/// A sweep of three points of which the last waits for a file to fail no more.
const READS: &str = r#"
    let table = sweep(#{ a: 0..3 }, |point| {
        if point.a == 2 && !io::exists("good") { throw "not yet"; }
        READ
        #{ b: read }
    }, #{ folder: "runs" });
    print(table.map(|row| row.b));
"#;

/// Seen to put the results of an old and of a new file into one table.
#[test]
fn what_the_closure_reads_is_the_same_for_all_points() {
    let module = "// One.\nfn read() { 1 }\n";
    let cases = [
        ("data.json", "1", "1 ", "2", "let read = io::read(\"data.json\") + 0;"),
        (
            "own.rhai",
            module,
            "fn read() {\n 1 // The same.\n}\n",
            "fn read() { 2 }",
            "import \"own\" as own; let read = own::read();",
        ),
    ];
    for (file, text, same, other, read) in cases {
        let place = Place::new("", "");
        place.write_text(&READS.replace("READ", read));
        fs::write(place.path(file), text).unwrap();
        place.sweep().says(0, &["1 of 3 points failed"]);
        fs::write(place.path("good"), "").unwrap();
        fs::write(place.path(file), other).unwrap();
        let sentence = format!("`{file}` has changed since a 0 was computed, and 1 more");
        let hint = "remove the folders of these points, such as `runs/a=0`, to compute them again";
        for command in [&["run", "study.rhai"][..], &["submit", "study.rhai", "--dry-run"]] {
            place.run(command).says(1, &["`folder` has results that are not of the same files", &sentence, hint]);
        }
        // What was computed goes together; what is there now is of no matter for that.
        place.run(&["gather", "runs"]).says(0, &[]);
        // A point of a new file beside these.
        let kept = place.path("kept");
        fs::create_dir(&kept).unwrap();
        [0, 1].iter().for_each(|a| fs::rename(place.path(&format!("runs/a={a}")), kept.join(format!("{a}"))).unwrap());
        assert_eq!(place.sweep().out, "[2, 2, 2]\n");
        fs::rename(place.path("runs/a=0"), kept.join("new")).unwrap();
        fs::rename(kept.join("0"), place.path("runs/a=0")).unwrap();
        place.run(&["gather", "runs"]).says(1, &[&format!("`{file}` was another when a ")]);
        // Whoever takes the description away says that all results hold, then and later.
        fs::remove_file(place.path("runs/sweep.json")).unwrap();
        for _ in 0..2 {
            assert_eq!(place.sweep().out, "[1, 2, 2]\n");
        }
        place.run(&["gather", "runs"]).says(0, &[]);
        fs::remove_dir_all(place.path("runs")).unwrap();
        fs::write(place.path(file), text).unwrap();
        fs::remove_file(place.path("good")).unwrap();
        place.sweep().says(0, &["1 of 3 points failed"]);
        fs::write(place.path("good"), "").unwrap();
        if file.ends_with(".rhai") {
            fs::write(place.path(file), same).unwrap();
        }
        let outcome = place.sweep();
        outcome.says(0, &["goes on after 2 of 3"]);
        assert_eq!(outcome.out, "[1, 1, 1]\n");
    }
}

/// Seen to pass through points: numbers that captured closures count with, and scores that are trained.
#[test]
fn each_point_sees_what_there_was_before_the_sweep() {
    let text = r#"
        let count = 0;
        let all = #{ next: || { count += 1; count }, list: [[]] };
        let now = || count;
        let d = dataset::diamond();
        let m = score::mlp(process::passive(), d, #{ hidden: [4], seed: 0 });
        let before = m.at([[0.5, 0.1]], 0.5).x.to_array();
        let table = sweep(#{ a: 0..4 }, |point| {
            all.next.call();
            all.list[0].push(point.a);
            let same = [m];
            train(same[0], d, #{ steps: 2, batch: 16, seed: 1 });
            #{ next: all.next.call(), now: now.call(), listed: all.list[0].len(), score: m.at([[0.5, 0.1]], 0.5).x.to_array()[0] }
        }, #{ folder: "runs", jobs: JOBS });
        assert_eq!(count, 0);
        assert_eq!(m.at([[0.5, 0.1]], 0.5).x.to_array(), before);
        for row in table {
            assert(row.next == 2 && row.now == 2 && row.listed == 1 && row.score == table[0].score && row.score != before[0]);
        }
    "#;
    for jobs in ["1", "2"] {
        let place = Place::new("", "");
        place.write_text(&text.replace("JOBS", jobs));
        place.sweep().says(0, &["sweep: 4/4"]);
    }
}

#[test]
fn values_that_are_written_alike_are_not_the_same() {
    let place = Place::new("", "");
    let sweep = |values: &str| {
        place.write_text(&format!(
            "print(sweep(#{{ a: {values} }}, |p| #{{ kind: type_of(p.a) }}, #{{ folder: \"runs\" }}).map(|row| row.kind));"
        ));
        place.sweep()
    };
    assert_eq!(sweep("[\"1\", \"true\"]").out, "[\"string\", \"string\"]\n");
    sweep("[1, true]").says(1, &["the axis `a` no longer has \"1\", \"true\""]);
    fs::remove_file(place.path("runs/sweep.json")).unwrap();
    for (values, kinds) in [("[1, true]", "[\"i64\", \"bool\"]\n"), ("[1.0, false]", "[\"f64\", \"bool\"]\n")] {
        let outcome = sweep(values);
        assert_eq!(outcome.out, kinds, "{}", outcome.said);
        fs::remove_file(place.path("runs/sweep.json")).unwrap();
    }
    let long = "x".repeat(300);
    let outcome = sweep(&format!("[\"{long}\", \"{long}y\"]"));
    assert_eq!(outcome.out, "[\"string\", \"string\"]\n", "{}", outcome.said);
}

#[test]
fn a_result_that_somebody_changed_is_computed_again() {
    for jobs in ["", ", jobs: 2"] {
        let place = Place::new(&format!("folder: \"runs\"{jobs}"), "");
        place.sweep().says(0, &[]);
        let (edited, cut) = ("runs/seed=0,tau=0.1/result.json", "runs/seed=3,tau=0.6/result.json");
        let text = fs::read_to_string(place.path(edited)).unwrap();
        fs::write(place.path(edited), text.replace("\"distance\": 0.", "\"distance\": 1.")).unwrap();
        fs::write(place.path(cut), "{").unwrap();
        let status = place.run(&["status", "runs"]).out;
        assert!(status.starts_with("runs: 24 points of study.rhai: 22 done, 2 damaged\n"), "{status}");
        let gathered = place.run(&["gather", "runs"]).out;
        assert_eq!(gathered, "22 of 24 points are in `runs/table.csv`; 2 damaged\n");
        let sentence = format!("warning: sweep: `{edited}` was edited; it is now `{edited}.damaged`");
        place.sweep().says(0, &["goes on after 22 of 24", &sentence, &format!("`{cut}` is damaged")]);
        assert_eq!(place.table(), *UNDISTURBED);
    }
}

/// Processes of a later sweep see the earlier one as it was for who started them.
#[test]
fn an_earlier_sweep_is_not_done_again() {
    let place = Place::new("", "");
    place.write_text(
        r#"
        let first = sweep(#{ a: 0..3 }, |p| {
            if p.a == 1 && !io::exists("later.json") { throw "too hot"; }
            #{ b: p.a }
        }, #{ folder: "first", jobs: 2 });
        let second = sweep(#{ a: 0..3 }, |p| { io::write("later.json", 1); #{ b: first.len() } }, #{ folder: "second", jobs: 2 });
        let counts = [];
        for n in [2, 4] {
            counts.push(sweep(#{ a: 0..n }, |p| #{ b: p.a }, #{ folder: "grows", jobs: 2 }).len());
        }
        print(`${second.map(|row| row.b)} ${counts}`);
        "#,
    );
    let outcome = place.sweep();
    outcome.says(0, &["1 of 3 points failed"]);
    assert_eq!(outcome.out, "[2, 2, 2] [2, 4]\n", "{}", outcome.said);
    assert!(place.path("first/a=1/error.txt").exists());
}

#[test]
fn a_point_does_not_end_the_script() {
    for jobs in ["1", "2"] {
        let place = Place::new(&format!("folder: \"runs\", jobs: {jobs}"), "if point.seed == 2 { exit(3); }");
        let outcome = place.sweep();
        outcome.says(0, &["seed 2, tau 0.5 failed: exit(3) ends no sweep", "6 of 24 points failed"]);
        assert_eq!(outcome.out, "18 rows\n");
        let text = fs::read_to_string(place.path("runs/seed=2,tau=0.1/error.txt")).unwrap();
        assert!(text.contains("throw tells why a point has no result"), "{text}");
    }
}

/// One run has the last point when it is killed; the other has ended its processes by then, which found nothing to do.
#[test]
fn a_run_goes_on_where_another_is_killed() {
    let work = "for wait in 0..600 { if point.seed == 0 && point.tau == 0.1 && io::exists(\"slow\") { sleep(0.1); } }";
    let place = Place::new("folder: \"runs\"", work);
    fs::write(place.path("slow"), "").unwrap();
    let mut first = place.start(1);
    place.write("folder: \"runs\", jobs: 2", work);
    let second = place.command(&["run", "study.rhai"]).spawn().unwrap();
    let status = || place.run(&["status", "runs"]).out;
    wait_for(|| status().starts_with("runs: 24 points of study.rhai: 23 done, 1 running\n"));
    // Its processes have ended.
    std::thread::sleep(Duration::from_millis(500));
    first.kill().unwrap();
    first.wait().unwrap();
    fs::remove_file(place.path("slow")).unwrap();
    Outcome::of(second.wait_with_output().unwrap()).says(0, &["sweep: 24/24, seed 0, tau 0.1"]);
    assert_eq!(place.table(), *UNDISTURBED);
}

/// What a point prints is there before its end, and whoever is killed leaves it.
#[test]
fn what_is_printed_is_seen_at_once() {
    let place = Place::new("folder: \"runs\"", "print(`at ${point.index}`); sleep(0.5);");
    let mut child = place.start(1);
    let file = place.path("runs/seed=0,tau=0.1/output.txt");
    wait_for(|| fs::read_to_string(&file).is_ok_and(|text| text == "at 0\n"));
    child.kill().unwrap();
    child.wait().unwrap();
    let status = place.run(&["status", "runs"]).out;
    assert!(status.starts_with("runs: 24 points of study.rhai: 1 interrupted, 23 missing\n"), "{status}");
    assert!(status.contains("\n  interrupted  seed 0, tau 0.1\n"), "{status}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "at 0\n");
}

/// All results are there, so that nothing needs to be written.
#[test]
fn a_table_that_cannot_be_written_ends_no_script() {
    let place = Place::new("folder: \"runs\"", "");
    place.sweep().says(0, &[]);
    fs::write(place.path("runs/table.csv"), "mine\n").unwrap();
    let outcome = place.sweep();
    outcome.says(0, &["warning: sweep: the table is not written anew: cannot write `runs/table.csv`: it was changed"]);
    assert_eq!((outcome.out.as_str(), place.table().as_str()), ("24 rows\n", "mine\n"));
    place.run(&["gather", "runs"]).says(1, &["it was changed since it was written by tumble"]);
}

#[test]
fn what_changes_no_result_is_the_same_sweep() {
    let place = Place::new("folder: \"runs\"", "");
    place.sweep().says(0, &[]);
    let text = SCRIPT.replace("OPTIONS", "folder: \"runs\"").replace("WORK", "");
    let same = [
        text.replace("let d =", "let d =\n   "),
        format!("\u{feff}#!/usr/bin/env tumble\n{text}"),
        format!("{text}\nfn show(table) {{ print(table.len()); }}\nshow(table);"),
        text.replace(", d), #{ count", ", d), #{\n        count").replace("type: p.kind })", "type: p.kind, })"),
    ];
    for text in same {
        place.write_text(&text);
        place.sweep().says(0, &["all 24 points are there"]);
    }
}

/// Programs in the place of Slurm's: one that refuses, and one that takes two tasks to an array.
#[test]
fn what_slurm_does_not_take_leaves_nothing() {
    let place = Place::new("folder: \"runs\"", "");
    let program = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let file = place.path(name);
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let path = format!("{}:{}", place.folder.path().display(), std::env::var("PATH").unwrap());
    let submit = |more: &[&str]| {
        let mut command = place.command(&["submit", "study.rhai"]);
        Outcome::of(command.args(more).env("PATH", &path).output().unwrap())
    };
    let left = || {
        let names = fs::read_dir(place.path("runs/slurm")).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned()).filter(|name| !name.starts_with('.'));
        names.collect::<BTreeSet<_>>()
    };
    program("sbatch", "echo 'no such account' >&2; exit 1");
    for _ in 0..2 {
        submit(&[]).says(1, &["error: `sbatch` refuses: no such account"]);
        assert_eq!(left(), BTreeSet::new());
    }
    program("scontrol", "echo 'MaxArraySize            = 10'");
    let shown = submit(&["--at-once", "3", "--dry-run"]).out;
    assert!(shown.contains("--dependency=afterany:JOB\n") && shown.ends_with("share ./runs/slurm/3.job\n"), "{shown}");
    program("sbatch", "sleep 0.5; ls runs/slurm/*.sh | wc -l");
    program("squeue", "true");
    // Two at the same time.
    let both = std::thread::scope(|scope| {
        [0, 1].map(|_| scope.spawn(|| submit(&["--at-once", "3"]))).map(|one| one.join().unwrap())
    });
    let (done, refused): (Vec<_>, Vec<_>) = both.into_iter().partition(|outcome| outcome.code == Some(0));
    assert!(done[0].out.starts_with("submitted 24 of 24 points of `runs` as jobs 1, 2, 3;"), "{}", done[0].out);
    refused[0].says(1, &["another `tumble submit` is at work on `runs`"]);
    assert_eq!(left().len(), 9);
    let text = fs::read_to_string(place.path("runs/slurm/3.sh")).unwrap();
    assert!(text.contains("#SBATCH --array=0-3%3\n") && text.contains("#SBATCH --dependency=afterany:2\n"), "{text}");
}
