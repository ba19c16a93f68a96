//! Long: a sweep as an array of tasks of a real Slurm, which `tests/cluster/slurm.sh` starts on this machine.
//!
//!   scripts/check.sh --long
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const SCRIPT: &str = r#"
let d = dataset::diamond();
let table = sweep(#{ tau: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], seed: 0..4 }, |point| {
    // While there is a file `slow`, points that are not in the table yet take long.
    for wait in 0..100 { if io::exists("slow") { sleep(0.1); } }
    let p = process::active(#{ tau: point.tau });
    let s = sample(score::exact(p, d), #{ count: 200, steps: 10, seed: point.seed });
    #{ distance: measure::sliced_wasserstein(s.x, d.sample(500, 9)), first: s.x.to_array()[0] }
}, #{ folder: "runs" });
print(`${table.len()} rows`);
"#;

/// A cluster of one node, and a folder with the script. There is one at a time.
struct Cluster {
    folder: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::new(());

impl Cluster {
    /// Nothing, with a word why, where there is no Slurm to be had.
    fn start() -> Option<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = Self { folder: tempfile::tempdir().unwrap(), _turn: turn };
        let output = cluster.script("start");
        if output.status.code() == Some(3) {
            // Past the test harness, which keeps what tests print that pass.
            let _ = write!(std::io::stderr(), "left out: {}", String::from_utf8_lossy(&output.stderr));
            return None;
        }
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::create_dir(cluster.path("")).unwrap();
        fs::write(cluster.path("study.rhai"), SCRIPT).unwrap();
        Some(cluster)
    }

    fn script(&self, what: &str) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/slurm.sh");
        Command::new(script).arg(what).arg(self.folder.path().join("slurm")).output().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// Standard output and standard error of a program that succeeds.
    fn run(&self, program: &str, arguments: &[&str]) -> [String; 2] {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path(""))
            .env("SLURM_CONF", self.folder.path().join("slurm/slurm.conf"));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
        [String::from_utf8(output.stdout).unwrap(), said]
    }

    fn tumble(&self, arguments: &[&str]) -> [String; 2] {
        self.run(env!("CARGO_BIN_EXE_tumble"), arguments)
    }

    fn status(&self) -> String {
        self.tumble(&["status", "runs"])[0].clone()
    }

    /// Waits until the first line of the status says so.
    fn wait_for(&self, words: &str) {
        let start = Instant::now();
        loop {
            let status = self.status();
            if status.lines().next().unwrap().contains(words) {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(180), "waited for `{words}` in vain: {status}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn table(&self) -> String {
        fs::read_to_string(self.path("runs/table.csv")).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.script("stop");
    }
}

#[test]
#[ignore = "starts Slurm, as root"]
fn an_array_of_tasks_gives_the_table_of_one_process_and_loses_nothing() {
    let Some(cluster) = Cluster::start() else { return };
    let [alone, _] = cluster.tumble(&["run", "study.rhai"]);
    assert_eq!(alone, "24 rows\n");
    let expected = cluster.table();
    fs::remove_dir_all(cluster.path("runs")).unwrap();

    let submit = ["submit", "study.rhai", "--slurm", "--time=0:10:00 --mem=100M"];
    let [said, _] = cluster.tumble(&submit);
    assert!(said.starts_with("submitted 24 of 24 points of `runs` as job 1;"), "{said}");
    cluster.wait_for("24 done");
    let [gathered, _] = cluster.tumble(&["gather", "runs"]);
    assert_eq!(gathered, "24 of 24 points are in `runs/table.csv`\n");
    assert_eq!(cluster.table(), expected);
    let [out, said] = cluster.tumble(&["run", "study.rhai"]);
    assert_eq!(out, "24 rows\n");
    assert!(said.contains("all 24 points are there"), "{said}");

    // Tasks that run and tasks that wait are ended; a retry does these and no others.
    fs::remove_dir_all(cluster.path("runs")).unwrap();
    fs::write(cluster.path("slow"), "").unwrap();
    let [said, _] = cluster.tumble(&submit);
    let job = said.split("as job ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    cluster.wait_for(" running");
    let [nothing, _] = cluster.tumble(&["submit", "study.rhai", "--retry"]);
    assert_eq!(nothing, "nothing to submit: every point of `runs` runs or waits\n");
    cluster.run("scancel", &[&format!("{job}_0"), &format!("{job}_20")]);
    cluster.wait_for("1 interrupted, 1 missing");
    let status = cluster.status();
    assert!(status.contains("\n  waiting      seed 3, tau 0.6: task "), "{status}");
    // The one that ran was asked to end before it was killed.
    let file = format!("runs/slurm/{job}_0.txt");
    assert!(status.contains(&format!("\n  interrupted  seed 0, tau 0.1: `{file}` ends: ")), "{status}");
    let said = fs::read_to_string(cluster.path(&file)).unwrap();
    assert!(said.contains("stopping by SIGTERM\n") && said.contains("interrupted\n"), "{said}");
    let [said, _] = cluster.tumble(&["submit", "study.rhai", "--retry"]);
    assert!(said.starts_with("submitted 2 of 24 points of `runs`"), "{said}");
    let batch = fs::read_to_string(cluster.path("runs/slurm/2.sh")).unwrap();
    assert!(batch.contains("#SBATCH --array=0,20\n"), "{batch}");
    fs::remove_file(cluster.path("slow")).unwrap();
    cluster.wait_for("24 done");
    cluster.tumble(&["gather", "runs"]);
    assert_eq!(cluster.table(), expected);
}

/// Fewer tasks to an array than there are points. What waits is computed by the script as it was, and not with a file
/// that has changed since others have read it.
#[test]
#[ignore = "starts Slurm, as root"]
fn points_beyond_an_array_are_those_of_others_and_files_are_the_same_for_all() {
    let Some(cluster) = Cluster::start() else { return };
    let limit = cluster.run("scontrol", &["show", "config"])[0].clone();
    assert!(limit.lines().any(|line| line.starts_with("MaxArraySize") && line.ends_with("= 30")), "{limit}");
    let text = r#"
        sweep(#{ a: 0..40 }, |point| {
            print("begun");
            for wait in 0..100 { if point.a > 1 && io::exists("slow") { sleep(0.1); } }
            #{ b: 2 * point.a + io::read("data.json") }
        }, #{ folder: "runs" });
    "#;
    fs::write(cluster.path("study.rhai"), text).unwrap();
    fs::write(cluster.path("data.json"), "0").unwrap();
    fs::write(cluster.path("slow"), "").unwrap();
    let [said, _] = cluster.tumble(&["submit", "study.rhai", "--at-once", "2", "--slurm", "--mem=100M"]);
    assert!(said.starts_with("submitted 40 of 40 points of `runs` as jobs 1, 2;"), "{said}");
    let batch = fs::read_to_string(cluster.path("runs/slurm/2.sh")).unwrap();
    assert!(batch.contains("#SBATCH --array=0-9%2\n") && batch.contains("--dependency=afterany:1\n"), "{batch}");
    cluster.wait_for("2 done, 2 running");
    for a in [2, 3] {
        while !cluster.path(&format!("runs/a={a}/output.txt")).exists() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    // Those that run have not read it yet; those that wait see what the others have read, and end.
    fs::write(cluster.path("data.json"), "1").unwrap();
    fs::remove_file(cluster.path("slow")).unwrap();
    cluster.wait_for("4 done, 36 missing");
    let status = cluster.status();
    assert!(status.contains("\n  missing  a 4: `runs/slurm/1_4.txt` ends: "), "{status}");
    let mixed =
        Command::new(env!("CARGO_BIN_EXE_tumble")).args(["gather", "runs"]).current_dir(cluster.path("")).output();
    let mixed = mixed.unwrap();
    let told = String::from_utf8_lossy(&mixed.stderr).into_owned();
    assert!(!mixed.status.success() && told.contains("`data.json` was another when a 0 was computed"), "{told}");
}
