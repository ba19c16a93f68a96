//! Exponential Adams–Bashforth steps on the probability flow (DEIS: Zhang, Chen, arXiv 2204.13902).
//!
//! In forward time the flow of a linear process is dz/dt = A z + b − ½ D ŝ. Its linear part is propagated exactly, also
//! with coefficients that depend on time; of the score only the whitened ε = −L_ddᵀ ŝ is extrapolated, L_dd being the
//! factor of the kernel over the driven components given all others. Going from t to t' < t,
//!
//! ```text
//! z' = Ψ(t → t')(z − c) − ∫_t'^t Ψ(τ → t') ½ D L_dd(τ)⁻ᵀ ε(τ) dτ,      ε(τ) ≈ Σ_j P_j(τ) ε(t_j)
//! ```
//!
//! with the Lagrange polynomials P_j in √τ, as ε behaves near the data. The weights are computed by Gauss–Legendre
//! quadrature in u, τ = t' + (t − t')u², since the integrand behaves as τ^{−1/2} near 0.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::about::{About, Fixed, Method, Needs, Way};
use super::splitting;
use crate::error::{Error, Result};
use crate::process::Process;
use crate::sample::combination::{Combination, joined};
use crate::sample::layout::Layout;
use crate::sample::plan::{Part, Place, Stepper};
use crate::sample::problem::Problem;
use crate::settings::{Setting, Value, Values};

pub(super) const ABOUT: About = About {
    name: "exponential",
    meaning: "exponential Adams–Bashforth on the flow, one evaluation of the score a step; needs a linear process",
    title: "exponential Adams-Bashforth on the probability flow, order 1 to 3",
    text: &[
        "z <- Psi(t -> t - h)(z - c) - int_{t-h}^{t} Psi(r -> t - h) 1/2 D L^-T(r) eps(r) dr",
        "Psi: the linear part of the flow, exact; eps = -L^T S, whitened, extrapolated from the last steps",
    ],
    latex: &[
        "z &\\leftarrow \\Psi_{t \\to t-h}\\,(z - c) - \\int_{t-h}^{t} \\Psi_{r \\to t-h}\\, \\tfrac12 D L^{-\\mathsf \
         T}(r)\\, \\varepsilon(r) \\,\\mathrm{d}r",
        "\\varepsilon(r) &\\approx \\sum_j P_j(r)\\, \\varepsilon(t_j), \\qquad \\varepsilon = -L^{\\mathsf T} \\nabla \\ln \
         p_t",
    ],
    settings: SETTINGS,
    needs: Needs::Linear,
    read: |values| Arc::new(Exponential::read(values)),
};

const SETTINGS: &[Setting] = &[ORDER];
const ORDER: Setting = Setting::count("order", "the order").between(1.0, 3.0).or(3.0);

/// Exponential Adams–Bashforth on the probability flow, of order 1 to 3; one evaluation a step. The first step of all
/// is corrected with the score at its end, so that the start keeps the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exponential {
    /// The order.
    pub order: usize,
}

impl Exponential {
    fn read(values: &Values) -> Self {
        Self { order: values.count("order") }
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Self::read(&Values::defaults(SETTINGS))
    }
}

impl Method for Exponential {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn words(&self) -> String {
        format!("order {}", self.order)
    }

    fn check(&self) -> Result<()> {
        ORDER.check(&Value::Number(self.order as f64))
    }

    fn way(&self) -> Way<'_> {
        Way::Fixed(self)
    }
}

