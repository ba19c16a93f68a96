//! Exponential Adams–Bashforth steps on the probability flow around that of a Gaussian reference.
//!
//! In forward time the flow of a linear process is dz/dt = A z − ½ D ŝ about the mean of the noised data. With the score
//! −Σ⁻¹ z that Gaussian data of the same mean and covariance would have, and the rest r = ŝ + Σ⁻¹ z, it is
//! dz/dt = (A + ½ D Σ⁻¹) z − ½ D r. Its linear part is propagated exactly, by R with R Rᵀ = Σ, so that Gaussian data are
//! sampled exactly in a single step; of the rest the whitened ε = L_ddᵀ r is extrapolated, L_dd being the factor of the
//! kernel over the driven components given all others (DEIS: Zhang, Chen, arXiv 2204.13902, whose linear part is that of
//! a reference without variance). Going from t to t' < t,
//!
//! ```text
//! z' = Ψ(t → t') z + ∫_t'^t Ψ(τ → t') ½ D L_dd(τ)⁻ᵀ ε(τ) dτ,   Ψ(τ → t') = R(t') R(τ)⁻¹,   ε(τ) ≈ Σ_j P_j(τ) ε(t_j)
//! ```
//!
//! with the Lagrange polynomials P_j in √τ, as ε behaves near the data. The weights are computed by Gauss–Legendre
//! quadrature in u, τ = t' + (t − t')u², since the integrand behaves as τ^{−1/2} near 0.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::about::{About, Fixed, Method, Needs, Way};
use super::followed::{Followed, Reference};
use super::rotation::Rotations;
use super::splitting;
use crate::error::{Error, Result};
use crate::gauss::{precision, solve_lower_matrix};
use crate::process::Process;
use crate::sample::combination::{Combination, joined};
use crate::sample::layout::Layout;
use crate::sample::plan::{Part, Place, Stepper};
use crate::sample::problem::Problem;
use crate::settings::{Setting, Value, Values};

pub(super) const ABOUT: About = About {
    name: "exponential",
    meaning: "exponential Adams–Bashforth on the flow around that of Gaussian data, one evaluation of the score a step; \
              needs a linear process",
    title: "exponential Adams-Bashforth on the probability flow, order 1 to 3",
    text: &[
        "z <- Psi(t -> t - h) z + int_{t-h}^{t} Psi(r -> t - h) 1/2 D L^-T(r) eps(r) dr",
        "Psi: the flow if p_t were the Gaussian with the moments of the data, exact; S_G its score",
        "eps = L^T (S - S_G), whitened, extrapolated from the last steps",
    ],
    latex: &[
        "z &\\leftarrow \\Psi_{t \\to t-h}\\, z + \\int_{t-h}^{t} \\Psi_{r \\to t-h}\\, \\tfrac12 D L^{-\\mathsf T}(r)\\, \
         \\varepsilon(r) \\,\\mathrm{d}r",
        "\\varepsilon(r) &\\approx \\sum_j P_j(r)\\, \\varepsilon(t_j), \\qquad \\varepsilon = L^{\\mathsf T} \\left[\\nabla \
         \\ln p_t - \\nabla \\ln p_t^{\\mathcal{G}}\\right]",
    ],
    blur: 3.0,
    steps: 50,
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
        let followed = Followed::new(problem, Reference::Data)?;
        let rotations = Rotations::new(followed, problem.times[0])?;
        let steps = Steps { order: self.order, problem, rotations };
        Ok(Box::new(move |step| steps.parts(step)))
    }
}

struct Steps<'a> {
    order: usize,
    problem: &'a Problem<'a>,
    rotations: Rotations<'a>,
}

