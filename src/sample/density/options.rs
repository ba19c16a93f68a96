//! The options of likelihoods.

use super::divergence::Divergence;
use crate::sample::integrator::{TOLERANCES, Tolerance};
use crate::settings::{self, Choice, Setting, words};

/// What auxiliaries are averaged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// log mean [p(x, η)/q(η)]. The noise of random directions, of variance v, would raise it by up to v/2.
    Weighted,
    /// mean [log p(x, η) − log q(η)].
    Mean,
}

/// What can be set of a likelihood.
pub const LIKELIHOOD: &[Setting] = &[
    Setting::choice("divergence", "how the divergence of the score is found", DIVERGENCES)
        .or_else("\"exact\" up to 16 directions, the coordinates of the driven blocks, and \"hutchinson\" beyond"),
    PROBES.or_else(
        "8; where they are given, \"hutchinson\" is the default, and \"exact\" if they are as many as the directions there \
         are, which costs no more",
    ),
    AUXILIARY_DRAWS,
    Setting::choice("bound", "what the draws are averaged to", &words(BOUNDS)).or_else(
        "\"weighted\" where the divergence is exact, else \"mean\": the noise of random directions would raise the weighted \
         one",
    ),
    Setting { meaning: "tolerated error of a step, in parts of what the log density changes by in it", ..TOLERANCES[0] },
    Setting {
        meaning: "tolerated error of a step besides, in nats; and of a state, in the deviations of what is finest in it",
        ..TOLERANCES[1]
    },
    Setting::seed("seed of random directions and auxiliaries"),
];

pub(super) const AUXILIARY_DRAWS: Setting = counted("auxiliary_draws", "draws of the auxiliaries").or(16.0);
pub(super) const PROBES: Setting = counted("probes", "random directions of `\"hutchinson\"`").or(8.0);

/// Draws are numbered by part of a random stream.
const fn counted(name: &'static str, meaning: &'static str) -> Setting {
    Setting::count(name, meaning).between(1.0, (1 << 20) as f64)
}

const DIVERGENCES: &[Choice] = &[
    Choice::new(EXACT, "in all directions, one after the other"),
    Choice::new("hutchinson", "in random directions of ±1"),
];
const EXACT: &str = "exact";

const BOUNDS: &[(Choice, Bound); 2] = &[
    (Choice::new("weighted", "log mean [p(x, η)/q(η)], exact in the limit of many draws"), Bound::Weighted),
    (Choice::new("mean", "mean [log p(x, η) - log q(η)]"), Bound::Mean),
];

/// How to compute a likelihood.
#[derive(Debug, Clone, PartialEq)]
pub struct Likelihood {
    /// Tolerated error of a step, in parts of the state.
    pub rtol: f64,
    /// Tolerated error of a step besides.
    pub atol: f64,
    /// How the divergence is found; by default exactly up to 16 directions, else with 8 random ones.
    pub divergence: Option<Divergence>,
    /// Draws of the auxiliaries.
    pub auxiliary_draws: usize,
    /// What they are averaged to; by default weighted where the divergence is exact, else their mean.
    pub bound: Option<Bound>,
    /// Seed of random directions and auxiliaries.
    pub seed: u64,
}

impl Likelihood {
    /// What `values` of [`LIKELIHOOD`] set.
    ///
    /// # Panics
    /// When `values` are of another table.
    pub fn read(values: &settings::Values) -> Self {
        let Tolerance { rtol, atol } = Tolerance::read(values);
        let given = values.count_if_given("probes");
        let probes = given.unwrap_or_else(|| settings::Values::defaults(&[PROBES]).count("probes"));
        let divergence = match values.text_if_given("divergence") {
            Some(EXACT) => Some(Divergence::Exact),
            Some(_) => Some(Divergence::Hutchinson { probes }),
            None => given.map(|probes| Divergence::Hutchinson { probes }),
        };
        Self {
            rtol,
            atol,
            divergence,
            auxiliary_draws: values.count("auxiliary_draws"),
            bound: values.chosen_if_given("bound", BOUNDS),
            seed: values.natural("seed"),
        }
    }

    pub(super) fn tolerance(&self) -> Tolerance {
        Tolerance { rtol: self.rtol, atol: self.atol }
    }
}

impl Default for Likelihood {
    fn default() -> Self {
        Self::read(&settings::Values::defaults(LIKELIHOOD))
    }
}
