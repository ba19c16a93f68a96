//! Which component of a mixture a sample came from: the softmax over components that differ in their means only.

use super::lanes::LANES;
use crate::dispatched;
use crate::vector::math::{exp, ln};

/// Components whose weights are formed together, between two corrections of the running maximum.
pub(super) const GROUP: usize = 32;

dispatched! {
    /// For log weights log w_j − κ/2 |x − c_j|² of components with centres c_j, [K, d]: the mean of the centres into
    /// `mean`, [d], and the logarithm of the sum of the weights into `log`. In groups with a running maximum (Milakov,
    /// Gimelshein, arXiv 1805.02867).
    pub(super) fn posterior_mean(
        log_weights: &[f32],
        centres: &[f32],
        half_precision: f32,
        point: &[[f32; LANES]],
        weights: &mut [[f32; LANES]],
        mean: &mut [[f32; LANES]],
        log: &mut [f32; LANES],
    ) {
        let d = point.len();
        let mut best = [f32::NEG_INFINITY; LANES];
        let mut total = [0.0; LANES];
        mean.fill([0.0; LANES]);
        for (group, centres) in centres.chunks(GROUP * d).enumerate() {
            let before = best;
            let logs = &log_weights[group * GROUP..];
            for ((weight, centre), &log) in weights.iter_mut().zip(centres.chunks_exact(d)).zip(logs) {
                let mut square = [0.0; LANES];
                for (x, &centre) in point.iter().zip(centre) {
                    for i in 0..LANES {
                        let distance = x[i] - centre;
                        square[i] = distance.mul_add(distance, square[i]);
                    }
                }
                for i in 0..LANES {
                    weight[i] = (-half_precision).mul_add(square[i], log);
                    best[i] = if weight[i] > best[i] { weight[i] } else { best[i] };
                }
            }
            if group > 0 {
                let mut shrink = [0.0; LANES];
                for i in 0..LANES {
                    shrink[i] = exp(before[i] - best[i]);
                    total[i] *= shrink[i];
                }
                for mean in mean.iter_mut() {
                    for i in 0..LANES {
                        mean[i] *= shrink[i];
                    }
                }
            }
            for (weight, centre) in weights.iter().zip(centres.chunks_exact(d)) {
                let mut share = [0.0; LANES];
                for i in 0..LANES {
                    share[i] = exp(weight[i] - best[i]);
                    total[i] += share[i];
                }
                for (mean, &centre) in mean.iter_mut().zip(centre) {
                    for i in 0..LANES {
                        mean[i] = share[i].mul_add(centre, mean[i]);
                    }
                }
            }
        }
        for mean in mean.iter_mut() {
            for i in 0..LANES {
                mean[i] /= total[i];
            }
        }
        for i in 0..LANES {
            log[i] = best[i] + ln(total[i]);
        }
    }
}

dispatched! {
    /// Σ_j w_j (c_j − mean) (c_j − mean)·direction, with the weights of which [`posterior_mean`] found `mean` and
    /// `log`, into `out`, [d]: how that mean moves with the point, but for κ. Around the mean, so that nothing cancels;
    /// and over the sum of the weights once more, since a large `log` is rounded.
    pub(super) fn posterior_spread(
        log_weights: &[f32],
        centres: &[f32],
        half_precision: f32,
        point: &[[f32; LANES]],
        known: (&[[f32; LANES]], &[f32; LANES]),
        direction: &[[f32; LANES]],
        out: &mut [[f32; LANES]],
    ) {
        let (mean, log) = known;
        let mut total = [0.0; LANES];
        out.fill([0.0; LANES]);
        for (centre, &log_weight) in centres.chunks_exact(point.len()).zip(log_weights) {
            let (mut square, mut along) = ([0.0; LANES], [0.0; LANES]);
            for (((x, mean), direction), &centre) in point.iter().zip(mean).zip(direction).zip(centre) {
                for i in 0..LANES {
                    let distance = x[i] - centre;
                    square[i] = distance.mul_add(distance, square[i]);
                    along[i] = (centre - mean[i]).mul_add(direction[i], along[i]);
                }
            }
            for i in 0..LANES {
                let share = exp((-half_precision).mul_add(square[i], log_weight) - log[i]);
                total[i] += share;
                along[i] *= share;
            }
            for ((out, mean), &centre) in out.iter_mut().zip(mean).zip(centre) {
                for i in 0..LANES {
                    out[i] = (centre - mean[i]).mul_add(along[i], out[i]);
                }
            }
        }
        for out in out.iter_mut() {
            for i in 0..LANES {
                out[i] /= total[i];
            }
        }
    }
}
