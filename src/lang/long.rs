//! Where a script that is only rehearsed goes no further.

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};

use super::failure::Outcome;
use super::stop::Stop;
use super::surroundings::is_rehearsal;

/// Functions with options whose work is long, or for the eyes. They read their options and go no further.
const LONG: &[&str] = &[
    "accuracy",
    "animate",
    "bayes_accuracy",
    "class_information",
    "clone_agreement",
    "density",
    "dihedrals",
    "entropy_production",
    "fisher",
    "fisher_decay",
    "fisher_marginal",
    "heatmap",
    "hierarchy",
    "histogram",
    "images",
    "ising",
    "js_histogram",
    "js_ramachandran",
    "kl_histogram",
    "learn",
    "lines",
    "log_likelihood",
    "mmd",
    "mode_decay",
    "panels",
    "ramachandran",
    "reverse",
    "sample",
    "scatter",
    "simulate",
    "sliced_wasserstein",
    "speciation_time",
    "train",
    "train_classifier",
];

/// Ends the statement in a rehearsal where the function that `ctx` stands for is one of the long ones.
pub(super) fn pass(ctx: &NativeCallContext) -> Outcome<()> {
    if is_rehearsal(ctx) && LONG.contains(&ctx.fn_name()) { Err(beyond(ctx.call_position())) } else { Ok(()) }
}

/// The end of a statement in a rehearsal.
pub(super) fn beyond(position: Position) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::from(Stop::Beyond), position).into()
}
