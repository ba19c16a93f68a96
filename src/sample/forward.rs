//! The forward process: by its kernel, and step by step.

use nalgebra::DMatrix;

use super::combination::{Combination, joined};
use super::field::Field;
use super::grid::{MOST_STEPS, through};
use super::layout::Layout;
use super::march::March;
use super::noise::Noise;
use super::output::Request;
use super::plan::{Part, Place, Plan, Stepper};
use super::start::{Data, Start};
use super::update::Update;
use super::{Keep, State};
use crate::dispatched;
use crate::error::{Error, Result};
use crate::process::{Class, Motion, Process, Transition, correlate};
use crate::rng::{Purpose, Stream};
use crate::score::Coordinates;
use crate::settings::{Setting, Values, written};
use crate::task::Task;
use crate::tensor::Tensor;
use crate::vector::{single_rows, singles};

/// z_t for each datum of `x0`, [count, shape...] or \[count\], drawn from the perturbation kernel at `time` ≥ 0 in one
/// step.
///
/// # Errors
/// When `x0` is not a tensor of finite data or `time` is negative, or interrupted.
pub fn perturb(process: &Process, x0: &Tensor, time: f64, seed: u64, task: &Task) -> Result<State> {
    let data = Data::new(x0)?;
    let kernel = process.kernel(time)?;
    let copies = process.copies(data.dimension())?;
    let (response, offset) = (single_rows(&kernel.response()), singles(&kernel.offset));
    let factor = single_rows(&kernel.cholesky);
    let stream = Stream::new(seed, Purpose::Kernel).at(time).of(data.values());
    let request = data.request(process, Vec::new());
    let march = March {
        name: "perturb",
        task,
        request,
        score: None,
        steps: 0,
        longest: 0.0,
        end: time,
        time: &|_| time,
        kept: Vec::new(),
        walls: None,
    };
    let start = |block: u32, samples: usize, state: &mut [f32]| {
        let x = data.block(block, samples);
        stream.normals(0, block, state);
        correlate(&factor, offset.len(), state);
        let length = copies * samples;
        let rows = state.chunks_exact_mut(length).zip(response.chunks_exact(kernel.data)).zip(&offset);
        rows.for_each(|((z, response), &offset)| add_mean(response, offset, &x, z));
        Ok(())
    };
    let (mut state, _) = march.run(start, |_| Err(Error::numerical("one time has no steps")))?;
    state.warn(data.unlike_angles(process), task);
    Ok(state)
}

/// What can be set of a simulation, besides what is kept.
pub const FORWARD: &[Setting] = &[
    Setting::count("steps", "number of equal steps").or(500.0),
    Setting::number("end", "time at which to stop").or_else("the horizon"),
    Setting::seed("seed of the start and of the noise"),
];

/// How to simulate the forward process.
#[derive(Debug, Clone, PartialEq)]
pub struct Forward {
    /// Number of equal steps; a nonlinear process has more where its coefficients change fast.
    pub steps: usize,
    /// The time at which to stop; `None` is the horizon.
    pub end: Option<f64>,
    /// Which states are kept.
    pub keep: Keep,
    /// Seed of the start and of the noise.
    pub seed: u64,
}

/// The states that forward paths (Itô) from `x0`, [count, shape...] or \[count\], reach: by exact steps of a linear
/// process, by Euler–Maruyama steps of others.
///
/// # Errors
/// When `x0` is not a tensor of finite data or an option is out of range, the states become infinite, or interrupted.
pub fn simulate(process: &Process, x0: &Tensor, options: &Forward, task: &Task) -> Result<State> {
    let data = Data::new(x0)?;
    let until = options.end.unwrap_or(process.horizon());
    options.check(until)?;
    let process = &process.until(until)?;
    let even = |step: usize| until * (step as f64 / options.steps as f64);
    let moved = cut(process, options.steps, even);
    let time = |step: usize| moved.as_ref().map_or_else(|| even(step), |times| times[step]);
    let steps = moved.as_ref().map_or(options.steps, |times| times.len() - 1);
    let layout = Layout::new(process, data.dimension())?;
    let request = data.request(process, Vec::new());
    request.check_memory(options.keep.frames(steps), task.host())?;
    let kept = options.keep.places(steps, time)?;
    let request = Request { kept: kept.iter().map(|&step| time(step)).collect(), ..request };
    let stream = |purpose| Stream::new(options.seed, purpose).at(0.0).of(data.values());
    let noise = Noise::Normal(stream(Purpose::Forward));
    let spread = Start::new(process, stream(Purpose::ForwardStart))?;
    let (score, walls) = (None, None);
    let march = March {
        name: "simulate",
        task,
        request,
        score,
        steps,
        longest: until / options.steps as f64,
        end: until,
        time: &time,
        kept,
        walls,
    };
    let start = |block: u32, samples: usize, state: &mut [f32]| {
        let x = data.block(block, samples);
        spread.draw(block, state, x.len());
        state[..x.len()].copy_from_slice(&x);
        Ok(())
    };
    let step = stepper(process, layout, until / steps as f64, &time)?;
    let (mut state, _) = march.run(start, |range| Plan::new(range, &step, None, layout, &noise, task))?;
    state.warn(data.unlike_angles(process), task);
    Ok(state)
}

