//! Exponential Adams–Bashforth steps on the probability flow around that of a Gaussian reference.
//!
//! In forward time the flow of a linear process is dz/dt = A z − ½ D ŝ about the mean of the noised data. With the
//! score −Σ⁻¹ z that Gaussian data of the same mean and covariance would have, and the rest r = ŝ + Σ⁻¹ z, it is
//! dz/dt = (A + ½ D Σ⁻¹) z − ½ D r. Its linear part is propagated exactly, by R with R Rᵀ = Σ, so that Gaussian data
//! are sampled exactly in a single step; of the rest the whitened ε = L_ddᵀ r is extrapolated, L_dd being the factor of
//! the kernel over the driven components given all others (DEIS: Zhang, Chen, arXiv 2204.13902, whose linear part is
//! that of a reference without variance). Going from t to t' < t,
//!
//! ```text
//! z' = Ψ(t → t') z + ∫_t'^t Ψ(τ → t') ½ D L_dd(τ)⁻ᵀ ε(τ) dτ,   Ψ(τ → t') = R(t') R(τ)⁻¹,   ε(τ) ≈ Σ_j P_j(τ) ε(t_j)
//! ```
//!
//! with the Lagrange polynomials P_j in √τ, as ε behaves near the data. The weights are computed by Gauss–Legendre
//! quadrature in u, τ = t' + (t − t')u², since the integrand behaves as τ^{−1/2} near 0. Multistep methods take the ε
//! of the last steps for nodes, single-step ones those of stages inside the step, at c = 1/2, or 1/3 and 2/3, of it in
//! √τ.
//!
//! Stochastic steps follow the reverse process, dz = (A + D Σ⁻¹) z dt − D r dt + G dW: Ψ is then the mean of the past
//! given the present under the reference, D stands for ½ D, and the noise is that of the reference.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::about::{About, Fixed, Method, Needs, Way};
use super::followed::{Followed, Law, Reference};
use super::rotation::Rotations;
use super::splitting;
use crate::error::{Error, Result};
use crate::gauss::precision;
use crate::process::{Kernel, Process};
use crate::sample::combination::{Combination, joined};
use crate::sample::layout::Layout;
use crate::sample::plan::{Part, Place, Stepper};
use crate::sample::problem::Problem;
use crate::settings::{Choice, Setting, Value, Values, words};

pub(super) const ABOUT: About = About {
    name: "exponential",
    meaning: "exponential Adams–Bashforth on the flow around that of Gaussian data, one evaluation of the score a step; \
              needs a linear process",
    title: "exponential steps around the flow of Gaussian data, order 1 to 3",
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
    steps: 50,
    settings: SETTINGS,
    needs: Needs::Linear,
    read: |values| Arc::new(Exponential::read(values)),
};

const SETTINGS: &[Setting] = &[
    ORDER,
    Setting::choice("nodes", "where the score is known that is integrated over a step", &words(NODES)),
    Setting::flag("stochastic", "true for the reverse process in place of its flow"),
];
const ORDER: Setting = Setting::count("order", "the order").between(1.0, 3.0).or(3.0);

const NODES: &[(Choice, Nodes); 2] = &[
    (Choice::new("multistep", "at the beginnings of the last steps: one evaluation a step"), Nodes::Multistep),
    (Choice::new("single", "inside the step: as many evaluations a step as the order"), Nodes::Single),
];

/// Where the score is known that is integrated over a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nodes {
    /// At the beginnings of the last steps.
    Multistep,
    /// Inside the step.
    Single,
}

/// Exponential steps around a Gaussian reference, of order 1 to 3.
///
/// Multistep ones take one evaluation a step; the first of all on the flow is corrected with the score at its end, so
/// that the start keeps the order. Single-step ones take as many as the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exponential {
    /// The order.
    pub order: usize,
    /// Where the score is known that is integrated over a step.
    pub nodes: Nodes,
    /// Whether they follow the reverse process in place of its flow; multistep ones only.
    pub stochastic: bool,
}

impl Exponential {
    /// Multistep on the flow.
    #[must_use]
    pub fn of_order(order: usize) -> Self {
        Self { order, ..Self::default() }
    }

    fn read(values: &Values) -> Self {
        Self {
            order: values.count("order"),
            nodes: values.chosen("nodes", NODES),
            stochastic: values.flag("stochastic"),
        }
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
        let nodes = if self.nodes == Nodes::Single { ", single steps" } else { "" };
        let noise = if self.stochastic { ", stochastic" } else { "" };
        format!("order {}{nodes}{noise}", self.order)
    }

