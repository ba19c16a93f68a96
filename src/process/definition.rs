//! A process as its author wrote it: expressions in the state, the time and the parameters.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::Linear;
use crate::error::{Error, Result};
use crate::expr::{Affine, Expression, Node, Values};

/// Properties of every state, which a block cannot be called.
const RESERVED: [&str; 2] = ["blocks", "nfe"];

/// The law of an auxiliary block at t = 0: N(mean, std²), independent for every coordinate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StartLaw {
    /// Mean.
    pub mean: Expression,
    /// Standard deviation.
    pub std: Expression,
}

/// `dz = f(z, t; p) dt + G(z, t; p) dW` with the names of everything in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Definition {
    /// The name given by its author.
    pub name: String,
    /// Names of the blocks; the first is the data.
    pub blocks: Vec<String>,
    /// Values of the parameters where the caller gives none.
    pub parameters: BTreeMap<String, f64>,
    /// f, one expression per block.
    pub drift: Vec<Expression>,
    /// G, \[blocks, sources\].
    pub noise: Vec<Vec<Expression>>,
    /// Laws of the auxiliaries at t = 0, one entry per block; `None` starts at 0. The data have none.
    pub start: Vec<Option<StartLaw>>,
}

impl Definition {
    /// The definition that `linear` is the numbers of.
    pub(super) fn from_linear(name: &str, blocks: &[&str], linear: &Linear) -> Self {
        let symbols: Vec<_> = blocks.iter().enumerate().map(|(i, block)| Expression::block(i, block)).collect();
        let number = |value: f64| Expression::constant(value);
        let drift = (0..blocks.len()).map(|i| {
            let terms = symbols.iter().enumerate().map(|(j, z)| number(linear.drift[(i, j)]).multiply(z));
            terms.fold(number(0.0), |sum, term| sum.add(&term)).add(&number(linear.offset[i]))
        });
        let law = |i: usize| StartLaw { mean: number(linear.start_mean[i]), std: number(linear.start_std[i]) };
        Self {
            name: name.to_owned(),
            blocks: blocks.iter().map(ToString::to_string).collect(),
            parameters: BTreeMap::new(),
            drift: drift.collect(),
            noise: linear.noise.row_iter().map(|row| row.iter().map(|&g| number(g)).collect()).collect(),
            start: (0..blocks.len()).map(|i| (i > 0).then(|| law(i))).collect(),
        }
    }

    /// Refuses block names that a state could not have.
    ///
    /// # Errors
    /// When there is no block, or a name is not one, occurs twice, or is a property of every state.
    pub fn check_blocks(blocks: &[String]) -> Result<()> {
        let refuse = |problem: String| Err(Error::argument("state", problem));
        if blocks.is_empty() {
            return refuse("is empty: the first block is the data".to_owned());
        }
        for (i, block) in blocks.iter().enumerate() {
            let is_name = block.chars().all(|c| c.is_alphanumeric() || c == '_')
                && block.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
            if !is_name {
                return refuse(format!("names a block {block:?}, which cannot be written as `s.block`"));
            }
            if blocks[..i].contains(block) {
                return refuse(format!("names the block `{block}` twice"));
            }
            if RESERVED.contains(&block.as_str()) {
                return refuse(format!("names a block `{block}`, which every state has as a property"));
            }
        }
        Ok(())
    }

    /// Refuses a definition whose parts do not fit together; what comes out of a damaged file may be anything.
    pub(super) fn check(&self) -> Result<()> {
        Self::check_blocks(&self.blocks)?;
        let refuse = |name: &str, problem: String| Err(Error::argument(name, problem));
        let count = self.blocks.len();
        let sources = self.noise.first().map_or(0, Vec::len);
        let is_even = self.noise.iter().all(|row| row.len() == sources);
        if !(self.drift.len() == count && self.noise.len() == count && self.start.len() == count && is_even) {
            return refuse("state", format!("has {count} blocks, but drift, noise or start have another number"));
        }
        let laws = self.start.iter().flatten().flat_map(|law| [&law.mean, &law.std]);
        let outside = |node: &Node| matches!(node, Node::Block(index, _) if *index >= count);
        match self.drift.iter().chain(self.noise.iter().flatten()).chain(laws).find_map(|e| e.find(outside)) {
            Some(unknown) => refuse("state", format!("does not have the block `{unknown}` that an expression uses")),
            None => Ok(()),
        }
    }

