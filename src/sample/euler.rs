//! Euler–Maruyama steps, and Langevin corrections after them.

use std::ops::Range;

use nalgebra::{DMatrix, DVector};

use super::affine::{Affine, joined};
use super::field::{Field, Layout, Registers, Update};
use super::march::{Steps, Worker};
use super::reverse::Problem;
use crate::error::Result;
use crate::process::{Class, Motion};
use crate::score::{Evaluator, Prepared};

/// Langevin corrections (Song et al., arXiv 2011.13456, algorithm 5) after each step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Corrections {
    pub(super) count: usize,
    /// Signal-to-noise ratio r.
    pub(super) ratio: f64,
}

/// Steps z ← z + (−f + ∇·D + D ŝ) Δs + G √Δs ξ, each followed by corrections.
pub(super) struct Euler<'a> {
    problem: &'a Problem<'a>,
    first: usize,
    prepared: Box<dyn Prepared + 'a>,
    updates: Vec<Update>,
    corrections: usize,
    /// The units of correction after each step; none after the last when it ends at 0.
    units: Vec<Units>,
}

/// How long a correction is.
enum Units {
    None,
    /// The same for all samples.
    Known(Affine),
    /// By the mean square of the score over the block, for a signal-to-noise ratio.
    Measured(f64),
}

impl<'a> Euler<'a> {
    pub(super) fn new(
        problem: &'a Problem<'a>,
        range: Range<usize>,
        is_silent: bool,
        corrections: Option<Corrections>,
    ) -> Result<Self> {
        let reverse = Field::new(problem.process(), Motion::Reverse)?;
        let length = |step: usize| problem.times[step] - problem.times[step + 1];
        let update = |i: usize| reverse.step(problem.times[range.start + i], length(range.start + i), is_silent);
        let updates = problem.task.blocks(range.len(), update)?;
        let units = match corrections {
            None => Vec::new(),
            Some(corrections) => problem
                .task
                .blocks(range.len(), |i| correction(problem, problem.times[range.start + i + 1], corrections.ratio))?,
        };
        let last = range.end + usize::from(corrections.is_some() && problem.times[range.end] > 0.0);
        let prepared = problem.score.prepare(&problem.times[range.start..last], problem.task)?;
        let corrections = corrections.map_or(0, |corrections| corrections.count);
        Ok(Self { problem, first: range.start, prepared, updates, corrections, units })
    }
}

/// Langevin steps z_d ← z_d + ε ŝ_d + √(2ε) ξ_d keep the law of the driven components given all others. With
/// ε = 2 (r ‖ξ‖/‖ŝ‖)² the ratio of signal to noise is r; where there is a kernel, ℓ_d, the deviation of z_d given all
/// others, stands for the mean of ‖ξ‖/‖ŝ‖, so that no sample has a say in the step of another.
fn correction(problem: &Problem<'_>, time: f64, ratio: f64) -> Result<Units> {
    let process = problem.process();
    if time == 0.0 {
        return Ok(Units::None);
    }
    if process.class() == Class::Nonlinear {
        return Ok(Units::Measured(ratio));
    }
    let spread = process.kernel(time)?.conditional_std();
    let lengths: Vec<_> = process.driven().iter().map(|&d| 2.0 * (ratio * spread[d]).powi(2)).collect();
    Ok(Units::Known(langevin(process.components(), process.driven(), &lengths)))
}

/// The Langevin step of `lengths` ε, from the rows of state, score and as much noise.
fn langevin(components: usize, driven: &[usize], lengths: &[f64]) -> Affine {
    let place = |factors: Vec<f64>| {
        let mut matrix = DMatrix::zeros(components, driven.len());
        driven.iter().zip(factors).enumerate().for_each(|(column, (&row, factor))| matrix[(row, column)] = factor);
        matrix
    };
    let score = place(lengths.to_vec());
    let noise = place(lengths.iter().map(|length| (2.0 * length).sqrt()).collect());
    let state = DMatrix::zeros(components, components);
    Affine::step(&DVector::zeros(components), &joined(&[&state, &score, &noise]))
}

impl Steps for Euler<'_> {
    fn worker(&self, samples: usize) -> Box<dyn Worker + '_> {
        let Layout { copies, state, score, noise } = self.problem.layout;
        Box::new(EulerWorker {
            shared: self,
            evaluator: self.prepared.evaluator(samples),
            registers: self.updates[0].registers(copies * samples),
            inputs: vec![0.0; (state + score + noise.max(score)) * samples],
            samples,
        })
    }
}

struct EulerWorker<'a> {
    shared: &'a Euler<'a>,
    evaluator: Box<dyn Evaluator + 'a>,
    registers: Registers,
    inputs: Vec<f32>,
    samples: usize,
}

impl Worker for EulerWorker<'_> {
    fn step(&mut self, step: usize, block: u32, rows: &mut [f32]) {
        let Layout { copies, state, score, noise } = self.shared.problem.layout;
        let (length, samples) = (copies * self.samples, self.samples);
        let place = step - self.shared.first;
        let mut draw = |part: usize, node: usize, rows: usize, inputs: &mut [f32]| {
            let (old, rest) = inputs.split_at_mut(state * samples);
            let (slopes, increments) = rest.split_at_mut(score * samples);
            self.evaluator.evaluate(node, samples, old, slopes);
            self.shared.problem.noise.fill(step, part as u32, block, samples, &mut increments[..rows * samples]);
        };
        self.inputs[..rows.len()].copy_from_slice(rows);
        draw(0, place, noise, &mut self.inputs);
        self.shared.updates[place].apply(&mut self.registers, length, &self.inputs, rows);
        for correction in 0..self.shared.corrections {
            let units = &self.shared.units[place];
            if matches!(units, Units::None) {
                return;
            }
            self.inputs[..rows.len()].copy_from_slice(rows);
            draw(1 + correction, place + 1, score, &mut self.inputs);
            match units {
                Units::Known(affine) => affine.apply(length, &self.inputs, rows),
                Units::Measured(ratio) => {
                    let slopes = &self.inputs[state * samples..][..score * samples];
                    let mean = |row: &[f32]| row.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / length as f64;
                    // A score of 0 everywhere asks for no correction.
                    let step = |square: f64| if square > 0.0 { 2.0 * ratio * ratio / square } else { 0.0 };
                    let lengths: Vec<_> = slopes.chunks_exact(length).map(|row| step(mean(row))).collect();
                    let process = self.shared.problem.process();
                    langevin(process.components(), process.driven(), &lengths).apply(length, &self.inputs, rows);
                }
                Units::None => {}
            }
        }
    }
}
