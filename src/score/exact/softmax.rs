//! Means of terms that come one by one, with weights of which only the logarithms can be held.

use super::lanes::LANES;
use crate::dispatched;
use crate::vector::math::exp;

/// Σ_j w_j g_j / Σ_j w_j of each lane, with a running maximum of log w_j (Milakov, Gimelshein, arXiv 1805.02867).
pub(super) struct Softmax {
    /// The largest log w_j so far.
    best: [f32; LANES],
    /// Σ_j w_j, in units of the largest.
    total: [f32; LANES],
    /// Σ_j w_j g_j in the same unit, [rows].
    sum: Vec<[f32; LANES]>,
}

impl Softmax {
    /// No terms yet, of `rows` rows.
    pub(super) fn new(rows: usize) -> Self {
        Self { best: [f32::NEG_INFINITY; LANES], total: [0.0; LANES], sum: vec![[0.0; LANES]; rows] }
    }

    /// Forgets all terms.
    pub(super) fn clear(&mut self) {
        self.best.fill(f32::NEG_INFINITY);
        self.total.fill(0.0);
        self.sum.fill([0.0; LANES]);
    }

    /// Adds the term g, [rows], of weight w.
    pub(super) fn add(&mut self, log_weight: &[f32; LANES], term: &[[f32; LANES]]) {
        accumulate(log_weight, term, self);
    }

    /// The mean of all terms, [rows]. Then nothing can be added before they are forgotten.
    pub(super) fn mean(&mut self) -> &[[f32; LANES]] {
        for sum in &mut self.sum {
            sum.iter_mut().zip(&self.total).for_each(|(sum, total)| *sum /= total);
        }
        &self.sum
    }
}

dispatched! {
    fn accumulate(log_weight: &[f32; LANES], term: &[[f32; LANES]], softmax: &mut Softmax) {
        let Softmax { best, total, sum } = softmax;
        let mut shrink = [0.0; LANES];
        let mut share = [0.0; LANES];
        for lane in 0..LANES {
            let top = if log_weight[lane] > best[lane] { log_weight[lane] } else { best[lane] };
            shrink[lane] = exp(best[lane] - top);
            share[lane] = exp(log_weight[lane] - top);
            best[lane] = top;
            total[lane] = total[lane].mul_add(shrink[lane], share[lane]);
        }
        for (sum, term) in sum.iter_mut().zip(term) {
            for lane in 0..LANES {
                sum[lane] = sum[lane].mul_add(shrink[lane], share[lane] * term[lane]);
            }
        }
    }
}
