//! The training loop.

use std::sync::Arc;

use super::by_time::{ByTime, Parts};
use super::checkpoint::{Checkpoints, Stand};
use super::classes::{Classes, Told};
use super::history::{History, Point};
use super::log::{Line, Log};
use super::objective::{self, Feed, Source};
use super::{Options, Record};
use crate::data::{Dataset, Moments};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::nn::kernel::{Adam, Averages, STRIP, reduce, squares};
use crate::nn::{Candle, Chance, Network, Samples, Training, Weights};
use crate::ranks::Ranks;
use crate::rng::{Purpose, Stream};
use crate::score::{self, Learned, Score};
use crate::task::{Device, Report, Task, Team, Unfinished};
use crate::tensor::number;
use crate::vector::single;

/// Trains a model in place by hybrid score matching on draws from `data`.
///
/// The loss is the mean squared error per sample and channel of the whitened target, after what the Gaussian part
/// explains. It continues where earlier training of the same model stopped: with a constant schedule and the same seed,
/// two runs give the bits of one long run, as with any schedule over the `total` of both. A stop by the user ends it
/// early and keeps what was learned. With a folder for checkpoints it goes on from the last one, bit for bit.
///
/// # Errors
/// When an option is out of range, the data has another shape than the model's, the folder for checkpoints cannot be
/// used, or the loss leaves all bounds. The model then keeps its weights from before.
pub fn train(model: &Learned, data: &Dataset, options: &Options, task: &Task) -> Result<Record> {
    let horizon = model.process().horizon();
    options.check(horizon)?;
    options.check_total(model.weights().steps)?;
    if data.shape() != model.shape() {
        let problem = format!("has shape {:?}, the model was made for {:?}", data.shape(), model.shape());
        return Err(Error::argument("data", problem).with_hint("make the model from the data it is trained on"));
    }
    check_moments(model, data)?;
    if let Some(warning) = score::blurred(model, options.shortest(horizon), MOST_BLURRED)? {
        task.warn(&format!("{warning}: lower `minimum_time`"));
    }
    if let Some(warning) = score::uncorrelated(model.process(), model.moments(), data, task)? {
        task.warn(&warning);
    }
    let (checkpoints, stand) = match &options.checkpoint {
        None => (None, Stand::new((*model.weights()).clone())),
        Some(folder) => {
            let (checkpoints, stand) = Checkpoints::open(folder, model, data, options, task)?;
            (Some(checkpoints), stand)
        }
    };
    let parts = Parts::new(options.shortest(horizon), horizon);
    if stand.curve.done == options.steps {
        model.set_weights(stand.weights);
        return History::new(options, parts, stand.curve, stand.elapsed, task.host()).record(false).of_all(task);
    }
    let source = objective::open(model.basis(), data, options, task)?;
    if source.has_pairs() && model.network().has_chance() {
        return Err(Error::argument("objective", "\"sliced\" learns from pairs of answers, which dropout tears apart")
            .with_hint("leave dropout out of the network, or take objective: \"windowed\""));
    }
    let classes = Classes::new(model, data, options)?;
    let mut trainer = Trainer::new(model.network(), stand, source.as_ref(), classes.as_ref(), options, parts, task)?;
    if let Some(checkpoints) = checkpoints {
        trainer.keep(checkpoints)?;
    }
    let (weights, record) = trainer.finish(task)?;
    if record.interrupted {
        task.leave(Unfinished { done: record.steps, total: options.steps, before: weights.steps - record.steps });
        if options.checkpoint.is_none() {
            task.note(&unfinished(&record, model.weights().steps, options));
        }
    }
    model.set_weights(weights);
    Ok(record)
}

/// How a training without checkpoints that was stopped can be finished, of a model that had done `before` steps.
fn unfinished(record: &Record, before: u64, options: &Options) -> String {
    let (done, steps) = (record.steps, options.steps);
    let total = options.total.unwrap_or(steps);
    let finish = match options.total.is_some() || before == 0 {
        true => format!("`steps: {}, total: {total}` finishes its schedule, and ", steps - done),
        false => String::new(),
    };
    format!("train: {finish}`checkpoint: \"folder\"` lets a script go on")
}

