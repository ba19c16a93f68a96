//! Properties of the whole loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Options, Schedule, Weighting, objective, train};
use crate::data::{Covariance, Dataset, Mixture};
use crate::host::Host;
use crate::nn::{Activation, Mlp, Weights};
use crate::process::Process;
use crate::process::fixtures::{Active, passive};
use crate::ranks::together;
use crate::rng::{Purpose, Stream};
use crate::sample::perturb;
use crate::score::{Chart, Exact, KernelBasis, Learned, Score, Subject};
use crate::task::{Device, Progress, Report, Task};
use crate::tensor::Tensor;

/// Active noise, and noise of temperature `passive` on the data block.
fn process(passive: f64) -> Process {
    Active { passive, ..Active::default() }.process()
}

fn diamond() -> Dataset {
    Dataset::diamond(0.5, 0.04).unwrap()
}

fn model(process: &Process, data: &Dataset) -> Learned {
    let subject = Subject::of(process, data).unwrap();
    let network = Mlp::new(subject.inputs(), &[32, 32], subject.outputs(), Activation::Silu).unwrap();
    let basis = Box::new(KernelBasis::new(subject).unwrap());
    Learned::new(basis, Arc::new(network), 0, &Host::default()).unwrap()
}

fn short() -> Options {
    Options { steps: 20, batch: 300, schedule: Schedule::Constant, ..Options::default() }
}

fn threads(count: usize) -> Task {
    Task::new(Arc::default(), None, count).unwrap()
}

fn trained(options: &Options, task: &Task) -> Arc<Weights> {
    let (process, data) = (process(0.1), diamond());
    let model = model(&process, &data);
    train(&model, &data, options, task).unwrap();
    model.weights()
}

/// A batch of 300 in chunks of 128, so that three chunks fall on one, two and three threads.
#[test]
fn threads_change_no_bit() {
    let one = trained(&short(), &threads(1));
    assert_eq!(one, trained(&short(), &threads(2)));
    assert_eq!(one, trained(&short(), &threads(3)));
    assert_ne!(one, trained(&Options { seed: 1, ..short() }, &threads(2)));
}

/// What is summed by time is the loss, and the same at any number of threads.
#[test]
fn the_loss_is_divided_by_time() {
    let record = |options: &Options, count: usize| {
        let (process, data) = (process(0.1), diamond());
        train(&model(&process, &data), &data, options, &threads(count)).unwrap()
    };
    let options = Options { interval: Some(2), ..short() };
    let one = record(&options, 1);
    let last = one.loss.last().unwrap()[1];
    let samples: f64 = one.by_time.iter().map(|[_, _, count]| count).sum();
    let sum: f64 = one.by_time.iter().map(|[_, loss, count]| loss * count).sum();
    // A tenth of twenty steps of 300 samples; the scale of a batch is rounded to single precision.
    assert!(samples == 600.0 && (sum / samples / last - 1.0).abs() < 1e-6, "{sum} of {samples}, {last}");
    // What tells noise from data is known at late times.
    let (first, end) = (one.by_time[0], one.by_time[9]);
    assert!(first[0] < 0.11 && end[0] > 1.89 && first[1] > end[1], "{:?}", one.by_time);
    for count in [2, 3] {
        let other = record(&options, count);
        assert_eq!((other.loss, other.by_time), (one.loss.clone(), one.by_time.clone()));
    }
}

/// Five chunks of a batch, of which a rank has several, one or none. Seen to fail with chunks that are numbered anew on
/// each rank, and with sums that are sent before a rank has added its own.
#[test]
fn ranks_change_no_bit() {
    let options = Options { batch: 600, interval: Some(2), ..short() };
    let run = |task: &Task| {
        let (process, data) = (process(0.1), diamond());
        let model = model(&process, &data);
        (train(&model, &data, &options, task).unwrap(), model.weights())
    };
    let (record, weights) = run(&threads(1));
    for count in [2, 3, 7] {
        let all = together(count, |ranks| run(&Task::of_rank(ranks)));
        for (other, its_weights) in &all {
            assert_eq!(*its_weights, weights, "{count} ranks");
            assert_eq!((&other.loss, &other.by_time), (&record.loss, &record.by_time));
            assert_eq!(other.seconds, all[0].0.seconds);
        }
    }
}