/// The times of the steps of a nonlinear process where they are not equal: they go from one time at which it switches
/// to the next, as far as there are steps, and there are more of them where its coefficients change fast. Steps of
/// linear ones are exact, however long.
fn cut(process: &Process, steps: usize, even: impl Fn(usize) -> f64) -> Option<Vec<f64>> {
    if process.class() != Class::Nonlinear || steps > MOST_STEPS {
        return None;
    }
    let mut times = through((0..=steps).rev().map(even).collect(), process.switching_times());
    times.reverse();
    Some(process.refined(times))
}

/// Steps of a linear process by its transitions, which are those of its law; of others by Euler–Maruyama, with
/// what depends on the time taken in the middle of the step.
fn stepper<'a>(
    process: &'a Process,
    layout: Layout,
    length: f64,
    time: &'a (dyn Fn(usize) -> f64 + Sync + 'a),
) -> Result<Stepper<'a>> {
    let Layout { state, noise, .. } = layout;
    let parts = move |update: Update, drawn: usize| {
        vec![
            Part::Copy { from: Place::Kept(0), to: Place::Work(0), rows: state },
            Part::Draw { draw: 0, rows: drawn, to: state },
            Part::Apply { update, from: 0, to: Place::Kept(0) },
        ]
    };
    if process.class() == Class::Nonlinear {
        let field = Field::new(process, Motion::Forward, Coordinates::Own)?;
        return Ok(Box::new(move |step| {
            let (from, to) = (time(step), time(step + 1));
            Ok(parts(field.step(0.5 * (from + to), to - from, false)?, noise))
        }));
    }
    // Constant coefficients make one update serve for all steps.
    let all = (process.class() == Class::Constant).then(|| exact(process, 0.0, length)).transpose()?;
    Ok(Box::new(move |step| {
        let update = all.clone().map_or_else(|| exact(process, time(step), time(step + 1)), Ok)?;
        Ok(parts(update, state))
    }))
}

/// z + (Φ − 1) z + c + L ξ, from the rows of state and as much noise.
fn exact(process: &Process, from: f64, to: f64) -> Result<Update> {
    let Transition { transfer, offset, cholesky, .. } = process.transition(from, to)?;
    let change = &transfer - DMatrix::identity(transfer.nrows(), transfer.ncols());
    Ok(Combination::step(&offset, &joined(&[&change, &cholesky])).into())
}

impl Default for Forward {
    fn default() -> Self {
        Self::read(&Values::defaults(FORWARD))
    }
}

impl Forward {
    /// What `values` of [`FORWARD`] set; the end is kept.
    ///
    /// # Panics
    /// When `values` are of another table.
    pub fn read(values: &Values) -> Self {
        let end = values.number_if_given("end");
        Self { steps: values.count("steps"), end, keep: Keep::End, seed: values.natural("seed") }
    }

    fn check(&self, until: f64) -> Result<()> {
        if !(until > 0.0 && until.is_finite()) {
            return Err(Error::argument("end", format!("must be a finite time above 0, got {}", written(until))));
        }
        // The number of a step is a 32-bit key of the random streams.
        if self.steps == 0 || u32::try_from(self.steps).is_err() {
            return Err(Error::argument("steps", format!("must be from 1 to 4·10⁹, got {}", self.steps)));
        }
        Ok(())
    }
}

dispatched! {
    /// z ← z + (Σ_j response_j x_j + offset), for x of as many rows as z is long.
    fn add_mean(response: &[f32], offset: f32, x: &[f32], z: &mut [f32]) {
        for (i, z) in z.iter_mut().enumerate() {
            let rows = x[i..].iter().step_by(x.len() / response.len());
            *z += response.iter().zip(rows).fold(offset, |mean, (response, x)| response.mul_add(*x, mean));
        }
    }
}