/// What ranks do that meet here.
const TRAINING: &str = "training";

/// Noise at the shortest time of training that much wider than what is finest in the data is worth a warning.
const MOST_BLURRED: f64 = 0.5;

/// Growth of the loss over a training from which on it is worth a warning, and from which on nothing is left to keep.
/// Transients may grow by far more: a falling learning rate has been seen to bring back losses of 1e16.
const WORSE: f64 = 2.0;
const RUINED: f64 = 100.0;

/// Refuses data that the model's normalisation and Gaussian part, made for other data, would only spoil.
fn check_moments(model: &Learned, data: &Dataset) -> Result<()> {
    let own = model.moments();
    if model.process().is_periodic() {
        // On the circle all data look alike.
        return Ok(());
    }
    // One variance for all is that of coordinates of images taken together.
    let is_pooled = model.shape().len() > 1 && own.variances.iter().all(|variance| *variance == own.variances[0]);
    let other = match is_pooled {
        true => &data.moments().pooled(),
        false => data.moments(),
    };
    let variances = [own, other].map(Moments::coordinate_variances);
    let is_near = |c: usize| {
        let [own_variance, other_variance] = [0, 1].map(|i| variances[i][c]);
        let is_equal = own_variance == 0.0 && other_variance == 0.0;
        (own.mean[c] - other.mean[c]).powi(2) <= own_variance.max(other_variance)
            && (is_equal || (0.25..=4.0).contains(&(other_variance / own_variance)))
    };
    let Some(far) = (0..own.mean.len()).find(|&c| !is_near(c)) else { return Ok(()) };
    let law = |i: usize, moments: &Moments| {
        format!("mean {} and variance {}", number(moments.mean[far]), number(variances[i][far]))
    };
    let problem = format!("has {} in coordinate {far}, the model was made for {}", law(1, other), law(0, own));
    Err(Error::argument("data", problem).with_hint("make a model from the data it is trained on"))
}

/// Refuses a batch whose buffers would not fit: every chunk has a gradient of its own, every thread activations.
fn check_memory(network: &dyn Network, batch: usize, threads: usize, host: &Host) -> Result<()> {
    host.afford(network.memory(batch, threads), |problem| {
        Error::argument("batch", format!("of {batch} for this network {problem}"))
            .with_hint("take a smaller batch, or a narrower network")
    })
}

struct Worker<'a> {
    feed: Box<dyn Feed + 'a>,
    /// Where the network is told classes.
    told: Option<Told<'a>>,
    /// Of the loss by the parameters.
    gradient: Vec<f32>,
    loss: Result<f64>,
    /// What each sample adds to the loss, and where in time that is.
    errors: Vec<f64>,
    by_time: ByTime,
}

/// A network in training.
pub(super) struct Trainer<'a> {
    options: &'a Options,
    weights: Weights,
    training: Box<dyn Training>,
    /// One for each chunk of this rank's share of the batch, and the number of the first.
    workers: Vec<Worker<'a>>,
    first: usize,
    /// Working memory of each thread.
    spaces: Vec<Vec<f32>>,
    /// Sum of the workers' gradients, and the squares of each of its strips.
    gradient: Vec<f32>,
    squares: Vec<f64>,
    /// One over the number of squared errors in a batch.
    scale: f32,
    /// A part of the loss that is known to be noise, of each sample and of a batch; the history leaves it out.
    noise: f64,
    baseline: f64,
    history: History,
    /// Learning rate and norm of the gradient of the last step.
    last: Option<[f64; 2]>,
    /// What networks leave out.
    chance: Stream,
    checkpoints: Option<Checkpoints<'a>>,
    log: Option<Log>,
}

