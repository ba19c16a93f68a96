//! Scores, as scripts hold them.

use std::sync::Arc;

use rhai::Engine;
use rhai::plugin::*;

use crate::data::Dataset;
use crate::lang::failure::{Outcome, Raise};
use crate::process::Process;
use crate::score::{self, Exact};

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_type_with_name::<Score>("Score");
    engine.register_fn("to_string", |score: &mut Score| score.to_string());
    engine.register_fn("to_debug", |score: &mut Score| score.to_string());
    engine.register_static_module("score", rhai::exported_module!(functions).into());
}

/// A score of any kind; the script's type `Score`.
#[derive(Clone)]
pub(crate) enum Score {
    /// In closed form.
    Exact(Arc<Exact>),
}

impl Score {
    /// The score itself.
    pub(crate) fn score(&self) -> &dyn score::Score {
        match self {
            Self::Exact(exact) => exact.as_ref(),
        }
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self {
            Self::Exact(_) => "exact",
        };
        write!(
            f,
            "{kind} score of the process {} for data of shape {:?}",
            self.score().process().name(),
            self.score().shape()
        )
    }
}

#[export_module]
mod functions {
    /// The score in closed form: of a Gaussian mixture exactly, of finite data as a mixture of points.
    ///
    /// Under a linear process every component of a mixture stays Gaussian, so the score is a softmax over components.
    /// The *empirical* score of finite data is exact for these data and nothing else: it samples the data again.
    ///
    /// # Shapes
    /// The data's: the score of every driven block has the shape of a datum.
    ///
    /// # Returns
    /// A `Score`, for `sample`.
    ///
    /// # Errors
    /// When the data are neither a mixture nor finite, or noise does not reach every block of the process.
    ///
    /// # Source
    /// Behera et al., arXiv 2411.07233, appendix.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond(#{ spacing: 0.5, std: 0.04 });
    /// let s = sample(score::exact(process::active(), d), #{ count: 1000, steps: 100 });
    /// assert(s.x.shape == [1000, 2]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn exact(ctx: NativeCallContext, process: Process, data: Dataset) -> Outcome<Score> {
        Exact::new(&process, &data).map(|exact| Score::Exact(Arc::new(exact))).raise(&ctx)
    }
}
