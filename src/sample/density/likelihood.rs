//! Log densities of data under a score, by the probability flow.
//!
//! Along the flow dz/dt = v(z, t), v = f − ½ D ŝ, the log density falls by the divergence of v (Chen, Rubanova,
//! Bettencourt, Duvenaud, arXiv 1806.07366; Song et al., arXiv 2011.13456), so that log p(z_0) = log p(z_T) + ∫₀ᵀ ∇·v
//! dt, with the law of noised Gaussian data of the same mean and variance for p(z_T).
//!
//! The density that the flow gives is that of the whole state. Where there are auxiliaries η, with the law q at t = 0
//! and independent of the data, data have the bound log p(x) ≥ E_q[log p(x, η) − log q(η)] (Dockhorn, Vahdat, Kreis,
//! arXiv 2112.07068, appendix B), and log mean_q [p(x, η)/q(η)] as an estimate from below that becomes exact with the
//! number of draws (Burda, Grosse, Salakhutdinov, arXiv 1509.00519).

use nalgebra::DVector;

use super::divergence::{Divergence, Probes, trace};
use super::flow::{Flow, shortest, units};
use crate::data::Units;
use crate::error::{Error, Result};
use crate::gauss::log_density as gaussian;
use crate::process::{Class, Noised};
use crate::rng::{Purpose, Stream};
use crate::sample::State;
use crate::sample::adaptive::GROUP;
use crate::sample::integrator::{Integrator, TOLERANCES, Tolerance};
use crate::sample::layout::{BLOCK, Layout};
use crate::sample::normalised;
use crate::sample::output::Request;
use crate::sample::start::{Beginning, Data, Start, Values, gather};
use crate::score::{Chart, Coordinates, Score};
use crate::settings::{self, Choice, Setting, Value, words};
use crate::task::Meter;
use crate::task::Task;
use crate::tensor::Tensor;

/// What auxiliaries are averaged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// log mean [p(x, η)/q(η)]. The noise of random directions, of variance v, would raise it by up to v/2.
    Weighted,
    /// mean [log p(x, η) − log q(η)].
    Mean,
}

/// What can be set of a likelihood.
pub const LIKELIHOOD: &[Setting] = &[
    Setting::choice("divergence", "how the divergence of the score is found", DIVERGENCES)
        .or_else("\"exact\" up to 16 directions, the coordinates of the driven blocks, and \"hutchinson\" beyond"),
    PROBES.or_else(
        "8; where they are given, \"hutchinson\" is the default, and \"exact\" if they are as many as the directions there \
         are, which costs no more",
    ),
    AUXILIARY_DRAWS,
    Setting::choice("bound", "what the draws are averaged to", &words(BOUNDS)).or_else(
        "\"weighted\" where the divergence is exact, else \"mean\": the noise of random directions would raise the weighted \
         one",
    ),
    TOLERANCES[0],
    TOLERANCES[1],
    Setting::seed("seed of random directions and auxiliaries"),
];

const AUXILIARY_DRAWS: Setting = counted("auxiliary_draws", "draws of the auxiliaries").or(16.0);
const PROBES: Setting = counted("probes", "random directions of `\"hutchinson\"`").or(8.0);

/// Draws are numbered by part of a random stream.
const fn counted(name: &'static str, meaning: &'static str) -> Setting {
    Setting::count(name, meaning).between(1.0, (1 << 20) as f64)
}

const DIVERGENCES: &[Choice] = &[
    Choice::new(EXACT, "in all directions, one after the other"),
    Choice::new("hutchinson", "in random directions of ±1"),
];
const EXACT: &str = "exact";

const BOUNDS: &[(Choice, Bound); 2] = &[
    (Choice::new("weighted", "log mean [p(x, η)/q(η)], exact in the limit of many draws"), Bound::Weighted),
    (Choice::new("mean", "mean [log p(x, η) - log q(η)]"), Bound::Mean),
];

