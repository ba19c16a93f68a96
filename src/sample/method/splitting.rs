//! The equilibrium split: an exact half step of a Gaussian reference process in reverse time, a full step of what the
//! score has beyond the score of the reference, and a half step again.
//!
//! If the noised data were Gaussian, N(μ(t), Σ(t)), the reverse process would be linear and its transition from t to
//! s < t the law of z_s given z_t in the forward process: exact at any length of step, and stable. The reference is the
//! stationary law, which for critically damped Langevin dynamics makes the SSCS of Dockhorn, Vahdat, Kreis,
//! arXiv 2112.07068, or the law of data with the mean and covariance of the true ones, which leaves less to the middle
//! step. The split that leaves it the whole score reverses a decaying linear part, which grows, and is worse than
//! Euler–Maruyama.

use std::sync::Arc;

use nalgebra::DVector;

use super::about::{About, Fixed, Method, Needs, Way};
use super::followed::{Followed, Reference};
use crate::error::Result;
use crate::gauss::precision;
use crate::sample::combination::{Combination, joined};
use crate::sample::layout::Layout;
use crate::sample::plan::{Part, Place, Stepper};
use crate::sample::problem::Problem;
use crate::settings::{Choice, Setting, Values, words};

pub(super) const ABOUT: About = About {
    name: "splitting",
    meaning: "exact steps of a Gaussian reference around what the score has beyond it; needs a linear process",
    title: "exact half steps of a Gaussian reference around the score",
    text: &[
        "z <- R(t -> t - h/2) z",
        "z <- z + h D [S - S_R](z, t - h/2)",
        "z <- R(t - h/2 -> t - h) z",
        "R: the exact reverse step if p_t were the Gaussian reference, S_R its score",
    ],
    latex: &[
        "z &\\leftarrow \\mathcal{R}_{t \\to t - h/2}\\, z",
        "z &\\leftarrow z + h D \\left[\\nabla \\ln p - \\nabla \\ln p^{\\mathcal{R}}\\right](z, t - \\tfrac{h}{2})",
        "z &\\leftarrow \\mathcal{R}_{t - h/2 \\to t - h}\\, z",
    ],
    steps: 200,
    settings: SETTINGS,
    needs: Needs::Linear,
    read: |values| Arc::new(Splitting::read(values)),
};

const SETTINGS: &[Setting] =
    &[Setting::choice("reference", "the Gaussian law that is followed exactly", &words(REFERENCES))];

const REFERENCES: &[(Choice, Reference); 2] = &[
    (Choice::new("data", "Gaussian data of the same mean and covariance, which it samples exactly"), Reference::Data),
    (
        Choice::new("stationary", "the law that the process settles into; for `cld` this is the SSCS of its authors"),
        Reference::Stationary,
    ),
];

/// The equilibrium split: exact steps of a Gaussian reference around what the score has beyond it; one evaluation a
/// step, at its middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Splitting {
    /// The reference.
    pub reference: Reference,
}

impl Splitting {
    fn read(values: &Values) -> Self {
        Self { reference: values.chosen("reference", REFERENCES) }
    }
}

impl Default for Splitting {
    fn default() -> Self {
        Self::read(&Values::defaults(SETTINGS))
    }
}

impl Method for Splitting {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn words(&self) -> String {
        match self.reference {
            Reference::Data => "reference by the data".to_owned(),
            Reference::Stationary => "stationary reference".to_owned(),
        }
    }

    fn is_exact_for_gaussians(&self) -> bool {
        self.reference == Reference::Data
    }

    fn way(&self) -> Way<'_> {
        Way::Fixed(self)
    }
}

impl Fixed for Splitting {
    fn stepper<'a>(&'a self, problem: &'a Problem<'a>) -> Result<Stepper<'a>> {
        let reference = Followed::new(problem, self.reference)?;
        let Layout { state, .. } = problem.layout;
        let apply = |update: Combination| Part::Apply { update: update.into(), from: 0, to: Place::Kept(0) };
        Ok(Box::new(move |step| {
            let (from, to) = problem.span(step);
            let middle = 0.5 * (from + to);
            Ok(vec![
                problem.load(),
                Part::Draw { draw: 0, rows: state, to: state },
                apply(back(&reference, from, middle)?),
                problem.load(),
                problem.score(middle),
                apply(kick(&reference, middle, from - to)?),
                problem.load(),
                Part::Draw { draw: 1, rows: state, to: state },
                apply(back(&reference, middle, to)?),
            ])
        }))
    }
}

/// The step from the time `from` down to `to`, from the rows of state and m rows of noise.
fn back(reference: &Followed<'_>, from: f64, to: f64) -> Result<Combination> {
    let (now, then) = (reference.at(from)?, reference.at(to)?);
    let mut offset = DVector::zeros(now.mean.len());
    let weights = reference.backward(from, to)?.into_iter().map(|(gain, noise)| {
        offset = &then.mean - &gain * &now.mean;
        joined(&[&gain, &noise])
    });
    let weights: Vec<_> = weights.collect();
    Ok(Combination::carried_by_kinds(&offset, &weights, reference.kinds()))
}

/// The step of `length` by D (ŝ − s_ref) at `time`, from the rows of state and score.
fn kick(reference: &Followed<'_>, time: f64, length: f64) -> Result<Combination> {
    let law = reference.at(time)?;
    let driven = reference.process.driven();
    let diffusion = reference.process.linear_at(time)?.diffusion().select_columns(driven) * length;
    let mut offset = DVector::zeros(law.mean.len());
    let weights = law.factors.iter().map(|factor| {
        let pull = &diffusion * precision(factor).select_rows(driven);
        offset = -(&pull * &law.mean);
        joined(&[&pull, &diffusion])
    });
    let weights: Vec<_> = weights.collect();
    Ok(Combination::step_by_kinds(&offset, &weights, reference.kinds()))
}
