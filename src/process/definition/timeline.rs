//! Coefficients of a linear process as functions of the time, ready to be asked for many times.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Definition;
use super::form::{Coefficients, Numbers, Place};
use crate::error::Result;
use crate::expr::{Course, Expression};
use crate::process::Linear;

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

    /// Whether all that is infinite at t = 0 grows so slowly towards it that drift and D = G Gᵀ can be integrated: as
    /// t^−α with α below 0.95, beyond which floating point has no times near enough to 0.
    pub(in crate::process) fn is_integrable(&self, horizon: f64) -> bool {
        const OCTAVES: f64 = 100.0;
        let near = |octaves: f64| self.course.at(horizon * (-octaves).exp2());
        let ends = near(700.0 + OCTAVES).into_iter().zip(near(700.0));
        self.varying.iter().zip(ends).all(|((place, _), (nearer, farther))| {
            let growth = (nearer / farther).abs().log2() / OCTAVES;
            let power = if matches!(place, Place::Noise(..)) { 2.0 * growth } else { growth };
            nearer == farther || power < 0.95
        })
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