/// How to compute a likelihood.
#[derive(Debug, Clone, PartialEq)]
pub struct Likelihood {
    /// Tolerated error of a step, in parts of the state.
    pub rtol: f64,
    /// Tolerated error of a step besides.
    pub atol: f64,
    /// How the divergence is found; by default exactly up to 16 directions, else with 8 random ones.
    pub divergence: Option<Divergence>,
    /// Draws of the auxiliaries.
    pub auxiliary_draws: usize,
    /// What they are averaged to; by default weighted where the divergence is exact, else their mean.
    pub bound: Option<Bound>,
    /// Seed of random directions and auxiliaries.
    pub seed: u64,
}

impl Likelihood {
    /// What `values` of [`LIKELIHOOD`] set.
    ///
    /// # Panics
    /// When `values` are of another table.
    pub fn read(values: &settings::Values) -> Self {
        let Tolerance { rtol, atol } = Tolerance::read(values);
        let given = values.count_if_given("probes");
        let probes = given.unwrap_or_else(|| settings::Values::defaults(&[PROBES]).count("probes"));
        let divergence = match values.text_if_given("divergence") {
            Some(EXACT) => Some(Divergence::Exact),
            Some(_) => Some(Divergence::Hutchinson { probes }),
            None => given.map(|probes| Divergence::Hutchinson { probes }),
        };
        Self {
            rtol,
            atol,
            divergence,
            auxiliary_draws: values.count("auxiliary_draws"),
            bound: values.chosen_if_given("bound", BOUNDS),
            seed: values.natural("seed"),
        }
    }

    fn tolerance(&self) -> Tolerance {
        Tolerance { rtol: self.rtol, atol: self.atol }
    }
}

impl Default for Likelihood {
    fn default() -> Self {
        Self::read(&settings::Values::defaults(LIKELIHOOD))
    }
}

/// Log densities, in nats per datum.
#[derive(Debug, Clone, PartialEq)]
pub struct LogDensity {
    /// The log density of each datum, \[count\].
    pub values: Tensor,
    /// Its standard error by random directions or draws of auxiliaries, \[count\]; 0 where nothing is random, NaN where
    /// too few say too little of it.
    pub errors: Tensor,
    /// Evaluations of the score per sample, of one draw; the most that any group of samples took.
    pub evaluations: usize,
}

impl std::fmt::Display for LogDensity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let values = self.values.values();
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        write!(f, "log densities of {} data, {mean:.4} nats in the mean; ", values.len())?;
        write!(f, "{} evaluations of the score each", self.evaluations)
    }
}

