//! The score that a nonlinear process would have in equilibrium, which a learned score starts from.
//!
//! Where no probability flows, f p = ½ ∇·(D p), so that for a diagonal D ∇ log p = φ with φ_d = (2 f_d − (∇·D)_d)/D_dd.
//! In general φ is one more function beside the linear ones, with the weight that fits best.
//! A drift that confines more than linearly drives the reverse process outwards, −f; nothing but a score that grows as
//! fast holds it, and a network goes on linearly beyond its data.

use crate::error::Result;
use crate::expr::{Operation, Program, Scalars, Workspace};
use crate::process::Process;
use crate::vector::single;

/// φ of the driven components in whose drift or noise the process is not linear.
#[derive(Debug)]
pub(super) struct Equilibrium {
    /// Their places among the driven components.
    places: Vec<usize>,
    /// φ of each.
    value: Program,
    /// ∂φ_d/∂z_d of each.
    slope: Program,
}

impl Equilibrium {
    /// # Errors
    /// None for a process that was built.
    pub(super) fn of(process: &Process) -> Result<Self> {
        let (drift, diffusion) = (process.bound_drift(), process.bound_diffusion());
        let size = process.components();
        let (mut places, mut values, mut slopes) = (Vec::new(), Vec::new(), Vec::new());
        for (place, &d) in process.driven().iter().enumerate() {
            let own = &diffusion[d][d];
            if drift[d].affine(size).is_ok() && !own.depends_on_state() {
                continue;
            }
            let flow = (0..size).fold(drift[d].multiply(&2.0.into()), |sum, j| {
                sum.combine(Operation::Subtract, &diffusion[d][j].derivative(j))
            });
            let value = flow.combine(Operation::Divide, own);
            slopes.push(value.derivative(d));
            values.push(value);
            places.push(place);
        }
        let [value, slope] = [Program::new(&values, size, &[])?, Program::new(&slopes, size, &[])?];
        Ok(Self { places, value, slope })
    }

    /// Places among the driven components.
    pub(super) fn places(&self) -> &[usize] {
        &self.places
    }

    /// What φ depends on besides the state.
    pub(super) fn at(&self, time: f64) -> Scalars {
        self.value.at(time, &[])
    }

    pub(super) fn workspace(&self, length: usize) -> Workspace {
        self.value.workspace(length)
    }

    /// φ of `length` states, [m, length] → [places, length].
    pub(super) fn run(&self, at: &Scalars, space: &mut Workspace, length: usize, state: &[f32], out: &mut [f32]) {
        self.value.run(at, space, length, state, out);
    }

    /// φ and ∂φ_d/∂z_d of `length` states at `time`, [places, length] each.
    pub(super) fn with_slopes(&self, time: f64, length: usize, state: &[f32]) -> [Vec<f32>; 2] {
        [&self.value, &self.slope].map(|program| {
            let mut out = vec![0.0; self.places.len() * length];
            program.run(&program.at(time, &[]), &mut program.workspace(length), length, state, &mut out);
            out
        })
    }
}

/// The part of a score that the equilibrium of a nonlinear process suggests: Σ_f weight_f (φ_f − level_f).
#[derive(Debug, Clone)]
pub struct Balance {
    /// Of each φ, \[places\].
    pub(super) weight: Vec<f64>,
    /// Mean of each φ, [places·copies].
    pub(super) level: Vec<f64>,
    /// What φ depends on besides the state.
    pub(super) at: Scalars,
}

/// Adds the equilibrium part to scores.
#[derive(Debug)]
pub struct Balancing<'a> {
    equilibrium: &'a Equilibrium,
    copies: usize,
    space: Workspace,
    values: Vec<f32>,
}

impl<'a> Balancing<'a> {
    /// For up to `width` samples of `copies` each.
    pub(super) fn new(equilibrium: &'a Equilibrium, copies: usize, width: usize) -> Self {
        let length = width * copies;
        let values = vec![0.0; equilibrium.places().len() * length];
        Self { equilibrium, copies, space: equilibrium.workspace(length), values }
    }

    /// Adds weight (φ − level) to the `score`, [driven·copies, count], of a `state`, [m·copies, count].
    pub fn add(&mut self, balance: &Balance, count: usize, state: &[f32], score: &mut [f32]) {
        let length = self.copies * count;
        let values = &mut self.values[..self.equilibrium.places().len() * length];
        self.equilibrium.run(&balance.at, &mut self.space, length, state, values);
        for (f, &place) in self.equilibrium.places().iter().enumerate() {
            let weight = single(balance.weight[f]);
            // Where φ has no weight it may have no value either.
            if weight == 0.0 {
                continue;
            }
            for copy in 0..self.copies {
                let level = single(balance.level[f * self.copies + copy]);
                let values = &values[(f * self.copies + copy) * count..][..count];
                let score = &mut score[(place * self.copies + copy) * count..][..count];
                for (score, value) in score.iter_mut().zip(values) {
                    *score += weight * (value - level);
                }
            }
        }
    }
}
