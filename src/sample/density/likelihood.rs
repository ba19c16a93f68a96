//! Log densities of data under a score, by the probability flow.
//!
//! Along the flow dz/dt = v(z, t), v = f − ½ D ŝ, the log density falls by the divergence of v (Chen, Rubanova,
//! Bettencourt, Duvenaud, arXiv 1806.07366; Song et al., arXiv 2011.13456), so that log p(z_0) = log p(z_T) + ∫₀ᵀ ∇·v
//! dt, with the law of noised Gaussian data of the same mean and variance for p(z_T).
//!
//! How far that is off is found beside it. The flow is followed a second time with ten times the tolerance, the score
//! frozen twice as long at t = 0, and from data that are moved by one unit in the last place, each coordinate up or
//! down: by how much that differs bounds the error of the steps of the first, of the frozen score, of the state's
//! rounding on the way and of that of the data. To it is added how far the law at the horizon is from the Gaussian
//! (`horizon.rs`), what the tolerance leaves, and the rounding of the answer.
//!
//! The density that the flow gives is that of the whole state. Where there are auxiliaries η, with the law q at t = 0
//! and independent of the data, data have the bound log p(x) ≥ E_q[log p(x, η) − log q(η)] (Dockhorn, Vahdat, Kreis,
//! arXiv 2112.07068, appendix B), and log mean_q [p(x, η)/q(η)] as an estimate from below that becomes exact with the
//! number of draws (Burda, Grosse, Salakhutdinov, arXiv 1509.00519).

use super::densities::{Densities, LogDensity, combine, errors_by_scatter, mean_and_error};
use super::divergence::{Divergence, Probes, trace};
use super::flow::{Flow, narrow_units, shortest};
use super::horizon::Horizon;
use super::options::{AUXILIARY_DRAWS, Bound, Likelihood, PROBES};
use crate::data::Units;
use crate::error::{Error, Result};
use crate::process::Class;
use crate::rng::{Purpose, Stream};
use crate::sample::State;
use crate::sample::adaptive::GROUP;
use crate::sample::integrator::{Integrator, MOST_TRIALS, Tolerance};
use crate::sample::layout::{BLOCK, Layout};
use crate::sample::normalised;
use crate::sample::output::Request;
use crate::sample::start::{Beginning, Data, Start, Values, gather};
use crate::score::{Chart, Score};
use crate::settings::{self, Value};
use crate::task::Meter;
use crate::task::Task;
use crate::tensor::Tensor;

/// log p(x) of `data`, [count, shape...] or \[count\], for processes without auxiliaries; with them the bound of
/// `options`.
///
/// # Errors
/// When the process is not linear, or its auxiliaries start at fixed values, which have no density, or the data of the
/// score are single points, which have none either; when `data` are not finite or have another shape than the score;
/// when an option is out of range; or interrupted.
pub fn log_likelihood(score: &dyn Score, data: &Tensor, options: &Likelihood, task: &Task) -> Result<LogDensity> {
    let process = score.process();
    check_density(score)?;
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
        return plan.run(count, &start, 0)?.finish(task);
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
    combine(&draws, options.bound.unwrap_or(by_default), task)
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
    if from == 0.0 {
        check_density(score)?;
    }
    let plan = Plan { from, ..Plan::new(score, options, task)? };
    let values = Values::new(score.process(), score.shape(), states)?;
    let start = |block: u32, samples: usize, rows: &mut [f32]| {
        values.copy(block, samples, rows);
        Ok(())
    };
    plan.run(values.count, &start, 0)?.finish(task)
}

/// Refuses data that have no density before they are noised.
fn check_density(score: &dyn Score) -> Result<()> {
    if score.has_density() {
        return Ok(());
    }
    let variances = &score.moments().variances;
    let flat = variances.iter().filter(|variance| **variance == 0.0).count();
    let problem = match flat {
        0 => "are asked for a density that single points do not have: those of this score are finitely many".to_owned(),
        _ => {
            let all = variances.len();
            format!(
                "are asked for a density that they do not have: those of this score vary along {} of {all} \
                     directions only",
                all - flat
            )
        }
    };
    let hint = "ask for it after some noise, log_likelihood(score, perturb(process, x, t)), or give the data a width";
    Err(Error::argument("data", problem).with_hint(hint))
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
    horizon: Horizon<'a>,
    /// The shortest time at which the score is asked for.
    shortest: f64,
}

/// How closely a flow is followed.
#[derive(Clone, Copy)]
struct Care {
    tolerance: Tolerance,
    shortest: f64,
}

