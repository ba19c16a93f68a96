//! Means of terms that come one by one, with weights of which only the logarithms can be held.

use super::lanes::LANES;
use crate::dispatched;
use crate::vector::math::{exp, ln};

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

    /// The logarithm of Σ_j w_j.
    pub(super) fn log(&self) -> [f32; LANES] {
        std::array::from_fn(|lane| self.best[lane] + ln(self.total[lane]))
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

/// How the mean s of gradients g, by weights w of which they are the gradients of the logarithms, changes along a
/// direction: Σ w (∂g + (g − s) (g − s)·direction)/Σ w. Differences from the mean, so that nothing cancels.
pub(super) struct Change {
    /// s, [rows].
    mean: Vec<[f32; LANES]>,
    /// log Σ w.
    log: [f32; LANES],
    /// [rows].
    pub(super) direction: Vec<[f32; LANES]>,
    /// ∂g of the term that is added next, [rows].
    pub(super) own: Vec<[f32; LANES]>,
    /// Σ w, in the unit that `log` says; not quite 1, since a large `log` is rounded.
    total: [f32; LANES],
    /// The sum so far in that unit, [rows].
    sum: Vec<[f32; LANES]>,
}

impl Change {
    pub(super) fn new(rows: usize) -> Self {
        let [mean, direction, own, sum] = [(); 4].map(|()| vec![[0.0; LANES]; rows]);
        Self { mean, log: [0.0; LANES], direction, own, total: [0.0; LANES], sum }
    }

    /// Begins the sum of changes of the mean that `terms` have.
    pub(super) fn begin(&mut self, terms: &mut Softmax) {
        self.log = terms.log();
        self.mean.copy_from_slice(terms.mean());
        self.total.fill(0.0);
        self.sum.fill([0.0; LANES]);
    }

    /// Adds a term of gradient g and weight w.
    pub(super) fn add(&mut self, log_weight: &[f32; LANES], gradient: &[[f32; LANES]]) {
        add_change(log_weight, gradient, self);
    }

    /// The change, [rows].
    pub(super) fn sum(&mut self) -> &[[f32; LANES]] {
        for sum in &mut self.sum {
            sum.iter_mut().zip(&self.total).for_each(|(sum, total)| *sum /= total);
        }
        &self.sum
    }
}

dispatched! {
    fn add_change(log_weight: &[f32; LANES], gradient: &[[f32; LANES]], change: &mut Change) {
        let Change { mean, log, direction, own, total, sum } = change;
        let (mut share, mut along) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            share[lane] = exp(log_weight[lane] - log[lane]);
            total[lane] += share[lane];
        }
        for ((gradient, mean), direction) in gradient.iter().zip(mean.iter()).zip(direction.iter()) {
            for lane in 0..LANES {
                along[lane] = (gradient[lane] - mean[lane]).mul_add(direction[lane], along[lane]);
            }
        }
        for (((gradient, mean), own), sum) in gradient.iter().zip(mean.iter()).zip(own.iter()).zip(sum) {
            for lane in 0..LANES {
                let term = (gradient[lane] - mean[lane]).mul_add(along[lane], own[lane]);
                // A share of 0 of what is beyond the range is nothing.
                sum[lane] += if share[lane] > 0.0 { share[lane] * term } else { 0.0 };
            }
        }
    }
}
