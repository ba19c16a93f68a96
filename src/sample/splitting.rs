//! The equilibrium split: an exact half step of a Gaussian reference process in reverse time, a full step of what the
//! score has beyond the score of the reference, and a half step again.
//!
//! If the noised data were Gaussian, N(μ(t), Σ(t)), the reverse process would be linear and its transition from t to
//! s < t the law of z_s given z_t in the forward process: exact at any length of step, and stable. The reference is the
//! stationary law, which for critically damped Langevin dynamics makes the SSCS of Dockhorn, Vahdat, Kreis,
//! arXiv 2112.07068, or the law of data with the mean and variance of the true ones, which leaves less to the middle step.
//! The split that leaves it the whole score reverses a decaying linear part, which grows, and is worse than
//! Euler–Maruyama.

use std::ops::Range;

use nalgebra::{Cholesky, DMatrix, DVector};

use super::Reference;
use super::affine::{Affine, joined};
use super::field::Layout;
use super::march::{Steps, Worker};
use super::reverse::Problem;
use crate::error::{Error, Result};
use crate::gauss::{precision, triangularize};
use crate::process::Process;
use crate::score::{Evaluator, Prepared};

/// The Gaussian law of one copy at one time.
struct Law {
    mean: DVector<f64>,
    factor: DMatrix<f64>,
}

/// The Gaussian process that the linear half steps belong to.
enum Followed<'a> {
    Stationary(Law),
    /// Of data with this mean of each data component, and variance.
    Data(&'a Process, Vec<f64>, f64),
}

impl<'a> Followed<'a> {
    fn new(problem: &Problem<'a>, reference: Reference) -> Result<Self> {
        let process = problem.process();
        if reference == Reference::Stationary {
            let law = process.stationary()?;
            let factor = Cholesky::new(law.covariance).ok_or_else(|| {
                Error::process(process.name(), "its stationary law is singular: noise does not reach every block")
                    .with_hint("take the reference \"data\"")
            })?;
            return Ok(Self::Stationary(Law { mean: law.mean, factor: factor.unpack() }));
        }
        let moments = problem.score.moments();
        // Any mean makes an exact step; one for all copies makes one set of coefficients.
        let mean = |copies: &[f64]| copies.iter().sum::<f64>() / copies.len() as f64;
        let means = moments.mean.chunks_exact(problem.layout.copies).map(mean).collect();
        Ok(Self::Data(process, means, moments.variance))
    }

    fn at(&self, time: f64) -> Result<Law> {
        match self {
            Self::Stationary(law) => Ok(Law { mean: law.mean.clone(), factor: law.factor.clone() }),
            Self::Data(process, mean, variance) => {
                let kernel = process.kernel(time)?.with_data_variance(*variance);
                Ok(Law { mean: DVector::from_vec(kernel.mean(mean)), factor: kernel.cholesky })
            }
        }
    }

    /// The step from the time `from` down to `to`, from the rows of state and m rows of noise.
    fn back(&self, process: &Process, from: f64, to: f64) -> Result<Affine> {
        let (now, then) = (self.at(from)?, self.at(to)?);
        let forward = process.transition(to, from)?;
        let size = now.mean.len();
        // The factor of the joint law of (z_from, z_to), of which the lower rows give the law of z_to given z_from.
        let mut joint = DMatrix::zeros(2 * size, 2 * size);
        joint.view_mut((0, 0), (size, size)).copy_from(&(&forward.transfer * &then.factor));
        joint.view_mut((0, size), (size, size)).copy_from(&forward.cholesky);
        joint.view_mut((size, 0), (size, size)).copy_from(&then.factor);
        let joint = triangularize(joint);
        let block = |row: usize, column: usize| joint.view((row * size, column * size), (size, size)).into_owned();
        let cross = block(1, 0) * block(0, 0).transpose();
        let gain = cross * precision(&block(0, 0));
        let offset = &then.mean - &gain * &now.mean;
        Ok(Affine::step(&offset, &joined(&[&(gain - DMatrix::identity(size, size)), &block(1, 1)])))
    }

    /// The step of `length` by D (ŝ − s_ref) at `time`, from the rows of state and score.
    fn kick(&self, process: &Process, time: f64, length: f64) -> Result<Affine> {
        let law = self.at(time)?;
        let diffusion = process.linear_at(time)?.diffusion().select_columns(process.driven()) * length;
        let pull = &diffusion * precision(&law.factor).select_rows(process.driven());
        Ok(Affine::step(&-(&pull * law.mean), &joined(&[&pull, &diffusion])))
    }
}

/// The three parts of each step.
pub(super) struct Splitting<'a> {
    problem: &'a Problem<'a>,
    first: usize,
    /// At the middle of each step.
    prepared: Box<dyn Prepared + 'a>,
    parts: Vec<[Affine; 3]>,
}

impl<'a> Splitting<'a> {
    pub(super) fn new(problem: &'a Problem<'a>, range: Range<usize>, reference: Reference) -> Result<Self> {
        let process = problem.process();
        let reference = Followed::new(problem, reference)?;
        let middle = |step: usize| 0.5 * (problem.times[step] + problem.times[step + 1]);
        let parts = problem.task.blocks(range.len(), |i| {
            let step = range.start + i;
            let (from, to) = (problem.times[step], problem.times[step + 1]);
            let first = reference.back(process, from, middle(step))?;
            let kick = reference.kick(process, middle(step), from - to)?;
            Ok([first, kick, reference.back(process, middle(step), to)?])
        })?;
        let middles: Vec<_> = range.clone().map(middle).collect();
        let prepared = problem.score.prepare(&middles, problem.task)?;
        Ok(Self { problem, first: range.start, prepared, parts })
    }
}

impl Steps for Splitting<'_> {
    fn worker(&self, samples: usize) -> Box<dyn Worker + '_> {
        let Layout { state, .. } = self.problem.layout;
        // Behind the state stands noise, one row for each, or the score, which has no more.
        let inputs = vec![0.0; 2 * state * samples];
        Box::new(SplittingWorker { shared: self, evaluator: self.prepared.evaluator(samples), inputs, samples })
    }
}

struct SplittingWorker<'a> {
    shared: &'a Splitting<'a>,
    evaluator: Box<dyn Evaluator + 'a>,
    inputs: Vec<f32>,
    samples: usize,
}

impl Worker for SplittingWorker<'_> {
    fn step(&mut self, step: usize, block: u32, rows: &mut [f32]) {
        let Layout { copies, score, .. } = self.shared.problem.layout;
        let place = step - self.shared.first;
        let [first, kick, last] = &self.shared.parts[place];
        self.drift(first, (step, 0, block), rows);
        self.inputs[..rows.len()].copy_from_slice(rows);
        let (old, behind) = self.inputs.split_at_mut(rows.len());
        self.evaluator.evaluate(place, self.samples, old, &mut behind[..score * self.samples]);
        kick.apply(copies * self.samples, &self.inputs, rows);
        self.drift(last, (step, 1, block), rows);
    }
}

impl SplittingWorker<'_> {
    /// A half step with the noise of (step, part, block).
    fn drift(&mut self, affine: &Affine, (step, part, block): (usize, u32, u32), rows: &mut [f32]) {
        let problem = self.shared.problem;
        let (old, noise) = self.inputs.split_at_mut(rows.len());
        old.copy_from_slice(rows);
        problem.noise.fill(step, part, block, self.samples, noise);
        affine.apply(problem.layout.copies * self.samples, &self.inputs, rows);
    }
}
