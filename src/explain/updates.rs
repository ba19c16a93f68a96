//! What one step of each sampler does.

/// One step from t to t − h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Update {
    /// The method's name in scripts.
    pub name: &'static str,
    /// Its name in words.
    pub title: &'static str,
    /// The step in text, line by line, with b, u, h and ξ as defined below it.
    pub text: &'static [&'static str],
    /// The step in LaTeX, lines of an `align*`.
    pub latex: &'static [&'static str],
}

/// The steps of all methods.
pub const UPDATES: [Update; 6] = [
    Update {
        name: "em",
        title: "Euler-Maruyama, weak order 1",
        text: &["z <- z + b(z, t) h + G(z, t) sqrt(h) xi"],
        latex: &[
            "z &\\leftarrow z + b(z, t)\\, h + G(z, t) \\sqrt{h}\\, \\xi, \\qquad \\xi \\sim \\mathcal{N}(0, 1)",
            "b &= -f + \\nabla \\cdot D + D \\nabla \\ln p_t",
        ],
    },
    Update {
        name: "heun",
        title: "Heun on the probability flow, order 2",
        text: &["k = u(z, t)", "z <- z + h/2 [k + u(z + h k, t - h)], or z + h k where the step ends at t = 0"],
        latex: &[
            "k &= u(z, t), \\qquad u = -f + \\tfrac12 \\nabla \\cdot D + \\tfrac12 D \\nabla \\ln p_t",
            "z &\\leftarrow z + \\tfrac{h}{2} \\left[k + u(z + h k, t - h)\\right]",
        ],
    },
    Update {
        name: "rk45",
        title: "Dormand-Prince 5(4) on the probability flow, adaptive",
        text: &[
            "k_i = u(z + h sum_j<i a_ij k_j, t - c_i h),  i = 1..7",
            "z <- z + h sum_i b_i k_i;  h by the error |h sum_i (b_i - b*_i) k_i| < atol + rtol |z|",
        ],
        latex: &[
            "k_i &= u\\Bigl(z + h \\sum_{j<i} a_{ij} k_j,\\, t - c_i h\\Bigr), \\qquad u = -f + \\tfrac12 \\nabla \
             \\cdot D + \\tfrac12 D \\nabla \\ln p_t",
            "z &\\leftarrow z + h \\sum_i b_i k_i, \\qquad \\Bigl\\lVert h \\sum_i (b_i - b^*_i) k_i \\Bigr\\rVert \
             < \\mathrm{atol} + \\mathrm{rtol}\\, \\lVert z \\rVert",
        ],
    },
    Update {
        name: "splitting",
        title: "exact half steps of a Gaussian reference around the score",
        text: &[
            "z <- R(t -> t - h/2) z",
            "z <- z + h D [S - S_R](z, t - h/2)",
            "z <- R(t - h/2 -> t - h) z",
            "R: the exact reverse step if p_t were the Gaussian reference, S_R its score",
        ],
        latex: &[
            "z &\\leftarrow \\mathcal{R}_{t \\to t - h/2}\\, z",
            "z &\\leftarrow z + h D \\left[\\nabla \\ln p - \\nabla \\ln p^{\\mathcal{R}}\\right](z, t - \
             \\tfrac{h}{2})",
            "z &\\leftarrow \\mathcal{R}_{t - h/2 \\to t - h}\\, z",
        ],
    },
    Update {
        name: "exponential",
        title: "exponential Adams-Bashforth on the probability flow, order 1 to 3",
        text: &[
            "z <- Psi(t -> t - h)(z - c) - int_{t-h}^{t} Psi(r -> t - h) 1/2 D L^-T(r) eps(r) dr",
            "Psi: the linear part of the flow, exact; eps = -L^T S, whitened, extrapolated from the last steps",
        ],
        latex: &[
            "z &\\leftarrow \\Psi_{t \\to t-h}\\,(z - c) - \\int_{t-h}^{t} \\Psi_{r \\to t-h}\\, \\tfrac12 D \
             L^{-\\mathsf T}(r)\\, \\varepsilon(r) \\,\\mathrm{d}r",
            "\\varepsilon(r) &\\approx \\sum_j P_j(r)\\, \\varepsilon(t_j), \\qquad \\varepsilon = -L^{\\mathsf T} \
             \\nabla \\ln p_t",
        ],
    },
    Update {
        name: "pc",
        title: "Euler-Maruyama with Langevin corrections",
        text: &[
            "z <- z + b(z, t) h + G(z, t) sqrt(h) xi",
            "z_d <- z_d + e S_d(z, t - h) + sqrt(2 e) xi for the driven z_d,  e = 2 (snr |xi|/|S_d|)^2",
        ],
        latex: &[
            "z &\\leftarrow z + b(z, t)\\, h + G(z, t) \\sqrt{h}\\, \\xi, \\qquad b = -f + \\nabla \\cdot D + D \
             \\nabla \\ln p_t",
            "z_d &\\leftarrow z_d + \\epsilon\\, \\partial_d \\ln p_{t-h}(z) + \\sqrt{2 \\epsilon}\\, \\xi, \
             \\qquad \\epsilon = 2 \\left(r \\lVert \\xi \\rVert / \\lVert \\partial_d \\ln p \\rVert\\right)^2",
        ],
    },
];
