//! Scores, as scripts hold them.

use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Engine, Module};

use crate::data::Dataset;
use crate::lang::failure::{Outcome, Raise};
use crate::process::Process;
use crate::score::{Exact, Score};

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_type_with_name::<Model>("Score");
    engine.register_fn("to_string", |model: &mut Model| model.to_string());
    engine.register_fn("to_debug", |model: &mut Model| model.to_string());
    let mut module = Module::new();
    module.combine(rhai::exported_module!(functions));
    module.build_index();
    engine.register_static_module("score", module.into());
}

/// A score of any kind; the script's type `Score`.
#[derive(Clone)]
pub(crate) enum Model {
    /// In closed form.
    Exact(Arc<Exact>),
}

impl Model {
    /// The score itself.
    pub(crate) fn score(&self) -> &dyn Score {
        match self {
            Self::Exact(exact) => exact.as_ref(),
        }
    }
}

impl std::fmt::Display for Model {
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
    pub fn exact(ctx: NativeCallContext, process: Process, data: Dataset) -> Outcome<Model> {
        Exact::new(&process, &data).map(|exact| Model::Exact(Arc::new(exact))).raise(&ctx)
    }
}
