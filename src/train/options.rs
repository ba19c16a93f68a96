//! How a score is trained.

use std::path::PathBuf;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::settings::{self, Choice, Range, Setting, Values, words};
use crate::task::Device;

/// Options of [`train`](super::train), as [`Options::SETTINGS`] declares them; the default is what the program's
/// reference job uses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Options {
    /// Steps of the optimiser.
    pub steps: u64,
    /// Samples per step.
    pub batch: usize,
    /// Step length of Adam at its highest.
    pub lr: f64,
    /// How the step length changes.
    pub schedule: Schedule,
    /// Steps of the model from its first one on over which the schedule goes, where it spans several runs; `None` takes
    /// the steps of this run alone.
    pub total: Option<u64>,
    /// Steps over which the step length first rises from 0.
    pub warmup: u64,
    /// Largest norm of the gradient; 0 does not clip.
    pub clip: f64,
    /// Decay per step of the moving average of the parameters.
    pub ema: f64,
    /// Seed of data, times and noise.
    pub seed: u64,
    /// Shortest noising time, below the horizon; `None` is 5·10⁻⁴ of the horizon.
    pub minimum_time: Option<f64>,
    /// Weight of the errors over time.
    pub weighting: Weighting,
    /// Steps between two points of the loss history; `None` gives about 200 points.
    pub interval: Option<u64>,
    /// What computes gradients.
    pub device: Device,
    /// What is learned from simulated paths, of a score without a kernel; `None` is windowed where the windows are
    /// exact or `window` is given, else sliced.
    pub objective: Option<Objective>,
    /// Length of the windows in time, of a score without a kernel; `None` takes what it was made with.
    pub window: Option<f64>,
    /// Part of the samples whose class is not told, of a network that is told classes; `None` is
    /// [`Options::CLASS_DROPOUT`].
    pub class_dropout: Option<f64>,
    /// Folder of checkpoints, which is made where it does not exist; `None` keeps none.
    #[serde(skip)]
    pub checkpoint: Option<PathBuf>,
    /// Steps between two checkpoints; `None` is [`Options::EVERY`].
    #[serde(skip)]
    pub every: Option<u64>,
    /// Checkpoints that stay, the newest; `None` is [`Options::KEEP`].
    #[serde(skip)]
    pub keep: Option<usize>,
    /// Whether to go on from the newest checkpoint, where there is one.
    #[serde(skip)]
    pub resume: bool,
    /// Whether the log is written for TensorBoard too.
    #[serde(skip)]
    pub tensorboard: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self::read(&Values::defaults(Self::SETTINGS))
    }
}

/// How the step length changes over the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Not at all.
    Constant,
    /// ½ (1 + cos(π step/steps)): down to 0 (Loshchilov and Hutter, arXiv 1608.03983).
    Cosine,
}

/// Weight λ of the squared error of the score over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weighting {
    /// Unit-variance targets in every channel: λ_d = ℓ_d².
    Whitened,
    /// λ_d = D_dd, the bound on the likelihood (Song, Durkan, Murray, Ermon, arXiv 2101.09258).
    Likelihood,
}

/// What a score without a kernel is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// Scores of the linearised law over windows of simulated paths.
    Windowed,
    /// Sliced score matching (Song, Garg, Shi, Ermon, arXiv 1905.07088), which asks for no law at all.
    Sliced,
}

const SCHEDULES: &[(Choice, Schedule); 2] = &[
    (Choice::new("cosine", "falls to 0 along half a wave, at the end of each call or of `total`"), Schedule::Cosine),
    (Choice::new("constant", "stays where it is"), Schedule::Constant),
];

const WEIGHTINGS: &[(Choice, Weighting); 2] = &[
    (Choice::new("whitened", "every channel and time in units of its noise"), Weighting::Whitened),
    (Choice::new("likelihood", "the bound on the likelihood"), Weighting::Likelihood),
];

const OBJECTIVES: &[(Choice, Objective); 2] = &[
    (Choice::new("windowed", "the scores of the linearised law over windows of the paths"), Objective::Windowed),
    (Choice::new("sliced", "sliced score matching, which asks for no law at all"), Objective::Sliced),
];

impl Options {
    /// The part of the samples whose class is not told, unless another is asked for (Ho and Salimans, arXiv
    /// 2207.12598).
    pub const CLASS_DROPOUT: f64 = 0.1;

    /// Steps between two checkpoints, unless others are asked for.
    pub const EVERY: u64 = 1000;

    /// Checkpoints that stay, unless others are asked for: should the newest be damaged, there is one before.
    pub const KEEP: usize = 2;

