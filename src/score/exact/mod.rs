//! Scores in closed form: Gaussian mixtures, and finite data as a mixture of points.
//!
//! Under a linear process every component N(μ, S) stays Gaussian: N(Φ_x μ + c, Φ_x S Φ_xᵀ + Σ). States are seen as what
//! they differ by from the mean of the noised data, along the axes of the data, and so are the components: their μ is
//! Vᵀ(μ − m), their S is Vᵀ S V, and c is 0.

mod coupled;
mod general;
mod lanes;
mod posterior;
mod shared;
mod softmax;
mod wrapped;

use coupled::Coupled;
use general::General;
use shared::Shared;
use wrapped::Wrapped;

use super::circle::moments;
use super::{Prepared, Score, turned};
use crate::data::{Covariance, Dataset, Detail, Mixture, Moments, Units};
use crate::error::{Error, Result};
use crate::process::{Class, Process};
use crate::task::Task;
use crate::vector::{single_rows, singles};

/// The exact score of a Gaussian mixture, or the *empirical* score of finite data.
#[derive(Debug, Clone)]
pub struct Exact {
    process: Process,
    shape: Vec<usize>,
    moments: Moments,
    units: Option<Units>,
    /// The smallest standard deviation within a component, where components have one.
    finest: Option<f64>,
    details: Vec<Detail>,
    is_gaussian: bool,
    law: Law,
}

#[derive(Debug, Clone)]
enum Law {
    /// All components have the same isotropic variance.
    Shared(Shared),
    General(General),
    /// The process couples coordinates.
    Coupled(Coupled),
    /// The data are angles.
    Wrapped(Wrapped),
}

impl Exact {
    /// The score of `data` noised by `process`.
    ///
    /// The empirical score of finite data is exact for the data and nothing else: its samples are the data again.
    ///
    /// # Errors
    /// When the score of the data has no closed form, or noise does not reach every component of the process.
    pub fn new(process: &Process, data: &Dataset) -> Result<Self> {
        process.require_noise()?;
        if process.class() == Class::Nonlinear {
            let problem = format!("it has no exact score, since it is nonlinear: {}", process.reasons().join(", "));
            return Err(Error::process(process.name(), problem)
                .with_hint("learn one with score::mlp, which simulates the process"));
        }
        let moments = &moments(process, data)?;
        let d = moments.mean.len();
        process.copies(d)?;
        let is_coupled = process.coordinates().is_some();
        let axes = turned(process, moments).and_then(|moments| moments.axes.as_ref());
        let law = if process.is_periodic() {
            Law::Wrapped(on_circle(data)?)
        } else if let Some(points) = data.deviations() {
            let points = axes.map_or_else(|| points.clone(), |axes| &points * axes);
            let values = single_rows(&points);
            match is_coupled {
                true => Law::Coupled(Coupled::points(d, &values)),
                false => Law::Shared(Shared::new(&vec![1.0; points.nrows()], values, 0.0)),
            }
        } else if let Some(mixture) = data.mixture() {
            let mixture = mixture.seen_from(&moments.mean, axes);
            match &mixture.covariance {
                _ if is_coupled => Law::Coupled(Coupled::mixture(&mixture)),
                Covariance::Isotropic(variances) if variances.iter().all(|v| *v == variances[0]) => {
                    let means = singles(&mixture.means);
                    Law::Shared(Shared::new(&mixture.weights, means, variances[0]))
                }
                _ => Law::General(General::new(&mixture)),
            }
        } else {
            return Err(without_closed_form(data));
        };
        let (shape, moments, units) = (data.shape().to_vec(), moments.clone(), data.units().cloned());
        let mixture = data.mixture();
        let finest = mixture.map(Mixture::finest);
        let details = mixture.map_or_else(Vec::new, |mixture| mixture.details(&moments));
        let is_gaussian = mixture.is_some_and(|mixture| mixture.components() == 1) && !process.is_periodic();
        Ok(Self { process: process.clone(), shape, moments, units, finest, details, is_gaussian, law })
    }
}

fn without_closed_form(data: &Dataset) -> Error {
    Error::argument("data", format!("`{}` has no score in closed form", data.name()))
        .with_hint("take a mixture, or finite data: dataset::from_array(data.sample(1000, 1)) has the empirical score")
}

/// The law of angles.
fn on_circle(data: &Dataset) -> Result<Wrapped> {
    if let Some(points) = data.points() {
        let values: Vec<_> = points.values().iter().map(|&x| f64::from(x)).collect();
        return Ok(Wrapped::new(&vec![1.0; values.len() / data.dimension()], &values, vec![0.0]));
    }
    let mixture = data.mixture().ok_or_else(|| without_closed_form(data))?;
    match &mixture.covariance {
        Covariance::Isotropic(variances) => Ok(Wrapped::new(&mixture.weights, &mixture.means, variances.clone())),
        Covariance::Full(_) => {
            let problem =
                format!("`{}` has covariances, but on a circle only one width in all directions", data.name());
            Err(Error::argument("data", problem).with_hint(
                "give each component one std, or take finite data: dataset::from_array(data.sample(1000, 1))",
            ))
        }
    }
}

impl Score for Exact {
    fn process(&self) -> &Process {
        &self.process
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn moments(&self) -> &Moments {
        &self.moments
    }

    fn finest(&self) -> Option<f64> {
        self.finest
    }

    fn details(&self) -> Vec<Detail> {
        self.details.clone()
    }

    fn is_gaussian(&self) -> bool {
        self.is_gaussian
    }

    fn has_density(&self) -> bool {
        self.finest.is_some_and(|finest| finest > 0.0)
    }

    fn units(&self) -> Option<&Units> {
        self.units.as_ref()
    }

    fn prepare(&self, times: &[f64], task: &Task) -> Result<Box<dyn Prepared + '_>> {
        Ok(match &self.law {
            Law::Shared(law) => Box::new(law.prepare(&self.process, times, task)?),
            Law::General(law) => Box::new(law.prepare(&self.process, times, task)?),
            Law::Coupled(law) => Box::new(law.prepare(&self.process, times, task)?),
            Law::Wrapped(law) => Box::new(law.prepare(&self.process, times, task)?),
        })
    }
}

#[cfg(test)]
mod tests;