impl Fixed for Exponential {
    fn stepper<'a>(&'a self, problem: &'a Problem<'a>) -> Result<Stepper<'a>> {
        let (process, times) = (problem.process(), &problem.times);
        let Layout { state, score, .. } = problem.layout;
        let apply = |update: Combination| Part::Apply { update: update.into(), from: 0, to: Place::Kept(0) };
        Ok(Box::new(move |step| {
            let (from, to) = problem.span(step);
            let before = step.min(self.order - 1);
            let nodes: Vec<_> = (0..=before).map(|back| times[step - back]).collect();
            // Behind the state stand its score and those before.
            let mut parts = vec![
                problem.load(),
                problem.score(from),
                Part::Copy { from: Place::Kept(state), to: Place::Work(state + score), rows: before * score },
                apply(weights(process, from, to, &nodes)?),
            ];
            if step == 0 && self.order > 1 && to > 0.0 {
                parts.push(Part::Score { time: to, of: Place::Kept(0), to: state + score });
                parts.push(apply(weights(process, from, to, &[from, to])?));
            }
            // The present score becomes the first of those before.
            let rows = (before + 1).min(self.order - 1) * score;
            parts.push(Part::Copy { from: Place::Work(state), to: Place::Kept(state), rows });
            Ok(parts)
        }))
    }
}

/// Nodes and weights of Gauss–Legendre quadrature of 12 points on [0, 1], half of them: the others are 1 − u.
const QUADRATURE: [(f64, f64); 6] = [
    (0.009_219_682_876_640_378, 0.023_587_668_193_255_914),
    (0.047_941_371_814_762_6, 0.053_469_662_997_659_21),
    (0.115_048_662_902_847_66, 0.080_039_164_271_673_11),
    (0.206_341_022_856_691_26, 0.101_583_713_361_532_96),
    (0.316_084_250_500_909_94, 0.116_746_268_269_177_4),
    (0.437_383_295_744_265_54, 0.124_573_522_906_701_39),
];

/// The step from the time `from` down to `to` with the scores at the times `nodes`.
fn weights(process: &Process, from: f64, to: f64, nodes: &[f64]) -> Result<Combination> {
    let driven = process.driven();
    let forward = process.transition(to, from)?;
    let size = forward.offset.len();
    let back = inverse(forward.transfer, from, to)?;
    let mut integrals = vec![DMatrix::zeros(size, driven.len()); nodes.len()];
    for (half, weight) in QUADRATURE {
        for u in [half, 1.0 - half] {
            let time = to + (from - to) * u * u;
            let transfer = inverse(process.transition(to, time)?.transfer, time, to)?;
            let diffusion = process.linear_at(time)?.diffusion().select_columns(driven);
            let unit = inverse(factor(process, time)?.transpose(), time, to)?;
            let integrand = transfer * diffusion * unit * (weight * u * (from - to));
            for (j, integral) in integrals.iter_mut().enumerate() {
                *integral += &integrand * lagrange(nodes, j, time);
            }
        }
    }
    let mut parts = vec![&back - DMatrix::identity(size, size)];
    for (integral, &node) in integrals.iter().zip(nodes) {
        parts.push(integral * factor(process, node)?.transpose());
    }
    let offset: DVector<f64> = -(&back * forward.offset);
    Ok(Combination::step(&offset, &joined(&parts.iter().collect::<Vec<_>>())))
}

/// L_dd at `time`.
fn factor(process: &Process, time: f64) -> Result<DMatrix<f64>> {
    let factor = process.kernel(time)?.cholesky_in(&process.undriven_first());
    let (size, driven) = (factor.nrows(), process.driven().len());
    Ok(factor.view((size - driven, size - driven), (driven, driven)).into_owned())
}

fn inverse(matrix: DMatrix<f64>, from: f64, to: f64) -> Result<DMatrix<f64>> {
    matrix.try_inverse().filter(|inverse| inverse.iter().all(|entry| entry.is_finite())).ok_or_else(|| {
        Error::numerical(format!("the step from t = {from} to {to} cannot be reversed: too little is left of the past"))
            .with_hint(format!("take more steps, or the method \"{}\"", splitting::ABOUT.name))
    })
}

/// P_j at `time`, a polynomial in √t that is 1 at node j and 0 at the others.
fn lagrange(nodes: &[f64], j: usize, time: f64) -> f64 {
    let others = nodes.iter().enumerate().filter(|(i, _)| *i != j);
    others.map(|(_, node)| (time.sqrt() - node.sqrt()) / (nodes[j].sqrt() - node.sqrt())).product()
}
