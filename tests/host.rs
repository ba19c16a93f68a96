//! What scripts may touch: two runtimes of one process, each on a host of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tumble::host::{Access, Clock, Permissions, Policy};
use tumble::task::{Progress, Report};
use tumble::{Host, Runtime};

/// Lets through only what is one of `accesses`.
struct Only {
    name: &'static str,
    accesses: &'static [Access],
}

impl Policy for Only {
    fn name(&self) -> &str {
        self.name
    }

    fn allows(&self, access: Access, _: &Path) -> bool {
        self.accesses.contains(&access)
    }
}

fn runtime(host: Host, folder: &Path) -> Runtime {
    let mut runtime = Runtime::builder().threads(1).host(host).build().unwrap();
    runtime.set("folder", format!("{}/", folder.display()));
    runtime
}

fn under(name: &'static str, accesses: &'static [Access], folder: &Path) -> Runtime {
    runtime(Host::default().with_policy(Arc::new(Only { name, accesses })), folder)
}

fn run(runtime: &mut Runtime, script: &str) {
    if let Err(error) = runtime.run(script) {
        panic!("{script}: {error}");
    }
}

fn problem(runtime: &mut Runtime, script: &str) -> String {
    match runtime.run(script) {
        Ok(value) => panic!("`{script}` gave {value}"),
        Err(diagnostic) => diagnostic.render(false),
    }
}

const WRITING: [(&str, &str); 6] = [
    ("x.npy", "ones([2, 2]).save(folder + \"x.npy\")"),
    ("x.csv", "io::write(folder + \"x.csv\", [[1, 2], [3, 4]])"),
    ("x.npz", "io::write(folder + \"x.npz\", #{ a: [1, 2], b: [3, 4] })"),
    ("x.svg", "plot::lines([1, 2, 4], #{ file: folder + \"x.svg\" })"),
    ("x.png", "plot::lines([1, 2, 4]).save(folder + \"x.png\")"),
    (
        "x.safetensors",
        "score::mlp(process::active(), dataset::diamond(), #{ hidden: [4] }).save(folder + \"x.safetensors\")",
    ),
];

const READING: [(&str, &str); 5] = [
    ("x.npy", "io::read(folder + \"x.npy\")"),
    ("x.csv", "dataset::from_file(folder + \"x.csv\")"),
    ("x.npz", "io::read(folder + \"x.npz\", \"a\")"),
    ("x.safetensors", "score::load(folder + \"x.safetensors\")"),
    ("x.safetensors", "score::load(folder + \"x.safetensors\", process::active())"),
];

#[test]
fn two_runtimes_differ_in_the_files_they_may_touch() {
    let folder = tempfile::tempdir().unwrap();
    let [all, none] = [&[Access::Read, Access::Write, Access::Create][..], &[]];
    let mut free = under("everything", all, folder.path());
    let mut reader = under("read only", &[Access::Read], folder.path());
    let mut closed = under("no files", none, folder.path());
    let refused = |runtime: &mut Runtime, script: &str, verb: &str, file: &str, policy: &str| {
        let problem = problem(runtime, script);
        let path = folder.path().join(file);
        let facts = format!("cannot {verb} `{}`: the policy \"{policy}\" does not allow it", path.display());
        assert!(problem.contains(&facts), "{problem}");
    };
    for (file, script) in WRITING {
        refused(&mut reader, script, "write", file, "read only");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    for (_, script) in WRITING {
        run(&mut free, script);
    }
    for (file, script) in READING {
        run(&mut reader, script);
        refused(&mut closed, script, "read", file, "no files");
    }
    // What may not be read is not hinted at either.
    assert!(problem(&mut free, "io::read(folder + \"y.npy\")").contains("did you mean `x.npy`?"));
    assert!(!problem(&mut closed, "io::read(folder + \"y.npy\")").contains("x.npy"));
}

/// What the command gives scripts, other programs can give them too.
#[test]
fn a_host_may_have_permissions() {
    let [inside, outside] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let within = |folder: &Path| {
        let permissions = Permissions::none().working_folder(inside.path()).unwrap();
        runtime(Host::default().with_permissions(permissions), folder)
    };
    let (mut here, mut elsewhere) = (within(inside.path()), within(outside.path()));
    let mut free = runtime(Host::default(), outside.path());
    for (_, script) in WRITING {
        run(&mut here, script);
        run(&mut here, script);
        run(&mut free, script);
        let problem = problem(&mut elsewhere, &script.replace("x.", "y."));
        assert!(problem.contains("outside of what scripts may write (the working directory)"), "{problem}");
        assert!(problem.contains("the program that runs the script has to allow it"), "{problem}");
    }
    for (_, script) in READING {
        run(&mut here, script);
        assert!(problem(&mut elsewhere, script).contains("outside of what scripts may read"), "{script}");
    }
    // Without permissions nothing is guarded, and no records are kept.
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), WRITING.len());
}