impl Steps<'_> {
    fn parts(&self, step: usize) -> Result<Vec<Part>> {
        let (problem, Layout { state, score, .. }) = (self.problem, self.problem.layout);
        let (from, to) = problem.span(step);
        let before = step.min(self.order - 1);
        let nodes: Vec<_> = (0..=before).map(|back| problem.times[step - back]).collect();
        // A thread's rows: state, its score, its ε in as many rows as a state, and the ε of earlier steps.
        let own = state + score;
        let earlier = own + state;
        let whiten = |time: f64, from: usize, to: usize| {
            Ok::<_, Error>(Part::Apply { update: self.whitened(time)?.into(), from, to: Place::Work(to) })
        };
        let advance = |nodes: &[f64]| {
            let update = self.weights(from, to, nodes)?.into();
            Ok::<_, Error>(Part::Apply { update, from: 0, to: Place::Kept(0) })
        };
        let mut parts = vec![
            problem.load(),
            problem.score(from),
            whiten(from, 0, own)?,
            Part::Copy { from: Place::Kept(state), to: Place::Work(earlier), rows: before * score },
            advance(&nodes)?,
        ];
        if step == 0 && self.order > 1 && to > 0.0 {
            let end = earlier + score;
            parts.extend([
                Part::Copy { from: Place::Kept(0), to: Place::Work(end), rows: state },
                Part::Score { time: to, of: Place::Work(end), to: end + state },
                whiten(to, end, end + own)?,
                Part::Copy { from: Place::Work(end + own), to: Place::Work(earlier), rows: score },
                advance(&[from, to])?,
            ]);
        }
        // The present ε becomes the first of those before.
        let kept = (before + 1).min(self.order - 1);
        if kept > 0 {
            let rows = (kept - 1) * score;
            parts.push(Part::Copy { from: Place::Work(own), to: Place::Kept(state), rows: score });
            parts.push(Part::Copy { from: Place::Work(earlier), to: Place::Kept(state + score), rows });
        }
        Ok(parts)
    }

    /// ε = L_ddᵀ (ŝ + Σ⁻¹ z) at `time`, from the rows of state and score.
    fn whitened(&self, time: f64) -> Result<Combination> {
        let followed = self.rotations.followed();
        let (law, process) = (followed.at(time)?, followed.process);
        let (driven, size) = (process.driven(), law.mean.len());
        let unit = unit(process, time)?.transpose();
        let mut offset = DVector::zeros(size);
        let weights = law.factors.iter().map(|factor| {
            let pull = &unit * precision(factor).select_rows(driven);
            offset.rows_mut(0, driven.len()).copy_from(&-(&pull * &law.mean));
            // As many rows as a state has; those behind stay 0.
            joined(&[&pull, &unit]).resize_vertically(size, 0.0)
        });
        let weights: Vec<_> = weights.collect();
        Ok(Combination::map_by_kinds(&offset, &weights, followed.kinds()))
    }

    /// The step from the time `from` down to `to` with ε at the times `nodes`, from the rows of a thread.
    fn weights(&self, from: f64, to: f64, nodes: &[f64]) -> Result<Combination> {
        let followed = self.rotations.followed();
        let process = followed.process;
        let driven = process.driven().len();
        let (now, then) = (followed.at(from)?, followed.at(to)?);
        let roots: Vec<_> = then.factors.iter().zip(self.rotations.at(to)?).map(|(l, q)| l * q).collect();
        let size = now.mean.len();
        let back = self.carried(from, &roots, &DMatrix::identity(size, size))?;
        let mut integrals = vec![vec![DMatrix::zeros(size, driven); nodes.len()]; roots.len()];
        for (half, weight) in QUADRATURE {
            for u in [half, 1.0 - half] {
                let time = to + (from - to) * u * u;
                let diffusion = process.linear_at(time)?.diffusion().select_columns(process.driven());
                let unit = unit(process, time)?.transpose().try_inverse().ok_or_else(|| singular(time))?;
                let integrand = diffusion * unit * (weight * u * (from - to));
                for (carried, integrals) in self.carried(time, &roots, &integrand)?.iter().zip(&mut integrals) {
                    for (j, integral) in integrals.iter_mut().enumerate() {
                        *integral += carried * lagrange(nodes, j, time);
                    }
                }
            }
        }
        let mut offset = DVector::zeros(size);
        let weights = back.iter().zip(&integrals).map(|(back, integrals)| {
            offset = &then.mean - back * &now.mean;
            let mut weights = DMatrix::zeros(size, 2 * size + nodes.len() * driven);
            weights.columns_mut(0, size).copy_from(&(back - DMatrix::identity(size, size)));
            weights.columns_mut(size + driven, driven).copy_from(&integrals[0]);
            for (j, integral) in integrals.iter().enumerate().skip(1) {
                weights.columns_mut(2 * size + j * driven, driven).copy_from(integral);
            }
            weights
        });
        let weights: Vec<_> = weights.collect();
        Ok(Combination::step_by_kinds(&offset, &weights, followed.kinds()))
    }

    /// Ψ X of each kind, Ψ being the flow of the reference from `time` to where its square root is `roots`.
    fn carried(&self, time: f64, roots: &[DMatrix<f64>], matrix: &DMatrix<f64>) -> Result<Vec<DMatrix<f64>>> {
        let law = self.rotations.followed().at(time)?;
        let carry = |((factor, rotation), root): ((&DMatrix<f64>, DMatrix<f64>), &DMatrix<f64>)| {
            let carried = root * rotation.transpose() * solve_lower_matrix(factor, matrix);
            match carried.iter().all(|entry| entry.is_finite()) {
                true => Ok(carried),
                false => Err(singular(time)),
            }
        };
        law.factors.iter().zip(self.rotations.at(time)?).zip(roots).map(carry).collect()
    }
}

/// L_dd at `time`.
fn unit(process: &Process, time: f64) -> Result<DMatrix<f64>> {
    let factor = process.kernel(time)?.cholesky_in(&process.undriven_first());
    let (size, driven) = (factor.nrows(), process.driven().len());
    Ok(factor.view((size - driven, size - driven), (driven, driven)).into_owned())
}

fn singular(time: f64) -> Error {
    Error::numerical(format!("the law of noised Gaussian data is singular at t = {time:e}"))
        .with_hint(format!("stop above it with `end`, or take the method \"{}\"", splitting::ABOUT.name))
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

/// P_j at `time`, a polynomial in √t that is 1 at node j and 0 at the others.
fn lagrange(nodes: &[f64], j: usize, time: f64) -> f64 {
    let others = nodes.iter().enumerate().filter(|(i, _)| *i != j);
    others.map(|(_, node)| (time.sqrt() - node.sqrt()) / (nodes[j].sqrt() - node.sqrt())).product()
}
