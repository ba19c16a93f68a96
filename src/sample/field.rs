//! Right-hand sides over blocks of samples, for processes of every class.
//!
//! With D = G Gᵀ and (∇·D)_i = Σ_j ∂_j D_ij, a process dz = f dt + G dW (Itô) has in reverse time s the drift
//! −f + ∇·D + D ∇log p (Anderson, Stoch. Proc. Appl. 12, 313 (1982)), and its probability flow the velocity
//! −f + ½ ∇·D + ½ D ∇log p (Song et al., arXiv 2011.13456). Linear processes are sums of rows; all others are expressions
//! in the components of state, score and noise, compiled.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::affine::{Affine, joined};
use crate::error::Result;
use crate::expr::{Expression, Operation, Program, Scalars, Workspace};
use crate::process::{Class, Process};

/// A motion with the drift `drift` f + `score` (∇·D + D ∇log p).
#[derive(Debug, Clone, Copy)]
pub(super) struct Motion {
    drift: f64,
    score: f64,
}

impl Motion {
    /// The process itself.
    pub(super) const FORWARD: Self = Self { drift: 1.0, score: 0.0 };
    /// The process in reverse time.
    pub(super) const REVERSE: Self = Self { drift: -1.0, score: 1.0 };
    /// The probability flow in reverse time.
    pub(super) const FLOW: Self = Self { drift: -1.0, score: 0.5 };
    /// The probability flow in forward time.
    pub(super) const FORWARD_FLOW: Self = Self { drift: 1.0, score: -0.5 };
}

/// Rows of state, score and noise of one sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) copies: usize,
    pub(super) state: usize,
    pub(super) score: usize,
    pub(super) noise: usize,
}

impl Layout {
    pub(super) fn new(process: &Process, dimension: usize) -> Result<Self> {
        let copies = process.copies(dimension)?;
        let [state, score, noise] =
            [process.components(), process.driven().len(), process.sources().len()].map(|rows| rows * copies);
        Ok(Self { copies, state, score, noise })
    }
}

/// A motion of a process, ready to be asked for its coefficients at any time.
#[derive(Debug)]
pub(super) struct Field<'a> {
    process: &'a Process,
    motion: Motion,
    programs: Option<Programs>,
}

/// Of a nonlinear process.
#[derive(Debug)]
struct Programs {
    /// The drift, from components of state and score.
    slope: Arc<Program>,
    /// An Euler–Maruyama step, from components of state, score and noise.
    step: Arc<Program>,
}

/// Rows computed from rows, at one time.
#[derive(Debug)]
pub(super) enum Update {
    Affine(Affine),
    Program(Arc<Program>, Scalars),
}

/// What a thread needs to apply updates.
#[derive(Debug)]
pub(super) struct Registers(Option<Workspace>);

impl<'a> Field<'a> {
    /// # Errors
    /// When the expressions of a nonlinear process cannot be compiled.
    pub(super) fn new(process: &'a Process, motion: Motion) -> Result<Self> {
        let programs = match process.class() {
            Class::Nonlinear => Some(Programs::new(process, motion)?),
            _ => None,
        };
        Ok(Self { process, motion, programs })
    }

    /// The drift at `time`, from the rows of state and score.
    pub(super) fn slope(&self, time: f64) -> Result<Update> {
        if let Some(programs) = &self.programs {
            return Ok(Update::Program(programs.slope.clone(), programs.slope.at(time, &[])));
        }
        let (offset, weights) = self.linear(time)?;
        Ok(Update::Affine(Affine::map(&offset, &weights)))
    }

    /// An Euler–Maruyama step of `length` that begins at `time`, from the rows of state, score and noise; the noise does
    /// nothing where `is_silent`.
    pub(super) fn step(&self, time: f64, length: f64, is_silent: bool) -> Result<Update> {
        let root = if is_silent { 0.0 } else { length.sqrt() };
        if let Some(programs) = &self.programs {
            return Ok(Update::Program(programs.step.clone(), programs.step.at(time, &[length, root])));
        }
        let (offset, weights) = self.linear(time)?;
        let noise = self.process.linear_at(time)?.noise.select_columns(self.process.sources());
        let weights = joined(&[&(weights * length), &(noise * root)]);
        Ok(Update::Affine(Affine::step(&(offset * length), &weights)))
    }

