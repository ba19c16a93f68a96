//! The targets of fuzzing (`tests/fuzz/`) on a stable compiler: over the inputs that are kept, over some that are made
//! up, and, if asked for, for minutes.
//!
//! `TUMBLE_FUZZ_MINUTES=10 TUMBLE_FUZZ_TARGET=language cargo test --release --test corpus -- --ignored` fuzzes one
//! target, and leaves out the name for all. What fails is written to `target/fuzz/`, and belongs into
//! `tests/fuzz/corpus/` once it is mended.

#[path = "fuzz/src/lib.rs"]
pub mod fuzz;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fuzz::TARGETS;
use fuzz::Target;
use fuzz::library::files;

/// What an input may take at most: scripts are stopped after 0.3 s, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// Inputs that are made up for each target.
const FRESH: usize = 20;
/// The stack of an ordinary Rust thread, which the language promises to suffice.
const STACK: usize = 2 << 20;

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.roll() % count.max(1) as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.roll() as u8).collect()
    }

    /// An input: random bytes, or a kept one with changes.
    fn input(&mut self, kept: &[Vec<u8>]) -> Vec<u8> {
        let length = 8 << self.below(7);
        if kept.is_empty() || self.below(2) == 0 {
            return self.bytes(length);
        }
        let mut input = kept[self.below(kept.len())].clone();
        for _ in 0..=self.below(8) {
            let (place, end) = (self.below(input.len()), self.below(input.len()));
            match self.below(5) {
                0 => input.truncate(end.max(1)),
                1 => drop(input.splice(place..place, self.bytes(4))),
                2 if place < end && end - place < 16 => drop(input.drain(place..end)),
                3 => input.extend(self.bytes(8)),
                _ if !input.is_empty() => input[place] = self.roll() as u8,
                _ => {}
            }
        }
        input
    }
}

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target.name);
    files(&folder).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// What is wrong with a target on an input, if anything is.
fn fault(target: &Target, input: &[u8]) -> Option<String> {
    let start = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    match ended {
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Some(text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
        }
        Ok(()) if start.elapsed() > PATIENCE => Some(format!("took {:?}", start.elapsed())),
        Ok(()) => None,
    }
}

/// Does something on a stack of its own.
fn on_a_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap()
}

fn nothing_fails(target: &'static Target) {
    let faults = on_a_stack(move || {
        let corpus = corpus(target);
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        let of_corpus =
            corpus.iter().filter_map(|(path, input)| Some(format!("{}: {}", path.display(), fault(target, input)?)));
        let mut faults: Vec<String> = of_corpus.collect();
        let kept: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
        let mut dice = Dice(1);
        for _ in 0..FRESH {
            let input = dice.input(&kept);
            faults.extend(fault(target, &input).map(|fault| format!("{input:?}: {fault}")));
        }
        faults
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn expressions_agree_with_a_slow_reference() {
    nothing_fails(target("expression"));
}

#[test]
fn scripts_end_in_order() {
    nothing_fails(target("language"));
}

#[test]
fn saved_scores_are_read_or_refused() {
    nothing_fails(target("models"));
}

#[test]
fn options_are_taken_or_refused() {
    nothing_fails(target("options"));
}

#[test]
fn files_are_read_or_refused() {
    nothing_fails(target("readers"));
}

#[test]
fn texts_are_taken_or_refused() {
    nothing_fails(target("text"));
}

#[test]
fn every_target_is_tested() {
    let here = include_str!("corpus.rs");
    for Target { name, .. } in TARGETS {
        assert!(here.contains(&format!("nothing_fails(target({name:?}))")), "{name}");
    }
}

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("there is no target {name}"))
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Fuzzes for minutes. Before an input is tried it is written to a file, since some faults end the program.
#[test]
#[ignore = "takes as long as one likes"]
fn nothing_fails_for_minutes() {
    let minutes: f64 = setting("TUMBLE_FUZZ_MINUTES").map_or(3.0, |text| text.parse().unwrap());
    let seed = setting("TUMBLE_FUZZ_SEED").map_or(0, |text| text.parse().unwrap());
    let chosen: Vec<&Target> = match setting("TUMBLE_FUZZ_TARGET") {
        Some(name) => vec![target(&name)],
        None => TARGETS.iter().collect(),
    };
    let time = Duration::from_secs_f64(60.0 * minutes / chosen.len() as f64);
    let faults: usize = chosen.into_iter().map(|target| on_a_stack(move || fuzz_for(target, time, seed))).sum();
    assert_eq!(faults, 0, "inputs that fail are in target/fuzz/");
}

fn fuzz_for(target: &Target, time: Duration, seed: u64) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz").join(target.name);
    std::fs::create_dir_all(&folder).unwrap();
    let current = folder.join(format!("current-{seed}"));
    let kept: Vec<Vec<u8>> = corpus(target).into_iter().map(|(_, input)| input).collect();
    let (mut dice, mut faults, mut count) = (Dice(seed), Vec::new(), 0_usize);
    // What a target makes only once, as models by training, is not the first input's time.
    fault(target, &kept[0]);
    let start = Instant::now();
    while start.elapsed() < time {
        let input = dice.input(&kept);
        std::fs::write(&current, &input).unwrap();
        if let Some(fault) = fault(target, &input) {
            let name = format!("failed-{seed}-{count}");
            std::fs::write(folder.join(&name), &input).unwrap();
            eprintln!("{}/{name}: {fault}", target.name);
            faults.push(name);
        }
        count += 1;
    }
    std::fs::remove_file(current).unwrap();
    eprintln!("{}: {count} inputs in {:.0} s, {} failed", target.name, start.elapsed().as_secs_f64(), faults.len());
    faults.len()
}
