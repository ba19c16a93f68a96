//! How the law of a linear process depends on its parameters.

use nalgebra::{DMatrix, DVector};

use super::definition::{Definition, Numbers, Start, StartLaw, StartNumbers};
use super::{Linear, Process};
use crate::error::Result;
use crate::expr::Expression;

/// A process beside the derivative of its state by a parameter.
///
/// With z the state, u = ∂z/∂p along one path of the noise follows du = (∂f/∂z u + ∂f/∂p) dt + ∂G/∂p dW, so that (z, u)
/// is a linear process with a kernel of its own, to as many digits as any: the derivative of the covariance of z is
/// what z and u have in common, E[u zᵀ] + E[z uᵀ].
#[derive(Debug, Clone)]
pub struct Sensitivity {
    /// z and u. u starts at 0, whatever the law of z at t = 0: that law has a derivative of its own.
    pair: Process,
    start: Law,
}

/// Derivatives of a mean and of a covariance by a parameter, or the two themselves.
#[derive(Debug, Clone)]
struct Law {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

/// Derivatives of what a [`Kernel`](super::Kernel) has, by a parameter.
#[derive(Debug, Clone)]
pub struct KernelSlope {
    /// Of the response to the datum, [m, k].
    pub response: DMatrix<f64>,
    /// Of the offset of the mean, \[m\].
    pub offset: DVector<f64>,
    /// Of the covariance, [m, m].
    pub covariance: DMatrix<f64>,
}

impl Process {
    /// The derivative of its law by the parameter of this `name`.
    ///
    /// # Errors
    /// When there is no such parameter, the process is nonlinear, or a derivative has no finite value, as that of
    /// √(2 T) at T = 0.
    pub fn sensitivity(&self, name: &str) -> Result<Sensitivity> {
        let definition = self.definition();
        self.parameter(name)?;
        let pair =
            Self::build(pair(definition, &self.start()?, name).into(), self.parameters().clone(), self.horizon())?;
        let start = start_slope(self, name, &pair)?;
        Ok(Sensitivity { pair, start })
    }
}

impl Sensitivity {
    /// At `time`.
    ///
    /// # Errors
    /// As [`Process::kernel`].
    pub fn kernel(&self, time: f64) -> Result<KernelSlope> {
        let kernel = self.pair.kernel(time)?;
        let size = self.start.mean.len();
        let transfer = kernel.transfer.view((0, 0), (size, size));
        let started = transfer * &self.start.covariance * transfer.transpose();
        Ok(KernelSlope {
            response: kernel.transfer.view((size, 0), (size, kernel.data)).into_owned(),
            offset: kernel.offset.rows(size, size) + transfer * &self.start.mean,
            covariance: common(&kernel.covariance) + started,
        })
    }

