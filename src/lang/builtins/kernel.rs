//! Laws of a process: its perturbation kernel and where it settles.

use nalgebra::{DMatrix, DVector};
use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map};

use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::number_argument;
use crate::process::{Process, Residual};

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// The perturbation kernel: the Gaussian law of the noised state at time `t`, given the datum.
    ///
    /// Per coordinate of the datum, z_t = mean (x_0, 0, ...) + offset + chol noise, with the auxiliaries averaged over
    /// their law at t = 0. With constant coefficients, or coefficients that share one factor β(t), every entry is
    /// accurate to about 14 digits, at t = 1e-8 as at t = 20; with others, or more than 8 components, to 10 digits of
    /// what it is made of.
    ///
    /// # Shapes
    /// With m blocks, in the order of `p.state`, times the coordinates where these are coupled: mean, cov, chol [m, m];
    /// offset [m].
    ///
    /// # Arguments
    /// - `t`: time, 0 or above
    ///
    /// # Returns
    /// A map of nested arrays: `mean`, the matrix Φ(t), for constant coefficients exp(A t); `cov`, the covariance;
    /// `chol`, its lower Cholesky factor; `offset`, the part of the mean that does not depend on the datum.
    ///
    /// # Errors
    /// When the process is nonlinear, or `t` is negative, after the horizon of a process whose coefficients depend on
    /// the time, or so late that a growing process leaves the range of floating point.
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

    /// Checks kernels against the equations that define them.
    ///
    /// At times from 1e-6 T to the horizon T: the equations of motion of mean and covariance, dΣ/dt = AΣ + ΣAᵀ + D
    /// among them, integrated over windows with the coefficients asked anew, also between jumps of the coefficients and
    /// where these change most between 130,000 times, so that no pulse is overlooked; the composition law
    /// Σ(t) = Φ Σ(s) Φᵀ + Q over an intermediate time; and chol cholᵀ = cov. Each residual is the largest over entries
    /// and times, relative to what an entry is made of; of a covariance, to √(Σ_ii Σ_jj).
    ///
    /// # Returns
    /// A map: the residuals `equation`, `composition`, `factor`; `worst_at`, a map of the time of each; `times`; and
    /// `passed`, whether all are below 1e-9.
    ///
    /// # Errors
    /// When the process is nonlinear.
    ///
    /// # Source
    /// Särkkä, Solin, "Applied Stochastic Differential Equations" (2019), §5.5.
    ///
    /// # Example
    /// ```rhai
    /// let certificate = process::active(#{ tau: 0.5 }).check();
    /// assert(certificate.passed && certificate.equation < 1e-12);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn check(ctx: NativeCallContext, process: &mut Process) -> Outcome<Map> {
        let certificate = process.check().raise(&ctx)?;
        let parts = [
            ("equation", certificate.equation),
            ("composition", certificate.composition),
            ("factor", certificate.factor),
        ];
        let times = |(name, residual): (&str, Residual)| (name.into(), residual.time.into());
        let mut map: Map = parts.map(|(name, residual)| (name.into(), residual.value.into())).into_iter().collect();
        map.insert("worst_at".into(), parts.map(times).into_iter().collect::<Map>().into());
        map.insert(
            "times".into(),
            certificate.times.iter().copied().map(Dynamic::from_float).collect::<Array>().into(),
        );
        map.insert("passed".into(), certificate.passed().into());
        Ok(map)
    }
}

fn rows(matrix: &DMatrix<f64>) -> Array {
    matrix.row_iter().map(|row| Dynamic::from_array(entries(&row.transpose()))).collect()
}

fn entries(vector: &DVector<f64>) -> Array {
    vector.iter().copied().map(Dynamic::from_float).collect()
}