impl<'a> Trainer<'a> {
    /// A network that stands somewhere in its training, to be trained on `source`.
    ///
    /// # Errors
    /// When what training keeps does not fit into memory.
    pub(super) fn new(
        network: &Arc<dyn Network>,
        stand: Stand,
        source: &'a dyn Source,
        classes: Option<&'a Classes>,
        options: &'a Options,
        parts: Parts,
        task: &Task,
    ) -> Result<Self> {
        let (chunk, parameters) = (network.chunk(), network.parameters());
        let share = task.ranks().share(options.batch.div_ceil(chunk));
        let threads = task.threads().clamp(1, share.len().max(1));
        check_memory(network.as_ref(), options.batch.min(share.len() * chunk), threads, task.host())?;
        let training = match options.device {
            Device::Cpu => network.training(),
            device => Box::new(Candle::on(device, network)?),
        };
        let worker = |number: usize| {
            let first = number * chunk;
            let count = chunk.min(options.batch - first);
            let told = classes.map(|classes| classes.told(count));
            let (gradient, errors) = (vec![0.0; parameters], vec![0.0; count]);
            let feed = source.feed(first, count);
            Worker { feed, told, gradient, loss: Ok(0.0), errors, by_time: ByTime::default() }
        };
        let workers: Vec<_> = share.clone().map(worker).collect();
        let (noise, batch) = (source.baseline(), options.batch as f64);
        let learned = workers.iter().map(|worker| worker.feed.learned()).sum::<usize>();
        let learned = task.gather(TRAINING, Ok(learned))?.into_iter().sum::<usize>() as f64;
        Ok(Self {
            options,
            workers,
            first: share.start,
            spaces: vec![vec![0.0; training.space(chunk.min(options.batch))]; threads],
            training,
            gradient: vec![0.0; parameters],
            squares: vec![0.0; parameters.div_ceil(STRIP)],
            scale: 1.0 / single((options.batch * network.outputs()) as f64),
            weights: stand.weights,
            noise,
            baseline: noise * learned / batch,
            history: History::new(options, parts, stand.curve, stand.elapsed, task.host()),
            last: None,
            chance: Stream::new(options.seed, Purpose::Dropout),
            checkpoints: None,
            log: None,
        })
    }

