//! Kernels of a constant linear process of many components, in double precision.
//!
//! [`Propagator`](super::Propagator) keeps every digit of every entry by numbers of 32 digits, which costs 15 ms for 32
//! components. Here one step is the Taylor series of e^{As} at the Gauss–Legendre nodes, and steps are doubled as
//! factors: entries are accurate to 10⁻¹² of what they would be without cancellation.

use nalgebra::{DMatrix, DVector};

use super::Transition;
use super::integrated::within;
use super::passage::{LONGEST, Passage, norm};
use super::quadrature::rule;
use crate::error::Result;
use crate::process::Linear;

/// Terms of the series: at ‖A‖h ≤ 1 the next is 10⁻²⁴.
const TERMS: usize = 24;

/// A process prepared for many times.
#[derive(Debug)]
pub(in crate::process) struct Series {
    linear: Linear,
    norm: f64,
    /// A^k/k!.
    terms: Vec<DMatrix<f64>>,
}

impl Series {
    pub(super) fn new(linear: &Linear) -> Self {
        let mut terms = vec![DMatrix::identity(linear.size(), linear.size())];
        for k in 1..TERMS {
            terms.push(&terms[k - 1] * &linear.drift / k as f64);
        }
        Self { norm: norm(&linear.drift), linear: linear.clone(), terms }
    }

    /// The law of z at `time` where z starts with its law at t = 0.
    ///
    /// # Errors
    /// When `time` is negative or not finite.
    pub(super) fn kernel(&self, time: f64) -> Result<Transition> {
        let Linear { start_mean, start_factor, .. } = &self.linear;
        let factor = start_factor.clone();
        let start = Passage { offset: start_mean.clone(), factor, ..Passage::still(start_mean.len()) };
        Ok(start.then(&self.passage(time)?).into())
    }

    /// The law of z after `time` where it starts from a known state.
    ///
    /// # Errors
    /// When `time` is negative or not finite.
    pub(super) fn transition(&self, time: f64) -> Result<Transition> {
        self.passage(time).map(Transition::from)
    }

    fn passage(&self, time: f64) -> Result<Passage> {
        let time = within(time, f64::INFINITY)?;
        let (mut step, mut doublings) = (time, 0);
        while self.norm * step > LONGEST {
            step *= 0.5;
            doublings += 1;
        }
        let first = self.step(step).triangular();
        Ok((0..doublings).fold(first, |passage, _| passage.then(&passage)))
    }

    /// One step: Φ = e^{Ah}, c = ∫ e^{As} b ds and the columns of ∫ e^{As} G (e^{As} G)ᵀ ds.
    fn step(&self, step: f64) -> Passage {
        let rule = rule();
        let (size, sources) = self.linear.noise.shape();
        let mut offset = DVector::zeros(size);
        let mut factor = DMatrix::zeros(size, rule.nodes.len() * sources);
        for (i, (node, weight)) in rule.nodes.iter().zip(rule.weights).enumerate() {
            let back = self.exponential(step * node);
            offset += &back * &self.linear.offset * (step * weight);
            factor.columns_mut(i * sources, sources).copy_from(&(back * &self.linear.noise * (step * weight).sqrt()));
        }
        Passage { transfer: self.exponential(step), offset, factor }
    }

    /// e^{As} for ‖A‖s ≤ 1.
    fn exponential(&self, time: f64) -> DMatrix<f64> {
        let mut sum = self.terms[0].clone();
        let mut power = 1.0;
        for term in &self.terms[1..] {
            power *= time;
            sum.zip_apply(term, |sum, entry| *sum += power * entry);
        }
        sum
    }
}
