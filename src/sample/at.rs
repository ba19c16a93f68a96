//! Scores in hand: the score at given states, and the data that are expected there.
//!
//! Under a linear process z_t = Φ_x x_0 + c + noise of covariance Σ, and for the score s = ∇ log p_t(z) of the whole
//! state s = −P (z − c − Φ_x E[x_0 | z]) with P = Σ⁻¹ (Robbins 1956; Efron, J. Am. Stat. Assoc. 106, 1602 (2011):
//! "Tweedie"). Every component says so by itself, so the driven ones suffice: P_d Φ_x E[x_0 | z] = s_d + P_d (z − c).

use nalgebra::DMatrix;

use super::State;
use super::layout::{BLOCK, Layout};
use super::normalised;
use super::output::{Request, transpose};
use super::start::Values;
use crate::data::Moments;
use crate::error::{Error, Result, suggestion};
use crate::gauss::precision;
use crate::process::{Class, Kernel, Noised};
use crate::score::{Chart, Coordinates, Score};
use crate::settings::written;
use crate::task::Task;
use crate::tensor::{Tensor, allocate};
use crate::vector::single;

/// ∇ log p_t at `states` by each driven block, [count, shape...] each, in the order of the process; in the units of the
/// states. Where only some coordinates of a block are driven, the others have NaN.
///
/// # Errors
/// When `time` is not above 0 and up to the horizon, the states are not of the process, or the score has no value.
pub fn score_at(score: &dyn Score, states: &State, time: f64, task: &Task) -> Result<Vec<(String, Tensor)>> {
    let process = score.process();
    let d: usize = score.shape().iter().product();
    let copies = process.copies(d)?;
    let chart = Chart::new(score, within(score, time)?)?;
    let driven = process.driven();
    let places: Vec<usize> = driven.iter().flat_map(|i| (0..copies).map(move |copy| i * copies + copy)).collect();
    let mut blocks: Vec<usize> = places.iter().map(|place| place / d).collect();
    blocks.dedup();
    let tensors = evaluated(score, states, time, blocks.len(), task, |samples, _, slopes| {
        chart.leave_gradients(driven, samples, slopes);
        let mut rows = vec![f32::NAN; blocks.len() * d * samples];
        for (place, slopes) in places.iter().zip(slopes.chunks_exact(samples)) {
            let block =
                blocks.iter().position(|block| *block == place / d).expect("one of those with a driven component");
            rows[(block * d + place % d) * samples..][..samples].copy_from_slice(slopes);
        }
        rows
    })?;
    Ok(blocks.iter().map(|block| process.blocks()[*block].clone()).zip(tensors).collect())
}

/// E[x_0 | z_t] at `states`, the mean of the data that they may come from, [count, shape...], in the units of the data.
///
/// # Errors
/// As [`score_at`], and when the process is not linear.
pub fn denoise(score: &dyn Score, states: &State, time: f64, task: &Task) -> Result<Tensor> {
    let process = score.process();
    if process.class() == Class::Nonlinear {
        let causes = process.reasons().join(", ");
        let problem =
            format!("the data that a state may come from follow from its score for linear processes: {causes}");
        return Err(Error::process(process.name(), problem)
            .with_hint("follow the reverse process instead: reverse(score, state)"));
    }
    if process.is_periodic() {
        let problem = format!("its angles `{}` have no mean that is one of them", process.blocks()[0]);
        return Err(Error::process(process.name(), problem)
            .with_hint("follow the reverse process instead: reverse(score, state)"));
    }
    let copies = process.copies(score.shape().iter().product())?;
    let (before, after) = (Chart::new(score, within(score, time)?)?, Chart::new(score, 0.0)?);
    let posterior = Posterior::new(score, &process.kernel(time)?.with_density()?)?;
    let tensors = evaluated(score, states, time, 1, task, |samples, state, slopes| {
        before.enter(samples, state);
        let mut data = posterior.means(copies, samples, state, slopes);
        after.leave(samples, &mut data);
        data
    })?;
    Ok(tensors.into_iter().next().expect("one block was asked for"))
}

