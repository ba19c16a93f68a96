//! What may happen to a training from outside: its process is killed or asked to end, the disk is full, a file is
//! damaged. Whatever it is, the run ends up with the bits of one that nothing happened to, or the fault is named.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

/// Trains and keeps the model and the loss, over the steps and by time. `STEPS` and `MORE` are replaced.
const SCRIPT: &str = r#"
let d = dataset::diamond();
let m = score::mlp(process::active(#{ tau: 0.5 }), d, #{ hidden: [24, 24], seed: 1 });
print("training");
let r = train(m, d, #{ steps: STEPS, batch: 300, seed: 2, interval: 70, checkpoint: "run", MORE });
m.save("model.safetensors");
io::write("loss.json", [r.loss.to_array(), r.by_time.to_array()]);
print(r.steps);
"#;

/// A folder with the script, in which it runs.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(steps: u32, more: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write(steps, more);
        place
    }

    fn write(&self, steps: u32, more: &str) {
        let text = SCRIPT.replace("STEPS", &steps.to_string()).replace("MORE", more);
        fs::write(self.path("script.rhai"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The script by `program` with `arguments` before those of the command.
    fn by(&self, program: &str, arguments: &[&str], threads: u32) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).args(["--threads", &threads.to_string(), "run", "script.rhai"]);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn command(&self, threads: u32) -> Command {
        self.by(TUMBLE, &[], threads)
    }

    fn run(&self, threads: u32) -> Outcome {
        Outcome::of(self.command(threads).output().unwrap())
    }

    /// Starts the script, and waits until it has a checkpoint behind its first step.
    fn start(&self, command: &mut Command) -> Child {
        let mut child = command.spawn().unwrap();
        while self.checkpoints().last().is_none_or(|step| *step == 0) {
            assert_eq!(child.try_wait().unwrap(), None, "it ended before");
            std::thread::sleep(Duration::from_millis(1));
        }
        child
    }

    /// Numbers of the steps of the checkpoints.
    fn checkpoints(&self) -> Vec<u64> {
        let names = fs::read_dir(self.path("run")).into_iter().flatten().map(|entry| entry.unwrap().file_name());
        let number = |name: &str| name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok();
        let mut steps: Vec<u64> = names.filter_map(|name| number(name.to_str().unwrap())).collect();
        steps.sort_unstable();
        steps
    }

    fn checkpoint(&self, step: u64) -> PathBuf {
        self.path(&format!("run/step-{step:08}.safetensors"))
    }

    fn result(&self) -> [Vec<u8>; 2] {
        ["model.safetensors", "loss.json"].map(|name| fs::read(self.path(name)).unwrap())
    }

    /// The lines of the log at the points of the loss, without the seconds; each step is there once.
    fn log(&self) -> Vec<Map<String, Value>> {
        let text = fs::read_to_string(self.path("run/log.jsonl")).unwrap();
        let mut lines: Vec<Map<String, Value>> =
            text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
        let step = |line: &Map<String, Value>| line["step"].as_u64().unwrap();
        assert!(lines.is_sorted_by(|a, b| step(a) < step(b)), "{text}");
        assert!(lines.is_sorted_by_key(|line| line["seconds"].as_f64().unwrap()), "{text}");
        lines.retain(|line| step(line).is_multiple_of(70) || line["step"] == line["steps"]);
        lines.iter_mut().for_each(|line| drop(line.remove("seconds")));
        lines
    }
}

const TUMBLE: &str = env!("CARGO_BIN_EXE_tumble");

/// How a run ended, and what it said.
struct Outcome {
    status: ExitStatus,
    said: String,
}

impl Outcome {
    fn of(output: Output) -> Self {
        Self { status: output.status, said: String::from_utf8(output.stderr).unwrap() }
    }

    fn succeeded(&self) {
        assert!(self.status.success(), "{:?}: {}", self.status, self.said);
    }

    fn says(&self, code: i32, words: &str) {
        assert!(self.status.code() == Some(code) && self.said.contains(words), "{:?}: {}", self.status, self.said);
    }
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

const RESUMING: &str = "every: 25, resume: true";

/// What a run without faults leaves; saved models say which script made them, so of the very script.
fn undisturbed(steps: u32, more: &str) -> [Vec<u8>; 2] {
    let place = Place::new(steps, more);
    place.run(1).succeeded();
    place.result()
}

/// Number of files in a folder, without the records of those that were written.
fn visible(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| !name.as_encoded_bytes().starts_with(b".")).count()
}

/// Kills `count` runs at random moments, each once or more, lets them go on at other numbers of threads, and returns
/// how many of them ended with the bits of one that was not disturbed.
fn survivors(count: u32, steps: u32) -> u32 {
    let expected = undisturbed(steps, RESUMING);
    let place = Place::new(steps, RESUMING);
    let clock = Instant::now();
    place.run(2).succeeded();
    let (whole, log) = (clock.elapsed(), place.log());
    assert_eq!(log.len() as u32, steps.div_ceil(70));
    // No seed can fix the moment at which a process is killed, so it need not be tried.
    let mut word = u64::from(std::process::id());
    let mut random = || {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (word >> 33) as f64 / f64::from(u32::MAX / 2)
    };
    let mut exact = 0;
    for run in 0..count {
        let place = Place::new(steps, RESUMING);
        let (mut kills, mut threads) = (0, 1 + run % 2);
        loop {
            let mut child = place.command(threads).spawn().unwrap();
            let moment = whole.mul_f64(random());
            let clock = Instant::now();
            while clock.elapsed() < moment && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_micros(200));
            }
            let finished = child.try_wait().unwrap().is_some();
            if !finished {
                child.kill().unwrap();
                kills += 1;
            }
            let outcome = Outcome::of(child.wait_with_output().unwrap());
            if finished {
                outcome.succeeded();
                if kills > 0 {
                    break;
                }
                // It was too quick: another try from the beginning.
                fs::remove_dir_all(place.path("run")).unwrap();
            }
            threads = 3 - threads;
        }
        let is_exact = place.result() == expected;
        assert_eq!(place.log(), log, "after {kills} kills");
        assert_eq!(visible(&place.path("run")), place.checkpoints().len() + 1, "parts are left");
        if !is_exact {
            eprintln!("run {run} after {kills} kills: other bits");
        }
        exact += u32::from(is_exact);
    }
    exact
}

#[test]
fn killed_runs_end_with_the_same_bits() {
    assert_eq!(survivors(5, 600), 5);
}

#[test]
#[ignore = "takes minutes"]
fn a_hundred_killed_runs_end_with_the_same_bits() {
    let exact = survivors(100, 2000);
    eprintln!("{exact} of 100 runs resumed bit-exact");
    assert_eq!(exact, 100);
}

/// SIGTERM, SIGHUP and Ctrl-C: the state is kept, said, and gone on from.
#[test]
fn signals_end_a_run_in_order() {
    const STEPS: u32 = 8000;
    let expected = undisturbed(STEPS, "every: 50, resume: true");
    for (signal, code) in [("-TERM", 143), ("-HUP", 129), ("-INT", 130)] {
        let place = Place::new(STEPS, "every: 50, resume: true");
        // Whoever started the tests may ignore hang-ups, which would be inherited.
        let child = place.start(&mut place.by("env", &["--default-signal=HUP", TUMBLE], 2));
        send(&child, signal);
        let stopped = Outcome::of(child.wait_with_output().unwrap());
        stopped.says(code, "interrupted\n");
        let done = *place.checkpoints().last().unwrap();
        stopped.says(code, &format!("kept as `run/step-{done:08}.safetensors`; resume: true goes on"));
        stopped.says(code, &format!("stopped after {done} of 8000 steps"));
        assert!(!place.path("model.safetensors").exists());
        place.run(1).says(0, &format!("goes on after step {done} of 8000"));
        assert!(place.result() == expected, "{signal}: other bits");
        assert_eq!(place.log().len(), STEPS.div_ceil(70) as usize);
        // What is finished is passed over.
        let clock = Instant::now();
        place.run(1).says(0, "all 8000 steps are done, in `run/step-00008000.safetensors`");
        assert!(clock.elapsed() < Duration::from_secs(5) && place.result() == expected);
    }
}

/// A handler would undo what `nohup` asks for.
#[test]
fn nohup_is_respected() {
    let place = Place::new(2000, RESUMING);
    let child = place.start(&mut place.by("nohup", &[TUMBLE], 1));
    send(&child, "-HUP");
    Outcome::of(child.wait_with_output().unwrap()).succeeded();
}

/// What a killed process left of a line is no line, lines beyond the checkpoint are forgotten, and the rest stays.
#[test]
fn a_log_goes_on_behind_the_checkpoint() {
    let place = Place::new(300, "every: 100, resume: true, tensorboard: true");
    place.run(1).succeeded();
    let (log, file) = (place.log(), place.path("run/log.jsonl"));
    let steps: Vec<_> = log.iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [70, 140, 210, 280, 300]);
    for line in &log {
        let keys: Vec<_> = line.keys().map(String::as_str).collect();
        assert_eq!(keys, ["by_time", "gradient_norm", "learning_rate", "loss", "step", "steps"]);
        let by_time: Vec<[f64; 3]> = serde_json::from_value(line["by_time"].clone()).unwrap();
        let sums = by_time.iter().fold([0.0, 0.0], |[sum, all], [_, loss, count]| [sum + loss * count, all + count]);
        let samples = if line["step"] == 300 { 20.0 } else { 70.0 } * 300.0;
        assert!(by_time.len() == 10 && sums[1] == samples, "{line:?}");
        assert!((sums[0] / sums[1] / line["loss"].as_f64().unwrap() - 1.0).abs() < 1e-5, "{line:?}");
    }
    // The same points as in the record.
    let losses: Vec<_> = log.iter().map(|line| vec![line["step"].as_f64(), line["loss"].as_f64()]).collect();
    let record: Vec<Vec<Vec<f64>>> = serde_json::from_slice(&fs::read(place.path("loss.json")).unwrap()).unwrap();
    assert_eq!(losses.len(), record[0].len());
    for (line, point) in losses.iter().zip(&record[0]) {
        // Tensors are of single precision.
        assert!(line.iter().zip(point).all(|(a, b)| (a.unwrap() / b - 1.0).abs() < 1e-6), "{line:?} {point:?}");
    }
    let (text, events) = (fs::read_to_string(&file).unwrap(), || fs::read(place.path(EVENTS)).unwrap());
    let undisturbed = events().len();
    fs::remove_file(place.checkpoint(300)).unwrap();
    fs::write(&file, format!("{text}{{\"step\": 3")).unwrap();
    place.run(2).says(0, "goes on after step 200");
    assert_eq!((place.log(), events().len()), (log.clone(), undisturbed));
    assert!(fs::read_to_string(&file).unwrap().starts_with(&text.split_inclusive('\n').take(2).collect::<String>()));
    // Without a log there is one from the checkpoint on.
    fs::remove_file(place.checkpoint(300)).unwrap();
    fs::remove_file(&file).unwrap();
    place.run(1).succeeded();
    assert_eq!(place.log(), log[2..]);
    // One of another program stays.
    fs::remove_file(place.checkpoint(300)).unwrap();
    fs::remove_dir_all(place.path("run/.tumble")).unwrap();
    place.run(1).says(1, "`run/log.jsonl`: it exists, and was not written by tumble");
}

