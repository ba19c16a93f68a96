//! What a linear process does between two times, and how such steps join.

use nalgebra::{DMatrix, DVector};

use super::Transition;
use super::quadrature::{NODES, Rule, rule};
use super::stretch::Stretch;
use crate::dispatched;
use crate::error::Result;
use crate::gauss::triangularize;
use crate::process::Linear;

/// Passes of the fixed-point iteration; each gains a factor ‖A‖h/k, and ‖A‖h is at most [`LONGEST`].
const PASSES: usize = 48;
/// Largest ‖A‖h of one step: there the nodes resolve e^{Ah} to 10⁻¹⁴.
pub(super) const LONGEST: f64 = 1.0;

/// z_t = Φ z_s + c + F ξ with independent standard normals ξ, or with s = 0 and what the start adds, z_t itself.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    /// Φ(t, s), [m, m].
    pub(super) transfer: DMatrix<f64>,
    /// c, \[m\].
    pub(super) offset: DVector<f64>,
    /// F, [m, any].
    pub(super) factor: DMatrix<f64>,
}

impl Passage {
    /// What happens in no time: nothing.
    pub(super) fn still(size: usize) -> Self {
        Self {
            transfer: DMatrix::identity(size, size),
            offset: DVector::zeros(size),
            factor: DMatrix::zeros(size, size),
        }
    }

    /// This, then `later`. The factor that results is lower triangular; nothing is subtracted.
    pub(super) fn then(&self, later: &Self) -> Self {
        let carried = &later.transfer * &self.factor;
        let (size, old, new) = (carried.nrows(), carried.ncols(), later.factor.ncols());
        let mut columns = carried.resize_horizontally((old + new).max(size), 0.0);
        columns.columns_mut(old, new).copy_from(&later.factor);
        Self {
            transfer: &later.transfer * &self.transfer,
            offset: &later.transfer * &self.offset + &later.offset,
            factor: triangularize(columns),
        }
    }

    /// The same with a lower-triangular factor.
    pub(super) fn triangular(self) -> Self {
        let (size, columns) = self.factor.shape();
        Self { factor: triangularize(self.factor.resize_horizontally(columns.max(size), 0.0)), ..self }
    }
}

impl From<Passage> for Transition {
    fn from(passage: Passage) -> Self {
        let Passage { transfer, offset, factor } = passage.triangular();
        Self { transfer, offset, covariance: &factor * factor.transpose(), cholesky: factor }
    }
}

/// One step, and the sizes that its error is measured by.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) passage: Passage,
    /// What Φ would be without cancellation, entry by entry.
    pub(super) transfer_size: DMatrix<f64>,
    /// The same for c.
    pub(super) offset_size: DVector<f64>,
}

impl Step {
    /// The step over a stretch by collocation at the Gauss–Legendre nodes, of order 24; nothing where ‖A‖h is above
    /// `longest`, which the fastest rate allows.
    ///
    /// With Ψ(s) = Φ(t, s), which obeys Ψ(s) = 1 + ∫ₛᵗ Ψ(u) A(u) du, is Φ = Ψ(s₀), c = ∫ Ψ b ds, and
    /// Q = ∫ (ΨG)(ΨG)ᵀ ds = Σ_i (√w_i Ψ_i G_i)(√w_i Ψ_i G_i)ᵀ: the columns of a factor, graded as the rows of the
    /// answer are, since every entry of Ψ is a sum of integrals over what is left of the step.
    ///
    /// # Errors
    /// When a coefficient has no finite value.
    pub(super) fn new(
        coefficients: impl Fn(f64) -> Result<Linear>,
        stretch: Stretch,
        longest: f64,
    ) -> Result<Option<Self>> {
        let mut at = Vec::with_capacity(NODES);
        for (time, rate) in stretch.nodes() {
            let mut linear = coefficients(time)?;
            linear.drift *= rate;
            linear.offset *= rate;
            linear.noise *= rate.sqrt();
            if norm(&linear.drift) > longest {
                return Ok(None);
            }
            at.push(linear);
        }
        Ok(Some(Self::collocated(rule(), 1.0, &at)))
    }

