//! A process in words and equations, as `print(p)` shows it.

use std::fmt::{Display, Formatter, Result};

use nalgebra::DMatrix;

use super::{Class, Motion, Process};
use crate::error::Error;
use crate::tensor::number;

/// More of the data's mean than this left at the horizon is worth a warning.
const MUCH_LEFT: f64 = 0.3;

impl Display for Process {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}: {}, horizon {}", self.name(), self.class_in_words(), self.horizon())?;
        for line in self.equations(Motion::Forward).text() {
            writeln!(f, "  {line}")?;
        }
        let auxiliaries = &self.component_names()[self.data_components()..];
        let start = self.definition().start.describe(auxiliaries);
        if !start.is_empty() {
            writeln!(f, "  at t = 0     {}", start.join(", "))?;
        }
        if !self.parameters().is_empty() {
            let list: Vec<_> = self.parameters().iter().map(|(name, value)| format!("{name} = {value}")).collect();
            writeln!(f, "  parameters   {}", list.join(", "))?;
        }
        writeln!(f, "  driven       {}", self.driven_in_words())?;
        if self.is_periodic() {
            writeln!(f, "  periodic     {}: angles in (-pi, pi]", self.blocks()[0])?;
        }
        let (stationary, kernel) = (self.stationary(), self.kernel(self.horizon()));
        match &stationary {
            Ok(law) => writeln!(f, "  stationary   {}", covariance_table(&self.component_names(), &law.covariance))?,
            Err(_) if self.is_periodic() && kernel.is_ok() => {
                writeln!(f, "  stationary   {} uniform on the circle", self.blocks()[0])?;
            }
            Err(error) => writeln!(f, "  stationary   {}", self.without_repetition(error))?,
        }
        match &kernel {
            Ok(kernel) if self.is_periodic() => {
                let spread = kernel.covariance[(0, 0)].sqrt();
                let left = number(100.0 * (-0.5 * spread * spread).exp());
                let name = &self.blocks()[0];
                write!(
                    f,
                    "  at T         {name} has spread by {} radians: {left} % of cos {name} is left",
                    number(spread)
                )?;
            }
            Ok(kernel) => write!(f, "  at T         {}", left(kernel.response()[(0, 0)]))?,
            Err(_) if self.class() == Class::Nonlinear => write!(f, "  at T         no kernel")?,
            Err(error) => write!(f, "  at T         no kernel: {}", self.without_repetition(error))?,
        }
        let response = kernel.ok().filter(|_| stationary.is_ok()).map(|kernel| kernel.response()[(0, 0)]);
        for warning in self.warnings(response) {
            write!(f, "\n  warning: {warning}")?;
        }
        Ok(())
    }
}

fn left(response: f64) -> String {
    let percent = 100.0 * response.abs();
    if percent >= 0.1 { format!("{percent:.1} % of the data's mean is left") } else { "the data are forgotten".into() }
}

impl Process {
    fn class_in_words(&self) -> String {
        match self.class() {
            Class::Constant => "linear, constant coefficients".to_owned(),
            Class::Commuting => {
                let factor = self.rescaled().map(|(factor, _)| factor.to_string()).unwrap_or_default();
                let reasons = self.reasons().join(", ");
                format!("{}: {reasons}; time rescaled: all coefficients share the factor {factor}", self.kind())
            }
            Class::TimeDependent | Class::Nonlinear => format!("{}: {}", self.kind(), self.reasons().join(", ")),
        }
    }

    /// An error of this process without its name and, of a nonlinear one, without the reason, which are said above.
    fn without_repetition(&self, error: &Error) -> String {
        let Error::Process { problem, .. } = error else { return error.to_string() };
        let reasons = format!(": {}", self.reasons().join(", "));
        problem.strip_suffix(&reasons).unwrap_or(problem).to_owned()
    }

    fn driven_in_words(&self) -> String {
        let driven = self.driven();
        let name = |component: &usize| self.component_name(*component);
        match driven.is_empty() {
            true => "nothing".to_owned(),
            false => driven.iter().map(name).collect::<Vec<_>>().join(", "),
        }
    }

    /// `response` is what is left of the data's mean at the horizon, of a process that settles.
    fn warnings(&self, response: Option<f64>) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Err(error) = self.require_noise() {
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            warnings.push(format!("{error}{hint}"));
        }
        if let Some(response) = response.filter(|response| response.abs() > MUCH_LEFT) {
            warnings.push(format!("the horizon is short: {}; raise it", left(response)));
        }
        warnings
    }
}

/// A matrix over components, small enough for one line per row.
pub(crate) fn covariance_table(names: &[String], values: &DMatrix<f64>) -> String {
    // What is below the last digit of its variances is 0 but for rounding.
    let least = |i: usize, j: usize| f64::EPSILON * (values[(i, i)] * values[(j, j)]).sqrt();
    let value = |i: usize, j: usize| if values[(i, j)].abs() < least(i, j) { 0.0 } else { values[(i, j)] };
    let cells: Vec<Vec<String>> =
        (0..names.len()).map(|i| (0..names.len()).map(|j| number(value(i, j))).collect()).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let column = cells.iter().flatten().map(String::len).max().unwrap_or(0).max(width);
    let head: String = names.iter().map(|name| format!("  {name:>column$}")).collect();
    let indent = " ".repeat(15);
    let mut lines = vec![format!("{}{head}   (covariance)", " ".repeat(width))];
    for (name, cells) in names.iter().zip(&cells) {
        let row: String = cells.iter().map(|cell| format!("  {cell:>column$}")).collect();
        lines.push(format!("{indent}{name:<width$}{row}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::process::fixtures;

    #[test]
    fn shows_equations_class_and_warnings() {
        let text = fixtures::symbolic(0.5).to_string();
        for part in [
            "active: linear, constant coefficients, horizon 0.5",
            "dx   = [eta - k x] dt",
            "deta = -eta/tau dt + sqrt(2 Ta)/tau dW2",
            "eta ~ normal(0, sqrt(Ta/tau))",
            "Ta = 1, k = 1, tau = 0.5",
            "driven       eta",
            "0.66667",
            "warning: the horizon is short: 60.7 % of the data's mean is left",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn small_covariances_keep_their_digits() {
        let covariance = DMatrix::from_row_slice(2, 2, &[1.25e-5, 3e-30, 3e-30, 2.0]);
        let text = covariance_table(&["x".into(), "eta".into()], &covariance);
        let cells: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(cells, [["x", "1.2500e-5", "0"], ["eta", "0", "2"]]);
        let ends: Vec<usize> = text.lines().skip(1).map(|line| line.chars().count()).collect();
        assert_eq!(ends[0], ends[1], "{text}");
    }

    /// The definition survives the way into a file and back bit for bit.
    #[test]
    fn definition_is_stored_exactly() {
        let process = fixtures::symbolic(0.5).vary(&BTreeMap::from([("tau".to_owned(), 0.1 + 0.2)])).unwrap();
        let text = serde_json::to_string(&process).unwrap();
        let back: Process = serde_json::from_str(&text).unwrap();
        assert_eq!(back.constant(), process.constant());
        assert_eq!(back.to_string(), process.to_string());
    }
}