    /// Writes checkpoints and a log from now on, and the first one at once: what cannot be written is better known
    /// before hours of work than after.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep(&mut self, checkpoints: Checkpoints<'a>) -> Result<()> {
        let checkpoints = self.checkpoints.insert(checkpoints);
        checkpoints.save(&self.weights, self.history.curve(), self.history.elapsed())?;
        self.log = Some(checkpoints.log(self.history.curve().done, self.options)?);
        Ok(())
    }

    /// Trains, and gives the weights.
    ///
    /// # Errors
    /// When the loss leaves all bounds, or a device fails.
    pub(super) fn finish(mut self, task: &Task) -> Result<(Weights, Record)> {
        // A network with threads of its own takes them from the pool that it is called in.
        let lender = if self.training.has_threads() { task.serial() } else { task.clone() };
        let items = self.workers.len().max(self.squares.len()).max(self.training.parts());
        let outcome = task.install(|| lender.team(items, |team| self.steps(task, team)));
        let report = self.history.report();
        let record = outcome.map(|is_interrupted| self.history.record(is_interrupted));
        // The record's loss, and not another one of the same training.
        let loss = record.as_ref().ok().and_then(|record| record.loss.last()).map(|[_, loss]| *loss);
        task.finish(&Report { loss: loss.or(report.loss), ..report });
        Ok((self.weights, record?.of_all(task)?))
    }

    /// Runs to the end (false) or until the user stops it (true).
    fn steps(&mut self, task: &Task, team: &mut Team<'_>) -> Result<bool> {
        for step in self.history.curve().done..self.options.steps {
            if task.stops() {
                self.stop(task);
                return Ok(true);
            }
            let (loss, by_time) = self.step(step, task, team)?;
            self.end_step(loss, &by_time, task);
            if self.history.due() {
                task.report(&self.history.report());
            }
            if step + 1 == self.options.steps {
                self.tell(None, task);
                self.check_end(task)?;
            }
            if self.checkpoints.as_ref().is_some_and(|checkpoints| checkpoints.is_due(step + 1)) {
                self.save(task);
            }
        }
        Ok(false)
    }

    /// Takes the losses of a step into the history, and into the log what it says of them.
    fn end_step(&mut self, loss: f64, by_time: &ByTime, task: &Task) {
        let point = self.history.add(loss - self.baseline, by_time);
        if self.log.is_some() && (point.is_some() || self.history.is_silent()) {
            self.tell(point, task);
        }
    }

    /// Adds a line to the log, of `point` or of the losses since the last one. That it cannot be written is no
    /// reason to stop.
    fn tell(&mut self, point: Option<Point>, task: &Task) {
        let Some(line) = self.line(point) else { return };
        let told = self.log.as_mut().map_or(Ok(()), |log| log.add(&line));
        self.is_told(told, task);
    }

    /// What the log says of `point`, or of the losses since the last one.
    fn line(&mut self, point: Option<Point>) -> Option<Line> {
        let (point, last) = point.or_else(|| self.history.open()).zip(self.last)?;
        Some(self.history.line(&point, last))
    }

    /// Does without the log where it cannot be written.
    fn is_told(&mut self, told: Result<()>, task: &Task) {
        if let Err(error) = told {
            task.warn(&format!("{error}; the log ends there"));
            self.log = None;
        }
    }

    /// Writes a checkpoint and says whether it is there: a full disk is no reason to lose what is in memory.
    fn save(&mut self, task: &Task) -> bool {
        let Some(checkpoints) = &mut self.checkpoints else { return false };
        let outcome = checkpoints.save(&self.weights, self.history.curve(), self.history.elapsed());
        if let Err(error) = &outcome {
            task.warn(&format!("{error}; the last checkpoint is `{}`", checkpoints.newest().display()));
        }
        outcome.is_ok()
    }

    fn stop(&mut self, task: &Task) {
        let line = self.line(None);
        let told = self.log.as_mut().map_or(Ok(()), |log| log.stop(line));
        self.is_told(told, task);
        if self.save(task)
            && let Some(checkpoints) = &self.checkpoints
        {
            let newest = checkpoints.newest().display();
            task.note(&format!("train: what is done is kept as `{newest}`; resume: true goes on"));
        }
    }

    /// One step of the optimiser; returns the loss before it, and by time.
    fn step(&mut self, step: u64, task: &Task, team: &mut Team<'_>) -> Result<(f64, ByTime)> {
        let own = self.differentiate(team);
        let (mut loss, mut by_time) = (0.0, ByTime::default());
        for (own, own_by_time) in task.gather(TRAINING, own)?.concat() {
            loss += own;
            by_time.merge(&own_by_time);
        }
        let norm = self.sum_gradients(task.ranks(), team);
        if !(loss.is_finite() && norm.is_finite()) {
            return Err(self.diverged(step, loss, norm, task)?);
        }
        let clip = match self.options.clip {
            0.0 => 1.0,
            clip => (clip / norm).min(1.0),
        };
        let rate = self.options.rate_at(step, self.weights.steps - step);
        self.last = Some([rate, norm]);
        self.update(rate, clip, team);
        Ok((loss, by_time))
    }

    /// Draws this rank's share of the batch, leaves each chunk's gradient with its worker, and returns the losses.
    fn differentiate(&mut self, team: &mut Team<'_>) -> Result<Vec<(f64, ByTime)>> {
        let Self { weights, training, workers, first, spaces, scale, chance, .. } = self;
        let (parts, batch, noise) = (self.history.parts(), self.options.batch as f64, self.noise);
        let (step, parameters) = (weights.steps as u32, &weights.parameters);
        training.update(parameters, team)?;
        let stream = *chance;
        team.each_with(spaces, workers, |space, chunk, worker| {
            let Worker { feed, told, gradient, loss, errors, by_time } = worker;
            let chunk = (*first + chunk) as u32;
            feed.fill(step, chunk);
            if let Some(told) = told {
                told.fill(feed.as_ref(), step, chunk);
            }
            let class = told.as_ref().map_or(&[][..], Told::rows);
            let samples = Samples { class, chance: Some(Chance { stream, step, chunk }), ..feed.samples() };
            *loss = training.pass(parameters, samples, *scale, space, gradient, errors);
            *by_time = ByTime::default();
            for (sample, error) in errors.iter().enumerate().take(feed.learned()) {
                by_time.add(parts, feed.time(sample), batch * error - noise);
            }
        });
        let loss = |worker: &mut Worker| Ok((std::mem::replace(&mut worker.loss, Ok(0.0))?, worker.by_time));
        workers.iter_mut().map(loss).collect()
    }

    /// Sums the gradients of all chunks in their order and returns the norm.
    fn sum_gradients(&mut self, ranks: &Ranks, team: &mut Team<'_>) -> f64 {
        let Self { workers, gradient, squares: all_squares, .. } = self;
        ranks.sum_in_order(gradient, |begin, sums| {
            let mut strips: Vec<_> = sums.chunks_mut(STRIP).zip(&mut all_squares[begin / STRIP..]).collect();
            team.each(&mut strips, |strip, (sum, squares)| {
                let begin = begin + strip * STRIP;
                let place = begin..begin + sum.len();
                let part = |chunk: usize| &workers[chunk].gradient[place.clone()];
                **squares = reduce(workers.len(), part, !ranks.is_first(), sum);
            });
        });
        if !ranks.is_alone() {
            let mut strips: Vec<_> = gradient.chunks(STRIP).zip(&mut *all_squares).collect();
            team.each(&mut strips, |_, (sum, own)| **own = squares(sum));
        }
        all_squares.iter().sum::<f64>().sqrt()
    }

    fn update(&mut self, rate: f64, clip: f64, team: &mut Team<'_>) {
        let weights = &mut self.weights;
        weights.steps += 1;
        // The average of a short run must not remember the first weights: its memory grows with the steps.
        let steps = weights.steps as f64;
        let decay = self.options.ema.min((1.0 + steps) / (10.0 + steps));
        let adam = Adam::at(weights.steps, rate, clip, decay);
        let averages = weights.first.chunks_mut(STRIP).zip(weights.second.chunks_mut(STRIP));
        let averages = averages.zip(weights.average.chunks_mut(STRIP));
        let averages = averages.map(|((first, second), average)| Averages { first, second, average });
        let mut strips: Vec<_> = weights.parameters.chunks_mut(STRIP).zip(averages).collect();
        let gradient = &self.gradient;
        team.each(&mut strips, |strip, (parameters, averages)| {
            adam.update(&gradient[strip * STRIP..][..parameters.len()], parameters, averages);
        });
    }

    /// Refuses what training has ruined, also where every number is finite, and warns of what is worse than before.
    fn check_end(&self, task: &Task) -> Result<()> {
        let [first, last] = self.history.ends();
        let what = format!("the loss was {first:.3} before the first step and is {last:.3e} at the end");
        // Who knows nothing has 1 in the units of the noise.
        match last / first.abs().max(1.0) {
            RUINED.. => Err(Error::numerical(what).with_hint(self.way_out())),
            WORSE.. => {
                task.warn(&format!("{what}: lower `lr`"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn way_out(&self) -> String {
        let last = self.checkpoints.as_ref().map(|checkpoints| {
            let newest = checkpoints.newest().display();
            format!("; the last checkpoint is `{newest}`")
        });
        let last = last.unwrap_or_default();
        format!("lower `lr` or set `clip`; the model keeps its weights from before this call{last}")
    }

    /// The error of a step that cannot be taken.
    ///
    /// # Errors
    /// As [`Task::gather`].
    fn diverged(&self, step: u64, loss: f64, norm: f64, task: &Task) -> Result<Error> {
        let largest = self.weights.parameters.iter().fold(0.0, |most, w| f32::max(most, w.abs()));
        let own = self.workers.iter().find_map(|worker| worker.feed.broken_time());
        let time = task.gather(TRAINING, Ok(own))?.into_iter().flatten().next();
        let cause = match time {
            Some(time) => format!("a training sample at t = {time:.3e} is not finite"),
            None => format!("every sample is finite, the largest weight is {largest:.3e}"),
        };
        let hint = match time {
            Some(_) => "look for values in the data that are not finite, or raise `minimum_time`".to_owned(),
            None => self.way_out(),
        };
        let what = format!("the loss is {loss:.3e} with a gradient of norm {norm:.3e} at step {step}");
        Ok(Error::numerical(format!("{what}: {cause}")).with_hint(hint))
    }
}
