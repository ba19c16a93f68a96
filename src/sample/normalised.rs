//! Forward states of normalised data: data come and go in their own units, and the process noises them in its own.

use super::{Forward, State, forward};
use crate::data::Units;
use crate::error::{Error, Result};
use crate::score::Score;
use crate::task::Task;
use crate::tensor::Tensor;

/// z_t for each datum of `x0` as [`perturb`](super::perturb) draws it, of the process of a score, whose data may be
/// normalised.
///
/// # Errors
/// As [`perturb`](super::perturb), and when `x0` has another shape than the data.
pub fn perturb_for(score: &dyn Score, x0: &Tensor, time: f64, seed: u64, task: &Task) -> Result<State> {
    let x0 = normalised(score, x0)?;
    Ok(restored(score, forward::perturb(score.process(), &x0, time, seed, task)?))
}

/// Forward paths as [`simulate`](super::simulate) makes them, of the process of a score, whose data may be normalised.
///
/// # Errors
/// As [`simulate`](super::simulate), and when `x0` has another shape than the data.
pub fn simulate_for(score: &dyn Score, x0: &Tensor, options: &Forward, task: &Task) -> Result<State> {
    let x0 = normalised(score, x0)?;
    Ok(restored(score, forward::simulate(score.process(), &x0, options, task)?))
}

/// Refuses a state whose data are in other units than those of a score.
pub(super) fn check(score: &dyn Score, state: &State) -> Result<()> {
    if state.units.as_ref() == score.units() {
        return Ok(());
    }
    let problem = match (&state.units, score.units()) {
        (None, _) => "is of a process alone, while the score is of normalised data",
        (_, None) => "is of normalised data, while the score is of data as they are",
        _ => "is of data that were normalised otherwise",
    };
    Err(Error::argument("state", problem)
        .with_hint("make it with the score: perturb(score, x0, t, seed), simulate(score, x0)"))
}

fn normalised(score: &dyn Score, x0: &Tensor) -> Result<Tensor> {
    let rows = x0.rows("x0")?;
    if rows.shape != score.shape() {
        let problem = format!("has data of shape {:?}, the score is for {:?}", rows.shape, score.shape());
        return Err(Error::argument("x0", problem));
    }
    Ok(Units::mapped(score.units(), x0, Units::normalise))
}

fn restored(score: &dyn Score, mut state: State) -> State {
    let units = score.units();
    state.blocks[0] = Units::mapped(units, &state.blocks[0], Units::restore);
    if let Some(path) = state.paths.first_mut() {
        *path = Units::mapped(units, path, Units::restore);
    }
    State { units: units.cloned(), ..state }
}
