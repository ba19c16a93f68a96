//! Kernels of a linear process at many times.
//!
//! What is hard is not e^{At} but that *every entry* of mean, covariance and factor keeps its digits, from t = 10⁻⁸,
//! where a factor of a third-order process has entries of 10⁻⁹, to late times, where correlations of 10⁻¹³⁵ are left.
//! Four things make it hold:
//!
//! 1. Φ by its Taylor series at ‖A‖h ≤ ½ and doubling, Φ(2h) = Φ(h)², in 32 digits ([`Square`]): each doubling doubles
//!    the relative error, and for critically damped motion, e^{−λt}(1 + Nt) with N² = 0, the squares cancel.
//! 2. The noise gathered over the first step as a factor, from the same series: with orthonormal Legendre polynomials
//!    P_n on [0, h], ∫₀ʰ e^{As}G(e^{As}G)ᵀ ds = Σ_n C_n C_nᵀ exactly, where C_n = ∫₀ʰ e^{As}G P_n(s) ds. The columns
//!    C_n are graded as the rows of the answer are.
//! 3. Factors, not covariances, are doubled: Q(2h) = Q(h) + Φ(h) Q(h) Φ(h)ᵀ is a triangularisation of [Φ R, R].
//! 4. Where the law is close to the stationary one, Σ = Σ_∞ − Φ (Σ_∞ − S₀) Φᵀ in 32 digits: nothing else resolves
//!    entries that approach 0 exponentially.

use nalgebra::{DMatrix, DVector};

use super::{Kernel, Transition};
use crate::error::{Error, Result};
use crate::gauss::{Double, Square, triangularize};
use crate::process::Linear;
use crate::settings::written;

/// Largest ‖A‖h of the Taylor step: a compromise of the length of the series and the number of doublings.
const STEP: f64 = 0.5;
/// Terms of the series that are smaller than this are dropped.
const NEGLIGIBLE: f64 = 1e-27;
/// More terms than ‖A‖h ≤ ½ can ask for, besides the m − 1 by which a chain of m components starts late.
const TERMS: usize = 24;
/// Legendre polynomials besides the m − 1 by which a chain starts late: at ‖A‖h = ½ the next is 10⁻¹⁰ of the first.
const POLYNOMIALS: usize = 8;
/// The stationary form is used when the square of each diagonal entry of L is at least this part of that of L_∞.
const NEAR_STATIONARY: f64 = 0.5;

/// A linear process prepared for kernels at many times.
#[derive(Debug, Clone)]
pub struct Propagator {
    linear: Linear,
    /// A, in 32 digits.
    drift: Square,
    /// ‖A‖: the smaller of the norms by rows and by columns.
    norm: f64,
    /// 1/k; the entry for 0 is not used.
    reciprocals: Vec<Double>,
    /// ∫₀¹ u^k P_n(u) du, [terms, polynomials].
    moments: DMatrix<f64>,
    stationary: Option<Limit>,
}

#[derive(Debug, Clone)]
struct Limit {
    /// Σ_∞.
    covariance: Square,
    /// Σ_∞ − S₀.
    excess: Square,
    /// The diagonal of L_∞.
    pivots: Vec<f64>,
}

/// The series and the doubled transfers up to one time.
struct Doubling {
    step: f64,
    /// (Ah)^k / k!.
    terms: Vec<Square>,
    /// Φ(h), Φ(2h), ..., Φ(t).
    transfers: Vec<Square>,
}

