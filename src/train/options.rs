//! How a score is trained.

use crate::error::{Error, Result};

/// Options of [`train`](super::train); the default is what the program's reference job uses.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Steps of the optimiser, 1 or more.
    pub steps: u64,
    /// Samples per step, from 1 to 16,384.
    pub batch: usize,
    /// Step length of Adam at its highest, above 0.
    pub rate: f64,
    /// How the step length changes.
    pub schedule: Schedule,
    /// Steps over which the step length first rises from 0.
    pub warmup: u64,
    /// Largest norm of the gradient, above 0; `None` does not clip.
    pub clip: Option<f64>,
    /// Decay per step of the moving average of the parameters, in [0, 1).
    pub decay: f64,
    /// Seed of data, times and noise.
    pub seed: u64,
    /// Shortest noising time, above 0 and below the horizon; `None` is 5·10⁻⁴ of the horizon.
    pub minimum_time: Option<f64>,
    /// Weight of the errors over time.
    pub weighting: Weighting,
    /// Steps between two points of the loss history; 0 gives about 200 points.
    pub interval: u64,
    /// What computes gradients.
    pub backend: Backend,
    /// What is learned from simulated paths, of a score without a kernel.
    pub objective: Objective,
    /// Length of the windows in time, of a score without a kernel; `None` takes what it was made with.
    pub window: Option<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            steps: 20_000,
            batch: 512,
            rate: 1e-3,
            schedule: Schedule::Cosine,
            warmup: 0,
            clip: Some(1.0),
            decay: 0.999,
            seed: 0,
            minimum_time: None,
            weighting: Weighting::Whitened,
            interval: 0,
            backend: Backend::Fused,
            objective: Objective::Windowed,
            window: None,
        }
    }
}

/// How the step length changes over the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Not at all.
    Constant,
    /// ½ (1 + cos(π step/steps)): down to 0 (Loshchilov and Hutter, arXiv 1608.03983).
    Cosine,
}

/// Weight λ of the squared error of the score over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// Unit-variance targets in every channel: λ_d = ℓ_d².
    Whitened,
    /// λ_d = D_dd, the bound on the likelihood (Song, Durkan, Murray, Ermon, arXiv 2101.09258).
    Likelihood,
}

/// What a score without a kernel is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// Scores of the linearised law over windows of simulated paths.
    Windowed,
    /// Sliced score matching (Song, Garg, Shi, Ermon, arXiv 1905.07088), which asks for no law at all.
    Sliced,
}

/// What computes the gradient of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The program's own fused passes.
    Fused,
    /// Candle's automatic differentiation, on the processor: slower, for comparison.
    Candle,
}

impl Options {
    /// Largest batch: every sample has its own range of a table of times.
    pub const LARGEST_BATCH: usize = 1 << 14;

    /// Checks every range for a process of that `horizon`.
    ///
    /// # Errors
    /// Names the first option out of its range.
    pub fn check(&self, horizon: f64) -> Result<()> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let refuse = |name: &str, problem: String| Err(Error::argument(name, problem));
        if self.steps == 0 || self.steps > u64::from(u32::MAX) {
            return refuse("steps", format!("must be from 1 to {}, got {}", u32::MAX, self.steps));
        }
        if !(1..=Self::LARGEST_BATCH).contains(&self.batch) {
            return refuse("batch", format!("must be from 1 to {}, got {}", Self::LARGEST_BATCH, self.batch));
        }
        // Beyond, one step makes weights that are not finite.
        if !(self.rate > 0.0 && self.rate <= 1e30) {
            return refuse("lr", format!("must be above 0 and at most 1e30, got {}", self.rate));
        }
        if let Some(clip) = self.clip.filter(|&clip| !positive(clip)) {
            return refuse("clip", format!("must be above 0, got {clip}"));
        }
        if let Some(window) = self.window.filter(|&window| !positive(window)) {
            return refuse("window", format!("must be a time above 0, got {window}"));
        }
        if !(0.0..1.0).contains(&self.decay) {
            return refuse("ema", format!("must be in [0, 1), got {}", self.decay));
        }
        let shortest = self.shortest(horizon);
        if !(shortest > 0.0 && shortest < horizon) {
            return refuse("minimum_time", format!("must be above 0 and below the horizon {horizon}, got {shortest}"));
        }
        Ok(())
    }

    /// Refuses what only simulated paths have.
    ///
    /// # Errors
    /// Names the option.
    pub(super) fn check_kernel(&self) -> Result<()> {
        let refuse = |name: &str| {
            Err(Error::argument(name, "belongs to scores that are learned from simulated paths; this one has a kernel")
                .with_hint("make the score with score::mlp(process, data, #{ simulated: true })"))
        };
        match (self.objective, self.window) {
            (Objective::Sliced, _) => refuse("objective"),
            (_, Some(_)) => refuse("window"),
            _ => Ok(()),
        }
    }

    /// The shortest noising time for a process of that `horizon`.
    pub fn shortest(&self, horizon: f64) -> f64 {
        self.minimum_time.unwrap_or(5e-4 * horizon)
    }

    /// Step length of step `step`, from 0.
    pub fn rate_at(&self, step: u64) -> f64 {
        let progress = step as f64 / self.steps as f64;
        let fall = match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
        };
        let rise = ((step + 1) as f64 / self.warmup.max(1) as f64).min(1.0);
        self.rate * rise * fall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_rise_and_fall() {
        let options = Options { steps: 100, warmup: 10, ..Options::default() };
        let rate = |step| options.rate_at(step) / options.rate;
        assert!((rate(0) - 0.1).abs() < 1e-12 && (rate(50) - 0.5).abs() < 1e-12 && rate(99) < 1e-3);
        let constant = Options { schedule: Schedule::Constant, ..Options::default() };
        assert_eq!(constant.rate_at(0), constant.rate);
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
        named(Options { rate: f64::NAN, ..base() }, "lr");
        named(Options { clip: Some(-1.0), ..base() }, "clip");
        named(Options { decay: 1.0, ..base() }, "ema");
        named(Options { minimum_time: Some(2.0), ..base() }, "minimum_time");
        named(Options { minimum_time: Some(0.0), ..base() }, "minimum_time");
    }
}