/// Data whose flows are followed with the same steps.
struct Group {
    /// The place of the first among all data.
    first: usize,
    samples: usize,
    /// The number of the draw of auxiliaries.
    draw: u32,
    /// The states, and the same a unit in the last place away.
    states: [Vec<f32>; 2],
}

impl Group {
    /// Some of its samples, from number `from` on.
    fn part(&self, from: usize, samples: usize) -> Self {
        let rows =
            |states: &Vec<f32>| states.chunks(self.samples).flat_map(|row| &row[from..][..samples]).copied().collect();
        Self { first: self.first + from, samples, draw: self.draw, states: self.states.each_ref().map(rows) }
    }
}

/// Groups of several data that take more trials than this in a stretch are parted: one hard datum makes the steps of
/// all others.
const MOST_SHARED_TRIALS: usize = 5_000;

/// What a flow leads to.
struct Followed {
    /// The log density of each sample along each direction, [rows, samples].
    logs: Vec<f64>,
    /// What the integral contributes to it.
    changes: Vec<f64>,
    /// How far the law at the horizon is from the Gaussian, in nats, \[samples\].
    laws: Vec<f64>,
    evaluations: usize,
}

/// By how much the tolerance is larger, and the score frozen longer, in the flow that is followed for comparison.
const COARSER: f64 = 10.0;
const FROZEN_LONGER: f64 = 2.0;