    /// The drift of a linear process: its constant part, and the weights of state and score.
    fn linear(&self, time: f64) -> Result<(DVector<f64>, DMatrix<f64>)> {
        let Motion { drift, score } = self.motion;
        let linear = self.process.linear_at(time)?;
        let state = &linear.drift * drift;
        let weights = match score {
            0.0 => state,
            _ => joined(&[&state, &(linear.diffusion().select_columns(self.process.driven()) * score)]),
        };
        Ok((linear.offset * drift, weights))
    }
}

impl Update {
    /// What a thread needs to apply it, and any other of the same kind and field, to rows of `length`.
    pub(super) fn registers(&self, length: usize) -> Registers {
        match self {
            Self::Affine(_) => Registers(None),
            Self::Program(program, _) => Registers(Some(program.workspace(length))),
        }
    }

    /// Writes [m, length] from `inputs`, [inputs, length].
    pub(super) fn apply(&self, registers: &mut Registers, length: usize, inputs: &[f32], out: &mut [f32]) {
        match (self, &mut registers.0) {
            (Self::Affine(affine), _) => affine.apply(length, inputs, out),
            (Self::Program(program, scalars), Some(workspace)) => {
                program.run(scalars, workspace, length, &inputs[..program.inputs() * length], out);
            }
            (Self::Program(..), None) => unreachable!("a nonlinear process has registers"),
        }
    }
}

impl Programs {
    fn new(process: &Process, motion: Motion) -> Result<Self> {
        let slope = slope(process, motion);
        let noise = noise_terms(process, motion);
        let (length, root) = (Expression::parameter("length"), Expression::parameter("root"));
        let step = slope
            .iter()
            .zip(noise)
            .enumerate()
            .map(|(i, (slope, noise))| component(i).add(&slope.multiply(&length).add(&noise.multiply(&root))));
        let inputs = score_place(process, motion, process.driven().len());
        let all = inputs + process.sources().len();
        Ok(Self {
            step: Arc::new(Program::new(&step.collect::<Vec<_>>(), all, &["length", "root"])?),
            slope: Arc::new(Program::new(&slope, inputs, &[])?),
        })
    }
}

/// Row number `index` of the inputs.
fn component(index: usize) -> Expression {
    Expression::component(index, "row")
}

/// The row of component number `index` of the score, which motions without score do not have; or where noise begins.
fn score_place(process: &Process, motion: Motion, index: usize) -> usize {
    process.components() + if motion.score == 0.0 { 0 } else { index }
}

/// Σ_r G_ir ξ_r for each component.
fn noise_terms(process: &Process, motion: Motion) -> Vec<Expression> {
    let first = score_place(process, motion, process.driven().len());
    let term = |row: &Vec<Expression>| {
        let terms = row.iter().enumerate().map(|(place, g)| g.multiply(&component(first + place)));
        terms.fold(Expression::constant(0.0), |sum, term| sum.add(&term))
    };
    process.bound_noise().iter().map(term).collect()
}

/// `drift` f + `score` (∇·D + D ŝ) for each component.
fn slope(process: &Process, motion: Motion) -> Vec<Expression> {
    let number = Expression::constant;
    let diffusion = process.bound_diffusion();
    let pull = |i: usize| {
        process.driven().iter().enumerate().fold(number(0.0), |sum, (place, &j)| {
            let diffusion = &diffusion[i][j];
            let score = component(score_place(process, motion, place));
            sum.add(&diffusion.derivative(j)).add(&diffusion.multiply(&score))
        })
    };
    let entry = |(i, f): (usize, &Expression)| {
        let drift = f.combine(Operation::Multiply, &number(motion.drift));
        match motion.score {
            0.0 => drift,
            score => drift.add(&pull(i).multiply(&number(score))),
        }
    };
    process.bound_drift().iter().enumerate().map(entry).collect()
}
