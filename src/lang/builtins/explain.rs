//! Processes explained: equations of the forward and the reverse process as text and LaTeX.

use rhai::plugin::*;
use rhai::{Engine, Map};

use super::score::Score;
use crate::explain::Explanation;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, Tables, read};
use crate::lang::types;
use crate::process::Process;
use crate::sample::{TITLES, about};
use crate::settings::Setting;

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    types::register::<Explanation>(engine, "Explanation", "take it out first: let latex = e.latex;");
    let functions = tables.module("", rhai::exported_manifest!(functions), OPTIONS);
    engine.register_global_module(functions.into());
}

#[export_module(manifest)]
mod functions {
    /// A process explained: forward process, kernel, reverse process, probability flow, and the step of a sampler.
    ///
    /// `print(explain(p))` shows it in lines for a terminal of 80 columns.
    ///
    /// # Returns
    /// An `Explanation`; its property `latex` is the LaTeX source, for a document with `amsmath`.
    ///
    /// # Source
    /// Anderson, Stoch. Proc. Appl. 12, 313 (1982); Song et al., arXiv 2011.13456.
    ///
    /// # Example
    /// ```rhai
    /// let e = explain(process::active(), #{ method: "heun" });
    /// assert(e.to_string().contains("deta = [eta/tau + 2 Ta/tau^2 S_eta] ds"));
    /// assert(e.latex.contains("\\frac{2 T_{a}}{\\tau^{2}}"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn explain(ctx: NativeCallContext, process: Process, options: Map) -> Outcome<Explanation> {
        read(&ctx, options, &[EXPLAIN], |given| {
            let method = about(given.word("method")).raise(&ctx)?;
            Ok(Explanation::new(&process, method))
        })
    }

    #[rhai_fn(name = "explain", return_raw)]
    pub fn explain_score(ctx: NativeCallContext, score: Score, options: Map) -> Outcome<Explanation> {
        explain(ctx, score.score().process().clone(), options)
    }

    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(explanation: &mut Explanation) -> String {
        explanation.text.clone()
    }

    /// LaTeX source of an explanation, for a document that uses `amsmath`.
    #[rhai_fn(get = "latex", pure)]
    pub fn latex(explanation: &mut Explanation) -> String {
        explanation.latex.clone()
    }
}

/// What can be set of an explanation.
const EXPLAIN: &[Setting] = &[Setting::choice("method", "the sampler whose step is shown", TITLES)];

/// The options of the functions of this file.
const OPTIONS: &[(&str, Table)] = &[("explain", &[EXPLAIN])];
