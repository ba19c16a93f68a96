//! Heun's method on the probability flow (Karras, Aittala, Aila, Laine, arXiv 2206.00364, algorithm 1 without noise).

use std::ops::Range;

use super::field::{Field, Layout, Registers, Update};
use super::march::{Steps, Worker};
use super::reverse::Problem;
use crate::dispatched;
use crate::error::Result;
use crate::process::Motion;
use crate::score::{Evaluator, Prepared};

/// Steps by the mean of the slopes at both ends; the one that ends at t = 0 takes the slope at its beginning.
pub(super) struct Heun<'a> {
    problem: &'a Problem<'a>,
    first: usize,
    prepared: Box<dyn Prepared + 'a>,
    /// At the times where steps begin or end, 0 excepted.
    slopes: Vec<Update>,
}

impl<'a> Heun<'a> {
    pub(super) fn new(problem: &'a Problem<'a>, range: Range<usize>) -> Result<Self> {
        let flow = Field::new(problem.process(), Motion::Flow)?;
        let last = range.end + usize::from(problem.times[range.end] > 0.0);
        let times = &problem.times[range.start..last];
        let slopes = problem.task.blocks(times.len(), |i| flow.slope(times[i]))?;
        let prepared = problem.score.prepare(times, problem.task)?;
        Ok(Self { problem, first: range.start, prepared, slopes })
    }
}

impl Steps for Heun<'_> {
    fn worker(&self, samples: usize) -> Box<dyn Worker + '_> {
        let Layout { copies, state, score, .. } = self.problem.layout;
        Box::new(HeunWorker {
            shared: self,
            evaluator: self.prepared.evaluator(samples),
            registers: self.slopes[0].registers(copies * samples),
            inputs: vec![0.0; (state + score) * samples],
            slopes: [(); 2].map(|()| vec![0.0; state * samples]),
            samples,
        })
    }
}

struct HeunWorker<'a> {
    shared: &'a Heun<'a>,
    evaluator: Box<dyn Evaluator + 'a>,
    registers: Registers,
    /// State and score.
    inputs: Vec<f32>,
    slopes: [Vec<f32>; 2],
    samples: usize,
}

impl HeunWorker<'_> {
    /// The slope number `place` of the state in `inputs`.
    fn slope(&mut self, place: usize, node: usize) {
        let Layout { copies, state, .. } = self.shared.problem.layout;
        let (old, score) = self.inputs.split_at_mut(state * self.samples);
        self.evaluator.evaluate(node, self.samples, old, score);
        let length = copies * self.samples;
        self.shared.slopes[node].apply(&mut self.registers, length, &self.inputs, &mut self.slopes[place]);
    }
}

impl Worker for HeunWorker<'_> {
    fn step(&mut self, step: usize, _: u32, rows: &mut [f32]) {
        let times = &self.shared.problem.times;
        let (node, length) = (step - self.shared.first, times[step] - times[step + 1]);
        self.inputs[..rows.len()].copy_from_slice(rows);
        self.slope(0, node);
        if times[step + 1] == 0.0 {
            add(length as f32, &self.slopes[0], rows);
            return;
        }
        let size = rows.len();
        add(length as f32, &self.slopes[0], &mut self.inputs[..size]);
        self.slope(1, node + 1);
        let [begin, end] = &self.slopes;
        add_mean(length as f32, begin, end, rows);
    }
}

dispatched! {
    /// z ← z + weight · slope.
    fn add(weight: f32, slope: &[f32], state: &mut [f32]) {
        for (z, k) in state.iter_mut().zip(slope) {
            *z = weight.mul_add(*k, *z);
        }
    }
}

dispatched! {
    /// z ← z + length (begin + end)/2.
    fn add_mean(length: f32, begin: &[f32], end: &[f32], state: &mut [f32]) {
        for ((z, a), b) in state.iter_mut().zip(begin).zip(end) {
            *z = (0.5 * length).mul_add(a + b, *z);
        }
    }
}
