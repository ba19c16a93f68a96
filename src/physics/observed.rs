//! The part of a noised state that is looked at.

use nalgebra::{DMatrix, DVector};

use super::require_gaussian;
use crate::error::{Error, Result, suggestion};
use crate::gauss::{reorder, solve_lower_matrix};
use crate::process::{Kernel, Process};

/// The law of some blocks of a noised state, given the datum: of one copy, with o components.
pub(super) struct Observed {
    pub(super) kernel: Kernel,
    /// The components that are looked at, in order, \[o\].
    pub(super) components: Vec<usize>,
    /// The lower-triangular factor of their covariance, [o, o].
    pub(super) factor: DMatrix<f64>,
    /// How their mean depends on the datum, [o, k].
    pub(super) response: DMatrix<f64>,
}

impl Observed {
    /// The blocks called `observe` at `time`; all blocks where none are named.
    ///
    /// # Errors
    /// When the process has no Gaussian kernel or no block of a name, a block is named twice, or their law has no
    /// density at that time.
    pub(super) fn new(process: &Process, time: f64, observe: &[String]) -> Result<Self> {
        require_gaussian(process)?;
        let blocks = process.blocks();
        if let Some(name) = observe.iter().find(|name| !blocks.contains(name)) {
            let problem = format!("has `{name}`, which is not a block of the process `{}`", process.name());
            return Err(Error::argument("observe", problem).with_hint(suggestion(name, blocks, "its blocks are")));
        }
        if let Some(name) = observe.iter().enumerate().find_map(|(i, name)| observe[..i].contains(name).then_some(name))
        {
            return Err(Error::argument("observe", format!("has `{name}` twice")));
        }
        let kernel = process.kernel(time)?;
        let k = process.data_components();
        let is_observed = |i: &usize| observe.is_empty() || observe.contains(&blocks[i / k]);
        let components: Vec<usize> = (0..process.components()).filter(is_observed).collect();
        let factor = reorder(&kernel.cholesky, &components);
        if let Some(at) = factor.diagonal().iter().position(|pivot| *pivot <= 0.0) {
            let name = process.component_name(components[at]);
            let problem = format!("must be a time at which noise has reached {name}, got {time}");
            return Err(Error::argument("t", problem).with_hint("take a time above 0, and let noise reach every block"));
        }
        let response = kernel.response().select_rows(&components);
        Ok(Self { kernel, components, factor, response })
    }

    /// Number o of components that are looked at.
    pub(super) fn size(&self) -> usize {
        self.components.len()
    }

    /// L⁻¹ R, [o, k]: the response in units of the noise.
    pub(super) fn signal(&self) -> DMatrix<f64> {
        solve_lower_matrix(&self.factor, &self.response)
    }

    /// c of the components that are looked at, \[o\]: see [`Kernel::offset`].
    pub(super) fn offset(&self) -> DVector<f64> {
        self.kernel.offset.select_rows(&self.components)
    }
}