/// log p(x) of `data`, [count, shape...] or \[count\], for processes without auxiliaries; with them the bound of
/// `options`.
///
/// # Errors
/// When the process is not linear, or its auxiliaries start at fixed values, which have no density, or the data of the
/// score are single points, which have none either; when `data` are not finite or have another shape than the score;
/// when an option is out of range; or interrupted.
pub fn log_likelihood(score: &dyn Score, data: &Tensor, options: &Likelihood, task: &Task) -> Result<LogDensity> {
    let process = score.process();
    if !score.has_density() {
        let problem = "are asked for a density that single points do not have: those of this score are finitely many";
        let hint =
            "ask for it after some noise, log_likelihood(score, perturb(process, x, t)), or give the data a width";
        return Err(Error::argument("data", problem).with_hint(hint));
    }
    let plan = Plan::new(score, options, task)?;
    let data = Data::new(data)?;
    if data.shape() != score.shape() {
        let problem = format!("are of shape {:?}, the score is for {:?}", data.shape(), score.shape());
        return Err(Error::argument("data", problem));
    }
    let count = data.count();
    if process.blocks().len() == 1 {
        let start = |block: u32, samples: usize, rows: &mut [f32]| {
            rows.copy_from_slice(&data.block(block, samples));
            Ok(())
        };
        return plan.run(count, &start, 0)?.finish();
    }
    let law = Start::new(process, Stream::new(options.seed, Purpose::LikelihoodStart))?;
    if let Some((fixed, follows)) = law.fixed(process.data_components()) {
        let name = process.component_name(fixed);
        let (how, hint) = match follows {
            false => ("starts at a fixed value", format!("give {name} a law in `start`")),
            true => ("starts where the auxiliaries before it say", "give a covariance that is not singular".to_owned()),
        };
        let problem = format!("{name} {how}: at t = 0 the state has no density");
        return Err(Error::process(process.name(), problem).with_hint(hint));
    }
    // A log density and its error for each, twice while they grow.
    let bytes = 32.0 * count as f64 * options.auxiliary_draws as f64;
    task.host().afford(bytes, |problem| {
        let problem = format!("of {} for {count} data {problem}", options.auxiliary_draws);
        Error::argument(AUXILIARY_DRAWS.name, problem).with_hint("take fewer draws, or fewer data at a time")
    })?;
    let mut draws = Vec::new();
    for draw in 0..options.auxiliary_draws {
        let law = law.part(draw as u32);
        let start = |block: u32, samples: usize, rows: &mut [f32]| {
            let x = data.block(block, samples);
            law.draw(block, rows, x.len());
            rows[..x.len()].copy_from_slice(&x);
            Ok(())
        };
        let mut densities = plan.run(count, &start, draw as u32)?;
        for (first, own) in (0_u32..).zip(densities.values.chunks_mut(BLOCK)) {
            let mut rows = vec![0.0; plan.layout.state * own.len()];
            start(first, own.len(), &mut rows)?;
            law.subtract_log_density(&rows, plan.layout.copies, own);
        }
        draws.push(densities);
    }
    let by_default = if plan.divergence == Divergence::Exact { Bound::Weighted } else { Bound::Mean };
    combine(&draws, options.bound.unwrap_or(by_default))
}

/// log p_t(z) of whole `states`, data and auxiliaries together, at the time t of the states.
///
/// # Errors
/// As [`log_likelihood`], and when a block is missing or the states are beyond the horizon.
pub fn log_density(score: &dyn Score, states: &State, options: &Likelihood, task: &Task) -> Result<LogDensity> {
    let (horizon, from) = (score.process().horizon(), states.time);
    if !(0.0..=horizon).contains(&from) {
        return Err(Error::argument("x", format!("are states at t = {from}, beyond the horizon {horizon}"))
            .with_hint("make the score of the process with a longer `horizon`"));
    }
    normalised::check(score, states)?;
    let plan = Plan { from, ..Plan::new(score, options, task)? };
    let values = Values::new(score.process(), score.shape(), states)?;
    let start = |block: u32, samples: usize, rows: &mut [f32]| {
        values.copy(block, samples, rows);
        Ok(())
    };
    plan.run(values.count, &start, 0)?.finish()
}

/// Directions up to whose number the divergence is exact by default.
const MOST_EXACT: usize = 16;

struct Plan<'a> {
    score: &'a dyn Score,
    options: &'a Likelihood,
    divergence: Divergence,
    layout: Layout,
    task: &'a Task,
    /// The time of the states.
    from: f64,
}

/// Log densities of one draw.
struct Densities {
    /// Mean over the directions, \[count\].
    values: Vec<f64>,
    errors: Vec<f64>,
    evaluations: usize,
}

/// Degrees of freedom below which the scatter over random directions says too little: all signs agree by chance once in
/// 2^freedom.
const LEAST_FREEDOM: usize = 7;

/// The errors of means over random directions, from the variances over them, `scatter`, which the data have each.
///
/// Few signs agree by chance, and the datum then seems to have no error; so half of each variance is the mean of all.
fn errors_by_scatter(scatter: &[f64], directions: usize) -> Vec<f64> {
    let count = scatter.len();
    if count * (directions - 1) < LEAST_FREEDOM {
        return vec![f64::NAN; count];
    }
    let shared = scatter.iter().sum::<f64>() / count as f64;
    scatter.iter().map(|own| (0.5 * (own + shared) / directions as f64).sqrt()).collect()
}