const EVENTS: &str = "run/events.out.tfevents.0.tumble";

/// Holds an event file against what TensorBoard reads of it.
const READER: &str = "
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
lines = [json.loads(line) for line in open(sys.argv[2])]
scalars = lambda tag: [(event.step, event.value) for event in events.Scalars(tag)]
def check(tag, values):
    expected = [(line['step'], value) for line, value in zip(lines, values)]
    found = scalars(tag)
    assert len(found) == len(expected), (tag, found)
    for (step, value), (own, true) in zip(found, expected):
        assert step == own and abs(value - true) <= 1e-6 * abs(true), (tag, step, value, true)
check('loss', [line['loss'] for line in lines])
check('learning rate', [line['learning_rate'] for line in lines])
check('gradient norm', [line['gradient_norm'] for line in lines])
for part, (time, _, _) in enumerate(lines[0]['by_time']):
    check(f'loss by time/{time:.4f}', [line['by_time'][part][1] for line in lines])
print(len(lines), 'events')
";

/// By the package `tensorboard` of Python, where there is one.
#[test]
fn tensorboard_reads_its_events() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tensorboard/bin/python");
    let has_package = |python: &&str| {
        let probe = Command::new(python).args(["-c", "import tensorboard"]).output();
        probe.is_ok_and(|output| output.status.success())
    };
    let Some(python) = [own, "python3"].into_iter().find(has_package) else {
        eprintln!("skipped: no Python with the package `tensorboard`, which target/tensorboard may have");
        return;
    };
    let place = Place::new(300, "every: 100, resume: true, tensorboard: true");
    place.run(1).succeeded();
    fs::remove_file(place.checkpoint(300)).unwrap();
    place.run(1).says(0, "goes on after step 200");
    let files = [EVENTS, "run/log.jsonl"].map(|name| place.path(name));
    let output = Command::new(python).args(["-c", READER]).args(files).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && output.stdout == b"5 events\n", "{said}");
}