/// Only the second of three ranks is asked to stop, and all do, after the step in which they heard of it; then two go
/// on and end with the bits of one. Seen to wait for ever where each rank went by its own flag.
#[test]
fn ranks_stop_together_and_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (process, data) = (process(0.1), diamond());
    let options = Options { batch: 600, ..short() };
    let kept = Options { checkpoint: Some(folder.path().join("a")), resume: true, ..options.clone() };
    let stopped = together(3, |ranks| {
        let cancel = Arc::<AtomicBool>::default();
        let progress = (ranks.rank() == 1).then(|| Arc::new(StopAtOnce(cancel.clone())) as Arc<dyn Progress>);
        let task = Task::new(cancel, progress, 1).unwrap().with_host(Host::default().with_ranks(ranks.clone()));
        let record = train(&model(&process, &data), &data, &kept, &task).unwrap();
        (record.steps, record.interrupted, task.cancelled())
    });
    assert_eq!(stopped, [(2, true, true); 3]);
    let finished = together(2, |ranks| {
        let model = model(&process, &data);
        assert!(!train(&model, &data, &kept, &Task::of_rank(ranks)).unwrap().interrupted);
        model.weights()
    });
    let whole = trained(&options, &threads(1));
    assert!(finished.iter().all(|weights| *weights == whole));
}

/// All leave a training that cannot go on.
#[test]
fn ranks_tell_of_the_same_fault() {
    let (process, data) = (process(0.1), diamond());
    let ruin = Options { lr: 1e30, clip: 0.0, batch: 600, ..short() };
    let error = |task: &Task| train(&model(&process, &data), &data, &ruin, task).unwrap_err();
    let alone = format!("{:?}", error(&threads(1)));
    for other in together(3, |ranks| format!("{:?}", error(&Task::of_rank(ranks)))) {
        assert_eq!(other, alone);
    }
}

#[test]
fn two_runs_are_one_long_run() {
    let (process, data) = (process(0.0), diamond());
    let (split, whole) = (model(&process, &data), model(&process, &data));
    for _ in 0..2 {
        train(&split, &data, &short(), &Task::default()).unwrap();
    }
    train(&whole, &data, &Options { steps: 40, ..short() }, &Task::default()).unwrap();
    assert_eq!(split.weights(), whole.weights());
}

/// Seen to fail with a wrong slope of the SiLU.
#[test]
fn candle_takes_the_same_steps() {
    let fused = trained(&short(), &Task::default());
    let candle = trained(&Options { device: Device::Candle, ..short() }, &Task::default());
    let error = fused.parameters.iter().zip(&candle.parameters).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // Twenty steps of 10⁻³; Adam turns rounding of a tiny gradient into a sizeable part of one step.
    assert!(error < 1e-3, "{error}");
}

/// Mean squared error of a score in whitened units, against the exact one, over noised data at three times.
fn error(score: &dyn Score, exact: &Exact, data: &Dataset) -> f64 {
    const COUNT: usize = 4096;
    let times = [0.03, 0.2, 1.0];
    let (prepared, truth) =
        (score.prepare(&times, &Task::default()).unwrap(), exact.prepare(&times, &Task::default()).unwrap());
    let (mut evaluator, mut reference) = (prepared.evaluator(COUNT), truth.evaluator(COUNT));
    let mut sum = 0.0;
    for (step, &time) in times.iter().enumerate() {
        let kernel = score.process().kernel(time).unwrap();
        let (mut x0, mut noise) = (vec![0.0; 2 * COUNT], vec![0.0; 4 * COUNT]);
        data.draw(&Stream::new(9, Purpose::Data), step as u32, 0, &mut x0);
        Stream::new(9, Purpose::BatchNoise).normals(step as u32, 0, &mut noise);
        let mut state: Vec<f32> = (0..4 * COUNT)
            .map(|i| {
                let (b, j) = (i / (2 * COUNT), i % (2 * COUNT));
                let spread: f64 = (0..2).map(|e| kernel.cholesky[(b, e)] * f64::from(noise[e * 2 * COUNT + j])).sum();
                (kernel.transfer[(b, 0)] * f64::from(x0[j]) + kernel.offset[b] + spread) as f32
            })
            .collect();
        Chart::new(exact, time).unwrap().enter(COUNT, &mut state);
        let (mut found, mut expected) = (vec![0.0; 2 * COUNT], vec![0.0; 2 * COUNT]);
        evaluator.evaluate(step, COUNT, &state, &mut found);
        reference.evaluate(step, COUNT, &state, &mut expected);
        let unit = kernel.conditional_std()[1];
        let squares = found.iter().zip(&expected).map(|(a, b)| (unit * f64::from(a - b)).powi(2));
        sum += squares.sum::<f64>() / (2 * COUNT) as f64;
    }
    sum / times.len() as f64
}

