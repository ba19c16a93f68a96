//! The equations of motion: of a process, of its reverse, and of its probability flow. They are formed here and nowhere
//! else: what is printed is what is run.
//!
//! With D = G Gᵀ and (∇·D)_i = Σ_j ∂_j D_ij, a process dz = f dt + G dW (Itô) has in reverse time s the drift
//! −f + ∇·D + D ∇log p (Anderson, Stoch. Proc. Appl. 12, 313 (1982)), and its probability flow the velocity
//! −f + ½ ∇·D + ½ D ∇log p (Song et al., arXiv 2011.13456).

use super::{Definition, Process};
use crate::expr::Expression;

/// Which way a state moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// The process itself: dz = f dt + G dW.
    Forward,
    /// The process in reverse time: dz = [−f + ∇·D + D ŝ] ds + G dW.
    Reverse,
    /// The probability flow in reverse time: dz = [−f + ½ ∇·D + ½ D ŝ] ds.
    Flow,
    /// The probability flow in forward time: dz = [f − ½ ∇·D − ½ D ŝ] dt.
    ForwardFlow,
}

impl Motion {
    /// The factors of f, and of ∇·D + D ŝ.
    pub fn factors(self) -> (f64, f64) {
        match self {
            Self::Forward => (1.0, 0.0),
            Self::Reverse => (-1.0, 1.0),
            Self::Flow => (-1.0, 0.5),
            Self::ForwardFlow => (1.0, -0.5),
        }
    }

    /// Whether it has noise.
    pub fn is_noisy(self) -> bool {
        matches!(self, Self::Forward | Self::Reverse)
    }
}

/// dz = [drift + pull ŝ] ds + noise dW of the components of one copy, ŝ being the score of the driven ones, as
/// expressions in the state, the time and the parameters.
#[derive(Debug, Clone)]
pub struct Equations<'a> {
    pub(super) process: &'a Process,
    pub(super) motion: Motion,
    /// What does not need the score, \[components\].
    pub drift: Vec<Expression>,
    /// The weights of the score, [components, driven components], or [components, 0] where it has no part.
    pub pull: Vec<Vec<Expression>>,
    /// G, [components, sources of the definition], or [components, 0] where there is no noise.
    pub noise: Vec<Vec<Expression>>,
}

impl Process {
    /// The equations of a motion.
    pub fn equations(&self, motion: Motion) -> Equations<'_> {
        let definition = self.definition();
        let rows = 0..self.components();
        let scaled = |expression: Expression| match motion.factors().1 {
            1.0 => expression,
            0.5 => expression.half(),
            _ => expression.half().opposite(),
        };
        let drift = |i: usize| {
            let own = &definition.drift[i];
            match motion {
                Motion::Forward => own.clone(),
                Motion::Reverse | Motion::Flow => own.opposite().add(&scaled(definition.divergence(i))),
                Motion::ForwardFlow => own.add(&scaled(definition.divergence(i))),
            }
        };
        let scored = if motion == Motion::Forward { &[] } else { self.driven() };
        let pull = |i: usize| scored.iter().map(|&j| scaled(definition.diffusion(i, j))).collect();
        let noise = |i: usize| if motion.is_noisy() { definition.noise[i].clone() } else { Vec::new() };
        Equations {
            process: self,
            motion,
            drift: rows.clone().map(drift).collect(),
            pull: rows.clone().map(pull).collect(),
            noise: rows.map(noise).collect(),
        }
    }
}

impl Equations<'_> {
    /// drift + pull ŝ with numbers for all parameters, as expressions in the components of the state and, behind them,
    /// of the score.
    pub fn slope(&self) -> Vec<Expression> {
        let first = self.drift.len();
        let row = |(drift, pull): (&Expression, &Vec<Expression>)| {
            let terms = pull.iter().enumerate().map(|(place, weight)| weight.multiply(&input(first + place)));
            terms.fold(drift.clone(), |sum, term| sum.add(&term)).bind(self.process.parameters())
        };
        self.drift.iter().zip(&self.pull).map(row).collect()
    }

    /// Σ_s G_is ξ_s with numbers for all parameters, as expressions in the components of the noise, of the sources of
    /// [`Process::sources`]; they stand behind those of state and score. Nothing where there is no noise.
    pub fn kick(&self) -> Vec<Expression> {
        let first = self.drift.len() + self.pull[0].len();
        let row = |noise: &Vec<Expression>| {
            let sources = self.process.sources().iter().enumerate();
            let terms = sources.map(|(place, &source)| noise[source].multiply(&input(first + place)));
            let sum = terms.fold(Expression::constant(0.0), |sum, term| sum.add(&term));
            sum.bind(self.process.parameters())
        };
        self.noise.iter().filter(|row| !row.is_empty()).map(row).collect()
    }
}

/// What stands at place `index` of the inputs of an equation: state, score, noise.
fn input(index: usize) -> Expression {
    Expression::component(index, "input")
}

impl Definition {
    /// D_ij = Σ_s G_is G_js.
    pub fn diffusion(&self, i: usize, j: usize) -> Expression {
        let products = self.noise[i].iter().zip(&self.noise[j]).map(|(a, b)| a.product(b));
        products.fold(Expression::constant(0.0), |sum, product| sum.add(&product))
    }

    /// (∇·D)_i = Σ_j ∂_j D_ij: 0 where the noise does not depend on the state.
    fn divergence(&self, i: usize) -> Expression {
        let depends = |row: &[Expression]| row.iter().any(Expression::depends_on_state);
        let slopes = (0..self.components())
            .filter(|&j| depends(&self.noise[i]) || depends(&self.noise[j]))
            .map(|j| self.diffusion(i, j).derivative(j));
        slopes.fold(Expression::constant(0.0), |sum, slope| sum.add(&slope))
    }
}
