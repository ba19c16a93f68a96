//! The probability flow by Dormand–Prince 5(4) with steps by the error.
//!
//! One length of step for all samples would make a sample depend on all others; one for each would leave no vector
//! code. So [`GROUP`] samples, fixed by their places, share their steps.

use super::density::{Flow, shortest, units};
use super::integrator::{Integrator, Tolerance};
use super::layout::BLOCK;
use super::march::hold;
use super::options::{LastStep, Options};
use super::output::Request;
use super::plan::Plan;
use super::problem::Problem;
use super::start::{Beginning, gather};
use super::state::{Run, State};
use crate::error::{Error, Result};
use crate::score::Chart;
use crate::task::Meter;

/// Samples that share their steps. What depends on time only is computed anew for each stage: many samples share its
/// cost.
pub(super) const GROUP: usize = 4 * BLOCK;

/// Follows the flow from the first time of `problem` to its last.
pub(super) fn run(
    problem: &Problem<'_>,
    request: Request<'_>,
    start: &Beginning<'_>,
    tolerance: Tolerance,
    options: &Options,
) -> Result<State> {
    let (from, end) = (problem.times[0], problem.times[1]);
    let request = Request { kept: options.keep.falling(from, end)?, ..request };
    request.blocks(BLOCK)?;
    let shortest = shortest(problem.score)?;
    let denoising = match options.last {
        LastStep::None => None,
        LastStep::Denoise => Some(Problem { times: vec![shortest, end], ..problem.clone() }),
    };
    if denoising.is_some() && end > 0.0 {
        return Err(Error::argument("last", "cannot be \"denoise\" for adaptive steps that end above t = 0"));
    }
    let denoised = denoising.as_ref().map(denoised).transpose()?;
    let target = denoising.as_ref().map_or(end, |denoising| denoising.times[0]);
    let mut storage = request.storage(problem.task.host())?;
    let charts =
        request.kept.iter().chain([&end]).map(|&time| Chart::new(problem.score, time)).collect::<Result<_>>()?;
    let output = storage.open(charts);
    let walls = problem.score.walls();
    let groups = request.blocks(GROUP)?;
    let places = problem.process().stops();
    let share = problem.task.ranks().share(groups);
    let meter = Meter::new(problem.task, "sample", 1, share.len());
    let runs = problem.task.shared("sampling", groups, |group| {
        let first = group * GROUP;
        let samples = GROUP.min(request.count - first);
        let mut rows = gather(start, problem.layout.state, request.first_block * BLOCK + first, samples)?;
        let mut flow = Flow::new(problem.score, samples, shortest, problem.task)?;
        let mut integrator =
            Integrator::new(rows.len(), samples, tolerance, |time| units(problem.score, time, shortest));
        let (mut time, mut inside) = (from, rows.clone());
        let mut slope = |time: f64, state: &[f32], out: &mut [f32]| match &walls {
            None => flow.slope(time, state, out),
            Some(walls) => {
                inside.copy_from_slice(state);
                hold(walls, samples, &mut inside);
                flow.slope(time, &inside, out)
            }
        };
        for (frame, stop) in request.kept.iter().copied().chain([target]).enumerate() {
            let stop = stop.max(target);
            integrator.advance(&mut slope, [time, stop], &places, &mut rows)?;
            if let Some(walls) = &walls {
                hold(walls, samples, &mut rows);
            }
            time = stop;
            if frame < output.end() {
                output.write(frame, first, samples, &rows);
            }
        }
        if let Some(denoised) = &denoised {
            denoised.worker(samples).step(0, 0, &mut rows);
        }
        output.write(output.end(), first, samples, &rows);
        meter.count(1)?;
        let last = denoised.as_ref().map_or(0, |denoised| denoised.counts().evaluations);
        Ok((samples, integrator.evaluations() + last, integrator.rejected()))
    });
    meter.finish();
    drop(output);
    let runs = runs?;
    storage.gather("sampling", share.start * GROUP..share.end * GROUP, problem.task)?;
    let run = Run {
        method: options.to_string(),
        evaluations: runs.iter().map(|(_, evaluations, _)| *evaluations).max().unwrap_or(0),
        mean_evaluations: runs.iter().map(|(samples, evaluations, _)| (samples * evaluations) as f64).sum::<f64>()
            / request.count as f64,
        rejected: runs.iter().map(|(.., rejected)| rejected).sum(),
    };
    Ok(State { run: Some(run), ..storage.close(end, request.kept)? })
}

/// The one step of `problem`, to the expected state.
fn denoised<'a>(problem: &'a Problem<'a>) -> Result<Plan<'a>> {
    Plan::new(0..1, &|step| problem.denoised(step), Some(problem.score), problem.layout, &problem.noise, problem.task)
}