/// Seen to wait five seconds, for the guard that the writer itself held.
#[test]
fn what_is_edited_while_it_is_replaced_stays() {
    let folder = tempfile::tempdir().unwrap();
    let permissions = Permissions::none().working_folder(folder.path()).unwrap();
    let (host, file) = (Host::default().with_permissions(permissions), folder.path().join("x.csv"));
    host.write_bytes(&file, b"first").unwrap();
    let start = Instant::now();
    let replaced = host.write(&file, |_| {
        std::fs::write(&file, "edited").unwrap();
        Ok(())
    });
    let problem = replaced.unwrap_err().to_string();
    assert!(problem.contains("was changed since it was written by tumble"), "{problem}");
    assert_eq!(std::fs::read(&file).unwrap(), b"edited");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn scripts_and_modules_are_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let [script, module] = ["script.rhai", "part.rhai"].map(|name| folder.path().join(name));
    std::fs::write(&script, "import \"part\" as part; part::two").unwrap();
    std::fs::write(&module, "export const two = 2;").unwrap();
    let mut reader = under("read only", &[Access::Read], folder.path());
    let mut closed = under("no files", &[], folder.path());
    assert_eq!(reader.run_file(&script).unwrap().as_int(), Ok(2));
    assert!(closed.run_file(&script).unwrap_err().to_string().contains("the policy \"no files\" does not allow it"));
    let name = script.display().to_string();
    let error = closed.run_named(&name, "import \"part\" as part;").unwrap_err().to_string();
    assert!(error.contains("the policy \"no files\" does not allow it"), "{error}");
}

/// Whatever takes memory in proportion to a number of the script asks first.
#[test]
fn requests_are_held_against_the_memory_allowed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.csv"), "1,2\n".repeat(40_000)).unwrap();
    let mut narrow = runtime(Host::default().with_memory_limit(1e6), folder.path());
    run(
        &mut narrow,
        "let p = process::passive(); let d = dataset::diamond(); let t = zeros([1000, 100]); let m = score::exact(p, d);",
    );
    for script in [
        "zeros([1000, 1000])",
        "linspace(0, 1, 1e6)",
        "arange(1e6)",
        "identity(1000)",
        "random_normal([1e6], 1)",
        "t.to_array()",
        "let i = []; for k in 0..3000 { i.push(k % 1000); } t.select(i)",
        "concatenate([t, t, t])",
        "zeros([1000, 1]) + zeros([1, 1000])",
        "matmul(zeros([1000, 1]), zeros([1, 1000]))",
        "d.sample(1e12, 1)",
        "simulate(p, [[0.0]], #{ steps: 1e5, keep: \"all\" })",
        "sample(m, #{ count: 1e6 })",
        "sample(m, #{ count: 100, steps: 1e4, keep: \"all\" })",
        "perturb(p, zeros([2e5, 1]), 1, 1)",
        "accuracy(p, #{ method: \"em\", steps: [100_000] })",
        "measure::covariance(zeros([2, 1000]))",
        "measure::energy_distance(zeros([1000, 100]), zeros([1000, 100]))",
        "measure::kl_histogram(zeros([2, 2]), zeros([2, 2]), #{ bins: 300 })",
        "log_likelihood(score::exact(process::active(), d), [[0, 0]], #{ auxiliary_draws: 1e6 })",
        "log_likelihood(score::exact(p, dataset::mixture(#{ means: zeros([1, 100]), std: 1 })), zeros([100, 100]), \
         #{ divergence: \"hutchinson\", probes: 99 })",
        "score::mlp(process::double_well(), d, #{ hidden: [4], chain_steps: 1e5 })",
        "score::mlp(p, d, #{ hidden: [512, 512] })",
        "train(score::mlp(p, d, #{ hidden: [128, 128] }), d, #{ batch: 4096 })",
        "io::read(folder + \"x.csv\")",
    ] {
        let problem = problem(&mut narrow, script);
        assert!(problem.contains("would take"), "{script}: {problem}");
    }
}

