//! The part of a noised state that is looked at.

use nalgebra::{DMatrix, DVector};

use crate::error::{Error, Result, suggestion};
use crate::gauss::{reorder, solve_lower_matrix};
use crate::process::{Kernel, Process};

/// Refuses a process whose law of the state is not Gaussian.
pub(super) fn require_gaussian(process: &Process) -> Result<()> {
    if process.is_periodic() {
        let problem = format!("its angles `{}` have a wrapped law, which this is not defined for", process.blocks()[0]);
        return Err(Error::process(process.name(), problem).with_hint("leave out `periodic` where turns do not matter"));
    }
    Ok(())
}

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
    /// When the process has no Gaussian kernel or no block of a name, or their law has no density at that time.
    pub(super) fn new(process: &Process, time: f64, observe: Option<&[String]>) -> Result<Self> {
        require_gaussian(process)?;
        let components = components(process, observe)?;
        require_density(process, &components)?;
        Self::of(process, components, time)
    }

    /// These components at `time`.
    ///
    /// # Errors
    /// When the process has no kernel there, or no noise has reached one of them.
    pub(super) fn of(process: &Process, components: Vec<usize>, time: f64) -> Result<Self> {
        let kernel = process.kernel(time)?;
        let factor = reorder(&kernel.cholesky, &components);
        if let Some(at) = factor.diagonal().iter().position(|pivot| *pivot <= 0.0) {
            let name = process.component_name(components[at]);
            let problem = format!("must be a time at which noise has reached {name}, got {time}");
            return Err(Error::argument("t", problem).with_hint("take a later time"));
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

    /// Σ⁻¹ R, [o, k], from `signal`, which [`Observed::signal`] gave.
    pub(super) fn weights(&self, signal: &DMatrix<f64>) -> DMatrix<f64> {
        self.factor.transpose().solve_upper_triangular(signal).expect("the diagonal is above 0")
    }

    /// c of the components that are looked at, \[o\]: see [`Kernel::offset`].
    pub(super) fn offset(&self) -> DVector<f64> {
        self.kernel.offset.select_rows(&self.components)
    }
}

/// The components of the blocks called `observe`, in declared order; all where none are named.
///
/// # Errors
/// When there is no block of a name, or the list is empty.
pub(super) fn components(process: &Process, observe: Option<&[String]>) -> Result<Vec<usize>> {
    let (blocks, k) = (process.blocks(), process.data_components());
    let all = 0..process.components();
    let Some(names) = observe else { return Ok(all.collect()) };
    if names.is_empty() {
        return Err(Error::argument("observe", "is empty").with_hint(format!("name one of {}", blocks.join(", "))));
    }
    require_blocks(process, "observe", names)?;
    Ok(all.filter(|i| names.contains(&blocks[i / k])).collect())
}

/// Refuses `names` of which one is no block, for the option that holds them.
///
/// # Errors
/// Names the first, and the nearest block.
pub(super) fn require_blocks(process: &Process, option: &str, names: &[String]) -> Result<()> {
    let blocks = process.blocks();
    let Some(unknown) = names.iter().find(|name| !blocks.contains(name)) else { return Ok(()) };
    let problem = format!("holds {unknown:?}, which is not a block of the process `{}`", process.name());
    Err(Error::argument(option, problem).with_hint(suggestion(unknown, blocks, "its blocks are")))
}

/// Given the datum and the components before it, a component that keeps less than this part of its variance has no
/// noise of its own.
const SINGULAR: f64 = 1e-20;

/// Refuses observed components that the datum and other observed ones determine.
///
/// # Errors
/// Names the component.
pub(super) fn require_density(process: &Process, observed: &[usize]) -> Result<()> {
    let Kernel { cholesky, covariance, .. } = process.kernel(process.horizon())?;
    let factor = reorder(&cholesky, observed);
    let is_bound = |&i: &usize| factor[(i, i)].powi(2) <= SINGULAR * covariance[(observed[i], observed[i])];
    let Some(bound) = (0..observed.len()).find(is_bound) else { return Ok(()) };
    let before: String = observed[..bound].iter().map(|&i| format!(" and {}", process.component_name(i))).collect();
    let name = process.component_name(observed[bound]);
    let problem = format!("given the data{before}, {name} has no noise of its own: its law has no density");
    Err(Error::process(process.name(), problem).with_hint(format!("let noise reach {name}, or observe other blocks")))
}
