//! What kind of process a definition is, by its graph and not by probing, and its coefficients where it is linear.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DVector};

use super::Definition;
use crate::error::{Error, Result};
use crate::expr::{Affine, Assignment, Expression};
use crate::process::Linear;
use crate::settings::written;

/// The classes of processes, from the easiest to the hardest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Linear with constant coefficients.
    Constant,
    /// Linear, all coefficients being constants times one function of the time: β(t) A₀, β(t) b₀, √β(t) G₀.
    Commuting,
    /// Linear with coefficients that depend on the time.
    TimeDependent,
    /// Nonlinear in the drift, or with noise that depends on the state.
    Nonlinear,
}

/// Where a coefficient stands in `dz = (A z + b) dt + G dW`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::process) enum Place {
    /// A, (row, column).
    Drift(usize, usize),
    /// b, row.
    Offset(usize),
    /// G, (row, source).
    Noise(usize, usize),
}

impl Place {
    /// The part of the definition and the component it belongs to.
    pub(super) fn named(self) -> (&'static str, usize) {
        match self {
            Self::Drift(row, _) | Self::Offset(row) => ("drift", row),
            Self::Noise(row, _) => ("noise", row),
        }
    }

    /// Its number in `linear`.
    pub(in crate::process) fn entry(self, linear: &mut Linear) -> &mut f64 {
        match self {
            Self::Drift(row, column) => &mut linear.drift[(row, column)],
            Self::Offset(row) => &mut linear.offset[row],
            Self::Noise(row, source) => &mut linear.noise[(row, source)],
        }
    }
}

/// Coefficients of `dz = (A(t) z + b(t)) dt + G(t) dW` as expressions in the time and the parameters.
#[derive(Debug)]
pub(in crate::process) struct Coefficients {
    drift: Vec<Affine>,
    noise: Vec<Vec<Expression>>,
}

impl Coefficients {
    /// Every coefficient and where it stands.
    pub(in crate::process) fn entries(&self) -> impl Iterator<Item = (Place, &Expression)> {
        let rows = self.drift.iter().enumerate();
        let drift = rows.flat_map(|(i, affine)| {
            let places = (0..affine.coefficients.len()).map(move |j| Place::Drift(i, j)).chain([Place::Offset(i)]);
            places.zip(affine.coefficients.iter().chain([&affine.rest]))
        });
        let rows = self.noise.iter().enumerate();
        drift.chain(rows.flat_map(|(i, row)| row.iter().enumerate().map(move |(j, g)| (Place::Noise(i, j), g))))
    }
}

/// The class of a process, why it is in it, and its coefficients where it is linear.
#[derive(Debug)]
pub(in crate::process) struct Form {
    pub(in crate::process) class: Class,
    /// What makes it harder than constant coefficients: part and place of each cause.
    pub(in crate::process) reasons: Vec<String>,
    pub(in crate::process) coefficients: Option<Coefficients>,
}

impl Form {
    pub(in crate::process) fn of(definition: &Definition) -> Self {
        let (mut nonlinear, mut varying) = (Vec::new(), Vec::new());
        let mut drift = Vec::new();
        for (i, expression) in definition.drift.iter().enumerate() {
            let place = format!("in the drift of {}", definition.component_name(i));
            match expression.affine(definition.components()) {
                Err(part) => nonlinear.push(format!("`{part}` {place}")),
                Ok(affine) => drift.push(affine),
            }
            if expression.depends_on_time() {
                varying.push(format!("`{expression}` {place}"));
            }
        }
        for (i, amplitude) in definition.noise.iter().enumerate().flat_map(|(i, row)| row.iter().map(move |g| (i, g))) {
            let place = format!("in the noise of {}", definition.component_name(i));
            if amplitude.depends_on_state() {
                nonlinear.push(format!("`{amplitude}` {place}"));
            }
            if amplitude.depends_on_time() {
                varying.push(format!("`{amplitude}` {place}"));
            }
        }
        let class = match (nonlinear.is_empty(), varying.is_empty()) {
            (false, _) => Class::Nonlinear,
            (true, false) => Class::TimeDependent,
            (true, true) => Class::Constant,
        };
        let is_linear = nonlinear.is_empty();
        let coefficients = is_linear.then(|| Coefficients { drift, noise: definition.noise.clone() });
        Self { class, reasons: if is_linear { varying } else { nonlinear }, coefficients }
    }
}

