//! The equations of motion of a process, forward and backward, in text and in LaTeX.

use super::super::Process;
use crate::expr::{Expression, Function, Node, Operation, latex_symbol};

/// Which equation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motion {
    /// dz = f dt + G dW.
    Forward,
    /// dz = [−f + ∇·D + D S] ds + G dW.
    Reverse,
    /// dz = [−f + ½ ∇·D + ½ D S] ds.
    Flow,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Text,
    Latex,
}

impl Style {
    fn factor(self, expression: &Expression) -> String {
        match self {
            Self::Text => expression.factor(),
            Self::Latex => expression.latex_factor(),
        }
    }

    fn whole(self, expression: &Expression) -> String {
        match self {
            Self::Text => expression.to_string(),
            Self::Latex => expression.latex(),
        }
    }

    fn score(self, name: &str) -> String {
        match self {
            Self::Text => format!("S_{name}"),
            Self::Latex => format!("\\partial_{{{}}} \\ln p_t", latex_symbol(name)),
        }
    }

    fn time(self, forward: bool) -> &'static str {
        match (self, forward) {
            (Self::Text, true) => " dt",
            (Self::Text, false) => " ds",
            (Self::Latex, true) => "\\,\\mathrm{d}t",
            (Self::Latex, false) => "\\,\\mathrm{d}s",
        }
    }

    fn noise(self, source: usize) -> String {
        match self {
            Self::Text => format!(" dW{}", source + 1),
            Self::Latex => format!("\\,\\mathrm{{d}}W_{{{}}}", source + 1),
        }
    }

    fn bracketed(self, sum: &str) -> String {
        match self {
            Self::Text => format!("[{sum}]"),
            Self::Latex => format!("\\left[{sum}\\right]"),
        }
    }
}

impl Process {
    /// One equation per component.
    pub(super) fn equations(&self, motion: Motion, style: Style) -> Vec<String> {
        let width = self.component_names().iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let line = |i: usize| {
            let right = self.right_side(i, motion, style);
            let name = self.component_name(i);
            match style {
                Style::Text => format!("d{name:<width$} = {right}"),
                Style::Latex => format!("\\mathrm{{d}}{} &= {right}", latex_symbol(&name)),
            }
        };
        (0..self.components()).map(line).collect()
    }

    fn right_side(&self, i: usize, motion: Motion, style: Style) -> String {
        let drift = &self.definition().drift[i];
        let is_forward = motion == Motion::Forward;
        let mut slopes = Vec::new();
        let deterministic = if is_forward { drift.clone() } else { negated(drift) };
        if deterministic.as_constant() != Some(0.0) {
            slopes.push(style.whole(&deterministic));
        }
        if !is_forward {
            let scaled = |term: Expression| if motion == Motion::Flow { halved(&term) } else { term };
            slopes.extend(self.divergence(i).map(|term| style.factor(&scaled(term))));
            for &j in self.driven() {
                let diffusion = self.diffusion(i, j);
                if diffusion.as_constant() != Some(0.0) {
                    let score = style.score(&self.component_name(j));
                    slopes.push(format!("{} {score}", style.factor(&scaled(diffusion))));
                }
            }
        }
        let mut terms = Vec::new();
        let is_sum = slopes.len() > 1 || style.factor(&deterministic) != style.whole(&deterministic);
        if !slopes.is_empty() {
            let sum = joined(&slopes);
            terms.push(format!("{}{}", if is_sum { style.bracketed(&sum) } else { sum }, style.time(is_forward)));
        }
        if motion != Motion::Flow {
            for &source in self.sources() {
                let amplitude = &self.definition().noise[i][source];
                if amplitude.as_constant() != Some(0.0) {
                    terms.push(format!("{}{}", style.factor(amplitude), style.noise(source)));
                }
            }
        }
        if terms.is_empty() { "0".to_owned() } else { joined(&terms) }
    }

    /// Σ_j ∂D_ij/∂z_j where the noise depends on the state.
    fn divergence(&self, i: usize) -> Option<Expression> {
        let slope = |j: usize| self.diffusion(i, j).derivative(j);
        let sum = (0..self.components()).map(slope).fold(Expression::constant(0.0), |sum, term| sum.add(&term));
        (sum.as_constant() != Some(0.0)).then_some(sum)
    }
}

fn joined(terms: &[String]) -> String {
    let mut sum = String::new();
    for term in terms {
        match term.strip_prefix('-') {
            _ if sum.is_empty() => sum.push_str(term),
            Some(term) => sum.push_str(&format!(" - {term}")),
            None => sum.push_str(&format!(" + {term}")),
        }
    }
    sum
}

/// −e, the minus taken into sums.
fn negated(expression: &Expression) -> Expression {
    match expression.node() {
        Node::Binary(Operation::Subtract, a, b) => b.combine(Operation::Subtract, a),
        Node::Binary(Operation::Add, a, b) => match b.node() {
            Node::Negate(b) => b.combine(Operation::Subtract, a),
            _ => negated(a).combine(Operation::Subtract, b),
        },
        Node::Binary(operation @ (Operation::Multiply | Operation::Divide), a, b) => match a.node() {
            Node::Negate(_) | Node::Constant(_) => negated(a).combine(*operation, b),
            Node::Binary(Operation::Multiply | Operation::Divide, ..) => negated(a).combine(*operation, b),
            _ => expression.negate(),
        },
        _ => expression.negate(),
    }
}

/// e/2, by halving its first number where it begins with one.
fn halved(expression: &Expression) -> Expression {
    match expression.node() {
        Node::Constant(value) => Expression::constant(value / 2.0),
        Node::Binary(operation @ (Operation::Multiply | Operation::Divide), a, b) if begins_with_number(a) => {
            halved(a).combine(*operation, b)
        }
        _ => expression.combine(Operation::Divide, &Expression::constant(2.0)),
    }
}

fn begins_with_number(expression: &Expression) -> bool {
    match expression.node() {
        Node::Constant(_) => true,
        Node::Binary(Operation::Multiply | Operation::Divide, a, _) => begins_with_number(a),
        _ => false,
    }
}

/// e², roots resolved.
pub(super) fn square(expression: &Expression) -> Expression {
    match expression.node() {
        Node::Apply(Function::Sqrt, inner) => inner.clone(),
        Node::Negate(inner) => square(inner),
        Node::Binary(operation @ (Operation::Multiply | Operation::Divide), a, b) => {
            square(a).combine(*operation, &square(b))
        }
        _ => expression.combine(Operation::Power, &Expression::constant(2.0)),
    }
}
