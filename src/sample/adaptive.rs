//! The probability flow by Dormand–Prince 5(4) with steps by the error.
//!
//! One length of step for all samples would make a sample depend on all others; one for each would leave no vector code.
//! So [`GROUP`] samples, fixed by their places, share their steps.

use nalgebra::{DMatrix, DVector};

use super::affine::Affine;
use super::field::{Field, Layout, Motion, Update};
use super::march::{BLOCK, Steps};
use super::euler::Euler;
use super::meter::Meter;
use super::output::Request;
use super::reverse::{Problem, Start, check_kept};
use super::state::{Run, State};
use super::{Keep, LastStep, Options};
use crate::error::{Error, Result};
use crate::score::{Evaluator, Score};
use crate::task::Task;

/// Samples that share their steps. What depends on time only is computed anew for each stage: many samples share its cost.
pub(super) const GROUP: usize = 4 * BLOCK;

/// The shortest time at which the score is asked for, in parts of the horizon: before it the score at this time stands for
/// it, which leaves an error of second order in this time.
pub(super) const SHORTEST: f64 = 1e-5;

/// Tolerated errors of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerance {
    pub(super) relative: f64,
    pub(super) absolute: f64,
}

/// Follows the flow from the first time of `problem` to its last.
pub(super) fn run(
    problem: &Problem<'_>,
    request: Request<'_>,
    start: &Start<'_>,
    tolerance: Tolerance,
    options: &Options,
) -> Result<State> {
    let (from, end) = (problem.times[0], problem.times[1]);
    let kept = match &options.keep {
        Keep::End => Vec::new(),
        Keep::All => {
            return Err(Error::argument("keep", "cannot be \"all\" for adaptive steps, which differ between samples")
                .with_hint("give times, e.g. keep: [0.5, 0.1]"));
        }
        Keep::Times(times) => {
            check_kept(times, from, end)?;
            let mut times = times.clone();
            times.sort_by(|a, b| b.total_cmp(a));
            times.dedup();
            times
        }
    };
    let request = Request { kept, ..request };
    let groups = request.blocks(GROUP)?;
    request.blocks(BLOCK)?;
    // A last step without noise goes from a time above 0 to the end.
    let target = if options.last == LastStep::Denoise { end.max(SHORTEST * from) } else { end };
    let mut storage = request.storage()?;
    let output = storage.open();
    let meter = Meter::new(problem.task, "sample", 1, groups);
    let accounts = problem.task.blocks(groups, |group| {
        let first = group * GROUP;
        let samples = GROUP.min(request.count - first);
        let mut rows = gather(start, problem.layout.state, first, samples)?;
        let mut flow = Flow::new(problem.score, problem.layout, samples, problem.task)?;
        let mut integrator = Integrator::new(rows.len(), tolerance);
        let mut time = from;
        for (frame, stop) in request.kept.iter().copied().chain([target]).enumerate() {
            let stop = stop.max(target);
            integrator.advance(&mut flow, time, stop, &mut rows)?;
            time = stop;
            output.write(frame, first, samples, &rows);
        }
        if target > end || (options.last == LastStep::Denoise && target == end) {
            unimplemented_denoise();
        }
        meter.count(1)?;
        Ok((samples, integrator.account))
    });
    meter.finish();
    drop(output);
    let accounts = accounts?;
    let state = storage.close(end, request.kept)?;
    let evaluations = |account: &Account| account.evaluations;
    let run = Run {
        method: options.to_string(),
        evaluations: accounts.iter().map(|(_, account)| evaluations(account)).max().unwrap_or(0),
        mean_evaluations: accounts.iter().map(|(n, account)| (n * evaluations(account)) as f64).sum::<f64>()
            / request.count as f64,
        rejected: accounts.iter().map(|(_, account)| account.rejected).sum(),
    };
    Ok(State { run: Some(run), ..state })
}
