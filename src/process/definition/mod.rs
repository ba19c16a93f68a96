//! A process as its author wrote it: expressions in the state, the time and the parameters.

mod beginning;
mod draft;
mod entry;
mod form;
mod periodic;
mod start;
mod timeline;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use draft::{Amplitudes, Draft, coordinate_symbol};
pub use entry::{DraftStart, Entry};
pub use form::Class;
pub(super) use form::{Form, Numbers, Place};
pub use start::{Start, StartLaw, StartNumbers};
pub(super) use timeline::Timeline;

use super::Linear;
use crate::error::{Error, Result};
use crate::expr::{Expression, Node, switching_times};

/// Properties of every state, which a block cannot be called.
const RESERVED: [&str; 6] = ["blocks", "nfe", "rejected", "time", "times", "warnings"];

/// `dz = f(z, t; p) dt + G(z, t; p) dW` with the names of everything in it.
///
/// The state has *components*. Where every coordinate of the data is an independent copy of the same process, they are
/// the m blocks. Where coordinates are coupled, they are the m·d pairs (block b, coordinate c), at place b·d + c.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Definition {
    /// The name given by its author.
    pub name: String,
    /// Names of the blocks; the first is the data.
    pub blocks: Vec<String>,
    /// Number d of coordinates that the process couples; `None` where every coordinate is an independent copy.
    #[serde(default)]
    pub coordinates: Option<usize>,
    /// Values of the parameters where the caller gives none.
    pub parameters: BTreeMap<String, f64>,
    /// f, one expression per component.
    pub drift: Vec<Expression>,
    /// G, \[components, sources\].
    pub noise: Vec<Vec<Expression>>,
    /// Laws of the auxiliaries at t = 0.
    pub start: Start,
    /// Names of the blocks whose coordinates are angles: none, or the data.
    #[serde(default)]
    pub periodic: Vec<String>,
}

impl Definition {
    /// The definition that `linear` is the numbers of.
    pub(crate) fn from_linear(name: &str, blocks: &[&str], linear: &Linear) -> Self {
        let symbols: Vec<_> = blocks.iter().enumerate().map(|(i, block)| Expression::component(i, block)).collect();
        let number = |value: f64| Expression::constant(value);
        let drift = (0..blocks.len()).map(|i| {
            let terms = symbols.iter().enumerate().map(|(j, z)| number(linear.drift[(i, j)]).multiply(z));
            terms.fold(number(0.0), |sum, term| sum.add(&term)).add(&number(linear.offset[i]))
        });
        let law = |i: usize| StartLaw { mean: number(linear.start_mean[i]), std: number(linear.start_factor[(i, i)]) };
        let covariance = &linear.start_factor * linear.start_factor.transpose();
        let is_independent = linear.start_factor.iter().filter(|entry| **entry != 0.0).count()
            == linear.start_factor.diagonal().iter().filter(|entry| **entry != 0.0).count();
        let start = if is_independent {
            Start::Each((0..blocks.len()).map(|i| (i > 0).then(|| law(i))).collect())
        } else {
            let row = |i: usize| (1..blocks.len()).map(|j| number(covariance[(i, j)])).collect();
            Start::Joint {
                mean: (1..blocks.len()).map(|i| number(linear.start_mean[i])).collect(),
                covariance: (1..blocks.len()).map(row).collect(),
            }
        };
        Self {
            name: name.to_owned(),
            blocks: blocks.iter().map(ToString::to_string).collect(),
            coordinates: None,
            parameters: BTreeMap::new(),
            drift: drift.collect(),
            noise: linear.noise.row_iter().map(|row| row.iter().map(|&g| number(g)).collect()).collect(),
            start,
            periodic: Vec::new(),
        }
    }

    /// Number of components of the state of one copy.
    pub fn components(&self) -> usize {
        self.blocks.len() * self.coordinates.unwrap_or(1)
    }

    /// The times between 0 and `end`, in rising order, at which drift or noise switch from one form to another
    /// (`where`) or have a kink, whatever the state.
    pub fn switching_times(&self, parameters: &BTreeMap<String, f64>, end: f64) -> Vec<f64> {
        switching_times(self.drift.iter().chain(self.noise.iter().flatten()), parameters, end)
    }

    /// What a component is called: `eta`, or `eta[1]` where coordinates are coupled.
    pub fn component_name(&self, component: usize) -> String {
        match self.coordinates {
            None => self.blocks[component].clone(),
            Some(d) => format!("{}[{}]", self.blocks[component / d], component % d),
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
        let count = self.components();
        let sources = self.noise.first().map_or(0, Vec::len);
        let is_even = self.noise.iter().all(|row| row.len() == sources);
        if !(self.drift.len() == count
            && self.noise.len() == count
            && self.start.fits(count, self.coordinates.unwrap_or(1))
            && is_even)
        {
            return refuse("state", format!("has {count} components, but drift, noise or start have another number"));
        }
        if self.coordinates == Some(0) {
            return refuse("coordinates", "must be above 0".to_owned());
        }
        self.check_periodic()?;
        let laws = self.start.expressions();
        let outside = |node: &Node| matches!(node, Node::Component(index, _) if *index >= count);
        match self.drift.iter().chain(self.noise.iter().flatten()).chain(laws).find_map(|e| e.find(outside)) {
            Some(unknown) => refuse("state", format!("does not have the block `{unknown}` that an expression uses")),
            None => Ok(()),
        }
    }
}