/// Not even where the training is the last thing that a script does.
#[test]
fn what_is_stopped_without_checkpoints_does_not_look_finished() {
    let folder = tempfile::tempdir().unwrap();
    let script = "let d = dataset::diamond(); train(score::mlp(process::active(), d), d, #{ steps: 2_000_000 });";
    fs::write(folder.path().join("script.rhai"), script).unwrap();
    let place = Place { folder };
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let child = place.command(1).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(1));
        send(&child, signal);
        let outcome = Outcome::of(child.wait_with_output().unwrap());
        outcome.says(code, "train: `steps: ");
        outcome.says(code, ", total: 2000000` finishes its schedule");
        outcome.says(code, "interrupted\n");
    }
}

/// Damages the newest checkpoint in each of several ways; the one before is taken, and the damaged one named.
#[test]
fn damaged_checkpoints_are_passed_over() {
    let expected = undisturbed(300, "every: 100, resume: true");
    let place = Place::new(300, "every: 100, resume: true");
    place.run(1).succeeded();
    assert_eq!(place.checkpoints(), [200, 300]);
    let newest = place.checkpoint(300);
    let whole = fs::read(&newest).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        bytes
    };
    for damaged in [Vec::new(), whole[..whole.len() / 2].to_vec(), flipped(20), flipped(whole.len() - 1)] {
        fs::write(&newest, damaged).unwrap();
        let outcome = place.run(2);
        outcome.says(0, "cannot read `run/step-00000300.safetensors`: it is ");
        outcome.says(0, "it is kept as `run/step-00000300.safetensors.damaged");
        outcome.says(0, "and `run/step-00000200.safetensors` is taken");
        assert!(place.result() == expected && fs::read(&newest).unwrap().len() == whole.len());
    }
    for step in [200, 300] {
        fs::write(place.checkpoint(step), "no checkpoint").unwrap();
    }
    place.run(1).says(1, "`checkpoint` has nothing to resume: cannot read `run/step-00000300.safetensors`");
}

