//! How to follow the reverse process.

use std::fmt;
use std::sync::Arc;

use super::grid::GRID;
use super::method::{self, METHOD, Method, Way};
use super::plan::Stepper;
use super::problem::Problem;
use super::{Grid, Keep};
use crate::error::{Error, Result};
use crate::process::{Class, PriorLaw, Process};
use crate::settings::{Choice, Range, Setting, Values, words};

/// What can be set of every run of the reverse process.
pub const REVERSE: &[Setting] = &[
    METHOD,
    GRID,
    Setting::number("end", "time at which to stop, from 0 to below the start").within(Range::from(0.0)).or(0.0),
    Setting::choice("last", "what the last step does", &words(LASTS)),
    Setting::seed("seed of the noise, and of the prior"),
];

/// The number of steps of a run.
pub const STEPS: &[Setting] = &[Setting::count(
    "steps",
    "number of steps; of no meaning for adaptive methods; \"em\", \"pc\" and \"heun\" take more where coefficients \
     change fast with the time",
)
.or_else("50 for the method \"exponential\", 1000 for \"em\" and \"pc\", 200 for others")];

/// What can be set besides of a run that draws from the prior.
pub const SAMPLE: &[Setting] = &[
    Setting::count("count", "number of samples").or(1000.0),
    Setting::choice("prior", "the law to start from", &words(PRIORS)),
];

/// What can be set besides of a run from given states.
pub const FROM: &[Setting] =
    &[Setting::number("from", "time at which to start").or_else("the time at which the state is")];

const LASTS: &[(Choice, LastStep); 2] = &[
    (Choice::new("none", "a step as any other"), LastStep::None),
    (
        Choice::new(
            "denoise",
            "goes to the expected state, given the one before it and its score (Tweedie), whatever the method, of linear \
             processes; adaptive methods put it behind their end",
        ),
        LastStep::Denoise,
    ),
];

/// The laws to start from; none of them is the one that a score usually has.
const PRIORS: &[(Choice, Option<PriorLaw>); 4] = &[
    (Choice::new("usual", "the ensemble where there is one, else matched"), None),
    (
        Choice::new(
            "matched",
            "a Gaussian with the mean and covariance of the noised data at the horizon; of more than 16 coordinates without \
             the correlations between them",
        ),
        Some(PriorLaw::Matched),
    ),
    (Choice::new("stationary", "the law that the process settles into"), Some(PriorLaw::Stationary)),
    (
        Choice::new("ensemble", "simulated states at the horizon, smoothed, of a score learned from simulated paths"),
        Some(PriorLaw::Ensemble),
    ),
];

/// What the last step of the reverse process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastStep {
    /// A step as any other.
    None,
    /// To the expected state given the one before it, whatever the method: the noise of the last step would stay in the
    /// samples. Adaptive steps, which end close to t = 0, put it behind their end.
    Denoise,
}

/// How to follow the reverse process.
#[derive(Debug, Clone)]
pub struct Options {
    /// The method.
    pub method: Arc<dyn Method>,
    /// Number of steps; of no meaning for adaptive ones.
    pub steps: usize,
    /// How the times are spread; of no meaning for adaptive steps.
    pub grid: Grid,
    /// The time at which to stop, from 0 to below the start.
    pub end: f64,
    /// What the last step does.
    pub last: LastStep,
    /// Which states are kept.
    pub keep: Keep,
    /// Seed of the noise, and of the prior.
    pub seed: u64,
}

impl Options {
    /// The usual options, for a method: `Options { steps: 50, ..Options::by(Heun) }`.
    pub fn by(method: impl Method + 'static) -> Self {
        Self::with(&Values::defaults(REVERSE), Arc::new(method))
    }

    /// The usual options for `process`.
    pub fn usual(process: &Process) -> Self {
        Self::read(&Values::defaults(REVERSE), process)
    }

    /// What `values` of [`REVERSE`] set for `process`; the number of steps is the usual one of the method, and the end
    /// is kept.
    ///
    /// # Panics
    /// When `values` are of another table.
    pub fn read(values: &Values, process: &Process) -> Self {
        Self::with(values, method::read(values, process))
    }

    /// The parts of each step of a method with fixed steps, the last of all replaced where it is to denoise.
    ///
    /// # Errors
    /// When the process does not have what the method needs.
    pub(super) fn stepper<'a>(&'a self, problem: &'a Problem<'a>) -> Result<Stepper<'a>> {
        let Way::Fixed(method) = self.method.way() else { unreachable!("adaptive steps have no plan") };
        let own = method.stepper(problem)?;
        if self.last == LastStep::None {
            return Ok(own);
        }
        let last = problem.times.len() - 2;
        Ok(Box::new(move |step| if step == last { problem.denoised(step) } else { own(step) }))
    }

    /// Refuses what the method or the last step cannot do for `process`, and settings of the method out of range.
    ///
    /// # Errors
    /// Names what is missing, and a way out.
    pub(super) fn check(&self, process: &Process) -> Result<()> {
        method::check(&*self.method, process)?;
        if self.last == LastStep::None || process.class() != Class::Nonlinear {
            return Ok(());
        }
        let causes = process.reasons().join(", ");
        let problem = format!("\"denoise\" needs a kernel, which the process `{}` has not: {causes}", process.name());
        Err(Error::argument("last", problem)
            .with_hint("take last: \"none\", and end with short steps: grid: \"quadratic\""))
    }

    fn with(values: &Values, method: Arc<dyn Method>) -> Self {
        Self {
            steps: method.about().steps,
            method,
            grid: Grid::read(values),
            end: values.number("end"),
            last: values.chosen("last", LASTS),
            keep: Keep::End,
            seed: values.natural("seed"),
        }
    }
}

/// The prior that `values` of [`SAMPLE`] ask for; `None` is the one that a score usually has.
///
/// # Panics
/// When `values` are of another table.
pub fn prior(values: &Values) -> Option<PriorLaw> {
    values.chosen("prior", PRIORS)
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method.about().name)?;
        match self.method.words() {
            words if words.is_empty() => {}
            words => write!(f, " ({words})")?,
        }
        match self.method.way() {
            Way::Adaptive(_) => f.write_str(", adaptive steps")?,
            Way::Fixed(_) => write!(f, ", {} steps on the {} grid", self.steps, self.grid)?,
        }
        match self.last {
            LastStep::None => f.write_str(", last step as any other"),
            LastStep::Denoise => f.write_str(", last step to the expected state"),
        }
    }
}
