//! Scores at given states, and what they say of the data there.

use rhai::plugin::*;
use rhai::{Dynamic, Engine, Map};

use super::score::Score;
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::number_argument;
use crate::lang::surroundings::task;
use crate::lang::tensors::tensor_argument;
use crate::sample::{self, State};
use crate::tensor::Tensor;

/// Registers the methods.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(methods).into());
}

#[export_module]
mod methods {
    /// The score at given states: the gradient of log p_t by each driven block of the state.
    ///
    /// # Shapes
    /// x [count, shape...] (or [count], where a datum has one coordinate) -> each block the shape of `x`
    ///
    /// # Arguments
    /// - `x`: a tensor, where the state is the data alone; else all blocks, as a map or a `State`
    /// - `t`: time, above 0 and up to the horizon; a `State` knows its own, which is taken where none is given
    ///
    /// # Returns
    /// A map with a tensor for each block with noise of its own. Where noise reaches only some coordinates of a block,
    /// the others have NaN. For normalised data `x` and the gradients by it are in units of the data. Of a score that
    /// was learned from simulated paths nothing is known where none of them came; such states are warned of.
    ///
    /// # Errors
    /// When `t` is out of range, a block is missing or not one of the process, or the shapes differ from the data's.
    ///
    /// # Example
    /// ```rhai
    /// let m = score::exact(process::passive(), dataset::mixture(#{ means: [[0, 0]], std: 1 }));
    /// let x = tensor([[1, 2], [0.5, 0]]);
    /// assert(is_close(m.at(x, 0.3).x, -x, 1e-5));
    /// let p = process::active();
    /// let s = perturb(p, [[0.0, 0.0]], 0.5, 7);
    /// let m = score::exact(p, dataset::diamond());
    /// assert(m.at(s).keys() == ["eta"] && m.at(#{ x: s.x, eta: s.eta }, 0.5).eta == m.at(s).eta);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn at(ctx: NativeCallContext, score: &mut Score, x: Dynamic, t: Dynamic) -> Outcome<Map> {
        let given = Given::read(&ctx, score, &x, &t)?;
        let blocks = sample::score_at(score.score(), &given.states, given.time, &task(&ctx)).raise(&ctx)?;
        let entry = |(name, slopes): (String, Tensor)| {
            given.back(slopes).raise(&ctx).map(|slopes| (name.into(), Dynamic::from(slopes)))
        };
        blocks.into_iter().map(entry).collect()
    }

    #[rhai_fn(name = "at", return_raw, pure)]
    pub fn at_state(ctx: NativeCallContext, score: &mut Score, x: State) -> Outcome<Map> {
        let time = Dynamic::from_float(x.time);
        at(ctx, score, Dynamic::from(x), time)
    }

    /// The data expected at given states, E[x_0 | z_t]: the mean over all data that may have become them.
    ///
    /// It follows from the score without further calls ("Tweedie"): with z_t = K x_0 + c + noise of precision P, the
    /// score of the whole state is -P (z_t - c - K E[x_0 | z_t]). Where several blocks are driven and a learned score
    /// contradicts itself, the data are those of least squares in units of the noise.
    ///
    /// # Shapes
    /// x [count, shape...] (or [count], where a datum has one coordinate) -> the shape of `x`
    ///
    /// # Arguments
    /// - `x`: a tensor, where the state is the data alone; else all blocks, as a map or a `State`
    /// - `t`: time, above 0 and up to the horizon; a `State` knows its own, which is taken where none is given
    ///
    /// # Returns
    /// A tensor in units of the data.
    ///
    /// # Errors
    /// As `at`, and when the process is not linear.
    ///
    /// # Source
    /// Efron, J. Am. Stat. Assoc. 106, 1602 (2011); for the whole state of any linear process here.
    ///
    /// # Example
    /// ```rhai
    /// // At the time ln(2)/2 half of the variance is noise: dx = -x dt + sqrt(2) dW.
    /// let m = score::exact(process::vp(#{ beta: 2 }), dataset::mixture(#{ means: [[3]], std: 1 }));
    /// let x = tensor([2, 4]);
    /// assert(is_close(m.denoise(x, ln(2) / 2), 3 + sqrt(0.5) * (x - 3 * sqrt(0.5)), 1e-4));
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn denoise(ctx: NativeCallContext, score: &mut Score, x: Dynamic, t: Dynamic) -> Outcome<Tensor> {
        let given = Given::read(&ctx, score, &x, &t)?;
        sample::denoise(score.score(), &given.states, given.time, &task(&ctx))
            .and_then(|data| given.back(data))
            .raise(&ctx)
    }

    #[rhai_fn(name = "denoise", return_raw, pure)]
    pub fn denoise_state(ctx: NativeCallContext, score: &mut Score, x: State) -> Outcome<Tensor> {
        let time = Dynamic::from_float(x.time);
        denoise(ctx, score, Dynamic::from(x), time)
    }
}

/// States as a script gives them.
struct Given {
    states: State,
    time: f64,
    /// Whether data of one coordinate came as plain vectors; they go back as such.
    is_vector: bool,
}

impl Given {
    fn read(ctx: &NativeCallContext, score: &Score, x: &Dynamic, t: &Dynamic) -> Outcome<Self> {
        let time = number_argument(ctx, "t", t)?;
        if let Some(state) = x.read_lock::<State>() {
            return Ok(Self { states: state.clone(), time, is_vector: false });
        }
        let blocks = match x.read_lock::<Map>() {
            Some(map) => map
                .iter()
                .map(|(name, value)| Ok((name.to_string(), tensor_argument(ctx, name, value)?)))
                .collect::<Outcome<Vec<_>>>()?,
            None => vec![(score.score().process().blocks()[0].clone(), tensor_argument(ctx, "x", x)?)],
        };
        let is_vector = blocks.iter().all(|(_, tensor)| tensor.rank() == 1);
        Ok(Self { states: sample::states_of(score.score(), blocks, time).raise(ctx)?, time, is_vector })
    }

    fn back(&self, tensor: Tensor) -> Result<Tensor, Error> {
        if self.is_vector { tensor.reshape(&[-1]) } else { Ok(tensor) }
    }
}