/// A definition with numbers for its parameters, asked for numbers.
pub(in crate::process) struct Numbers<'a> {
    pub(in crate::process) definition: &'a Definition,
    pub(in crate::process) parameters: &'a BTreeMap<String, f64>,
}

impl Numbers<'_> {
    /// A process with the start law of this one and all `coefficients` 0.
    ///
    /// # Errors
    /// As [`Numbers::start`].
    pub(in crate::process) fn still(&self, coefficients: &Coefficients) -> Result<Linear> {
        let count = self.definition.components();
        let sources = coefficients.noise.first().map_or(0, Vec::len);
        let start = self.start()?;
        Ok(Linear {
            drift: DMatrix::zeros(count, count),
            offset: DVector::zeros(count),
            noise: DMatrix::zeros(count, sources),
            start_mean: start.mean,
            start_factor: start.factor,
        })
    }

    /// Refuses a definition whose parts without the state have no finite value at one of the `times`.
    ///
    /// # Errors
    /// Names the part, the parameters in it and the time.
    pub(in crate::process) fn check(&self, times: &[f64]) -> Result<()> {
        let drift = self.definition.drift.iter().enumerate().map(|(i, e)| ("drift", i, e));
        let rows = self.definition.noise.iter().enumerate();
        let noise = rows.flat_map(|(i, row)| row.iter().map(move |e| ("noise", i, e)));
        for (part, i, expression) in drift.chain(noise) {
            for free in expression.parts_without_state() {
                let several = if free.depends_on_time() { times } else { &times[..1] };
                for &time in several {
                    self.value(part, i, &free, time)?;
                }
            }
        }
        self.start().map(drop)
    }

    /// Whether an amplitude is anything but the number 0.
    pub(in crate::process) fn is_noise(&self, amplitude: &Expression) -> bool {
        let values = Assignment { time: 0.0, parameters: self.parameters, state: &[] };
        amplitude.depends_on_state() || amplitude.depends_on_time() || amplitude.evaluate(values) != 0.0
    }

    /// The value of an expression without the state.
    ///
    /// # Errors
    /// When it is not finite; names the part, the component, the fault in it and the numbers it was given.
    pub(in crate::process) fn value(
        &self,
        part: &'static str,
        component: usize,
        expression: &Expression,
        time: f64,
    ) -> Result<f64> {
        let values = Assignment { time, parameters: self.parameters, state: &[] };
        let value = expression.evaluate(values);
        if value.is_finite() {
            return Ok(value);
        }
        let fault = expression.fault(values).unwrap_or_else(|| expression.clone());
        let used = self.parameters.iter().filter(|(name, _)| fault.uses_parameter(name));
        let mut known: Vec<_> = used.map(|(name, value)| format!("{name} = {value}")).collect();
        if fault.depends_on_time() {
            known.push(format!("t = {}", written(time)));
        }
        let problem = format!(
            "the {part} of `{}` has no finite value: `{fault}`{}{}",
            self.definition.component_name(component),
            if known.is_empty() { "" } else { " with " },
            known.join(", ")
        );
        Err(Error::part(&self.definition.name, part, problem).with_hint(match fault.depends_on_time() {
            true => "keep it finite at every time from 0 to the horizon: t + 1e-5 for t, or where(t > 1e-5, .., ..)",
            false => "choose parameters for which it is finite and real",
        }))
    }
}
