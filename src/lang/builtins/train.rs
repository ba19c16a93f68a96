//! Training, as scripts see it.

use rhai::plugin::*;
use rhai::{Engine, Map};

use super::score::Score;
use crate::data::Dataset;
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Tables, read};
use crate::lang::surroundings::task;
use crate::tensor::Tensor;
use crate::train::{Options, Record, train as run};

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    engine.register_type_with_name::<Record>("Record");
    engine.register_fn("to_string", |record: &mut Record| record.to_string());
    engine.register_fn("to_debug", |record: &mut Record| record.to_string());
    let functions = tables.module("", rhai::exported_manifest!(functions), &[("train", &[Options::SETTINGS])]);
    engine.register_global_module(functions.into());
}

#[export_module(manifest)]
mod functions {
    /// Trains a learned score in place, by hybrid score matching on draws from the data.
    ///
    /// Where the process has a kernel, each step draws data, times stratified over [minimum_time, T] and noise, and
    /// forms what the network should answer from the exact kernel at each time. The loss is the mean squared error per
    /// channel of the whitened target, so that noise alone would give about 1; what the data leave uncertain cannot be
    /// learned and stays in it. Without a kernel, each step simulates forward paths, and learns by sliced score
    /// matching at their ends, whose loss may be negative, or by `objective: "windowed"` from the law linearised over
    /// windows of them, which is biased where noise depends on the state, and whose noise grows as windows get shorter.
    /// Both losses are in the same units. Training again goes on from where it stopped, with a new schedule:
    /// `"cosine"` ends at a rate of 0 with each call. With `total` one schedule goes over several calls, and their
    /// weights are those of one long call with the same seed. At the prompt Ctrl-C stops early and
    /// keeps what was learned; a script that is run by `tumble run` it ends.
    ///
    /// # Returns
    /// A `Record`: `r.loss`, tensor [points, 2] of (step, mean loss since the point before), `r.steps`, `r.seconds`,
    /// `r.interrupted`. The same seeds give the same bits on any number of threads.
    ///
    /// # Errors
    /// When the score is exact, the data have another shape than the score, an option is out of range, or the loss is
    /// no longer finite; the score then keeps its weights from before that step.
    ///
    /// # Source
    /// Dockhorn, Vahdat, Kreis, arXiv 2112.07068; Adam: Kingma and Ba, arXiv 1412.6980; likelihood weighting: Song,
    /// Durkan, Murray, Ermon, arXiv 2101.09258; without a kernel: Singhal, Goldstein, Ranganath, arXiv 2405.15625;
    /// sliced: Song, Garg, Shi, Ermon, arXiv 1905.07088.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::diamond();
    /// let m = score::mlp(process::active(#{ tau: 0.5 }), d, #{ hidden: [32, 32] });
    /// let r = train(m, d, #{ steps: 200, batch: 128, lr: 4e-3, interval: 50 });
    /// assert(r.steps == 200 && r.loss.shape == [4, 2]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn train(ctx: NativeCallContext, score: Score, data: Dataset, options: Map) -> Outcome<Record> {
        let Score::Learned(model) = score else {
            let error = Error::argument("score", "is exact: there is nothing to train");
            return Err(error.with_hint("make a score to be learned with score::mlp(process, data)")).raise(&ctx);
        };
        let training = read(&ctx, options, &[Options::SETTINGS], |given| Ok(Options::read(given)))?;
        run(&model, &data, &training, &task(&ctx)).raise(&ctx)
    }

    /// The loss of a training run: [points, 2], (step, mean loss since the point before).
    #[rhai_fn(get = "loss", return_raw, pure)]
    pub fn loss(ctx: NativeCallContext, record: &mut Record) -> Outcome<Tensor> {
        Tensor::from_f64(&[record.loss.len(), 2], record.loss.as_flattened()).raise(&ctx)
    }

    /// Steps done in a training run.
    #[rhai_fn(get = "steps", pure)]
    pub fn steps(record: &mut Record) -> i64 {
        record.steps as i64
    }

    /// Time that a training run took, in seconds.
    #[rhai_fn(get = "seconds", pure)]
    pub fn seconds(record: &mut Record) -> f64 {
        record.seconds
    }

    /// Whether the user stopped the training run.
    #[rhai_fn(get = "interrupted", pure)]
    pub fn interrupted(record: &mut Record) -> bool {
        record.interrupted
    }
}
