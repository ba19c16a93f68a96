//! Exponential Adams–Bashforth steps on the probability flow (DEIS: Zhang, Chen, arXiv 2204.13902).
//!
//! In forward time the flow of a linear process is dz/dt = A z + b − ½ D ŝ. Its linear part is propagated exactly, also
//! with coefficients that depend on time; of the score only the whitened ε = −L_ddᵀ ŝ is extrapolated, L_dd being the
//! factor of the kernel over the driven components given all others. Going from t to t' < t,
//!
//! ```text
//! z' = Ψ(t → t')(z − c) − ∫_t'^t Ψ(τ → t') ½ D L_dd(τ)⁻ᵀ ε(τ) dτ,      ε(τ) ≈ Σ_j P_j(τ) ε(t_j)
//! ```
//!
//! with the Lagrange polynomials P_j in √τ, as ε behaves near the data. The weights are computed by Gauss–Legendre
//! quadrature in u, τ = t' + (t − t')u², since the integrand behaves as τ^{−1/2} near 0.

use std::ops::Range;

use nalgebra::{DMatrix, DVector};

use super::affine::{Affine, joined};
use super::field::Layout;
use super::march::{Steps, Worker};
use super::reverse::Problem;
use crate::error::{Error, Result};
use crate::process::Process;
use crate::score::{Evaluator, Prepared};

/// Nodes and weights of Gauss–Legendre quadrature of 12 points on [0, 1], half of them: the others are 1 − u.
const QUADRATURE: [(f64, f64); 6] = [
    (0.009_219_682_876_640_378, 0.023_587_668_193_255_914),
    (0.047_941_371_814_762_6, 0.053_469_662_997_659_21),
    (0.115_048_662_902_847_66, 0.080_039_164_271_673_11),
    (0.206_341_022_856_691_26, 0.101_583_713_361_532_96),
    (0.316_084_250_500_909_94, 0.116_746_268_269_177_4),
    (0.437_383_295_744_265_54, 0.124_573_522_906_701_39),
];

/// Steps of one order; the first of all is corrected with the score at its end, so that the start keeps the order.
pub(super) struct Exponential<'a> {
    problem: &'a Problem<'a>,
    first: usize,
    /// At the times where steps begin, and at the end of the first of all.
    prepared: Box<dyn Prepared + 'a>,
    /// From the rows of state and of the scores at the beginning of this step and of those before.
    steps: Vec<Affine>,
    /// The first of all, from the rows of state and of the scores at its beginning and its end.
    correction: Option<Affine>,
}

impl<'a> Exponential<'a> {
    pub(super) fn new(problem: &'a Problem<'a>, range: Range<usize>, order: usize) -> Result<Self> {
        let (process, times) = (problem.process(), &problem.times);
        let steps = problem.task.blocks(range.len(), |i| {
            let step = range.start + i;
            let nodes: Vec<_> = (0..order.min(step + 1)).map(|back| times[step - back]).collect();
            weights(process, times[step], times[step + 1], &nodes)
        })?;
        let is_corrected = range.start == 0 && order > 1 && times[1] > 0.0;
        let correction =
            is_corrected.then(|| weights(process, times[0], times[1], &[times[0], times[1]])).transpose()?;
        let last = range.end.max(range.start + 1 + usize::from(is_corrected));
        let prepared = problem.score.prepare(&times[range.start..last], problem.task)?;
        Ok(Self { problem, first: range.start, prepared, steps, correction })
    }
}

