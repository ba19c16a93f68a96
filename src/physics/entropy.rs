//! Entropy production of forward paths.

use std::borrow::Cow;

use nalgebra::DVector;

use super::observed::{require_blocks, require_gaussian};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::gauss::log_density;
use crate::measure::Estimate;
use crate::process::{Class, Process, Transition};
use crate::sample::{self, Forward, Keep, Likelihood, State};
use crate::score::Score;
use crate::settings::{Setting, Values};
use crate::task::Task;
use crate::tensor::{Index, Tensor};

/// What can be set of the paths, besides how their densities are found.
pub const ENTROPY: &[Setting] = &[
    Setting::count("steps", "number of equal steps up to `end`").between(2.0, 100_000.0).or(100.0),
    Setting::number("start", "time at which paths begin to count").above(0.0).or_else("the first step"),
    Setting::number("end", "time at which they end").above(0.0).or_else("the horizon"),
    Setting::texts("odd", "blocks that change sign when time is reversed, as velocities do").or_else("none"),
    Setting::count("count", "number of paths").between(2.0, 1e9).or(2000.0),
    Setting::seed("seed of data and paths"),
];

/// Entropy that paths produce.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EntropyProduction {
    /// ⟨Δs⟩ in nats.
    pub mean: Estimate,
    /// ⟨exp(−Δs)⟩, which is 1: the integral fluctuation theorem.
    pub fluctuation: Estimate,
}

/// The total entropy production of paths of `score`'s process from `data`, and its fluctuation theorem:
///
/// Δs = ln p(z_s) − ln p(z_e) + Σ ln [P(z_{i+1} | z_i) / P(εz_i | εz_{i+1})],
///
/// with p the density at the first and the last time, by the probability flow of the score, P the exact transition of a
/// step and ε the change of sign of odd blocks (Seifert, Phys. Rev. Lett. 95, 040602 (2005)). A chain of steps obeys
/// the theorem whatever their length; Δs is that of the process where they are short.
///
/// # Errors
/// When the process is not linear, data are normalised, or a step leaves a component without noise; as
/// [`sample::simulate`] and [`sample::log_density`].
pub fn entropy_production(
    score: &dyn Score,
    data: &Dataset,
    values: &Values,
    task: &Task,
) -> Result<EntropyProduction> {
    let process = score.process();
    if process.class() == Class::Nonlinear {
        let problem = format!("its steps have no density in closed form: {}", process.reasons().join(", "));
        return Err(Error::process(process.name(), problem).with_hint("take a linear process"));
    }
    require_gaussian(process)?;
    if score.units().is_some() {
        return Err(Error::refused("entropy is in the units of the process, the data of this score are normalised")
            .with_hint("make the score of data that are not"));
    }
    let signs = signs(process, values.texts_if_given("odd").unwrap_or_default())?;
    let seed = values.natural("seed");
    let (end, steps) = (values.number_if_given("end").unwrap_or(process.horizon()), values.count("steps"));
    let forward = Forward { steps, end: Some(end), keep: Keep::All, seed };
    let drawn = data.sample(values.count("count"), seed, task)?;
    let paths = sample::simulate_for(score, &drawn, &forward, task)?;
    let start = values.number_if_given("start").unwrap_or(paths.times[1]);
    let first = paths.times.iter().position(|time| *time >= start * (1.0 - 1e-9)).filter(|first| *first < steps);
    let Some(first) = first.map(|first| first.max(1)) else {
        let problem = format!("must be before the last step to the end {end}, got {start}");
        return Err(Error::argument("start", problem));
    };
    let path = Paths::new(process, &paths)?;
    let mut produced = path.log_densities(score, first, seed, task)?;
    let last = path.log_densities(score, steps, seed, task)?;
    produced.iter_mut().zip(&last).for_each(|(produced, last)| *produced -= last);
    for step in first..steps {
        task.check()?;
        let transition = process.transition(paths.times[step], paths.times[step + 1])?;
        path.add(&mut produced, &transition, step, &signs)?;
    }
    let factors: Vec<f64> = produced.iter().map(|entropy| (-entropy).exp()).collect();
    let found = EntropyProduction { mean: Estimate::mean(&produced), fluctuation: Estimate::mean(&factors) };
    if let Some(warning) = found.distrust() {
        task.warn(&warning);
    }
    Ok(found)
}

