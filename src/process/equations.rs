//! Equations of motion in print, as text and as LaTeX.

use super::motion::{Equations, Motion};
use crate::expr::{Expression, latex_symbol};

/// How they are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
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

    fn time(self, motion: Motion) -> &'static str {
        match (self, motion) {
            (Self::Text, Motion::Forward | Motion::ForwardFlow) => " dt",
            (Self::Text, Motion::Reverse | Motion::Flow) => " ds",
            (Self::Latex, Motion::Forward | Motion::ForwardFlow) => "\\,\\mathrm{d}t",
            (Self::Latex, Motion::Reverse | Motion::Flow) => "\\,\\mathrm{d}s",
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

impl Equations<'_> {
    /// One line of text for each component, `dx = [k x + 2 T S_x] ds + sqrt(2 T) dW1`, aligned at the equals sign. S_x
    /// is the score of the component x.
    pub fn text(&self) -> Vec<String> {
        let names = self.process.component_names();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let line = |(i, name): (usize, &String)| format!("d{name:<width$} = {}", self.right_side(i, Style::Text));
        names.iter().enumerate().map(line).collect()
    }

    /// The same as lines of an `align*`.
    pub fn latex(&self) -> Vec<String> {
        let names = self.process.component_names();
        let left = |name: &str| format!("\\mathrm{{d}}{} &=", latex_symbol(name));
        names
            .iter()
            .enumerate()
            .map(|(i, name)| format!("{} {}", left(name), self.right_side(i, Style::Latex)))
            .collect()
    }

    fn right_side(&self, i: usize, style: Style) -> String {
        let is_zero = |expression: &Expression| expression.as_constant() == Some(0.0);
        let mut slopes = Vec::new();
        if !is_zero(&self.drift[i]) {
            slopes.push(style.whole(&self.drift[i]));
        }
        for (weight, &j) in self.pull[i].iter().zip(self.process.driven()).filter(|(weight, _)| !is_zero(weight)) {
            slopes.push(format!("{} {}", style.factor(weight), style.score(&self.process.component_name(j))));
        }
        let mut terms = Vec::new();
        if !slopes.is_empty() {
            let is_sum = slopes.len() > 1 || self.drift[i].is_sum();
            let sum = joined(&slopes);
            terms.push(format!("{}{}", if is_sum { style.bracketed(&sum) } else { sum }, style.time(self.motion)));
        }
        for (source, amplitude) in self.noise[i].iter().enumerate().filter(|(_, amplitude)| !is_zero(amplitude)) {
            terms.push(format!("{}{}", style.factor(amplitude), style.noise(source)));
        }
        if terms.is_empty() { "0".to_owned() } else { joined(&terms) }
    }

    /// The same without the noise that its parameters make 0, as what follows from a process has it.
    #[must_use]
    pub fn effective(mut self) -> Self {
        let sources = self.process.sources();
        for row in &mut self.noise {
            let silent = row.iter_mut().enumerate().filter(|(source, _)| !sources.contains(source));
            silent.for_each(|(_, amplitude)| *amplitude = Expression::constant(0.0));
        }
        self
    }
}

/// A sum of terms, of which some may begin with a minus.
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
