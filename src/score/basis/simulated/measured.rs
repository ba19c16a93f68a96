//! What is measured on simulated paths.

use serde::{Deserialize, Serialize, Serializer};

use super::super::Subject;
use super::super::equilibrium::Equilibrium;
use crate::process::Chain;
use crate::vector::single;

/// What was measured on simulated paths; a checkpoint carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Steps of the chain that were asked for; J is larger where coefficients change fast.
    pub steps: usize,
    /// Length of the windows in time that was asked for.
    pub window: Option<f64>,
    /// Mean of the states at t_0, ..., t_J, [J + 1, m·copies].
    pub mean: Vec<f64>,
    /// Covariance over components, averaged over copies, [J + 1, m, m].
    pub covariance: Vec<f64>,
    /// ln ℓ² of the driven components at t_0 (that of t_1), ..., t_J, [J + 1, driven].
    pub log_unit: Vec<f64>,
    /// Means of the equilibrium scores φ, [J + 1, φs·copies].
    pub level: Vec<f64>,
    /// Of each φ: its covariances with the components, its variance and the mean of ∂φ, averaged over copies,
    /// [J + 1, φs, m + 2].
    pub balance: Vec<f64>,
    /// Part of the variance of an end state that its datum explains linearly, of the pair of components that know most.
    pub residual_signal: f64,
    /// The least and the largest value of each component and copy at any time, [m·copies].
    #[serde(serialize_with = "short_pairs")]
    pub reach: Vec<[f32; 2]>,
    /// States at the horizon, [count, m·copies].
    #[serde(serialize_with = "short")]
    pub ends: Vec<f32>,
}

/// The number of fewest digits that is `value` in single precision.
pub(super) fn shortest(value: f32) -> f64 {
    let short = value.to_string().parse().unwrap_or(f64::from(value));
    if single(short) == value { short } else { f64::from(value) }
}

fn short<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|&value| shortest(value)))
}

fn short_pairs<S: Serializer>(values: &[[f32; 2]], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|pair| pair.map(shortest)))
}

impl Measured {
    /// Whether all lengths are those of `chain` and `subject`.
    pub(super) fn fits(&self, chain: &Chain, subject: &Subject, equilibrium: &Equilibrium) -> bool {
        let (m, driven) = (subject.process().components(), subject.process().driven().len());
        let (copies, rows, balances) = (subject.copies(), subject.inputs(), equilibrium.places().len());
        let lengths = [&self.mean, &self.covariance, &self.log_unit, &self.level, &self.balance];
        let wanted = [rows, m * m, driven, balances * copies, balances * (m + 2)].map(|row| (chain.steps() + 1) * row);
        lengths.map(Vec::len) == wanted
            && self.reach.len() == rows
            && !self.ends.is_empty()
            && self.ends.len().is_multiple_of(rows)
    }

    /// A row of `values`, [J + 1, row], at the place `place` among the steps, linear between them.
    pub(super) fn between(values: &[f64], steps: usize, place: f64) -> Vec<f64> {
        let row = values.len() / (steps + 1);
        let before = (place as usize).min(steps - 1);
        let part = place - before as f64;
        let [a, b] = [before, before + 1].map(|step| &values[step * row..][..row]);
        a.iter().zip(b).map(|(a, b)| a + part * (b - a)).collect()
    }
}