    /// Largest batch: every sample has its own range of a table of times.
    pub const LARGEST_BATCH: usize = 1 << 14;

    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] = &[
        Setting::count("steps", "steps of the optimiser, Adam").between(1.0, 4e9).or(20_000.0),
        Setting::count("batch", "samples per step").between(1.0, Self::LARGEST_BATCH as f64).or(512.0),
        // Beyond, one step makes weights that are not finite.
        Setting::number("lr", "learning rate at its highest").within(Range::above(0.0).up_to(1e30)).or(1e-3),
        Setting::choice("schedule", "how the learning rate changes", &words(SCHEDULES)),
        Setting::count("total", "steps of the schedule where it spans several calls, from the model's first step on")
            .between(1.0, 4e9)
            .or_else("each call has a schedule of its own"),
        Setting::natural("warmup", "steps over which the learning rate first rises from 0").or(0.0),
        Setting::number("clip", "largest norm of the gradient; 0 does not clip").within(Range::from(0.0)).or(1.0),
        Setting::number(
            "ema",
            "decay per step of the average of the weights that samplers use, at most (1 + n)/(10 + n) after n",
        )
        .within(Range::from(0.0).below(1.0))
        .or(0.999),
        Setting::seed("seed of data, times and noise"),
        Setting::number("minimum_time", "shortest time of the forward process, below the horizon")
            .above(0.0)
            .or_else("5e-4 of the horizon"),
        Setting::choice("weighting", "weight of the errors over time", &words(WEIGHTINGS)),
        Setting::natural("interval", "steps between two points of the loss").or_else("a 200th of the steps, as for 0"),
        Setting::choice("objective", "what a score is trained on that learns from simulated paths", &words(OBJECTIVES))
            .or_else("\"sliced\" for nonlinear processes, whose windows are biased; \"windowed\" with `window`"),
        Setting::number("window", "of a score that learns from simulated paths, length of the windows in time")
            .above(0.0)
            .or_else("the score's"),
        Setting::number("class_dropout", "part of the samples whose class a network that is told classes is not told")
            .within(Range::from(0.0).up_to(1.0))
            .or_else("0.1"),
        Device::SETTING,
        Setting::text("checkpoint", "folder in which the state of the training is kept, whole at any moment")
            .or_else("none is kept"),
        Setting::count("every", "with `checkpoint`, steps between two of them").or_else("1000"),
        Setting::count("keep", "with `checkpoint`, how many stay, the newest").or_else("2"),
        Setting::flag("resume", "with `checkpoint`, whether to go on from the newest one, where there is one"),
        Setting::flag("tensorboard", "with `checkpoint`, whether its log is also written as events for TensorBoard"),
    ];

    /// The options that `values` of [`Options::SETTINGS`] set.
    pub fn read(values: &Values) -> Self {
        Self {
            steps: values.natural("steps"),
            batch: values.count("batch"),
            lr: values.number("lr"),
            schedule: values.chosen("schedule", SCHEDULES),
            total: values.whole_if_given("total").map(|total| total as u64),
            warmup: values.natural("warmup"),
            clip: values.number("clip"),
            ema: values.number("ema"),
            seed: values.natural("seed"),
            minimum_time: values.number_if_given("minimum_time"),
            weighting: values.chosen("weighting", WEIGHTINGS),
            interval: values.count_if_given("interval").filter(|&steps| steps > 0).map(|steps| steps as u64),
            device: Device::read(values),
            objective: values.chosen_if_given("objective", OBJECTIVES),
            window: values.number_if_given("window"),
            class_dropout: values.number_if_given("class_dropout"),
            checkpoint: values.text_if_given("checkpoint").map(PathBuf::from),
            every: values.whole_if_given("every").map(|steps| steps as u64),
            keep: values.count_if_given("keep"),
            resume: values.flag("resume"),
            tensorboard: values.flag("tensorboard"),
        }
    }

    /// Checks every range for a process of that `horizon`.
    ///
    /// # Errors
    /// Names the first option out of its range.
    pub fn check(&self, horizon: f64) -> Result<()> {
        let numbers = [
            ("steps", Some(self.steps as f64)),
            ("batch", Some(self.batch as f64)),
            ("lr", Some(self.lr)),
            ("clip", Some(self.clip)),
            ("ema", Some(self.ema)),
            ("interval", self.interval.map(|steps| steps as f64)),
            ("window", self.window),
            ("class_dropout", self.class_dropout),
            ("total", self.total.map(|steps| steps as f64)),
            ("every", self.every.map(|steps| steps as f64)),
            ("keep", self.keep.map(|count| count as f64)),
        ];
        for (name, number) in numbers {
            number.map_or(Ok(()), |number| settings::named(Self::SETTINGS, name).check_value(number))?;
        }
        let of_checkpoints = [
            ("every", self.every.is_some()),
            ("keep", self.keep.is_some()),
            ("resume", self.resume),
            ("tensorboard", self.tensorboard),
        ];
        if let (None, Some((name, _))) = (&self.checkpoint, of_checkpoints.iter().find(|(_, is_given)| *is_given)) {
            return Err(Error::argument(*name, "is about checkpoints, and no folder for them is given")
                .with_hint("write checkpoint: \"runs/a\""));
        }
        let (length, whole) = match self.total {
            Some(total) => (total, "total"),
            None => (self.steps, "steps"),
        };
        if self.warmup > length {
            let problem = format!("must be at most {length}, which is `{whole}`, got {}", self.warmup);
            return Err(Error::argument("warmup", problem).with_hint("the learning rate would never reach `lr`"));
        }
        let shortest = self.shortest(horizon);
        if !(shortest > 0.0 && shortest < horizon) {
            let problem = format!("must be above 0 and below the horizon {horizon}, got {shortest}");
            return Err(Error::argument("minimum_time", problem));
        }
        Ok(())
    }

    /// The shortest noising time for a process of that `horizon`.
    pub fn shortest(&self, horizon: f64) -> f64 {
        self.minimum_time.unwrap_or(5e-4 * horizon)
    }

    /// Refuses to train a model that has done `before` steps beyond the end of a schedule over several runs.
    ///
    /// # Errors
    /// Names the steps done and those asked for.
    pub(super) fn check_total(&self, before: u64) -> Result<()> {
        match self.total {
            Some(total) if before + self.steps > total => {
                let problem =
                    format!("of {total} ends before: the model has {before} steps, and {} follow", self.steps);
                Err(Error::argument("total", problem)
                    .with_hint("it counts the steps of all calls, from the first one on"))
            }
            _ => Ok(()),
        }
    }

    /// Step length of step `step` of this run, from 0, of a model that has done `before` steps before it.
    pub fn rate_at(&self, step: u64, before: u64) -> f64 {
        let (step, length) = match self.total {
            Some(total) => (before + step, total),
            None => (step, self.steps),
        };
        let progress = step as f64 / length as f64;
        let fall = match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
        };
        let rise = ((step + 1) as f64 / self.warmup.max(1) as f64).min(1.0);
        self.lr * rise * fall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_rise_and_fall() {
        let options = Options { steps: 100, warmup: 10, ..Options::default() };
        let rate = |step| options.rate_at(step, 500) / options.lr;
        assert!((rate(0) - 0.1).abs() < 1e-12 && (rate(50) - 0.5).abs() < 1e-12 && rate(99) < 1e-3);
        let constant = Options { schedule: Schedule::Constant, ..Options::default() };
        assert_eq!(constant.rate_at(0, 0), constant.lr);
        // Two runs of 50 steps go along the schedule of one of 100.
        let half = Options { steps: 50, total: Some(100), ..options.clone() };
        for step in 0..100 {
            assert_eq!(half.rate_at(step % 50, step - step % 50), options.rate_at(step, 0));
        }
        assert!(half.check_total(50).is_ok());
        assert!(half.check_total(51).unwrap_err().to_string().contains("the model has 51 steps, and 50 follow"));
    }

    #[test]
    fn options_out_of_range_are_named() {
        let base = Options::default;
        assert!(base().check(2.0).is_ok());
        let named = |options: Options, name: &str| {
            let message = options.check(2.0).unwrap_err().to_string();
            assert!(message.starts_with(&format!("`{name}`")), "{message}");
        };
        named(Options { steps: 0, ..base() }, "steps");
        named(Options { batch: 0, ..base() }, "batch");
        named(Options { batch: 1 << 20, ..base() }, "batch");
        named(Options { lr: f64::NAN, ..base() }, "lr");
        named(Options { clip: -1.0, ..base() }, "clip");
        named(Options { ema: 1.0, ..base() }, "ema");
        named(Options { warmup: 20_001, ..base() }, "warmup");
        named(Options { warmup: 20_000, total: Some(19_999), ..base() }, "warmup");
        named(Options { minimum_time: Some(2.0), ..base() }, "minimum_time");
        named(Options { minimum_time: Some(0.0), ..base() }, "minimum_time");
        named(Options { resume: true, ..base() }, "resume");
        named(Options { tensorboard: true, ..base() }, "tensorboard");
        named(Options { every: Some(0), checkpoint: Some("runs".into()), ..base() }, "every");
    }
}
