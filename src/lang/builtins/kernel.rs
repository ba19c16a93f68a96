//! Laws of a process: its perturbation kernel and where it settles.

use nalgebra::{DMatrix, DVector};
use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map};

use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::number_argument;
use crate::process::Process;

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// The perturbation kernel: the Gaussian law of the noised state at time `t`, given the datum.
    ///
    /// Per coordinate of the datum, z_t = mean (x_0, 0, ...) + offset + chol noise, with the auxiliaries averaged over
    /// their law at t = 0. Every entry is accurate to about 14 digits, at t = 1e-8 as at t = 20.
    ///
    /// # Shapes
    /// With m blocks, in the order of `p.state`: mean, cov, chol [m, m]; offset [m].
    ///
    /// # Options
    /// - `t`: time, 0 or above
    ///
    /// # Returns
    /// A map of nested arrays: `mean`, the matrix exp(A t); `cov`, the covariance; `chol`, its lower Cholesky factor;
    /// `offset`, the part of the mean that does not depend on the datum.
    ///
    /// # Errors
    /// When `t` is negative, or so late that a growing process leaves the range of floating point.
    ///
    /// # Source
    /// Dockhorn, Vahdat, Kreis, arXiv 2112.07068 (hybrid score matching); Särkkä, Solin, "Applied Stochastic
    /// Differential Equations" (2019), §6.
    ///
    /// # Example
    /// ```rhai
    /// let kernel = process::passive(#{ k: 1, T: 1 }).kernel(0.5);
    /// assert(abs(kernel.mean[0][0] - exp(-0.5)) < 1e-14);
    /// assert(abs(kernel.cov[0][0] - (1 - exp(-1))) < 1e-14);
    /// assert(abs(kernel.chol[0][0] ** 2 - kernel.cov[0][0]) < 1e-14);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn kernel(ctx: NativeCallContext, process: &mut Process, t: Dynamic) -> Outcome<Map> {
        let time = number_argument(&ctx, "t", &t)?;
        let kernel = process.kernel(time).raise(&ctx)?;
        Ok([
            ("mean", rows(&kernel.transfer)),
            ("offset", entries(&kernel.offset)),
            ("cov", rows(&kernel.covariance)),
            ("chol", rows(&kernel.cholesky)),
        ]
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect())
    }

    /// The covariance over blocks of the law that the process settles into.
    ///
    /// # Shapes
    /// [m, m] for m blocks, in the order of `p.state`.
    ///
    /// # Returns
    /// Nested arrays.
    ///
    /// # Errors
    /// When the process does not settle; names the rate at which a perturbation grows.
    ///
    /// # Example
    /// ```rhai
    /// // Σ_xη = Ta/(1 + kτ): data and active noise stay correlated.
    /// let cov = process::active(#{ k: 1, Ta: 1, tau: 0.5 }).stationary();
    /// assert(abs(cov[0][1] - 1 / 1.5) < 1e-14);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn stationary(ctx: NativeCallContext, process: &mut Process) -> Outcome<Array> {
        let law = process.stationary().raise(&ctx)?;
        Ok(rows(&law.covariance))
    }
}

fn rows(matrix: &DMatrix<f64>) -> Array {
    matrix.row_iter().map(|row| Dynamic::from_array(entries(&row.transpose()))).collect()
}

fn entries(vector: &DVector<f64>) -> Array {
    vector.iter().copied().map(Dynamic::from_float).collect()
}