    /// The process in numbers, if it is linear with constant coefficients.
    ///
    /// # Errors
    /// When it is not, and when a coefficient has no finite value.
    pub(super) fn linear(&self, parameters: &BTreeMap<String, f64>) -> Result<Linear> {
        let blocks = self.blocks.len();
        let sources = self.noise.first().map_or(0, Vec::len);
        let values = Values { time: 0.0, parameters, state: &[] };
        let mut linear = Linear {
            drift: DMatrix::zeros(blocks, blocks),
            offset: DVector::zeros(blocks),
            noise: DMatrix::zeros(blocks, sources),
            start_mean: DVector::zeros(blocks),
            start_std: DVector::zeros(blocks),
        };
        for i in 0..blocks {
            let affine = self.affine_drift(i)?;
            for (j, coefficient) in affine.coefficients.iter().enumerate() {
                linear.drift[(i, j)] = self.number("drift", i, coefficient, values)?;
            }
            linear.offset[i] = self.number("drift", i, &affine.rest, values)?;
            for (j, amplitude) in self.noise[i].iter().enumerate() {
                self.check_constant("noise", i, amplitude)?;
                linear.noise[(i, j)] = self.number("noise", i, amplitude, values)?;
            }
            if let Some(law) = &self.start[i] {
                linear.start_mean[i] = self.number("start", i, &law.mean, values)?;
                linear.start_std[i] = self.number("start", i, &law.std, values)?;
                if linear.start_std[i] < 0.0 {
                    let problem = format!(
                        "the standard deviation of `{}` at t = 0 is negative: {}",
                        self.blocks[i], linear.start_std[i]
                    );
                    return Err(Error::process(&self.name, problem));
                }
            }
        }
        Ok(linear)
    }

    fn affine_drift(&self, block: usize) -> Result<Affine> {
        let drift = &self.drift[block];
        let affine = drift.affine(self.blocks.len()).map_err(|part| {
            let problem = format!("nonlinear: `{part}` in the drift of `{}`", self.blocks[block]);
            Error::process(&self.name, problem)
                .with_hint("nonlinear drifts are not supported yet: the drift must be linear in the state")
        })?;
        if drift.depends_on_time() {
            let problem = format!("time-dependent: `{drift}` in the drift of `{}`", self.blocks[block]);
            return Err(Error::process(&self.name, problem).with_hint(
                "time-dependent coefficients are not supported yet: use parameters that are constant in time",
            ));
        }
        Ok(affine)
    }

    fn check_constant(&self, part: &str, block: usize, expression: &Expression) -> Result<()> {
        let (kind, way_out) = if expression.depends_on_state() {
            ("state-dependent", "noise that depends on the state is not supported yet")
        } else if expression.depends_on_time() {
            ("time-dependent", "noise that depends on the time is not supported yet")
        } else {
            return Ok(());
        };
        let problem = format!("{kind}: `{expression}` in the {part} of `{}`", self.blocks[block]);
        Err(Error::process(&self.name, problem).with_hint(way_out))
    }

    fn number(&self, part: &str, block: usize, expression: &Expression, values: Values<'_>) -> Result<f64> {
        let Some(fault) = expression.fault(values) else { return Ok(expression.evaluate(values)) };
        let used: Vec<_> = values
            .parameters
            .iter()
            .filter(|(name, _)| fault.uses_parameter(name))
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        let problem = format!(
            "the {part} of `{}` has no finite value: `{fault}`{}{}",
            self.blocks[block],
            if used.is_empty() { "" } else { " with " },
            used.join(", ")
        );
        Err(Error::process(&self.name, problem).with_hint("choose parameters for which it is finite and real"))
    }
}