/// Two clusters: the Gaussian score, though of their covariance, is off, and 600 steps of a small network take almost
/// half of that away. Seen to fail with the target's sign turned and with ℓ in place of 1/ℓ in the score.
#[test]
fn training_approaches_the_exact_score() {
    let pair =
        Mixture::new(vec![1.0, 2.0], vec![0.6, 0.3, -0.5, -0.3], Covariance::Isotropic(vec![0.04, 0.02])).unwrap();
    let (process, data) = (process(0.0), Dataset::from_mixture("pair", pair).unwrap());
    let (model, exact) = (model(&process, &data), Exact::new(&process, &data).unwrap());
    let before = error(&model, &exact, &data);
    let options = Options { steps: 600, batch: 256, lr: 4e-3, ema: 0.99, ..Options::default() };
    let record = train(&model, &data, &options, &Task::default()).unwrap();
    let after = error(&model, &exact, &data);
    assert!(after < 0.6 * before, "{before} -> {after}");
    let losses: Vec<f64> = record.loss.iter().map(|point| point[1]).collect();
    assert_eq!((record.steps, record.interrupted, record.loss.len()), (600, false, 200));
    assert!(losses[losses.len() - 1] < losses[0], "{losses:?}");
}

/// For Gaussian data the untrained score is already exact: every gradient is noise, and the loss is that of the
/// exact score.
#[test]
fn before_training_it_is_the_score_of_gaussian_data() {
    let mixture = Mixture::new(vec![1.0], vec![0.4, -1.0], Covariance::Isotropic(vec![0.3]));
    let data = Dataset::from_mixture("gaussian", mixture.unwrap()).unwrap();
    let process = process(0.0);
    let exact = Exact::new(&process, &data).unwrap();
    assert!(error(&model(&process, &data), &exact, &data) < 1e-10);
}

/// Asks to stop when the first step is done.
struct StopAtOnce(Arc<AtomicBool>);

impl Progress for StopAtOnce {
    fn update(&self, report: &Report) {
        assert!(report.loss.is_some());
        self.0.store(true, Ordering::Relaxed);
    }
    fn finish(&self, _: &Report) {}
}

/// A task that is stopped at its first report.
fn stopped_at_once() -> Task {
    let cancel = Arc::<AtomicBool>::default();
    Task::new(cancel.clone(), Some(Arc::new(StopAtOnce(cancel))), 2).unwrap()
}

#[test]
fn a_stop_keeps_what_was_learned() {
    let (process, data) = (process(0.0), diamond());
    let model = model(&process, &data);
    let record = train(&model, &data, &short(), &stopped_at_once()).unwrap();
    assert!(record.interrupted);
    assert_eq!((record.steps, model.weights().steps, record.loss.len()), (1, 1, 1));
}