/// What looks like a part or a checkpoint and is none stays, also behind links. Seen to be removed, and renamed.
#[cfg(unix)]
#[test]
fn files_of_others_stay() {
    let place = Place::new(50, "every: 10, resume: true");
    place.run(1).succeeded();
    let others = ["run/weights.safetensors.part", "mine.json", "table.csv"];
    others.iter().for_each(|name| fs::write(place.path(name), "mine").unwrap());
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, place.path(name)).unwrap();
    link("../mine.json", "run/step-00000007.safetensors.12-3.part");
    link("../table.csv", "run/step-00000099.safetensors");
    fs::write(place.path("run/step-00000060.safetensors.12-3.part"), "left behind").unwrap();
    let outcome = place.run(1);
    outcome.says(1, "it is no file of this folder");
    fs::remove_file(place.path("run/step-00000099.safetensors")).unwrap();
    place.run(1).succeeded();
    others.iter().for_each(|name| assert_eq!(fs::read_to_string(place.path(name)).unwrap(), "mine", "{name}"));
    assert!(!place.path("run/step-00000060.safetensors.12-3.part").exists());
}

#[test]
fn another_training_is_refused_with_what_differs() {
    let place = Place::new(50, "every: 10, resume: true, lr: 2e-3");
    place.run(1).succeeded();
    assert_eq!(place.checkpoints(), [40, 50]);
    place.write(50, "every: 10, keep: 3, lr: 2e-3");
    place.run(1).says(1, "`checkpoint` has a training already, `run/step-00000050.safetensors`");
    // How often and how many is no part of the training.
    place.write(50, "every: 7, keep: 5, resume: true, lr: 2e-3");
    place.run(1).succeeded();
    place.write(60, "resume: true, window: 0.5");
    let outcome = place.run(1);
    outcome.says(
        1,
        "`lr` is 0.002 there, 0.001 here; `steps` is 50 there, 60 here; `window` is not given there, 0.5 here",
    );
    let changed = |from: &str, to: &str, words: &str| {
        let text = SCRIPT.replace("STEPS", "50").replace("MORE", "resume: true, lr: 2e-3").replace(from, to);
        fs::write(place.path("script.rhai"), text).unwrap();
        place.run(1).says(1, words);
    };
    changed("tau: 0.5", "tau: 0.6", "of its process `tau` is 0.5, not 0.6");
    changed("[24, 24]", "[24, 25]", "the network is ");
    changed(
        "hidden: [24, 24], seed: 1",
        "hidden: [24, 24], seed: 3",
        "the weights are neither those before its first step nor",
    );
    changed("diamond()", "diamond(#{ std: 0.05 })", "the data are others");
    changed("print(", "train(m, d, #{ steps: 1 }); print(", "the weights are neither those before its first step nor");
    changed("checkpoint: \"run\", resume: true", "resume: true", "`resume` is about checkpoints");
}

