//! Several ranks under `mpirun` on one machine: the bytes of one process, stops, and errors. What ranks do without MPI
//! is tested by threads, in the rooms that share work.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const TUMBLE: &str = env!("CARGO_BIN_EXE_tumble");

/// Trains with checkpoints, draws data, and samples by fixed and by adaptive steps, in parts too; with a class of
/// process that learns from simulated paths, whose pilots are shared.
const SCRIPT: &str = r#"
let d = dataset::diamond();
let p = process::active(#{ tau: 0.5 });
let m = score::mlp(p, d, #{ hidden: [32, 32], seed: 1 });
let r = train(m, d, #{ steps: 40, batch: 600, seed: 2, interval: 10, checkpoint: "run", keep: 9, every: 15 });
m.save("model.safetensors");
io::write("loss.json", [r.loss.to_array(), r.by_time.to_array()]);
let s = sample(m, #{ count: 2000, steps: 20, seed: 4, keep: [0.5] });
s.x.save("samples.npy");
s.path("eta").save("path.npy");
sample(m, #{ count: 3000, steps: 5, seed: 5, checkpoint: "parts", every: 1024 }).x.save("in_parts.npy");
sample(score::exact(p, d), #{ count: 4000, method: "rk45", rtol: 1e-3, atol: 1e-3, seed: 6 }).x.save("adaptive.npy");
dataset::ising(#{ size: 8, temperature: 2.5, count: 2000, sweeps: 10, seed: 7 }).sample(500, 8).save("lattices.npy");
let line = dataset::mixture(#{ means: [[-1], [1]], std: 0.2 });
let n = score::mlp(process::double_well(#{ Ta: 1 }), line, #{ hidden: [16], chain_steps: 100, seed: 9 });
train(n, line, #{ steps: 5, batch: 300, seed: 10 });
n.save("nonlinear.safetensors");
print(io::read("loss.json")[0].len);
"#;

/// Whether there is an MPI; says so where there is none.
fn is_there() -> bool {
    let is_there = Command::new("mpirun").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("left out: there is no mpirun (Debian has it in openmpi-bin)");
    }
    is_there
}

/// Ranks of one thread each that run a script in a folder.
fn ranks(count: usize, folder: &Path, script: &str) -> Command {
    fs::write(folder.join("script.rhai"), script).unwrap();
    let mut command = Command::new("mpirun");
    command.args(["--oversubscribe", "--allow-run-as-root", "--bind-to", "none"]);
    command.args(["-n", &count.to_string(), TUMBLE, "--threads", "1", "--quiet", "run", "script.rhai"]);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn alone(folder: &Path, script: &str) -> Output {
    fs::write(folder.join("script.rhai"), script).unwrap();
    Command::new(TUMBLE).args(["--threads", "1", "--quiet", "run", "script.rhai"]).current_dir(folder).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The bytes of all files in a folder and its folders, but for the logs. Of checkpoints, what is not the time that they
/// took.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.extend((!name.starts_with('.') && !name.contains("/.")).then_some(path));
            } else if !name.ends_with("log.jsonl") {
                let bytes = fs::read(&path).unwrap();
                found.insert(name.clone(), if name.starts_with("run/") { timeless(&bytes) } else { bytes });
            }
        }
    }
    found
}

/// A checkpoint without the time and without the checksum, which is also of the time.
fn timeless(bytes: &[u8]) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let (header, values) = bytes[8..].split_at(length);
    let header: Value = serde_json::from_slice(header).unwrap();
    let mut told = Vec::new();
    for (key, text) in header["__metadata__"].as_object().unwrap() {
        let text = text.as_str().unwrap();
        let inner = serde_json::from_str::<Value>(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        told.push((key.clone(), without_time(inner)));
    }
    let mut kept = format!("{told:?}").into_bytes();
    kept.extend_from_slice(values);
    kept
}

fn without_time(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            for of_time in ["elapsed", "checksum"] {
                map.remove(of_time);
            }
            map.values_mut().for_each(|inner| *inner = without_time(inner.take()));
        }
        Value::Array(all) => all.iter_mut().for_each(|inner| *inner = without_time(inner.take())),
        _ => {}
    }
    value
}

/// Seen to fail with every rank printing.
#[test]
fn ranks_give_the_bytes_of_one_process() {
    if !is_there() {
        return;
    }
    let one = tempfile::tempdir().unwrap();
    let output = alone(one.path(), SCRIPT);
    assert!(output.status.success(), "{}", said(&output));
    let expected = files(one.path());
    assert!(expected.len() > 12, "{:?}", expected.keys());
    for count in [1, 2, 4] {
        let folder = tempfile::tempdir().unwrap();
        let shared = ranks(count, folder.path(), SCRIPT).output().unwrap();
        assert!(shared.status.success(), "{}", said(&shared));
        assert_eq!((&shared.stdout, said(&shared)), (&output.stdout, said(&output)), "{count} ranks");
        let found = files(folder.path());
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, bytes) in &expected {
            assert!(found[name] == *bytes, "{name} on {count} ranks");
        }
    }
}

/// Trains for some seconds.
const LONG: &str = r#"
let d = dataset::diamond();
let m = score::mlp(process::active(#{ tau: 0.5 }), d, #{ hidden: [16, 16], seed: 1 });
train(m, d, #{ steps: 60_000, batch: 300, seed: 2, checkpoint: "run", every: 50, resume: true });
m.save("model.safetensors");
"#;

/// Numbers of the steps of the checkpoints.
fn checkpoints(folder: &Path) -> Vec<u32> {
    let names = fs::read_dir(folder.join("run")).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    let number = |name: &str| name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok();
    let mut steps: Vec<u32> = names.filter_map(|name| number(name.to_str().unwrap())).collect();
    steps.sort_unstable();
    steps
}

/// Waits until there is a checkpoint of more than so many steps.
fn wait_for_more(running: &mut Child, folder: &Path, reached: u32) {
    let begin = Instant::now();
    while checkpoints(folder).last().is_none_or(|step| *step <= reached) {
        assert!(begin.elapsed() < Duration::from_secs(120), "no checkpoint follows {reached}");
        assert!(running.try_wait().unwrap().is_none(), "it ended before");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A process that `mpirun` started.
fn last_child(mpirun: &Child) -> String {
    let id = mpirun.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    children.split_whitespace().last().unwrap().to_owned()
}

/// Of two ranks one is asked to stop, of three all are, by `mpirun`; each time all stop behind the same step, which is
/// kept once and told of once. Then one process goes on to the bytes of a run that nothing stopped.
#[test]
fn what_is_stopped_goes_on_at_another_number_of_ranks() {
    if !is_there() {
        return;
    }
    let [folder, whole] = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let mut reached = 0;
    for count in [2, 3] {
        let mut command = ranks(count, folder.path(), LONG);
        // So many seconds `mpirun` waits before it passes the signal on, and again before it kills.
        let mut running = command.env("OMPI_MCA_odls_base_sigkill_timeout", "2").spawn().unwrap();
        wait_for_more(&mut running, folder.path(), reached);
        let whom = if count == 2 { last_child(&running) } else { running.id().to_string() };
        assert!(Command::new("kill").args(["-TERM", &whom]).status().unwrap().success());
        let output = running.wait_with_output().unwrap();
        let told = said(&output);
        assert!(!output.status.success() && told.lines().filter(|line| *line == "interrupted").count() == 1, "{told}");
        let kept = checkpoints(folder.path());
        assert!(kept.len() == 2 && kept[1] > reached && kept[1] < 60_000, "{kept:?}");
        reached = kept[1];
    }
    for place in [&folder, &whole] {
        let output = alone(place.path(), LONG);
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(files(folder.path())["model.safetensors"], files(whole.path())["model.safetensors"]);
}

/// Each point is computed once, by all ranks; what another process does in the folder all of them see alike.
#[test]
fn ranks_compute_the_points_of_a_sweep_together() {
    if !is_there() {
        return;
    }
    let script = r#"
        let d = dataset::diamond();
        let table = sweep(#{ tau: [0.1, 0.2], seed: 0..3 }, |point| {
            print(`at ${point.index}`);
            if point.seed == 2 && point.tau == 0.2 && !io::exists("good") { throw "too hot"; }
            let m = score::mlp(process::active(#{ tau: point.tau }), d, #{ hidden: [8], seed: point.seed });
            train(m, d, #{ steps: 20, batch: 600, seed: 1 });
            #{ first: sample(m, #{ count: 600, steps: 4, seed: 2 }).x.to_array()[0] }
        }, #{ folder: "runs", jobs: 2 });
        print(`${table.len()} rows`);
    "#;
    let [one, two] = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let table = |folder: &Path| fs::read_to_string(folder.join("runs/table.csv")).unwrap();
    let first = ranks(2, two.path(), script).output().unwrap();
    assert!(first.status.success() && said(&first).matches("1 of 6 points failed").count() == 1, "{}", said(&first));
    assert_eq!(String::from_utf8_lossy(&first.stdout), "at 0\nat 1\nat 2\nat 3\nat 4\nat 5\n5 rows\n");
    for folder in [&one, &two] {
        fs::write(folder.path().join("good"), "").unwrap();
    }
    fs::write(two.path().join("runs/seed=0,tau=0.1/result.json"), "{").unwrap();
    let second = ranks(2, two.path(), script).output().unwrap();
    assert!(second.status.success() && said(&second).matches("is damaged").count() == 1, "{}", said(&second));
    assert_eq!(String::from_utf8_lossy(&second.stdout), "at 0\nat 5\n6 rows\n");
    let alone = alone(one.path(), script);
    assert!(alone.status.success(), "{}", said(&alone));
    assert_eq!(table(two.path()), table(one.path()));
}

/// Runs a script on three ranks that fails, and gives what it said; the others do not wait for ever.
fn failing(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = ranks(3, folder.path(), script).output().unwrap();
    assert!(!output.status.success());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was written");
    said(&output)
}

/// Seen to fail with every rank telling of it.
#[test]
fn an_error_ends_all_ranks_and_is_told_once() {
    if !is_there() {
        return;
    }
    let told = failing("let x = dataset::diamond().sample(10, 1);\nx.save(\"no/such/folder.npy\");");
    assert!(told.matches("the folder `no/such` does not exist").count() == 1 && !told.contains("rank "), "{told}");
    // What the clock says differs from rank to rank.
    let told = failing("let t = timestamp();\nsleep(0.01);\nio::write(`${t.elapsed}.json`, 1);");
    let parted = "all ranks must go the same way";
    assert!(told.matches(parted).count() == 1 && told.contains("rank 0 came to writing `0.01"), "{told}");
}

/// Not a run of a script, so nothing that ranks share.
#[test]
fn other_commands_run_alone() {
    if !is_there() {
        return;
    }
    let output = Command::new("mpirun")
        .args(["--oversubscribe", "--allow-run-as-root", "-n", "2", TUMBLE, "info", "x"])
        .output()
        .unwrap();
    let told = said(&output);
    assert!(!output.status.success() && told.matches("what one does alone").count() == 1, "{told}");
}