    fn collocated(rule: &Rule, step: f64, at: &[Linear]) -> Self {
        let (size, sources) = at[0].noise.shape();
        let square = size * size;
        let rates: Vec<f64> =
            at.iter().flat_map(|linear| linear.drift.transpose().iter().copied().collect::<Vec<_>>()).collect();
        let mut back: Vec<f64> = (0..NODES * square).map(|i| f64::from(i % square % (size + 1) == 0)).collect();
        let mut products = vec![0.0; NODES * square];
        collocate(size, step, &rule.rest, &rates, &mut back, &mut products);

        let mut transfer = DMatrix::identity(size, size);
        let mut transfer_size = DMatrix::identity(size, size);
        let (mut offset, mut offset_size) = (DVector::zeros(size), DVector::zeros(size));
        let mut factor = DMatrix::zeros(size, NODES * sources);
        for (i, (linear, weight)) in at.iter().zip(rule.weights).enumerate() {
            let entries = i * square..(i + 1) * square;
            let product = DMatrix::from_row_slice(size, size, &products[entries.clone()]) * (step * weight);
            let back = DMatrix::from_row_slice(size, size, &back[entries]);
            transfer_size += product.abs();
            transfer += product;
            let moved = &back * &linear.offset * (step * weight);
            offset_size += moved.abs();
            offset += moved;
            factor.columns_mut(i * sources, sources).copy_from(&(back * &linear.noise * (step * weight).sqrt()));
        }
        Self { passage: Passage { transfer, offset, factor }, transfer_size, offset_size }
    }
}

/// ‖A‖: the smaller of the norms by rows and by columns.
pub(super) fn norm(drift: &DMatrix<f64>) -> f64 {
    let rows = drift.row_iter().map(|r| r.abs().sum()).fold(0.0, f64::max);
    let columns = drift.column_iter().map(|c| c.abs().sum()).fold(0.0, f64::max);
    rows.min(columns)
}

dispatched! {
    /// Solves Ψ_i = 1 + h Σ_j V_ij Ψ_j A_j for `back` = Ψ, starting from 1; `products` becomes Ψ_j A_j. All are
    /// [nodes, m, m], row-major.
    fn collocate(
        size: usize,
        step: f64,
        rest: &[[f64; NODES]; NODES],
        rates: &[f64],
        back: &mut [f64],
        products: &mut [f64],
    ) {
        let square = size * size;
        let mut next = vec![0.0; square];
        for _ in 0..PASSES {
            multiply(size, back, rates, products);
            let mut settled = true;
            for (row, back) in rest.iter().zip(back.chunks_exact_mut(square)) {
                next.fill(0.0);
                for (weight, product) in row.iter().zip(products.chunks_exact(square)) {
                    let weight = step * weight;
                    for (next, product) in next.iter_mut().zip(product) {
                        *next = weight.mul_add(*product, *next);
                    }
                }
                for i in 0..size {
                    next[i * size + i] += 1.0;
                }
                for (back, next) in back.iter_mut().zip(&next) {
                    settled &= (*back - *next).abs() <= f64::EPSILON * next.abs();
                    *back = *next;
                }
            }
            if settled {
                break;
            }
        }
        multiply(size, back, rates, products);
    }
}

/// Products of square matrices, one after the other.
#[inline(always)]
fn multiply(size: usize, left: &[f64], right: &[f64], out: &mut [f64]) {
    let square = size * size;
    out.fill(0.0);
    let pairs = left.chunks_exact(square).zip(right.chunks_exact(square));
    for ((left, right), out) in pairs.zip(out.chunks_exact_mut(square)) {
        for (row, out) in left.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
            for (&weight, row) in row.iter().zip(right.chunks_exact(size)) {
                for (out, entry) in out.iter_mut().zip(row) {
                    *out = weight.mul_add(*entry, *out);
                }
            }
        }
    }
}