/// No file may be larger than some kibibytes: the disk is full in the middle of a file.
#[test]
fn a_full_disk_costs_no_more_than_the_checkpoint() {
    let place = Place::new(60, "every: 10");
    // Ignored, it becomes an error of the call that writes.
    let limited = |kibibytes: u32| {
        let script = format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$0\" \"$@\"");
        Outcome::of(place.by("bash", &["-c", &script, TUMBLE], 1).output().unwrap())
    };
    // Before the first step.
    limited(8).says(1, "cannot write `run/step-00000000.safetensors`");
    assert_eq!(fs::read_dir(place.path("run")).unwrap().count(), 0);
}

/// Runs `script` of the shell, in which `"$@"` is the command, where it may mount file systems; nothing where this user
/// may not.
fn mounting(place: &Place, script: &str) -> Option<Outcome> {
    let probe = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this user may not mount a file system in a name space of his own");
        return None;
    }
    let arguments = ["-rm", "sh", "-c", script, "sh", TUMBLE];
    Some(Outcome::of(place.by("unshare", &arguments, 1).output().unwrap()))
}

/// A file system that fills up while it trains: the run ends well, and goes on from what was written when there is
/// room.
#[test]
fn a_disk_that_fills_up_leaves_the_last_checkpoint() {
    let place = Place::new(2000, "every: 25, keep: 1000, resume: true");
    fs::create_dir(place.path("run")).unwrap();
    let script = "mount -t tmpfs -o size=256k none run; \"$@\"; echo \"ended $?\" >&2; mv model.safetensors first; \
                  mount -o remount,size=64m run; \"$@\"";
    let Some(outcome) = mounting(&place, script) else { return };
    outcome.says(0, "No space left on device");
    outcome.says(0, "; the last checkpoint is `run/step-0000");
    outcome.says(0, "ended 0\n");
    outcome.says(0, "goes on after step ");
    let expected = undisturbed(2000, "every: 25, keep: 1000, resume: true");
    assert!(place.result() == expected && fs::read(place.path("first")).unwrap() == expected[0], "other bits");
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_the_work() {
    let place = Place::new(50, "every: 10, resume: true");
    fs::write(place.path("run"), "a file").unwrap();
    place.run(1).says(1, "cannot create `run`");
    fs::remove_file(place.path("run")).unwrap();
    place.run(1).succeeded();
    // Root may write wherever anybody may.
    if let Some(outcome) = mounting(&place, "mount -t tmpfs none run; mount -o remount,ro run; \"$@\"") {
        outcome.says(1, "cannot write `run/step-00000000.safetensors`: Read-only file system");
    }
}

/// All descriptors but few are gone: refused before the work or warned of, and the files before are whole.
#[test]
fn without_descriptors_the_files_before_stay() {
    let place = Place::new(100, RESUMING);
    place.run(1).succeeded();
    let (kept, model) = (place.checkpoints(), fs::read(place.path("model.safetensors")).unwrap());
    let mut codes = Vec::new();
    for descriptors in 3..40 {
        let script = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
        let outcome = Outcome::of(place.by("bash", &["-c", &script, TUMBLE], 1).output().unwrap());
        codes.push(outcome.status.code());
        assert!(outcome.status.success() || !outcome.said.is_empty(), "{descriptors}");
        assert_eq!(fs::read(place.path("model.safetensors")).unwrap(), model);
        assert_eq!(place.checkpoints(), kept);
    }
    assert!(codes.contains(&Some(0)) && codes.iter().any(|code| *code != Some(0)), "{codes:?}");
}

/// Whoever reads the output goes away: the script ends, the checkpoints are whole.
#[test]
fn a_closed_output_leaves_the_checkpoints() {
    let place = Place::new(300, RESUMING);
    let mut child = place.command(1).spawn().unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(141));
    place.run(2).succeeded();
    assert!(place.result() == undisturbed(300, RESUMING));
}

