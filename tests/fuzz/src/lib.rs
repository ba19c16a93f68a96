//! What is fuzzed: functions that take any bytes, and must neither panic nor hang.
//!
//! The same targets run under libFuzzer (`src/bin/`, one file each) and in `tests/corpus.rs`, which needs no more than
//! a stable compiler. Bytes are choices: most targets make a script of them, so that small changes of the bytes are
//! small changes of the script. What once failed is kept in `corpus/`.

pub mod arguments;
pub mod choices;
pub mod expression;
pub mod language;
pub mod library;
pub mod models;
pub mod options;
pub mod readers;
pub mod text;
pub mod tokens;
pub mod tree;
pub mod trial;

/// A function that is fuzzed.
pub struct Target {
    /// Its name: that of the binary, and of the folder of its corpus.
    pub name: &'static str,
    /// Panics where something is wrong.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "expression", run: expression::run },
    Target { name: "language", run: language::run },
    Target { name: "models", run: models::run },
    Target { name: "options", run: options::run },
    Target { name: "readers", run: readers::run },
    Target { name: "text", run: text::run },
];
