//! Drawing from a mixture.

use super::{Covariance, Mixture, factor};
use crate::data::uniforms::for_each_uniform;
use crate::error::Result;
use crate::rng::Stream;
use crate::vector::{single_rows, singles};

/// What drawing from a mixture needs: Walker's alias table, and means and factors rounded to single precision.
#[derive(Debug)]
pub(in crate::data) struct Sampler {
    dimension: usize,
    /// Slot j gives component j with probability `keep[j]`, else `alias[j]`.
    keep: Vec<f64>,
    alias: Vec<u32>,
    means: Vec<f32>,
    /// Means less the mean of all.
    deviations: Vec<f32>,
    spread: Spread,
}

#[derive(Debug)]
enum Spread {
    /// Standard deviations, [K].
    Isotropic(Vec<f32>),
    /// Lower Cholesky factors, [K, d, d], row-major.
    Full(Vec<f32>),
}

impl Sampler {
    /// For a `mixture` of this `mean`.
    pub(in crate::data) fn new(mixture: &Mixture, mean: &[f64]) -> Result<Self> {
        let (keep, alias) = alias_table(&mixture.weights);
        let spread = match &mixture.covariance {
            Covariance::Isotropic(variances) => Spread::Isotropic(singles(variances.iter().map(|v| v.sqrt()))),
            Covariance::Full(matrices) => {
                let d = mixture.dimension();
                let mut rows = Vec::with_capacity(matrices.len());
                for (k, matrix) in matrices.chunks_exact(d * d).enumerate() {
                    rows.extend(single_rows(&factor(matrix, k, d)?));
                }
                Spread::Full(rows)
            }
        };
        let means = singles(&mixture.means);
        let deviations = singles(mixture.means.iter().enumerate().map(|(i, m)| m - mean[i % mean.len()]));
        Ok(Self { dimension: mixture.dimension(), keep, alias, means, deviations, spread })
    }

    /// Fills `out`, [d, count] component-major, with data, or with their deviations from the mean.
    pub(in crate::data) fn draw(&self, is_deviation: bool, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        let means = if is_deviation { &self.deviations } else { &self.means };
        let d = self.dimension;
        let count = out.len() / d;
        stream.normals(step, block, out);
        let slots = self.keep.len() as f64;
        for_each_uniform(stream, step, block, count, |i, u| {
            let slot = u * slots;
            let index = slot as usize;
            let k = if slot.fract() < self.keep[index] { index } else { self.alias[index] as usize };
            let mean = &means[k * d..(k + 1) * d];
            match &self.spread {
                Spread::Isotropic(std) => {
                    for (c, mean) in mean.iter().enumerate() {
                        out[c * count + i] = mean + std[k] * out[c * count + i];
                    }
                }
                Spread::Full(factors) => {
                    let factor = &factors[k * d * d..(k + 1) * d * d];
                    // Backwards: coordinate c needs the normals of the coordinates up to c only.
                    for c in (0..d).rev() {
                        let row = &factor[c * d..=c * d + c];
                        out[c * count + i] =
                            row.iter().enumerate().fold(mean[c], |sum, (j, entry)| sum + entry * out[j * count + i]);
                    }
                }
            }
        });
    }
}

/// Walker's alias method with Vose's construction (IEEE Trans. Softw. Eng. 17, 972, 1991).
fn alias_table(weights: &[f64]) -> (Vec<f64>, Vec<u32>) {
    let count = weights.len();
    let mut keep: Vec<f64> = weights.iter().map(|w| w * count as f64).collect();
    let mut alias: Vec<u32> = (0..count as u32).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..count).partition(|&k| keep[k] < 1.0);
    while let (Some(&rich), Some(poor)) = (large.last(), small.pop()) {
        alias[poor] = rich as u32;
        keep[rich] -= 1.0 - keep[poor];
        if keep[rich] < 1.0 {
            large.pop();
            small.push(rich);
        }
    }
    // What rounding left over would be exactly 1.
    for k in small.into_iter().chain(large) {
        keep[k] = 1.0;
    }
    (keep, alias)
}

#[cfg(test)]
mod tests {
    use super::super::normalise;
    use super::*;
    use crate::data::Dataset;
    use crate::rng::Purpose;

    #[test]
    fn the_alias_table_keeps_the_weights() {
        let weights = normalise(vec![0.0, 5.0, 1.0, 0.25, 3.0, 0.0, 7.5]).unwrap();
        let (keep, alias) = alias_table(&weights);
        let slots = weights.len() as f64;
        for (k, weight) in weights.iter().enumerate() {
            let borrowed: f64 =
                (0..keep.len()).filter(|&j| alias[j] as usize == k && j != k).map(|j| 1.0 - keep[j]).sum();
            let own = if alias[k] as usize == k { 1.0 } else { keep[k] };
            assert!(((own + borrowed) / slots - weight).abs() < 1e-15, "component {k}");
        }
    }

    /// Weights, means and covariances of 2²⁰ draws from two correlated components. The eleven bounds are 5 standard
    /// errors each: a false alarm once in 1.6·10⁵ seeds; the seed is fixed. Seen to fail with the factor transposed
    /// and with slot and alias exchanged.
    #[test]
    fn draws_have_the_law() {
        let means = vec![-20.0, 1.0, 20.0, 3.0];
        let matrices = vec![1.0, 0.6, 0.6, 0.5, 2.0, -1.0, -1.0, 0.8];
        let mixture = Mixture::new(vec![1.0, 4.0], means.clone(), Covariance::Full(matrices.clone())).unwrap();
        let data = Dataset::from_mixture("two", mixture).unwrap();
        let count = 1 << 20;
        let mut out = vec![0.0; 2 * count];
        data.draw(&Stream::new(3, Purpose::Data), 0, 0, &mut out);
        let of = |k: usize| -> Vec<[f64; 2]> {
            let points = (0..count).map(|i| [f64::from(out[i]), f64::from(out[count + i])]);
            points.filter(|p| (p[0] > 0.0) == (k == 1)).collect()
        };
        let close = |value: f64, truth: f64, error: f64| {
            assert!((value - truth).abs() < 5.0 * error, "{value}, not {truth} ± {error}");
        };
        close(of(1).len() as f64 / count as f64, 0.8, f64::sqrt(0.8 * 0.2 / count as f64));
        for k in 0..2 {
            let points = of(k);
            let n = points.len() as f64;
            let s = &matrices[4 * k..4 * k + 4];
            for a in 0..2 {
                let mean = points.iter().map(|p| p[a]).sum::<f64>() / n;
                close(mean, means[2 * k + a], f64::sqrt(s[3 * a] / n));
                for b in a..2 {
                    let product = |p: &[f64; 2]| (p[a] - means[2 * k + a]) * (p[b] - means[2 * k + b]);
                    let covariance = points.iter().map(product).sum::<f64>() / n;
                    close(covariance, s[2 * a + b], f64::sqrt((s[3 * a] * s[3 * b] + s[2 * a + b].powi(2)) / n));
                }
            }
        }
    }
}