/// States at `time` from `blocks` by name, all of the process of `score` and no other.
///
/// # Errors
/// When a block is missing, is not of the process, or has another shape than the data, or than the first one.
pub fn states_of(score: &dyn Score, blocks: Vec<(String, Tensor)>, time: f64) -> Result<State> {
    let (process, shape) = (score.process(), score.shape());
    let names = process.blocks();
    if let Some((other, _)) = blocks.iter().find(|(name, _)| !names.contains(name)) {
        let problem = format!("is not a block of the process `{}`", process.name());
        return Err(Error::argument(other, problem).with_hint(suggestion(other, names, "its blocks are")));
    }
    let mut count = None;
    let block = |name: &String| {
        let Some((_, tensor)) = blocks.iter().find(|(given, _)| given == name) else {
            let problem = format!("has no block `{name}`, which the process `{}` has", process.name());
            let all = names.iter().map(|name| format!("{name}: ...")).collect::<Vec<_>>().join(", ");
            return Err(Error::argument("x", problem).with_hint(format!("give #{{ {all} }}, or a State")));
        };
        let rows = tensor.rows(name)?;
        let first = *count.get_or_insert(rows.count);
        if rows.shape != shape || rows.count != first {
            let wanted = [&[first], shape].concat();
            let problem = format!("has the shape {:?}, the score is for {wanted:?}", tensor.shape());
            return Err(Error::argument(name, problem));
        }
        Tensor::new(&[&[first], shape].concat(), rows.values.into_owned())
    };
    let blocks = names.iter().map(block).collect::<Result<Vec<_>>>()?;
    Ok(State::new(names, blocks, time, score.units()))
}

/// `time`, if the score knows it.
fn within(score: &dyn Score, time: f64) -> Result<f64> {
    let horizon = score.process().horizon();
    if time > 0.0 && time <= horizon {
        return Ok(time);
    }
    let hint = match time <= 0.0 {
        true => "data themselves may have no density: take a small time, e.g. 1e-3",
        false => "make the score of the process with a longer `horizon`",
    };
    Err(Error::argument(
        "t",
        format!("must be above 0 and up to the horizon {}, got {}", written(horizon), written(time)),
    )
    .with_hint(hint))
}

/// Tensors for `blocks` blocks of what `finish` makes of each part of the states and the score there:
/// (samples, state [m·copies, samples], score [driven·copies, samples]) to [blocks·d, samples]. The score is asked for
/// what it sees of the state; `finish` gets the state as it was given.
fn evaluated(
    score: &dyn Score,
    states: &State,
    time: f64,
    blocks: usize,
    task: &Task,
    finish: impl Fn(usize, &mut [f32], &mut [f32]) -> Vec<f32> + Sync + Send,
) -> Result<Vec<Tensor>> {
    let (process, shape) = (score.process(), score.shape());
    process.require_noise()?;
    normalised::check(score, states)?;
    let values = Values::new(process, shape, states)?;
    let d: usize = shape.iter().product();
    let layout = Layout::new(process, d)?;
    let request = Request { process, first_block: 0, count: values.count, shape, kept: Vec::new() };
    let full = [&[values.count], shape].concat();
    // All tensors, and the parts that they are put together from.
    task.host().afford(8.0 * blocks as f64 * values.count as f64 * d as f64, |problem| {
        Error::argument("x", format!("of {} states {problem}", values.count)).with_hint("take fewer at a time")
    })?;
    let walls = score.walls();
    let mut tensors = (0..blocks).map(|_| allocate(&full, task.host())).collect::<Result<Vec<_>>>()?;
    let chart = Chart::new(score, time)?;
    let prepared = score.prepare(&[time], task)?;
    let parts = task.shared("evaluating a score", request.blocks(BLOCK)?, |block| {
        let samples = BLOCK.min(values.count - block * BLOCK);
        let mut state = vec![0.0; layout.state * samples];
        values.copy(block as u32, samples, &mut state);
        let mut seen = state.clone();
        chart.enter(samples, &mut seen);
        let mut slopes = vec![0.0; layout.score * samples];
        prepared.evaluator(samples).evaluate(0, samples, &seen, &mut slopes);
        Ok((finish(samples, &mut state, &mut slopes), walls.as_ref().map_or(0, |walls| strays(walls, samples, &seen))))
    })?;
    let stray: usize = parts.iter().map(|(_, stray)| stray).sum();
    if stray > 0 {
        let count = values.count;
        task.warn(&format!(
            "{stray} of {count} states lie beyond what the simulated paths reached: no score is known there"
        ));
    }
    for (block, (part, _)) in parts.iter().enumerate() {
        let size = part.len() / blocks;
        for (tensor, rows) in tensors.iter_mut().zip(part.chunks_exact(size)) {
            transpose(rows, size / d, &mut tensor[block * BLOCK * d..][..size]);
        }
    }
    tensors.into_iter().map(|values| Tensor::new(&full, values)).collect()
}

