//! Dormand–Prince 5(4) on the probability flow with steps by the error.

use std::sync::Arc;

use super::about::{About, Method, Needs, Way};
use crate::error::Result;
use crate::sample::integrator::{TOLERANCES, Tolerance};
use crate::settings::Values;

pub(super) const ABOUT: About = About {
    name: "rk45",
    meaning: "Dormand–Prince 5(4) on the flow with steps by the error, for each 1,024 samples on their own; close to \
              t = 0, where the noise is 1/20 of what is finest in the data, or from 1e-5 of the horizon on, the score \
              stays as it is",
    title: "Dormand-Prince 5(4) on the probability flow, adaptive",
    text: &[
        "k_i = u(z + h sum_j<i a_ij k_j, t - c_i h),  i = 1..7",
        "z <- z + h sum_i b_i k_i;  h by the error |h sum_i (b_i - b*_i) k_i| < atol + rtol |z|",
    ],
    latex: &[
        "k_i &= u\\Bigl(z + h \\sum_{j<i} a_{ij} k_j,\\, t - c_i h\\Bigr), \\qquad u = -f + \\tfrac12 \\nabla \\cdot D + \
         \\tfrac12 D \\nabla \\ln p_t",
        "z &\\leftarrow z + h \\sum_i b_i k_i, \\qquad \\Bigl\\lVert h \\sum_i (b_i - b^*_i) k_i \\Bigr\\rVert < \
         \\mathrm{atol} + \\mathrm{rtol}\\, \\lVert z \\rVert",
    ],
    steps: 200,
    settings: TOLERANCES,
    needs: Needs::Any,
    read: |values| Arc::new(RungeKutta::read(values)),
};

/// Dormand–Prince 5(4) on the probability flow with steps by the error, for each 1,024 samples on their own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RungeKutta {
    /// Tolerated error of a step, in parts of the state.
    pub rtol: f64,
    /// Tolerated error of a step besides.
    pub atol: f64,
}

impl RungeKutta {
    fn read(values: &Values) -> Self {
        let Tolerance { rtol, atol } = Tolerance::read(values);
        Self { rtol, atol }
    }

    fn tolerance(self) -> Tolerance {
        Tolerance { rtol: self.rtol, atol: self.atol }
    }
}

impl Default for RungeKutta {
    fn default() -> Self {
        Self::read(&Values::defaults(TOLERANCES))
    }
}

impl Method for RungeKutta {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn words(&self) -> String {
        format!("rtol {:e}, atol {:e}", self.rtol, self.atol)
    }

    fn check(&self) -> Result<()> {
        self.tolerance().check()
    }

    fn way(&self) -> Way<'_> {
        Way::Adaptive(self.tolerance())
    }
}