    fn check(&self) -> Result<()> {
        if self.stochastic && self.nodes == Nodes::Single {
            return Err(Error::argument("stochastic", "is for multistep nodes")
                .with_hint("leave out nodes: \"single\", or take the method \"splitting\""));
        }
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
        let steps = Steps { method: *self, problem, rotations };
        Ok(match self.nodes {
            Nodes::Multistep => Box::new(move |step| steps.multistep(step)),
            Nodes::Single => Box::new(move |step| steps.single(step)),
        })
    }
}

struct Steps<'a> {
    method: Exponential,
    problem: &'a Problem<'a>,
    rotations: Rotations<'a>,
}

/// Where a step ends, and R of each kind of copy there, of the flow.
struct End {
    time: f64,
    roots: Vec<DMatrix<f64>>,
}

/// An ε that is known: its time, and the first of its rows.
type Node = (f64, usize);

impl Steps<'_> {
    /// Where in a thread's rows ε of the present state begins, in as many rows as a state; and, behind it, other ε.
    fn rows(&self) -> [usize; 2] {
        let Layout { state, score, .. } = self.problem.layout;
        [state + score, 2 * state + score]
    }

    /// The parts that evaluate the score of the state at the row `of` and write its ε, in as many rows as a state,
    /// behind.
    fn evaluate(&self, time: f64, of: usize) -> Result<[Part; 2]> {
        let Layout { state, score, .. } = self.problem.layout;
        let update = self.whitened(time)?.into();
        Ok([
            Part::Score { time, of: Place::Work(of), to: of + state },
            Part::Apply { update, from: of, to: Place::Work(of + state + score) },
        ])
    }

    fn multistep(&self, step: usize) -> Result<Vec<Part>> {
        let (problem, Layout { state, score, .. }, order) = (self.problem, self.problem.layout, self.method.order);
        let (from, to) = problem.span(step);
        let [own, earlier] = self.rows();
        let before = step.min(order - 1);
        let mut nodes: Vec<Node> = vec![(from, own)];
        nodes.extend((1..=before).map(|back| (problem.times[step - back], earlier + (back - 1) * score)));
        let noise = earlier + before * score;
        let mut parts = vec![problem.load()];
        parts.extend(self.evaluate(from, 0)?);
        parts.push(Part::Copy { from: Place::Kept(state), to: Place::Work(earlier), rows: before * score });
        if self.method.stochastic {
            parts.push(Part::Draw { draw: 0, rows: state, to: noise });
        }
        let update = self.weights(from, to, &nodes, noise)?;
        parts.push(Part::Apply { update: update.into(), from: 0, to: Place::Kept(0) });
        if step == 0 && order > 1 && to > 0.0 && !self.method.stochastic {
            let end = earlier + score;
            parts.push(Part::Copy { from: Place::Kept(0), to: Place::Work(end), rows: state });
            parts.extend(self.evaluate(to, end)?);
            parts.push(Part::Copy { from: Place::Work(end + own), to: Place::Work(earlier), rows: score });
            let update = self.weights(from, to, &[(from, own), (to, earlier)], noise)?;
            parts.push(Part::Apply { update: update.into(), from: 0, to: Place::Kept(0) });
        }
        // The present ε becomes the first of those before.
        if order > 1 {
            let rows = before.min(order - 2) * score;
            parts.push(Part::Copy { from: Place::Work(own), to: Place::Kept(state), rows: score });
            parts.push(Part::Copy { from: Place::Work(earlier), to: Place::Kept(state + score), rows });
        }
        Ok(parts)
    }

    fn single(&self, step: usize) -> Result<Vec<Part>> {
        let (problem, Layout { score, .. }, order) = (self.problem, self.problem.layout, self.method.order);
        let (from, to) = problem.span(step);
        let [own, others] = self.rows();
        let stage = others + (order - 1) * score;
        let mut parts = vec![problem.load()];
        parts.extend(self.evaluate(from, 0)?);
        let mut nodes: Vec<Node> = vec![(from, own)];
        for place in 1..order {
            let time = (from.sqrt() + (to.sqrt() - from.sqrt()) * place as f64 / order as f64).powi(2);
            let update = self.weights(from, time, &nodes, 0)?;
            parts.push(Part::Apply { update: update.into(), from: 0, to: Place::Work(stage) });
            parts.extend(self.evaluate(time, stage)?);
            let row = others + (place - 1) * score;
            parts.push(Part::Copy { from: Place::Work(stage + own), to: Place::Work(row), rows: score });
            nodes.push((time, row));
        }
        // Of order 3 the first stage serves the second only (Heun's formula): what it is wrong by is of lower order.
        let nodes = if order == 3 { vec![nodes[0], nodes[2]] } else { nodes };
        let update = self.weights(from, to, &nodes, 0)?;
        parts.push(Part::Apply { update: update.into(), from: 0, to: Place::Kept(0) });
        Ok(parts)
    }

    /// ε = L_ddᵀ (ŝ + Σ⁻¹ z) at `time`, from the rows of state and score.
    fn whitened(&self, time: f64) -> Result<Combination> {
        let followed = self.rotations.followed();
        let process = followed.process;
        let kernel = process.kernel(time)?;
        let (law, driven, size) = (followed.law(&kernel), process.driven(), process.components());
        let unit = unit(process, &kernel).transpose();
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

    /// The step from the time `from` down to `to` with ε at the `nodes`, from the rows of a thread; `noise` is the
    /// first of those of the noise, where there is any.
    fn weights(&self, from: f64, to: f64, nodes: &[Node], noise: usize) -> Result<Combination> {
        let (followed, copies) = (self.rotations.followed(), self.problem.layout.copies);
        let (now, then) = (followed.at(from)?, followed.at(to)?);
        let (size, driven) = (now.mean.len(), followed.process.driven().len());
        let roots = if self.method.stochastic { Vec::new() } else { self.rotations.roots(to, &then)? };
        let end = End { time: to, roots };
        let reference = self.reference(from, &now, &end)?;
        let integrals = self.integrals(from, &end, nodes)?;
        let columns = nodes.iter().map(|(_, row)| row / copies + driven).max().unwrap_or(0);
        let width = if self.method.stochastic { columns.max(noise / copies + size) } else { columns };
        let mut offset = DVector::zeros(size);
        let weights = reference.iter().zip(&integrals).map(|((carried, chance), integrals)| {
            offset = &then.mean - carried * &now.mean;
            let mut weights = DMatrix::zeros(size, width);
            weights.columns_mut(0, size).copy_from(carried);
            for ((_, row), integral) in nodes.iter().zip(integrals) {
                weights.columns_mut(row / copies, driven).copy_from(integral);
            }
            if self.method.stochastic {
                weights.columns_mut(noise / copies, size).copy_from(chance);
            }
            weights
        });
        let weights: Vec<_> = weights.collect();
        Ok(Combination::carried_by_kinds(&offset, &weights, followed.kinds()))
    }

    /// Of each kind of copy, for each of the `nodes`: ∫ Ψ(τ → to) ½ D L_dd(τ)⁻ᵀ P(τ) dτ from `to` up to `from`.
    fn integrals(&self, from: f64, end: &End, nodes: &[Node]) -> Result<Vec<Vec<DMatrix<f64>>>> {
        let (followed, to) = (self.rotations.followed(), end.time);
        let process = followed.process;
        let (size, driven) = (process.components(), process.driven());
        let part = if self.method.stochastic { 2.0 } else { 1.0 };
        let times: Vec<_> = nodes.iter().map(|(time, _)| *time).collect();
        let mut integrals: Vec<Vec<DMatrix<f64>>> = Vec::new();
        for (half, weight) in QUADRATURE {
            for u in [half, 1.0 - half] {
                let time = to + (from - to) * u * u;
                let kernel = process.kernel(time)?;
                let diffusion = process.linear_at(time)?.diffusion().select_columns(driven);
                let unit = unit(process, &kernel).transpose().try_inverse().ok_or_else(|| singular(time))?;
                let integrand = diffusion * unit * (part * weight * u * (from - to));
                let reference = self.reference(time, &followed.law(&kernel), end)?;
                if integrals.is_empty() {
                    integrals = vec![vec![DMatrix::zeros(size, driven.len()); nodes.len()]; reference.len()];
                }
                for ((carried, _), integrals) in reference.iter().zip(&mut integrals) {
                    let carried = carried * &integrand;
                    for (j, integral) in integrals.iter_mut().enumerate() {
                        *integral += &carried * lagrange(&times, j, time);
                    }
                }
            }
        }
        Ok(integrals)
    }

    /// Ψ from the time `from`, where the reference has this `law`, down to the end, and the factor of the noise, of
    /// each kind of copy.
    fn reference(&self, from: f64, law: &Law, end: &End) -> Result<Vec<(DMatrix<f64>, DMatrix<f64>)>> {
        let both = match self.method.stochastic {
            true => self.rotations.followed().backward(from, end.time)?,
            false => {
                let inverses = self.rotations.inverse_roots(from, law)?;
                end.roots.iter().zip(inverses).map(|(root, inverse)| (root * inverse, DMatrix::zeros(0, 0))).collect()
            }
        };
        match both.iter().all(|(carried, _)| carried.iter().all(|entry| entry.is_finite())) {
            true => Ok(both),
            false => Err(singular(from)),
        }
    }
}

/// L_dd of a kernel.
fn unit(process: &Process, kernel: &Kernel) -> DMatrix<f64> {
    let factor = kernel.cholesky_in(&process.undriven_first());
    let (size, driven) = (factor.nrows(), process.driven().len());
    factor.view((size - driven, size - driven), (driven, driven)).into_owned()
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