impl<'a> Plan<'a> {
    fn new(score: &'a dyn Score, options: &'a Likelihood, task: &'a Task) -> Result<Self> {
        let process = score.process();
        process.require_noise()?;
        if process.class() == Class::Nonlinear {
            let causes = process.reasons().join(", ");
            let problem = format!("a likelihood needs a linear process, which this is not: {causes}");
            return Err(Error::process(process.name(), problem));
        }
        options.tolerance().check()?;
        let layout = Layout::new(process, score.shape().iter().product())?;
        let by_default = match layout.score <= MOST_EXACT {
            true => Divergence::Exact,
            false => Divergence::Hutchinson { probes: settings::Values::defaults(&[PROBES]).count("probes") },
        };
        AUXILIARY_DRAWS.check(&Value::Number(options.auxiliary_draws as f64))?;
        let mut divergence = options.divergence.unwrap_or(by_default);
        if let Divergence::Hutchinson { probes } = divergence {
            PROBES.check(&Value::Number(probes as f64))?;
            // All directions cost no more then, and leave no error.
            if probes >= layout.score {
                divergence = Divergence::Exact;
            }
        }
        Ok(Self { score, options, divergence, layout, task, from: 0.0 })
    }

    /// The log densities of the states that `start` gives, with the random directions of draw number `draw`.
    fn run(&self, count: usize, start: &Beginning<'_>, draw: u32) -> Result<Densities> {
        let process = self.score.process();
        let request = Request { process, count, shape: self.score.shape(), kept: Vec::new() };
        request.blocks(BLOCK)?;
        let groups = request.blocks(GROUP)?;
        self.check_memory(count)?;
        let meter = Meter::new(self.task, "likelihood", 1, groups);
        let chart = Chart::new(self.score, self.from)?;
        let parts = self.task.blocks(groups, |group| {
            let samples = GROUP.min(count - group * GROUP);
            let mut rows = gather(start, self.layout.state, group * GROUP, samples)?;
            chart.enter(samples, &mut rows);
            let part = self.group([group as u32, draw], rows, samples);
            meter.count(1)?;
            part
        });
        meter.finish();
        let mut all = Densities { values: Vec::new(), errors: Vec::new(), evaluations: 0 };
        for part in parts? {
            all.values.extend(part.values);
            all.errors.extend(part.errors);
            all.evaluations = all.evaluations.max(part.evaluations);
        }
        if let Divergence::Hutchinson { probes } = self.divergence {
            all.errors = errors_by_scatter(&all.errors, probes);
        }
        Ok(all)
    }

    /// Refuses directions that do not fit into memory: each thread has those of a group, and the rows of its
    /// integrator.
    fn check_memory(&self, count: usize) -> Result<()> {
        let Layout { state, score, .. } = self.layout;
        let (directions, results) = match self.divergence {
            Divergence::Exact => (score, 1),
            Divergence::Hutchinson { probes } => (probes, probes),
        };
        let rows = directions as f64 * score as f64 + 10.0 * (state + results) as f64;
        let threads = self.task.threads().min(count.div_ceil(GROUP)) as f64;
        self.task.host().afford(4.0 * threads * rows * GROUP.min(count) as f64, |problem| {
            let problem = format!("in {directions} directions of {score} coordinates {problem}");
            Error::argument("divergence", problem)
                .with_hint("take fewer data at a time, or \"hutchinson\" with few `probes`")
        })
    }

