//! The methods. Each is one file, which says all of it: its name, equations, settings, what it needs, and its steps. To
//! add one, write its file and put it into [`METHODS`].

mod about;
mod em;
mod exponential;
mod followed;
mod heun;
#[cfg(test)]
mod midpoint;
mod pc;
mod rk45;
mod rotation;
mod splitting;

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::process::{Class, Process};
use crate::settings::{Choice, Setting, Values};

pub(super) use about::Way;
pub use about::{About, Method, Needs};
pub use em::EulerMaruyama;
pub use exponential::{Exponential, Nodes};
pub use followed::Reference;
pub use heun::Heun;
#[cfg(test)]
pub(crate) use midpoint::Midpoint;
pub use pc::PredictorCorrector;
pub use rk45::RungeKutta;
pub use splitting::Splitting;

/// All methods.
pub const METHODS: &[About] = &[
    em::ABOUT,
    heun::ABOUT,
    rk45::ABOUT,
    splitting::ABOUT,
    exponential::ABOUT,
    pc::ABOUT,
    #[cfg(test)]
    midpoint::ABOUT,
];

/// The method of a run, with what can be set of each.
pub(super) const METHOD: Setting = Setting::choice("method", "how the reverse process is followed", &CHOICES)
    .or_else("\"exponential\" where the process is linear, else \"em\"");

/// The method for `process` where none is asked for. On the standard processes and sets the exponential steps are the
/// nearest to the data at every number of evaluations from 5 to 50 (scripts/EVALUATIONS.md).
pub(super) fn usual(process: &Process) -> Arc<dyn Method> {
    match process.class() {
        Class::Nonlinear => Arc::new(EulerMaruyama),
        _ => Arc::new(Exponential::default()),
    }
}

const CHOICES: [Choice; METHODS.len()] = {
    let mut choices = [Choice::new("", ""); METHODS.len()];
    let mut place = 0;
    while place < choices.len() {
        let About { name, meaning, settings, .. } = METHODS[place];
        choices[place] = Choice::new(name, meaning).with(settings);
        place += 1;
    }
    choices
};

/// The names and titles of all methods.
pub const TITLES: &[Choice] = &{
    let mut titles = [Choice::new("", ""); METHODS.len()];
    let mut place = 0;
    while place < titles.len() {
        titles[place] = Choice::new(METHODS[place].name, METHODS[place].title);
        place += 1;
    }
    titles
};

/// The method whose samples are brought back to where the score is known.
pub(super) const CORRECTING: &About = &pc::ABOUT;

/// What is known of the method called `name`.
///
/// # Errors
/// When there is none of that name.
pub fn about(name: &str) -> Result<&'static About> {
    METHODS.iter().find(|about| about.name == name).ok_or_else(|| {
        let names: Vec<_> = METHODS.iter().map(|about| about.name).collect();
        Error::argument(METHOD.name, format!("must be {}, got {name:?}", alternatives(&names)))
    })
}

/// The method that `values` of [`METHOD`] choose for `process`.
pub(super) fn read(values: &Values, process: &Process) -> Arc<dyn Method> {
    let Some(name) = values.text_if_given(METHOD.name) else { return usual(process) };
    let chosen = METHODS.iter().find(|about| about.name == name);
    (chosen.expect("the words of the choice are the names of the methods").read)(values)
}

/// Refuses numbers out of range, and what a method cannot do for `process`.
pub(super) fn check(method: &dyn Method, process: &Process) -> Result<()> {
    method.check()?;
    let About { name, needs, .. } = method.about();
    if *needs == Needs::Any || process.class() != Class::Nonlinear {
        return Ok(());
    }
    let causes = process.reasons().join(", ");
    let problem = format!("the method \"{name}\" needs a linear process, which this is not: {causes}");
    let others: Vec<_> = METHODS.iter().filter(|other| other.needs == Needs::Any).map(|other| other.name).collect();
    Err(Error::process(process.name(), problem).with_hint(format!("take {}", alternatives(&others))))
}

/// `"a", "b" or "c"`.
fn alternatives(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}