/// The model that was stopped goes on as one that is as before the first step does, and also with what is there
/// already. One that was trained otherwise is refused.
#[test]
fn a_stopped_training_goes_on_with_the_model_that_it_left() {
    let (process, data) = (process(0.0), diamond());
    let (stopped, fresh, other) = (model(&process, &data), model(&process, &data), model(&process, &data));
    let folder = tempfile::tempdir().unwrap();
    let options = |name: &str| Options { checkpoint: Some(folder.path().join(name)), resume: true, ..short() };
    train(&fresh, &data, &options("fresh"), &Task::default()).unwrap();
    for done in [1, 20, 20] {
        let task = if done == 1 { stopped_at_once() } else { Task::default() };
        let record = train(&stopped, &data, &options("stopped"), &task).unwrap();
        assert_eq!((record.steps, stopped.weights().steps), (done, done));
    }
    assert_eq!(stopped.weights(), fresh.weights());
    let again = model(&process, &data);
    train(&again, &data, &options("stopped"), &Task::default()).unwrap();
    assert_eq!(again.weights(), fresh.weights());
    train(&other, &data, &Options { seed: 1, ..short() }, &Task::default()).unwrap();
    let error = train(&other, &data, &options("stopped"), &Task::default()).unwrap_err().to_string();
    assert!(error.contains("neither those before its first step nor those of the checkpoint"), "{error}");
}

/// The first loss is not finite, the second is; seen to keep the ruins of both.
#[test]
fn a_training_that_ruins_the_model_leaves_it_as_it_was() {
    let (process, data) = (process(0.0), diamond());
    let model = model(&process, &data);
    train(&model, &data, &short(), &Task::default()).unwrap();
    let before = model.weights();
    let schedule = Schedule::Cosine;
    for (lr, problem) in [(1e30, " at step "), (100.0, " before the first step and is ")] {
        let options = Options { lr, clip: 0.0, steps: 200, schedule, ..short() };
        let error = train(&model, &data, &options, &Task::default()).unwrap_err();
        let hint = error.hint().unwrap();
        assert!(error.to_string().contains(problem) && hint.contains("from before this call"), "{error}: {hint}");
        assert_eq!(model.weights(), before);
    }
}

#[test]
fn likelihood_weights_average_to_one() {
    let record = |weighting| {
        let (process, data) = (process(0.1), diamond());
        let options = Options { weighting, ..short() };
        train(&model(&process, &data), &data, &options, &Task::default()).unwrap().loss[0][1]
    };
    let (whitened, likelihood) = (record(Weighting::Whitened), record(Weighting::Likelihood));
    assert!(likelihood.is_finite() && likelihood != whitened && likelihood < 30.0 * whitened);
}

#[test]
fn other_data_is_refused() {
    let model = model(&process(0.0), &diamond());
    let line = Dataset::from_points("line", &Tensor::new(&[3], vec![0.0, 1.0, 2.0]).unwrap()).unwrap();
    let error = train(&model, &line, &short(), &Task::default()).unwrap_err().to_string();
    assert!(error.contains("has shape [1], the model was made for [2]"), "{error}");
}

/// Under one seed the noise of training batches is not that which `perturb` adds to data, in which a score would then
/// find what it was trained on: 2¹⁴ pairs within 5.5 standard errors, one false alarm in 2·10⁷ seeds, and the seed is
/// fixed. Seen to fail, by 119 errors, with one purpose for both.
#[test]
fn batches_and_perturbed_data_have_different_noise() {
    const COUNT: usize = 1 << 14;
    let process = passive();
    let point = Tensor::new(&[1, 1], vec![0.0]).unwrap();
    let data = Dataset::from_points("point", &point).unwrap();
    let basis = KernelBasis::new(Subject::of(&process, &data).unwrap()).unwrap();
    let task = Task::default();
    let source = objective::open(&basis, &data, &Options { batch: COUNT, ..Options::default() }, &task).unwrap();
    let x0 = Tensor::new(&[COUNT], vec![0.0; COUNT]).unwrap();
    let perturbed = perturb(&process, &x0, 1.0, 0, &task).unwrap().blocks[0].values().into_owned();
    let mut sum = 0.0;
    for (chunk, own) in (0..).zip(perturbed.chunks_exact(256)) {
        let mut feed = source.feed(256 * chunk as usize, 256);
        feed.fill(0, chunk);
        let signs = feed.samples().state.iter().map(|x| f64::from(x.signum()));
        sum += signs.zip(own).map(|(sign, x)| sign * f64::from(x.signum())).sum::<f64>();
    }
    let errors = sum / (COUNT as f64).sqrt();
    assert!(errors.abs() < 5.5, "{errors}");
}