    /// Of one group, with the variances over random directions in the place of the errors.
    fn group(&self, [group, draw]: [u32; 2], rows: Vec<f32>, samples: usize) -> Result<Densities> {
        let process = self.score.process();
        let size = rows.len();
        let stream = Stream::new(self.options.seed, Purpose::Probe).part(draw);
        let mut probes = Probes::new(self.divergence, &stream, group, self.layout, samples);
        let shortest = shortest(self.score)?;
        let mut flow = Flow::new(self.score, samples, shortest, self.task)?;
        let mut values = rows;
        values.resize(size + probes.rows() * samples, 0.0);
        let mut integrator =
            Integrator::new(values.len(), samples, self.options.tolerance(), |time| units(self.score, time, shortest));
        let mut slope = |time: f64, values: &[f32], out: &mut [f32]| {
            let known = time.max(shortest);
            let linear = process.linear_at(known)?;
            let units = process.kernel(known)?.conditional_std();
            let (state, _) = values.split_at(size);
            let (velocity, logs) = out.split_at_mut(size);
            flow.slope_and(time, state, velocity, |evaluator| {
                trace(&linear, process.driven(), &units, &mut probes, evaluator, state, logs);
            })
        };
        integrator.advance(&mut slope, [self.from, process.horizon()], &process.stops(), &mut values)?;
        let (state, logs) = values.split_at(size);
        let prior = self.prior(state, samples)?;
        let volume = self.score.units().map_or(0.0, Units::log_volume);
        let spread = |i: usize| {
            let rows: Vec<_> = logs.chunks_exact(samples).map(|row| prior[i] + f64::from(row[i]) - volume).collect();
            match self.divergence {
                Divergence::Exact => (rows[0], 0.0),
                Divergence::Hutchinson { probes } => {
                    let (mean, error) = mean_and_error(&rows);
                    (mean, error * error * probes as f64)
                }
            }
        };
        let (values, errors) = (0..samples).map(spread).unzip();
        Ok(Densities { values, errors, evaluations: integrator.evaluations() * probes.evaluations() })
    }

    /// log p(z_T) of each sample.
    fn prior(&self, state: &[f32], samples: usize) -> Result<Vec<f64>> {
        let (process, moments) = (self.score.process(), self.score.moments());
        let (kernel, noised) = (process.kernel(process.horizon())?, Noised::new(process, moments)?);
        let (factors, kinds) = (noised.factors(&kernel), noised.kinds());
        let mean = match self.score.coordinates() {
            Coordinates::Own => kernel.mean(&moments.mean),
            Coordinates::Principal => vec![0.0; self.layout.state],
        };
        let copies = self.layout.copies;
        let residual = |i: usize, c: usize| {
            let entry = |b: usize| f64::from(state[(b * copies + c) * samples + i]) - mean[b * copies + c];
            DVector::from_fn(kernel.offset.len(), |b, _| entry(b))
        };
        let density = |i: usize| (0..copies).map(|c| gaussian(&factors[kinds[c]], &residual(i, c))).sum();
        Ok((0..samples).map(density).collect())
    }
}

/// The mean and its standard error.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    // One value gives 0/0: nothing is known of its error.
    (mean, (square / (count - 1.0) / count).sqrt())
}

/// The bound for each datum from log p(x, η) − log q(η) of several draws.
fn combine(draws: &[Densities], bound: Bound) -> Result<LogDensity> {
    let datum = |i: usize| {
        let logs: Vec<_> = draws.iter().map(|draw| draw.values[i]).collect();
        match bound {
            Bound::Mean => mean_and_error(&logs),
            Bound::Weighted => {
                let best = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights: Vec<_> = logs.iter().map(|log| (log - best).exp()).collect();
                let (mean, error) = mean_and_error(&weights);
                (best + mean.ln(), error / mean)
            }
        }
    };
    let (values, errors) = (0..draws[0].values.len()).map(datum).unzip();
    let evaluations = draws.iter().map(|draw| draw.evaluations).max().unwrap_or(0);
    Densities { values, errors, evaluations }.finish()
}

impl Densities {
    fn finish(self) -> Result<LogDensity> {
        let shape = [self.values.len()];
        let [values, errors] = [self.values, self.errors].map(|values| Tensor::from_f64(&shape, &values));
        Ok(LogDensity { values: values?, errors: errors?, evaluations: self.evaluations })
    }
}