    /// The derivative of mean and covariance of the law that the process settles into.
    ///
    /// # Errors
    /// As [`Process::stationary`].
    pub fn stationary(&self) -> Result<(DVector<f64>, DMatrix<f64>)> {
        let law = self.pair.stationary()?;
        let size = self.start.mean.len();
        Ok((law.mean.rows(size, size).into_owned(), common(&law.covariance)))
    }
}

/// E[u zᵀ] + E[z uᵀ] of the covariance of (z, u).
fn common(covariance: &DMatrix<f64>) -> DMatrix<f64> {
    let size = covariance.nrows() / 2;
    let cross = covariance.view((size, 0), (size, size));
    cross + cross.transpose()
}

/// The process of z and u; z starts in the law that has these numbers.
fn pair(definition: &Definition, start: &StartNumbers, parameter: &str) -> Definition {
    let size = definition.components();
    let mut blocks = definition.blocks.clone();
    for block in &definition.blocks {
        let mut name = format!("{block}_slope");
        while blocks.contains(&name) {
            name.push('_');
        }
        blocks.push(name);
    }
    let slope = |component: usize| Expression::component(size + component, &format!("slope {component}"));
    let moved = definition.drift.iter().map(|f| {
        let carried = (0..size).map(|j| f.derivative(j).multiply(&slope(j)));
        carried.fold(f.derivative_by_parameter(parameter), |sum, term| sum.add(&term))
    });
    let kicked = definition.noise.iter().map(|row| row.iter().map(|g| g.derivative_by_parameter(parameter)).collect());
    let data = definition.coordinates.unwrap_or(1);
    let covariance = &start.factor * start.factor.transpose();
    let number = |i: usize, value: f64| Expression::constant(if i < size { value } else { 0.0 });
    let at = |i: usize, j: usize| if i.max(j) < size { covariance[(i, j)] } else { 0.0 };
    Definition {
        blocks,
        drift: definition.drift.iter().cloned().chain(moved).collect(),
        noise: definition.noise.iter().cloned().chain(kicked).collect(),
        start: Start::Joint {
            mean: (data..2 * size).map(|i| number(i, start.mean[i % size])).collect(),
            covariance: (data..2 * size)
                .map(|i| (data..2 * size).map(|j| Expression::constant(at(i, j))).collect())
                .collect(),
        },
        periodic: Vec::new(),
        ..definition.clone()
    }
}

/// The derivative of the law at t = 0 by `parameter`.
fn start_slope(process: &Process, parameter: &str, pair: &Process) -> Result<Law> {
    let definition = process.definition();
    let size = process.components();
    let data = process.data_components();
    let numbers = Numbers { definition, parameters: process.parameters() };
    let mut law = Law { mean: DVector::zeros(size), covariance: DMatrix::zeros(size, size) };
    let value = |i: usize, expression: &Expression| {
        numbers.value("start", i, &expression.derivative_by_parameter(parameter), 0.0)
    };
    match &definition.start {
        Start::Each(laws) => {
            for (i, own) in laws.iter().enumerate() {
                let Some(StartLaw { mean, std }) = own else { continue };
                law.mean[i] = value(i, mean)?;
                law.covariance[(i, i)] = 2.0 * numbers.value("start", i, std, 0.0)? * value(i, std)?;
            }
        }
        Start::Joint { mean, covariance } => {
            for (i, mean) in mean.iter().enumerate() {
                law.mean[data + i] = value(data + i, mean)?;
                for (j, entry) in covariance[i].iter().enumerate() {
                    law.covariance[(data + i, data + j)] = value(data + i, entry)?;
                }
            }
        }
        Start::Stationary {} => {
            let settled = auxiliaries(&pair.linear_at(0.0)?, data).stationary()?;
            let own = size - data;
            law.mean.rows_mut(data, own).copy_from(&settled.mean.rows(own, own));
            law.covariance.view_mut((data, data), (own, own)).copy_from(&common(&settled.covariance));
        }
    }
    Ok(law)
}

/// The part of (z, u) without data, which move by themselves.
fn auxiliaries(pair: &Linear, data: usize) -> Linear {
    let size = pair.size() / 2;
    let kept: Vec<usize> = (data..size).chain(size + data..2 * size).collect();
    let vector = |full: &DVector<f64>| full.select_rows(&kept);
    Linear {
        drift: pair.drift.select_rows(&kept).select_columns(&kept),
        offset: vector(&pair.offset),
        noise: pair.noise.select_rows(&kept),
        start_mean: vector(&pair.start_mean),
        start_factor: DMatrix::zeros(kept.len(), kept.len()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::expr::{Function, Operation};

    /// dx = (η − k x + f) dt, dη = −η/τ dt + √(2 T)/τ dW, with what η starts in.
    fn process(start: Start, parameters: &BTreeMap<String, f64>) -> Process {
        let [x, eta] = [Expression::component(0, "x"), Expression::component(1, "eta")];
        let [k, force, heat, tau] = ["k", "f", "T", "tau"].map(Expression::parameter);
        let zero = Expression::constant(0.0);
        let amplitude = Expression::constant(2.0).multiply(&heat).apply(Function::Sqrt);
        let definition = Definition {
            name: "active".into(),
            blocks: vec!["x".into(), "eta".into()],
            coordinates: None,
            periodic: Vec::new(),
            parameters: parameters.clone(),
            drift: vec![
                eta.combine(Operation::Subtract, &k.multiply(&x)).add(&force),
                eta.negate().combine(Operation::Divide, &tau),
            ],
            noise: vec![vec![zero.clone(), zero.clone()], vec![zero, amplitude.combine(Operation::Divide, &tau)]],
            start,
        };
        Process::new(definition, 2.0).unwrap()
    }

    fn starts() -> Vec<Start> {
        let [force, heat, tau] = ["f", "T", "tau"].map(Expression::parameter);
        let variance = heat.combine(Operation::Divide, &tau);
        let std = variance.clone().apply(Function::Sqrt);
        vec![
            Start::Each(vec![None, Some(StartLaw { mean: force.multiply(&tau), std })]),
            Start::Joint { mean: vec![force.multiply(&tau)], covariance: vec![vec![variance]] },
            Start::Stationary {},
        ]
    }

    /// Against central differences, whose error is about 1e-9 here, for every parameter and way to start.
    #[test]
    fn slopes_are_those_of_differences() {
        let values = BTreeMap::from([("k", 0.8), ("f", 0.4), ("T", 1.3), ("tau", 0.6)].map(|(n, v)| (n.to_owned(), v)));
        for (case, start) in starts().into_iter().enumerate() {
            let own = process(start.clone(), &values);
            for name in values.keys() {
                let beside = [1e-5, -1e-5].map(|shift| {
                    let mut moved = values.clone();
                    *moved.get_mut(name).unwrap() += shift;
                    process(start.clone(), &moved)
                });
                let sensitivity = own.sensitivity(name).unwrap();
                let near = |what: &str, found: &DMatrix<f64>, [up, down]: [DMatrix<f64>; 2]| {
                    let truth = (up - down) / 2e-5;
                    let off = (found - &truth).abs().max();
                    assert!(off < 1e-7, "start {case}, {name}: {what} {found} not {truth}");
                };
                for time in [0.3, 2.0] {
                    let found = sensitivity.kernel(time).unwrap();
                    let kernels = beside.each_ref().map(|process| process.kernel(time).unwrap());
                    let column = |v: &DVector<f64>| DMatrix::from_column_slice(2, 1, v.as_slice());
                    near("covariance", &found.covariance, kernels.each_ref().map(|kernel| kernel.covariance.clone()));
                    near("response", &found.response, kernels.each_ref().map(|kernel| kernel.response().into_owned()));
                    near("offset", &column(&found.offset), kernels.each_ref().map(|kernel| column(&kernel.offset)));
                }
                let (mean, covariance) = sensitivity.stationary().unwrap();
                let laws = beside.each_ref().map(|process| process.stationary().unwrap());
                near("settled", &covariance, laws.each_ref().map(|law| law.covariance.clone()));
                let column = |v: &DVector<f64>| DMatrix::from_column_slice(2, 1, v.as_slice());
                near("centre", &column(&mean), laws.each_ref().map(|law| column(&law.mean)));
            }
        }
    }
}