/// How many of the states [rows, samples] have a value outside of the `walls` of its row.
fn strays(walls: &[[f32; 2]], samples: usize, state: &[f32]) -> usize {
    let is_outside = |n: &usize| {
        let values = state.iter().skip(*n).step_by(samples);
        values.zip(walls).any(|(value, [least, largest])| !(least..=largest).contains(&value))
    };
    (0..samples).filter(is_outside).count()
}

/// From the score to the mean of the data, at one time.
struct Posterior {
    /// P_d, [driven, m].
    precision: DMatrix<f64>,
    /// For each kind of copies, what makes of s_d + P_d (z − E z) the difference of the mean of the data given z from
    /// that of all data, [k, driven].
    gains: Vec<DMatrix<f64>>,
    kinds: std::sync::Arc<[usize]>,
    /// Means of data, \[d\], and of states, [m·copies], where the score sees them with their means.
    means: Option<[Vec<f64>; 2]>,
}

/// States and scores, which are sums in single precision, are known to this part of their own size.
const ROUNDING: f64 = 4.0 * f32::EPSILON as f64;

impl Posterior {
    fn new(score: &dyn Score, kernel: &Kernel) -> Result<Self> {
        let (process, moments) = (score.process(), score.moments());
        let is_own = score.coordinates() == Coordinates::Own;
        let along = match is_own {
            true => &Moments { variances: moments.coordinate_variances(), axes: None, ..moments.clone() },
            false => moments,
        };
        let noised = Noised::new(process, along)?;
        let precision = precision(&kernel.cholesky).select_rows(process.driven());
        let units = kernel.conditional_std();
        let units = DMatrix::from_diagonal(&units.select_rows(process.driven()));
        let gain = |factor: &DMatrix<f64>| gain(&(&units * &precision * kernel.response() * factor), factor, &units);
        let means = is_own.then(|| [moments.mean.clone(), kernel.mean(&moments.mean)]);
        Ok(Self { gains: noised.spreads().iter().map(gain).collect(), kinds: noised.kinds().clone(), precision, means })
    }

    /// E[x_0 | z], [d, samples], by what the score sees of the state, and its answer.
    fn means(&self, copies: usize, samples: usize, state: &[f32], slopes: &[f32]) -> Vec<f32> {
        let k = self.gains[0].nrows();
        let mut data = vec![0.0; k * copies * samples];
        let mean = |of: usize, place: usize| self.means.as_ref().map_or(0.0, |means| means[of][place]);
        for copy in 0..copies {
            let gain = &self.gains[self.kinds[copy]];
            let at = |rows: &[f32], i: usize, n: usize| f64::from(rows[(i * copies + copy) * samples + n]);
            for n in 0..samples {
                let pull = |q: usize| {
                    let row = self.precision.row(q);
                    let drawn = |i: usize| row[i] * (at(state, i, n) - mean(1, i * copies + copy));
                    at(slopes, q, n) + (0..row.len()).map(drawn).sum::<f64>()
                };
                let pulls: Vec<f64> = (0..self.precision.nrows()).map(pull).collect();
                for j in 0..k {
                    let row = j * copies + copy;
                    let shift: f64 = gain.row(j).iter().zip(&pulls).map(|(gain, pull)| gain * pull).sum();
                    data[row * samples + n] = single(mean(0, row) + shift);
                }
            }
        }
        data
    }
}