impl Propagator {
    /// Prepares `linear`.
    ///
    /// # Errors
    /// When a coefficient, or the norm of the drift, is not finite.
    pub fn new(linear: &Linear) -> Result<Self> {
        let drift = &linear.drift;
        let rows = drift.row_iter().map(|r| r.abs().sum()).fold(0.0, f64::max);
        let columns = drift.column_iter().map(|c| c.abs().sum()).fold(0.0, f64::max);
        let norm = rows.min(columns);
        let others = linear.noise.iter().chain(&linear.offset).chain(&linear.start_mean).chain(&linear.start_factor);
        if !drift.iter().chain(others).chain([&norm]).all(|c| c.is_finite()) {
            return Err(Error::numerical("a coefficient of the process is not a finite number"));
        }
        let size = linear.size();
        let count = TERMS + size;
        Ok(Self {
            linear: linear.clone(),
            drift: Square::exact(drift),
            norm,
            reciprocals: (0..count).map(|k| Double::ONE.divided_by((k.max(1) as f64).into())).collect(),
            moments: legendre_moments(count, POLYNOMIALS + size - 1),
            stationary: Limit::of(linear),
        })
    }

    /// The process.
    #[must_use]
    pub fn linear(&self) -> &Linear {
        &self.linear
    }

    /// The kernel at `time` ≥ 0.
    ///
    /// # Errors
    /// When `time` is negative or not finite, or the kernel leaves the range of floating point.
    pub fn kernel(&self, time: f64) -> Result<Kernel> {
        if !(time >= 0.0 && time.is_finite()) {
            return Err(Error::argument("t", format!("must be a finite time ≥ 0, got {}", written(time))));
        }
        let doubling = self.doubling(time);
        let transfer = doubling.end();
        let (covariance, cholesky) = match self.near_stationary(transfer) {
            Some(law) => law,
            None => self.accumulated(&doubling),
        };
        let transfer = transfer.rounded();
        let offset = self.affine(&doubling) + &transfer * &self.linear.start_mean;
        let law = Transition { transfer, offset, covariance, cholesky }.finite(time)?;
        let Transition { transfer, offset, covariance, cholesky } = law;
        Ok(Kernel { time, data: 1, transfer, offset, covariance, cholesky })
    }

    fn doubling(&self, time: f64) -> Doubling {
        let mut step = time;
        let mut doublings = 0;
        while self.norm * step > STEP {
            step *= 0.5;
            doublings += 1;
        }
        let size = self.drift.size();
        let scaled = self.drift.scaled(step.into());
        let mut terms = vec![Square::identity(size)];
        let mut sum = terms[0].clone();
        let mut bound = 1.0;
        for k in 1..self.reciprocals.len() {
            // A chain of m components has its first entries in the term m − 1: the bound starts to count there.
            bound *= if k < size { 1.0 } else { self.norm * step / (k + 1 - size) as f64 };
            let term = terms[k - 1].times(&scaled).scaled(self.reciprocals[k]);
            sum = sum.plus(&term);
            terms.push(term);
            if bound < NEGLIGIBLE {
                break;
            }
        }
        let mut transfers = vec![sum];
        for j in 0..doublings {
            transfers.push(transfers[j].times(&transfers[j]));
        }
        Doubling { step, terms, transfers }
    }

    /// ∫₀ᵗ e^{As} b ds.
    fn affine(&self, doubling: &Doubling) -> DVector<f64> {
        let constant = &self.linear.offset;
        let mut sum = DVector::zeros(constant.len());
        if constant.iter().all(|&b| b == 0.0) {
            return sum;
        }
        for (k, term) in doubling.terms.iter().enumerate() {
            sum += term.rounded() * constant * (doubling.step / (k + 1) as f64);
        }
        for transfer in doubling.halves() {
            sum += transfer.rounded() * sum.clone();
        }
        sum
    }

    /// Σ and its factor by the distance from the stationary law, where that distance is small.
    fn near_stationary(&self, transfer: &Square) -> Option<(DMatrix<f64>, DMatrix<f64>)> {
        let stationary = self.stationary.as_ref()?;
        let covariance = stationary.covariance.minus(&transfer.sandwich(&stationary.excess));
        let factor = covariance.cholesky(0.0)?.rounded();
        let near = factor.diagonal().iter().zip(&stationary.pivots).all(|(a, b)| a * a >= NEAR_STATIONARY * b * b);
        near.then(|| (covariance.rounded(), factor))
    }