/// Two processes write the same file again and again: it is always the whole of one of them, and nothing else is left.
/// Seen to fail with one name for the parts of both.
#[test]
fn two_processes_that_write_one_file_never_mix() {
    let folder = tempfile::tempdir().unwrap();
    let script = "let text = `${args[0]}`; for i in 0..14 { text += text; } \
                  for i in 0..60 { io::write(\"shared.json\", text); }";
    fs::write(folder.path().join("script.rhai"), script).unwrap();
    let place = Place { folder };
    let mut writers: Vec<_> =
        ["a", "bc"].iter().map(|own| place.command(1).args(["--", own]).spawn().unwrap()).collect();
    let shared = place.path("shared.json");
    let is_whole = |shared: &Path| {
        let Ok(text) = fs::read_to_string(shared) else { return };
        let text: String = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {} bytes", text.len()));
        assert!(text == "a".repeat(1 << 14) || text == "bc".repeat(1 << 14), "{} bytes", text.len());
    };
    while writers.iter_mut().any(|writer| writer.try_wait().unwrap().is_none()) {
        is_whole(&shared);
    }
    is_whole(&shared);
    for writer in writers {
        Outcome::of(writer.wait_with_output().unwrap()).succeeded();
    }
    assert_eq!(visible(place.folder.path()), 2);
}

/// Two processes that train into one folder do the same and leave the same.
#[test]
fn two_processes_in_one_folder_agree() {
    let place = Place::new(800, RESUMING);
    let children = [1, 2].map(|threads| place.command(threads).spawn().unwrap());
    for child in children {
        Outcome::of(child.wait_with_output().unwrap()).succeeded();
    }
    assert!(place.result() == undisturbed(800, RESUMING));
}

/// Samples in parts, and again in one piece.
const SAMPLES: &str = r#"
let m = score::exact(process::active(), dataset::diamond());
let options = #{ count: 6000, steps: 300, method: "em", seed: 3, keep: [1, 0.5] };
let s = sample(m, options + #{ every: 1000, checkpoint: "run", resume: true });
io::write("samples.npz", #{ x: s.x, eta: s.eta, path: s.path("x") });
let whole = sample(m, options);
assert(s.x == whole.x && s.eta == whole.eta && s.path("eta") == whole.path("eta"));
assert(s.to_string() == whole.to_string() && s.warnings == whole.warnings);
"#;

/// Seen to fail with parts whose blocks were numbered from 0.
#[test]
fn samples_that_were_killed_end_with_the_same_bits() {
    let [place, undisturbed] = [(); 2].map(|()| Place::new(0, ""));
    let parts = || fs::read_dir(place.path("run")).map_or(0, |entries| entries.count());
    [&place, &undisturbed].iter().for_each(|place| fs::write(place.path("script.rhai"), SAMPLES).unwrap());
    undisturbed.run(2).succeeded();
    let mut child = place.command(1).spawn().unwrap();
    while parts() < 3 {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let outcome = place.run(2);
    outcome.succeeded();
    outcome.says(0, "sample: goes on after ");
    let same = || fs::read(place.path("samples.npz")).unwrap() == fs::read(undisturbed.path("samples.npz")).unwrap();
    assert!(same());
    let part = place.path("run/samples-000000002048.safetensors");
    let mut bytes = fs::read(&part).unwrap();
    let end = bytes.len() - 5;
    bytes[end] ^= 4;
    fs::write(&part, bytes).unwrap();
    place.run(1).says(0, "samples-000000002048.safetensors` is damaged: its checksum is another; it is kept as `");
    assert!(same());
    fs::write(place.path("script.rhai"), SAMPLES.replace("seed: 3", "seed: 4")).unwrap();
    place.run(1).says(1, "`seed` is 3 there, 4 here");
    // The same data but for their width.
    fs::write(place.path("script.rhai"), SAMPLES.replace("diamond()", "diamond(#{ std: 0.05 })")).unwrap();
    place.run(1).says(1, "the score is another (");
    // The last part, of fewer samples than there are now, is none of them.
    fs::write(place.path("script.rhai"), SAMPLES.replace("6000", "7000")).unwrap();
    place.run(1).says(0, "sample: goes on after 5120 of 7000 samples, from `run`");
}