/// The gain F B⁺ U of whitened equations B = U P_d Φ_x F, [driven, k], for data of the factor F. By least squares,
/// where they are more than unknowns.
///
/// A singular value b of B says how wide the data are in units of the noise. What z tells of them has a variance of
/// about b²/(1 + b²), of which b² is seen: at late times, and for constant coordinates, it drowns in the rounding r of
/// states. So 1/b is damped as by a Wiener filter, b/(b² + r² (1 + b²)/b²), and data of which nothing is left are
/// expected at their mean.
fn gain(equations: &DMatrix<f64>, factor: &DMatrix<f64>, units: &DMatrix<f64>) -> DMatrix<f64> {
    let decomposed = equations.clone().svd(true, true);
    let (left, right) = (decomposed.u.expect("asked for"), decomposed.v_t.expect("asked for"));
    let inverse = decomposed.singular_values.map(|b| 1.0 / (b + ROUNDING.powi(2) * (b.recip() + b.recip().powi(3))));
    factor * right.transpose() * DMatrix::from_diagonal(&inverse) * left.transpose() * units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Covariance, Dataset, Mixture, Moments};
    use crate::process::fixtures::{Active, passive};
    use crate::process::{PriorLaw, Process};
    use crate::sample::{EulerMaruyama, Grid, Options, sample};
    use crate::score::{Evaluator, Exact, Prepared};

    /// Gaussian data of the variance 0.2 under dx = −x dt + √2 dW, by a score that sees states with their means.
    struct Seen {
        process: Process,
        moments: Moments,
        walls: Option<Vec<[f32; 2]>>,
    }

    const MEAN: [f64; 2] = [0.5, -1.0];
    const VARIANCE: f64 = 0.2;
    const TIME: f64 = 0.4;

    fn spread(time: f64) -> f64 {
        VARIANCE * f64::exp(-2.0 * time) - f64::exp_m1(-2.0 * time)
    }

    impl Score for Seen {
        fn process(&self) -> &Process {
            &self.process
        }

        fn shape(&self) -> &[usize] {
            &[2]
        }

        fn moments(&self) -> &Moments {
            &self.moments
        }

        fn coordinates(&self) -> Coordinates {
            Coordinates::Own
        }

        fn walls(&self) -> Option<Vec<[f32; 2]>> {
            self.walls.clone()
        }

        fn prepare(&self, times: &[f64], _: &Task) -> Result<Box<dyn Prepared + '_>> {
            Ok(Box::new(At(times[0])))
        }
    }

    struct At(f64);

    impl Prepared for At {
        fn evaluator(&self, _: usize) -> Box<dyn Evaluator + '_> {
            Box::new(At(self.0))
        }
    }

    impl Evaluator for At {
        fn evaluate(&mut self, _: usize, samples: usize, state: &[f32], score: &mut [f32]) {
            for (i, (score, z)) in score.iter_mut().zip(state).enumerate() {
                let centre = MEAN[i / samples] * f64::exp(-self.0);
                *score = single((centre - f64::from(*z)) / spread(self.0));
            }
        }
    }

    fn seen(walls: Option<Vec<[f32; 2]>>) -> Seen {
        Seen { process: passive(), moments: Moments::isotropic(MEAN.to_vec(), VARIANCE), walls }
    }

    fn states(score: &dyn Score, shape: &[usize], values: Vec<f32>) -> Result<State> {
        states_of(score, vec![("x".to_owned(), Tensor::new(shape, values).unwrap())], TIME)
    }

    /// E[x₀ | z] = m + v₀ e^−t (z − m e^−t)/v(t), for more samples than go together.
    #[test]
    fn expected_data_are_relative_to_their_mean() {
        let (score, count) = (seen(None), BLOCK + 44);
        let values: Vec<f32> = (0..2 * count).map(|i| 0.01 * i as f32 - 3.0).collect();
        let found = denoise(&score, &states(&score, &[count, 2], values.clone()).unwrap(), TIME, &Task::default());
        let found = found.unwrap();
        assert_eq!(found.shape(), [count, 2]);
        for (i, (found, z)) in found.values().iter().zip(values).enumerate() {
            let (mean, decay) = (MEAN[i % 2], f64::exp(-TIME));
            let truth = mean + VARIANCE * decay * (f64::from(z) - mean * decay) / spread(TIME);
            assert!((f64::from(*found) - truth).abs() < 1e-5, "{found} not {truth}");
        }
    }

    /// Of active noise alone η is driven, the second block; both copies of it.
    #[test]
    fn driven_blocks_have_a_score() {
        let process = Active::default().process();
        let covariance = Covariance::Isotropic(vec![VARIANCE]);
        let data = Mixture::new(vec![1.0], MEAN.to_vec(), covariance).unwrap();
        let score = Exact::new(&process, &Dataset::from_mixture("gaussian", data).unwrap()).unwrap();
        let [x, eta] = [[0.3, -0.2, 1.0, 2.0], [1.5, 0.0, -0.7, 0.4]];
        let blocks = [("x", x), ("eta", eta)]
            .map(|(name, values)| (name.to_owned(), Tensor::new(&[2, 2], values.map(single).to_vec()).unwrap()));
        let state = states_of(&score, blocks.to_vec(), TIME).unwrap();
        let found = score_at(&score, &state, TIME, &Task::default()).unwrap();
        let kernel = process.kernel(TIME).unwrap();
        let precision = kernel.with_data_variance(VARIANCE).covariance.try_inverse().unwrap();
        assert_eq!((found.len(), found[0].0.as_str(), found[0].1.shape()), (1, "eta", &[2, 2][..]));
        for (i, value) in found[0].1.values().iter().enumerate() {
            let away = [x, eta].map(|block| block[i]);
            let pull = |b: usize| precision[(1, b)] * (away[b] - kernel.response()[(b, 0)] * MEAN[i % 2]);
            let truth = -(pull(0) + pull(1));
            assert!((f64::from(*value) - truth).abs() < 1e-4, "{value} not {truth}");
        }
    }

    #[test]
    fn states_of_another_shape_are_refused() {
        let score = seen(None);
        let said = |shape: &[usize]| states(&score, shape, vec![0.0; shape.iter().product()]).unwrap_err().to_string();
        assert!(said(&[4, 3]).contains("has the shape [4, 3], the score is for [4, 2]"), "{}", said(&[4, 3]));
        let state = states(&score, &[4, 2], vec![0.0; 8]).unwrap();
        assert_eq!((state.time, state.names), (TIME, vec!["x".to_owned()]));
        for time in [0.0, -1.0, 2.1, f64::NAN] {
            let state = states(&score, &[4, 2], vec![0.0; 8]).unwrap();
            let error = score_at(&score, &state, time, &Task::default()).unwrap_err();
            assert!(error.to_string().contains("must be above 0 and up to the horizon 2"), "{error}");
            assert_eq!(error.hint().unwrap().contains("small time"), time <= 0.0);
        }
        assert!(score_at(&score, &states(&score, &[1, 2], vec![0.0; 2]).unwrap(), 2.0, &Task::default()).is_ok());
    }

    #[test]
    fn states_beyond_the_walls_are_counted() {
        // Three samples of two rows; the first is at both walls, the others beyond one.
        let walls = [[-1.0, 1.0], [0.0, 2.0]];
        assert_eq!(strays(&walls, 3, &[1.0, 1.5, 0.0, 0.0, 1.0, -0.5]), 2);
        assert_eq!(strays(&walls, 3, &[-1.0, 1.0, 0.0, 2.0, 1.0, 0.5]), 0);
    }

    /// Walls that every step leads out of.
    #[test]
    fn held_values_are_told() {
        let score = seen(Some(vec![[100.0, 101.0]; 2]));
        let options = Options { grid: Grid::Uniform, steps: 50, ..Options::by(EulerMaruyama) };
        let state = sample(&score, BLOCK + 44, PriorLaw::Matched, &options, &Task::default()).unwrap();
        assert!(state.block("x").unwrap().values().iter().all(|x| *x == 100.0));
        assert!(state.warnings.iter().any(|told| told.starts_with("100.00 % of the values")), "{:?}", state.warnings);
    }
}