    /// Σ and its factor by adding up what the start and the noise give.
    fn accumulated(&self, doubling: &Doubling) -> (DMatrix<f64>, DMatrix<f64>) {
        let transfer = doubling.end();
        let mut noise = triangularize(self.first_step(doubling));
        for half in doubling.halves() {
            noise = triangularize(beside(&(half.rounded() * &noise), &noise));
        }
        let start = &self.linear.start_factor;
        // In 32 digits: for a rotation among auxiliaries the correlations of the start cancel.
        let kept = transfer.sandwich(&start_covariance(start)).rounded();
        let covariance = kept + &noise * noise.transpose();
        (covariance, triangularize(beside(&(transfer.rounded() * start), &noise)))
    }

    /// The columns C_n of the noise gathered over the first step, [m, sources · polynomials].
    fn first_step(&self, doubling: &Doubling) -> DMatrix<f64> {
        let amplitudes = &self.linear.noise;
        let (size, sources) = amplitudes.shape();
        let polynomials = self.moments.ncols();
        let mut columns = DMatrix::zeros(size, (sources * polynomials).max(size));
        let root = doubling.step.sqrt();
        for (k, term) in doubling.terms.iter().enumerate() {
            for (i, source) in (0..size).flat_map(|i| (0..sources).map(move |s| (i, s))) {
                let rate: f64 = (0..size).map(|j| term[(i, j)].value() * amplitudes[(j, source)]).sum();
                for n in 0..=k.min(polynomials - 1) {
                    columns[(i, n * sources + source)] += root * self.moments[(k, n)] * rate;
                }
            }
        }
        columns
    }
}

impl Linear {
    /// The kernel at time `time` ≥ 0. For many times prepare a [`Propagator`] once.
    ///
    /// # Errors
    /// When `time` is negative or not finite, or the kernel leaves the range of floating point.
    pub fn kernel(&self, time: f64) -> Result<Kernel> {
        Propagator::new(self)?.kernel(time)
    }
}

impl Doubling {
    /// Φ(t).
    fn end(&self) -> &Square {
        &self.transfers[self.transfers.len() - 1]
    }

    /// The transfers that were doubled on the way: Φ(h), ..., Φ(t/2).
    fn halves(&self) -> &[Square] {
        &self.transfers[..self.transfers.len() - 1]
    }
}

/// The covariance of the start.
fn start_covariance(factor: &DMatrix<f64>) -> Square {
    Square::exact(factor).times(&Square::exact(&factor.transpose()))
}

impl Limit {
    fn of(linear: &Linear) -> Option<Self> {
        let (covariance, factor) = linear.stationary_law()?;
        let excess = covariance.minus(&start_covariance(&linear.start_factor));
        Some(Self { covariance, excess, pivots: factor.rounded().diagonal().iter().copied().collect() })
    }
}

/// ∫₀¹ u^k P_n(u) du = √(2n+1) k!² / ((k − n)! (k + n + 1)!) for n ≤ k, else 0, with P_n orthonormal on [0, 1].
///
/// Follows from Rodrigues' formula by n partial integrations.
fn legendre_moments(terms: usize, polynomials: usize) -> DMatrix<f64> {
    let mut moments = DMatrix::zeros(terms, polynomials);
    for k in 0..terms {
        let mut ratio = 1.0 / (k + 1) as f64;
        for n in 0..polynomials.min(k + 1) {
            moments[(k, n)] = ((2 * n + 1) as f64).sqrt() * ratio;
            ratio *= (k - n) as f64 / (k + n + 2) as f64;
        }
    }
    moments
}

/// [left, right].
fn beside(left: &DMatrix<f64>, right: &DMatrix<f64>) -> DMatrix<f64> {
    let mut both = left.clone().resize_horizontally(left.ncols() + right.ncols(), 0.0);
    both.columns_mut(left.ncols(), right.ncols()).copy_from(right);
    both
}
