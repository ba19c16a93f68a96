//! `tumble bench`: the reference jobs against the clock.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde::Serialize;
use tumble::error::suggestion;
use tumble::{Diagnostic, Error, Host, Runtime};

use super::exit::FAILURE;
use super::interrupt::Interrupt;
use super::terminal;

/// The jobs that are written in the language, and the functions of `JOBS` that prepare them.
const SCRIPTED: [(&str, &str); 7] = [
    ("train_mlp", "train_mlp"),
    ("sample_exact", "sample_exact"),
    ("sample_mlp", "sample_mlp"),
    ("simulate", "simulate_script"),
    ("ising", "ising"),
    ("train_unet", "train_unet"),
    ("forward_unet", "forward_unet"),
];
const START: &str = "start";
const JOBS: &str = include_str!("../../stdlib/bench/jobs.rhai");

/// How many times the start of the program is timed.
const STARTS: usize = 20;
/// The part of a job that a quick run does.
const QUICK: f64 = 0.1;

/// One line of output; scripts/bench/peers.py prints the same for other frameworks.
#[derive(Serialize)]
struct Line<'a> {
    job: &'a str,
    peer: &'static str,
    per_second: f64,
    unit: String,
    seconds: f64,
    /// Most memory that the process ever held, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_mib: Option<f64>,
}

/// The names of all jobs.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SCRIPTED.iter().map(|(name, _)| *name).chain([START])
}

/// Times each of `names`, or everything, and returns the exit code. `settings` are the arguments that a process for one
/// of the jobs inherits.
pub(crate) fn jobs(
    runtime: Runtime,
    interrupt: &Interrupt,
    names: Vec<String>,
    quick: bool,
    settings: &[String],
) -> u8 {
    let known: Vec<&str> = self::names().collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let error = Error::argument("JOB", format!("must be the name of a job, got `{name}`"));
        return terminal::report(&error.with_hint(suggestion(name, &known, "the jobs are")).into());
    }
    let names = if names.is_empty() { known.into_iter().map(str::to_owned).collect() } else { names };
    match &names[..] {
        [name] => one(runtime, interrupt, name, quick),
        // Each in a process of its own: its peak of memory, and an allocator that no other job has warmed up.
        _ => names.iter().map(|name| apart(name, quick, settings)).find(|&code| code != 0).unwrap_or(0),
    }
}

fn one(runtime: Runtime, interrupt: &Interrupt, name: &str, quick: bool) -> u8 {
    let part = if quick { QUICK } else { 1.0 };
    let line = match SCRIPTED.iter().find(|(job, _)| *job == name) {
        Some((job, function)) => interrupt.during(|| scripted(runtime, job, function, part)),
        None => starts(part).map_err(|error| Box::new(error.into())),
    };
    match line {
        Ok(line) => {
            terminal::print(&serde_json::to_string(&line).expect("a line of numbers and names"));
            0
        }
        Err(diagnostic) => terminal::report(&diagnostic),
    }
}

fn scripted(
    mut runtime: Runtime,
    job: &'static str,
    function: &str,
    part: f64,
) -> Result<Line<'static>, Box<Diagnostic>> {
    let _ = runtime.run_named("stdlib/bench/jobs.rhai", JOBS)?;
    let _ = runtime.run(&format!("let job = {function}({part:?});"))?;
    let units: i64 = runtime.eval("job.units")?;
    let unit: String = runtime.eval("job.unit")?;
    let _ = runtime.run("job.warm_up.call();")?;
    let start = Instant::now();
    let _ = runtime.run("job.work.call();")?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(Line { job, peer: "tumble", per_second: units as f64 / seconds, unit, seconds, peak_mib: peak() })
}

/// From the start of a process to the end of it, for `tumble -e 1`.
fn starts(part: f64) -> Result<Line<'static>, Error> {
    let count = (STARTS as f64 * part) as usize;
    start()?;
    let clock = Instant::now();
    for _ in 0..count {
        start()?;
    }
    let seconds = clock.elapsed().as_secs_f64() / count as f64;
    Ok(Line { job: START, peer: "tumble", per_second: 1.0 / seconds, unit: "starts".into(), seconds, peak_mib: None })
}

fn start() -> Result<(), Error> {
    let ended = itself().and_then(|mut command| command.args(["-e", "1"]).stdout(Stdio::null()).status());
    ended.map(drop).map_err(|error| Error::file("start", Path::new("tumble"), error))
}

/// Runs one job in a process of its own, which prints its line itself.
fn apart(name: &str, quick: bool, settings: &[String]) -> u8 {
    let quick = quick.then_some("--quick");
    let ended = itself().and_then(|mut command| command.args(settings).args(["bench", name]).args(quick).status());
    match ended {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILURE),
        Err(error) => terminal::report(&Error::file("start", Path::new("tumble"), error).into()),
    }
}

fn itself() -> std::io::Result<Command> {
    std::env::current_exe().map(Command::new)
}

/// The most memory that this process ever held, in MiB (Linux).
fn peak() -> Option<f64> {
    let status = Host::default().read_text(Path::new("/proc/self/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes / 1024.0)
}