/// Standard errors by which the fluctuation theorem may be missed by chance.
const MOST_ERRORS: f64 = 5.0;

/// An error of the mean of exp(−Δs), which is 1, up to which it tells right from wrong.
const KNOWN: f64 = 0.3;

impl EntropyProduction {
    /// What is to be said where the fluctuation theorem does not hold.
    fn distrust(&self) -> Option<String> {
        let Estimate { value, error } = self.fluctuation;
        let is_missed = (value - 1.0).abs() > MOST_ERRORS * error || self.mean.value < -MOST_ERRORS * self.mean.error;
        let problem = match is_missed {
            true => {
                "not 1: the paths that carry it are too rare to be drawn, as of narrow data or blocks that cannot be \
                     run back, or the score is not that of the data"
            }
            false if error > KNOWN => "which says little: take more paths",
            false => return None,
        };
        Some(format!("the mean of exp(-Δs) is {value:.3} ± {error:.3}, {problem}"))
    }
}

/// The sign of each component when time is reversed.
fn signs(process: &Process, odd: &[String]) -> Result<Vec<f64>> {
    require_blocks(process, "odd", odd)?;
    let blocks = process.blocks();
    let k = process.data_components();
    Ok((0..process.components()).map(|i| if odd.contains(&blocks[i / k]) { -1.0 } else { 1.0 }).collect())
}

/// Paths of all samples.
struct Paths<'a> {
    state: &'a State,
    /// Values of each block, [time, sample, coordinate].
    values: Vec<Cow<'a, [f32]>>,
    count: usize,
    copies: usize,
    /// Coordinates of a datum.
    dimension: usize,
    components: usize,
}

impl<'a> Paths<'a> {
    fn new(process: &Process, state: &'a State) -> Result<Self> {
        let count = state.blocks[0].shape()[0];
        let dimension = state.blocks[0].len() / count;
        let (copies, components) = (process.copies(dimension)?, process.components());
        let values = state.paths.iter().map(Tensor::values).collect();
        Ok(Self { state, values, count, copies, dimension, components })
    }

    /// The log density at the time number `place`, \[count\].
    fn log_densities(&self, score: &dyn Score, place: usize, seed: u64, task: &Task) -> Result<Vec<f64>> {
        let frame = |name: &String| Ok((name.clone(), self.state.path(name)?.get(&[Index::At(place as i64)])?));
        let blocks = self.state.names.iter().map(frame).collect::<Result<Vec<_>>>()?;
        let states = sample::states_of(score, blocks, self.state.times[place])?;
        let found = sample::log_density(score, &states, &Likelihood { seed, ..Likelihood::default() }, task)?;
        Ok(found.values.values().iter().map(|v| f64::from(*v)).collect())
    }

    /// The components of one copy of a sample, \[m\].
    fn copy(&self, place: usize, sample: usize, copy: usize) -> DVector<f64> {
        DVector::from_fn(self.components, |i, _| {
            // Row (component, copy) of the state is that of (block, coordinate).
            let row = i * self.copies + copy;
            f64::from(
                self.values[row / self.dimension]
                    [(place * self.count + sample) * self.dimension + row % self.dimension],
            )
        })
    }

    /// Adds ln P(z' | z) − ln P(εz | εz') of the step number `step` to each sample's.
    fn add(&self, produced: &mut [f64], transition: &Transition, step: usize, signs: &[f64]) -> Result<()> {
        let Transition { transfer, offset, cholesky, .. } = transition;
        if let Some(component) = cholesky.diagonal().iter().position(|pivot| *pivot <= 0.0) {
            let time = self.state.times[step];
            return Err(Error::numerical(format!("the step at t = {time} leaves component {component} without noise")));
        }
        let signs = DVector::from_column_slice(signs);
        let forth = |from: &DVector<f64>, to: &DVector<f64>| log_density(cholesky, to - transfer * from - offset);
        for (sample, produced) in produced.iter_mut().enumerate() {
            for copy in 0..self.copies {
                let (from, to) = (self.copy(step, sample, copy), self.copy(step + 1, sample, copy));
                *produced += forth(&from, &to) - forth(&to.component_mul(&signs), &from.component_mul(&signs));
            }
        }
        Ok(())
    }
}
