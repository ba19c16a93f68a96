//! Training, as scripts see it.

use rhai::plugin::*;
use rhai::{Engine, Map};

use super::score::Score;
use crate::data::Dataset;
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Tables, read};
use crate::lang::surroundings::task;
use crate::lang::types;
use crate::tensor::Tensor;
use crate::train::{Options, Record, train as run};

/// Registers the type and the functions.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    types::register::<Record>(engine, "Record", "take it out first: let loss = record.loss;");
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
    /// weights are those of one long call with the same seed: `steps: 18_800, total: 20_000` finishes what was stopped
    /// after 1200 of 20_000 steps.
    ///
    /// At the prompt Ctrl-C stops early and keeps what was learned. A script that is run by `tumble run` it ends, as do
    /// SIGTERM and SIGHUP: what would follow, of a network half trained, would look like results. What outlasts the
    /// script is `checkpoint: "runs/a"`: every 1000 steps, at the end, and when it is stopped, the state of the
    /// training is written to that folder, each time to a new file that is whole before the oldest goes. The same
    /// script, run again with `resume: true`, goes on from there at any number of threads with the bits of a run that
    /// was never stopped, begins where there is nothing yet, and passes over a training that is finished: it can be
    /// submitted until it is done. A checkpoint is also a saved score, for `score::load`.
    ///
    /// While it trains, `log.jsonl` in that folder gets a line of JSON at each point of the loss, and every 10 seconds
    /// in between: `step`, `steps`, `loss` and `by_time` since the point before, `learning_rate`, `gradient_norm`
    /// before it is clipped, `seconds`. `tumble watch runs/a` shows it from another terminal. With `resume` it goes on
    /// behind the step that the training goes on from. `tensorboard: true` writes the same as `events.out.tfevents..`
    /// beside it, with the time that the training took in place of that of the day. Both are no results: their seconds,
    /// and which lines are in between, differ from run to run.
    ///
    /// # Returns
    /// A `Record`: `r.loss`, tensor [points, 2] of (step, mean loss since the point before), `r.by_time`, tensor
    /// [parts, 3] of (time, mean loss, samples), `r.steps`, `r.seconds`, `r.interrupted`; after `resume`, of the whole
    /// run. The same seeds give the same bits on any number of threads.
    ///
    /// # Errors
    /// When the score is exact, the data have another shape than the score, an option is out of range, the folder for
    /// checkpoints cannot be written, has a training and `resume` is not asked for, or has that of another score, other
    /// data or options: names what differs. When the loss is no longer finite, or at the end is a hundred times that
    /// before the first step. The score then keeps its weights from before the call. A checkpoint or a log that cannot
    /// be written later on is warned of, and a checkpoint that is damaged when it is resumed, in favour of the one
    /// before.
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
    /// assert(r.steps == 200 && r.loss.shape == [4, 2] && r.by_time.shape == [10, 3]);
    /// // train(m, d, #{ steps: 20_000, checkpoint: "runs/a", every: 1000, resume: true });
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

    /// Where in time the loss of a training run sits: [parts, 3], (time, mean loss, samples) in ten equal parts of
    /// [minimum_time, T], over the last tenth of the steps, or up to two tenths where it was stopped.
    ///
    /// What the data leave uncertain stays in the loss and is largest at early times: what training can still improve
    /// shows by comparison, with another network or an earlier record. Times are those of the forward process.
    #[rhai_fn(get = "by_time", return_raw, pure)]
    pub fn by_time(ctx: NativeCallContext, record: &mut Record) -> Outcome<Tensor> {
        Tensor::from_f64(&[record.by_time.len(), 3], record.by_time.as_flattened()).raise(&ctx)
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