/// Stands still until it is moved.
#[derive(Default)]
struct Manual(AtomicU64);

impl Clock for Manual {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// Moves a clock with every report and counts the reports.
struct Mover {
    clock: Arc<Manual>,
    seconds: u64,
    reports: AtomicU64,
}

impl Progress for Mover {
    fn update(&self, _: &Report) {
        self.reports.fetch_add(1, Ordering::Relaxed);
        self.clock.0.fetch_add(self.seconds, Ordering::Relaxed);
    }

    fn finish(&self, _: &Report) {}
}

#[test]
fn time_is_told_by_the_host() {
    // (What passes between reports, seconds of five steps, reports.) Where no time passes, no report but the first is
    // due.
    for (seconds, total, reports) in [(3600, 18_000.0, 5), (0, 0.0, 1)] {
        let mover = Arc::new(Mover { clock: Arc::default(), seconds, reports: AtomicU64::new(0) });
        let host = Host::default().with_clock(mover.clock.clone());
        let mut runtime = Runtime::builder().threads(1).host(host).progress(mover.clone()).build().unwrap();
        let train = "let d = dataset::diamond(); let m = score::mlp(process::active(), d, #{ hidden: [4] });
                     train(m, d, #{ steps: 5, batch: 4 }).seconds";
        assert_eq!(runtime.eval::<f64>(train).unwrap(), total);
        assert_eq!(mover.reports.load(Ordering::Relaxed), reports);
        // 20 ms have not passed since the start.
        run(&mut runtime, "sample(m, #{ count: 10, steps: 5 })");
        assert_eq!(mover.reports.load(Ordering::Relaxed), reports);
    }
}

const LARGE: [&str; 17] = [
    "zeros([1000, 1000])",
    "full(1_000_000, 2)",
    "identity(1000)",
    "linspace(0, 1, 1_000_000)",
    "arange(1_000_000)",
    "random_normal([1000, 1000], 1)",
    "random_uniform([1000, 1000], 1)",
    "zeros([1000, 1]) + zeros(1000)",
    "matmul(zeros([1000, 1]), zeros([1, 1000]))",
    "let first = []; first.pad(1000, 0); zeros([1, 1000]).select(first)",
    "stack([zeros(200_000), zeros(200_000)])",
    "concatenate([zeros(200_000), zeros(200_000)])",
    "measure::covariance(zeros([2, 1000]))",
    "dataset::diamond().sample(200_000, 1)",
    "sample(score::exact(process::active(), dataset::diamond()), #{ count: 50_000, steps: 1 })",
    "score::mlp(process::active(), dataset::diamond(), #{ hidden: [256, 256] })",
    "let d = dataset::diamond(); let m = score::mlp(process::active(), d, #{ hidden: [128, 128] }); \
     train(m, d, #{ steps: 1, batch: 2048 })",
];

#[test]
fn two_runtimes_differ_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut free = runtime(Host::default(), folder.path());
    let mut narrow = runtime(Host::default().with_memory_limit(1_048_576.0), folder.path());
    for script in LARGE {
        let problem = problem(&mut narrow, script);
        assert!(problem.contains(" of memory, and 1.0 MiB are allowed"), "{script}: {problem}");
        run(&mut free, script);
    }
    let zeros = problem(&mut narrow, LARGE[0]);
    assert!(zeros.contains("`shape` [1000, 1000] would take 3.8 MiB of memory, and 1.0 MiB are allowed"), "{zeros}");
    run(&mut free, "zeros([1000, 1000]).save(folder + \"zeros.npy\")");
    let file = problem(&mut narrow, "io::read(folder + \"zeros.npy\")");
    assert!(file.contains("zeros.npy`: it would take 3.8 MiB of memory, and 1.0 MiB are allowed"), "{file}");
}