impl<'a> Plan<'a> {
    fn new(score: &'a dyn Score, options: &'a Likelihood, task: &'a Task) -> Result<Self> {
        let process = score.process();
        process.require_noise()?;
        if process.class() == Class::Nonlinear {
            let causes = process.reasons().join(", ");
            let problem = format!("a likelihood needs a linear process, which this is not: {causes}");
            return Err(Error::process(process.name(), problem));
        }
        if process.is_periodic() {
            let problem = format!("the density of its angles `{}` cannot be followed yet", process.blocks()[0]);
            return Err(Error::process(process.name(), problem)
                .with_hint("leave `periodic` out, and take the angles as real numbers"));
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
        let (horizon, shortest) = (Horizon::new(score, task)?, shortest(score)?);
        Ok(Self { score, options, divergence, layout, task, from: 0.0, horizon, shortest })
    }

    /// The log densities of the states that `start` gives, with the random directions of draw number `draw`.
    fn run(&self, count: usize, start: &Beginning<'_>, draw: u32) -> Result<Densities> {
        let process = self.score.process();
        let request = Request { process, first_block: 0, count, shape: self.score.shape(), kept: Vec::new() };
        request.blocks(BLOCK)?;
        let groups = request.blocks(GROUP)?;
        self.check_memory(count)?;
        let meter = Meter::new(self.task, "likelihood", 1, self.task.ranks().share(groups).len());
        let chart = Chart::new(self.score, self.from)?;
        let parts = self.task.shared("finding likelihoods", groups, |group| {
            let samples = GROUP.min(count - group * GROUP);
            let rows = gather(start, self.layout.state, group * GROUP, samples)?;
            let mut states = [rows.clone(), self.moved([group as u32, draw], rows)];
            states.iter_mut().for_each(|rows| chart.enter(samples, rows));
            let part = self.parted(&Group { first: group * GROUP, samples, draw, states });
            meter.count(1)?;
            part
        });
        meter.finish();
        let mut all = Densities::default();
        parts?.into_iter().for_each(|part| all.append(part));
        if let [first, ..] = all.loosened[..] {
            self.task.warn(&format!(
                "the flows of {} of {count} data, of row {first} first, take more steps than there may be: they were followed \
                 with larger tolerances, and their `errors` say by how much they may be off",
                all.loosened.len()
            ));
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

    /// The same states a unit in the last place away, each number up or down.
    fn moved(&self, [group, draw]: [u32; 2], mut rows: Vec<f32>) -> Vec<f32> {
        let mut signs = vec![0.0; rows.len()];
        Stream::new(self.options.seed, Purpose::Rounding).part(draw).uniforms(0, group, &mut signs);
        rows.iter_mut().zip(signs).for_each(|(z, sign)| *z = if sign < 0.5 { z.next_down() } else { z.next_up() });
        rows
    }

    /// Of one group, in parts where that is too hard, and of a single datum with larger tolerances.
    ///
    /// # Errors
    /// Names the datum where none is large enough.
    fn parted(&self, group: &Group) -> Result<Densities> {
        let tolerance = self.options.tolerance();
        let error = match self.group(group, tolerance) {
            Err(error @ Error::Numerical { .. }) => error,
            other => return other,
        };
        if group.samples > 1 {
            let half = group.samples / 2;
            let mut all = self.parted(&group.part(0, half))?;
            all.append(self.parted(&group.part(half, group.samples - half))?);
            return Ok(all);
        }
        let mut looser = tolerance;
        while looser.can_be_looser() {
            looser = looser.times(COARSER);
            match self.group(group, looser) {
                Err(Error::Numerical { .. }) => {}
                found => return found.map(|found| Densities { loosened: vec![group.first], ..found }),
            }
        }
        let hint = "leave it out: from there the probability flow cannot be followed in single precision";
        Err(Error::numerical(format!("the log density of row {}: {error}, and with no larger one", group.first))
            .with_hint(hint))
    }

    /// Of one group, with the variances over random directions in the place of the errors.
    fn group(&self, group: &Group, tolerance: Tolerance) -> Result<Densities> {
        let Group { first, samples, draw, ref states } = *group;
        let stream = Stream::new(self.options.seed, Purpose::Probe).part(draw);
        let mut probes = Probes::new(self.divergence, &stream, (first / GROUP) as u32, self.layout, samples);
        let fine = Care { tolerance, shortest: self.shortest };
        let coarse = Care { tolerance: tolerance.times(COARSER), shortest: FROZEN_LONGER * self.shortest };
        let [states, moved] = states.clone();
        let found = self.follow(fine, states, &mut probes, samples)?;
        let other = self.follow(coarse, moved, &mut probes, samples)?;
        let mut all =
            Densities { evaluations: found.evaluations + other.evaluations, laws: found.laws, ..Densities::default() };
        for i in 0..samples {
            let of = |values: &[f64]| values.iter().skip(i).step_by(samples).copied().collect::<Vec<_>>();
            let (logs, change) = (of(&found.logs), mean_and_error(&of(&found.changes)).0);
            let (value, error) = mean_and_error(&logs);
            let off = (value - mean_and_error(&of(&other.logs)).0).abs();
            all.values.push(value);
            all.errors.push(match self.divergence {
                Divergence::Exact => 0.0,
                Divergence::Hutchinson { probes } => error * error * probes as f64,
            });
            let rounding = value.abs() * f64::from(f32::EPSILON);
            all.steps.push(off + tolerance.left(change) + rounding);
        }
        Ok(all)
    }

    /// Follows the flow of `states` to the horizon.
    fn follow(&self, care: Care, states: Vec<f32>, probes: &mut Probes, samples: usize) -> Result<Followed> {
        let Care { tolerance, shortest } = care;
        let (process, size) = (self.score.process(), states.len());
        let mut flow = Flow::new(self.score, samples, shortest, self.task)?;
        let mut values = states;
        values.resize(size + probes.rows() * samples, 0.0);
        let units = |time| narrow_units(self.score, time, shortest);
        let most = if samples > 1 { MOST_SHARED_TRIALS } else { MOST_TRIALS };
        let integrator = Integrator::new(values.len(), samples, tolerance, units);
        let mut integrator = integrator.strict(size / samples).at_most(most);
        let mut slope = |time: f64, values: &[f32], out: &mut [f32]| {
            let known = time.max(shortest);
            let linear = process.linear_at(known)?;
            let units = process.kernel(known)?.conditional_std();
            let (state, _) = values.split_at(size);
            let (velocity, logs) = out.split_at_mut(size);
            flow.slope_and(time, state, velocity, |prepared| {
                let mut score = prepared.differentiator(samples).ok_or_else(|| {
                    Error::process(process.name(), "has a score without derivatives, which a likelihood needs")
                })?;
                trace(&linear, process.driven(), &units, probes, score.as_mut(), state, logs);
                Ok(())
            })
        };
        integrator.advance(&mut slope, [self.from, process.horizon()], &process.stops(), &mut values)?;
        let evaluations = integrator.evaluations() * probes.evaluations();
        let (state, logs) = values.split_at(size);
        let changes: Vec<_> = logs.iter().map(|log| f64::from(*log)).collect();
        let volume = self.score.units().map_or(0.0, Units::log_volume);
        let last = self.horizon.log_densities(state, samples);
        let logs = changes.iter().enumerate().map(|(i, change)| last[i % samples] + change - volume).collect();
        let laws = self.horizon.deviations(state, samples);
        Ok(Followed { logs, changes, laws, evaluations })
    }
}
