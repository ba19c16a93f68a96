//! Coefficients of a linear process as functions of the time, ready to be asked for many times.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Definition;
use super::form::{Coefficients, Numbers, Place};
use crate::error::{Error, Result};
use crate::expr::{Course, Expression};
use crate::process::Linear;
use crate::process::kernel::Integrand;
use crate::settings::written;

/// The coefficients of one process with numbers for its parameters.
#[derive(Debug)]
pub(in crate::process) struct Timeline {
    definition: Arc<Definition>,
    parameters: BTreeMap<String, f64>,
    /// Those that do not depend on the time; the others are 0.
    constant: Linear,
    varying: Vec<(Place, Expression)>,
    /// The latter with numbers for the parameters.
    course: Course,
}

impl Timeline {
    /// # Errors
    /// When a coefficient that does not depend on the time has no finite value.
    pub(in crate::process) fn new(
        definition: &Arc<Definition>,
        parameters: &BTreeMap<String, f64>,
        coefficients: &Coefficients,
    ) -> Result<Self> {
        let numbers = Numbers { definition, parameters };
        let mut constant = numbers.still(coefficients)?;
        let mut varying = Vec::new();
        for (place, expression) in coefficients.entries() {
            if expression.depends_on_time() {
                varying.push((place, expression.clone()));
            } else {
                let (part, component) = place.named();
                *place.entry(&mut constant) = numbers.value(part, component, expression, 0.0)?;
            }
        }
        let bound: Vec<_> = varying.iter().map(|(_, expression)| expression.bind(parameters)).collect();
        let course = Course::new(&bound)?;
        Ok(Self { definition: definition.clone(), parameters: parameters.clone(), constant, varying, course })
    }

    /// The coefficients that do not depend on the time, 0 for the others, with the law of the start.
    pub(in crate::process) fn constant(&self) -> &Linear {
        &self.constant
    }

    /// The coefficients that depend on the time.
    pub(in crate::process) fn varying(&self) -> &[(Place, Expression)] {
        &self.varying
    }

    /// The coefficients that depend on the time, in the order of [`Timeline::varying`].
    pub(in crate::process) fn course(&self) -> &Course {
        &self.course
    }

    /// As [`Definition::switching_times`].
    pub(in crate::process) fn switching_times(&self, end: f64) -> Vec<f64> {
        self.definition.switching_times(&self.parameters, end)
    }

    /// How each coefficient that depends on the time is integrated, in the order of [`Timeline::varying`].
    pub(in crate::process) fn integrands(&self) -> Vec<Integrand> {
        let integrand = |(place, _): &(Place, Expression)| {
            let (part, component) = place.named();
            let power = if matches!(place, Place::Noise(..)) { 2 } else { 1 };
            Integrand { name: format!("the {part} of `{}`", self.definition.component_name(component)), power }
        };
        self.varying.iter().map(integrand).collect()
    }

    /// Refuses what grows so fast towards t = 0 that drift or D = G Gᵀ cannot be integrated: as t^−α with α from 0.95
    /// on, beyond which floating point has no times near enough to 0. The value at 0 itself does not matter.
    ///
    /// # Errors
    /// Names the coefficient and its power.
    pub(in crate::process) fn check_start(&self, horizon: f64) -> Result<()> {
        const OCTAVES: f64 = 100.0;
        const MOST: f64 = 0.95;
        if !self.course.is_singular_at(0.0) {
            return Ok(());
        }
        let near = |octaves: f64| self.course.at(horizon * (-octaves).exp2());
        let ends = near(700.0 + OCTAVES).into_iter().zip(near(700.0));
        let integrands = self.integrands().into_iter().zip(&self.varying);
        for ((Integrand { name, power }, (place, expression)), (nearer, farther)) in integrands.zip(ends) {
            let (growth, power) = ((nearer / farther).abs().log2() / OCTAVES, f64::from(power));
            if nearer == farther || power * growth < MOST {
                continue;
            }
            let (fastest, most) = (written(1.0 / power), written(MOST / power));
            let reason = match power * growth < 0.999 {
                true => format!(
                    "grows as t^-{growth:.3} towards t = 0: powers from t^-{most} on up to t^-{fastest} have an integral, \
                     but floating point has no times near enough to 0 for it"
                ),
                false => "grows too fast towards t = 0 to be integrated".to_owned(),
            };
            let problem = format!("{name}, `{expression}`, {reason}");
            return Err(Error::part(&self.definition.name, place.named().0, problem).with_hint(format!(
                "it may grow more slowly than t^-{most}: keep it finite, with t + 1e-5 for t, or where(t > 1e-5, .., ..)"
            )));
        }
        Ok(())
    }

    /// The parameters' values.
    pub(in crate::process) fn parameters(&self) -> &BTreeMap<String, f64> {
        &self.parameters
    }

    /// All coefficients at `time`.
    ///
    /// # Errors
    /// When one has no finite value; names it.
    pub(in crate::process) fn at(&self, time: f64) -> Result<Linear> {
        let found = self.course.at(time);
        let mut linear = self.constant.clone();
        for ((place, expression), value) in self.varying.iter().zip(found) {
            if !value.is_finite() {
                let numbers = Numbers { definition: &self.definition, parameters: &self.parameters };
                let (part, component) = place.named();
                numbers.value(part, component, expression, time)?;
            }
            *place.entry(&mut linear) = value;
        }
        Ok(linear)
    }
}
