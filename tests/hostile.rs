//! Scripts that want more than a machine has, wait for ever, or ask for what cannot be: each must end by itself, in
//! order.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What a script may take at most, whatever its limits.
const PATIENCE: Duration = Duration::from_secs(10);
/// Addresses of a process, in KiB: 2 GiB, beyond which an allocation fails and the program aborts.
const ADDRESSES: u64 = 2 << 20;

/// A folder as the scripts expect it, with a pipe that nobody writes to, a link to itself and a file with a hole.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    assert!(Command::new("mkfifo").arg(out.join("fifo.csv")).status().unwrap().success());
    std::os::unix::fs::symlink("loop.csv", out.join("loop.csv")).unwrap();
    std::fs::File::create(out.join("sparse.safetensors")).unwrap().set_len(1 << 40).unwrap();
    folder
}

/// What is wrong with the end of a script that may compute for so many `seconds`, if anything is.
fn fault(script: &Path, seconds: f64) -> Option<String> {
    let folder = folder();
    let copy = folder.path().join(script.file_name().unwrap());
    std::fs::copy(script, &copy).unwrap();
    let limited = format!("ulimit -v {ADDRESSES}; exec \"$0\" \"$@\"");
    let errors = folder.path().join("errors");
    let mut child = Command::new("sh")
        .args(["-c", &limited, env!("CARGO_BIN_EXE_tumble"), "--threads", "1"])
        .args(["--limit", &format!("time={seconds}s,memory=1500M,operations=1e7"), "run"])
        .arg(&copy)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > PATIENCE => {
                child.kill().unwrap();
                child.wait().unwrap();
                return Some("did not end".to_owned());
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let said = String::from_utf8_lossy(&std::fs::read(&errors).unwrap()).into_owned();
    let is_orderly = match status.code() {
        Some(0) => true,
        Some(1) => said.contains("error: "),
        _ => false,
    };
    (!is_orderly || said.contains("panicked")).then(|| format!("{status}: {}", said.lines().next().unwrap_or("")))
}

/// Most grow, so a limit of time makes the test short.
#[test]
fn hostile_scripts_end_in_order() {
    all_end_in_order(0.5);
}

#[test]
#[ignore = "takes minutes"]
fn hostile_scripts_with_time_end_in_order() {
    all_end_in_order(5.0);
}

fn all_end_in_order(seconds: f64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let scripts: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(scripts.len() > 400, "{}", scripts.len());
    let (left, faults) = (Mutex::new(scripts), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(script) = left.lock().unwrap().pop() else { return };
                    if let Some(fault) = fault(&script, seconds) {
                        faults.lock().unwrap().push(format!("{}: {fault}", script.display()));
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Seen to end with 0 by the engine's own count, which starts anew in every closure that a builtin calls.
#[test]
fn closures_that_builtins_call_are_counted() {
    let code = "let a = []; a.pad(50_000, 1); a.filter(|x| x > 0).len()";
    for (limit, words) in [("operations=1e5", "has computed 100_000 operations"), ("time=0.001s", "its limit")] {
        let output = Command::new(env!("CARGO_BIN_EXE_tumble")).args(["--limit", limit, "-e", code]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(words), "{limit}: {}{said}", output.status);
    }
}

/// A training that had too little time is no result: nothing that comes after it runs, and nothing is kept of it. Seen
/// to leave each file, with the exit code 0, while the clock was looked at only now and then.
#[test]
fn what_the_time_cut_short_is_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let train = "let d = dataset::moons(); let m = score::mlp(process::active(), d, #{ hidden: [8] }); \
                 let o = #{ steps: 10_000_000, batch: 16 };";
    for (name, rest) in [
        ("step.json", "step(\"step.json\", #{}, || train(m, d, o).steps)"),
        ("loss.csv", "train(m, d, o).loss.save(\"loss.csv\")"),
        ("model.safetensors", "train(m, d, o); m.save(\"model.safetensors\")"),
        ("none", "train(m, d, o)"),
        ("classes.json", "try { step(\"classes.json\", #{}, || train_classifier(d, o).accuracy(d)) } catch { 0 }"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumble"));
        let code = format!("{train} {rest}");
        let output = command.args(["-q", "--limit", "time=0.2s", "-e", &code]).current_dir(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains("its limit"), "{rest}: {}{said}", output.status);
        assert!(!folder.path().join(name).exists(), "{rest}");
    }
}

/// A process that was stopped while it wrote holds the lock of a folder.
#[test]
fn a_lock_is_not_waited_for_without_end() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".tumble")).unwrap();
    let lock = std::fs::File::create(folder.path().join(".tumble/lock")).unwrap();
    lock.lock().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tumble"));
    let output = command.args(["-e", "io::write(\"a.txt\", \"y\")"]).current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("another process holds `.tumble/lock`"), "{said}");
}