/// The step from the time `from` down to `to` with the scores at the times `nodes`.
fn weights(process: &Process, from: f64, to: f64, nodes: &[f64]) -> Result<Affine> {
    let driven = process.driven();
    let forward = process.transition(to, from)?;
    let size = forward.offset.len();
    let back = inverse(forward.transfer, from, to)?;
    let mut integrals = vec![DMatrix::zeros(size, driven.len()); nodes.len()];
    for (half, weight) in QUADRATURE {
        for u in [half, 1.0 - half] {
            let time = to + (from - to) * u * u;
            let transfer = inverse(process.transition(to, time)?.transfer, time, to)?;
            let diffusion = process.linear_at(time)?.diffusion().select_columns(driven);
            let unit = inverse(factor(process, time)?.transpose(), time, to)?;
            let integrand = transfer * diffusion * unit * (weight * u * (from - to));
            for (j, integral) in integrals.iter_mut().enumerate() {
                *integral += &integrand * lagrange(nodes, j, time);
            }
        }
    }
    let mut parts = vec![&back - DMatrix::identity(size, size)];
    for (integral, &node) in integrals.iter().zip(nodes) {
        parts.push(integral * factor(process, node)?.transpose());
    }
    let offset: DVector<f64> = -(&back * forward.offset);
    Ok(Affine::step(&offset, &joined(&parts.iter().collect::<Vec<_>>())))
}

/// L_dd at `time`.
fn factor(process: &Process, time: f64) -> Result<DMatrix<f64>> {
    let factor = process.kernel(time)?.cholesky_in(&process.undriven_first());
    let (size, driven) = (factor.nrows(), process.driven().len());
    Ok(factor.view((size - driven, size - driven), (driven, driven)).into_owned())
}

fn inverse(matrix: DMatrix<f64>, from: f64, to: f64) -> Result<DMatrix<f64>> {
    matrix.try_inverse().filter(|inverse| inverse.iter().all(|entry| entry.is_finite())).ok_or_else(|| {
        Error::numerical(format!("the step from t = {from} to {to} cannot be reversed: too little is left of the past"))
            .with_hint("take more steps, or the method \"splitting\"")
    })
}

/// P_j at `time`, a polynomial in √t that is 1 at node j and 0 at the others.
fn lagrange(nodes: &[f64], j: usize, time: f64) -> f64 {
    let others = nodes.iter().enumerate().filter(|(i, _)| *i != j);
    others.map(|(_, node)| (time.sqrt() - node.sqrt()) / (nodes[j].sqrt() - node.sqrt())).product()
}

impl Steps for Exponential<'_> {
    fn worker(&self, samples: usize) -> Box<dyn Worker + '_> {
        let Layout { state, score, .. } = self.problem.layout;
        // State, score, the score at the end of the first step or those before.
        let inputs = vec![0.0; (state + score * MOST_NODES) * samples];
        let evaluator = self.prepared.evaluator(samples);
        Box::new(ExponentialWorker { shared: self, evaluator, inputs, samples })
    }
}

/// The highest order.
pub(super) const MOST_NODES: usize = 3;

struct ExponentialWorker<'a> {
    shared: &'a Exponential<'a>,
    evaluator: Box<dyn Evaluator + 'a>,
    inputs: Vec<f32>,
    samples: usize,
}

impl Worker for ExponentialWorker<'_> {
    fn step(&mut self, step: usize, _: u32, rows: &mut [f32]) {
        let Layout { copies, state, score, .. } = self.shared.problem.layout;
        let [length, state, score] = [copies, state, score].map(|rows| rows * self.samples);
        let place = step - self.shared.first;
        let (rows, memory) = rows.split_at_mut(state);
        let (old, behind) = self.inputs.split_at_mut(state);
        old.copy_from_slice(rows);
        self.evaluator.evaluate(place, self.samples, old, &mut behind[..score]);
        behind[score..][..memory.len()].copy_from_slice(memory);
        self.shared.steps[place].apply(length, &self.inputs, rows);
        if let Some(correction) = self.shared.correction.as_ref().filter(|_| step == 0) {
            let ahead = &mut self.inputs[state + score..][..score];
            self.evaluator.evaluate(1, self.samples, rows, ahead);
            correction.apply(length, &self.inputs, rows);
        }
        // The present score becomes the first of those before.
        if !memory.is_empty() {
            memory.copy_within(..memory.len() - score, score);
            memory[..score].copy_from_slice(&self.inputs[state..][..score]);
        }
    }
}
