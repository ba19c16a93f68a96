//! Angles: mixtures of isotropic components on the circle, and finite angles, with auxiliaries on the line.
//!
//! Without a force on x it is x_0 plus noise, and the auxiliaries η do not know x_0. So the law of η is that of the
//! kernel, N(0, Σ_ηη), whatever the data, and given η and component k the angle is a wrapped normal: that of
//! x − gᵀη − μ_k, g = Σ_ηη⁻¹ Σ_ηx, of the variance σ_k² = Σ_xx − gᵀ Σ_ηx + v_k. Coordinates are independent given k.
//! With the posterior weights π_k and ψ_k, the derivative of the logarithm of the wrapped normal,
//! ∇_x log p = Σ_k π_k ψ_k = Ψ and ∇_η log p = −Σ_ηη⁻¹ η − g Ψ.
//!
//! A narrow wrapped normal is summed over images, x + 2πn, a wide one over waves, cos nx (Mardia, Jupp, Directional
//! Statistics, 2000, §3.5.7): so few terms reach single precision.

use std::f64::consts::TAU;

use super::super::{Evaluator, Prepared};
use super::lanes::{LANES, store};
use super::softmax::Softmax;
use crate::dispatched;
use crate::error::Result;
use crate::gauss::precision;
use crate::process::{Kernel, Process};
use crate::task::Task;
use crate::vector::math::{cos, exp, ln, sin};
use crate::vector::{single, singles};

/// A mixture on the circle.
#[derive(Debug, Clone)]
pub(super) struct Wrapped {
    dimension: usize,
    log_weights: Vec<f32>,
    /// μ, [K, d].
    means: Vec<f32>,
    /// v, \[K\], or one of all.
    variances: Vec<f64>,
}

pub(super) struct PreparedWrapped<'a> {
    law: &'a Wrapped,
    driven: usize,
    steps: Vec<Coefficients>,
}

/// What depends on time, rounded.
struct Coefficients {
    /// g, \[auxiliaries\].
    regression: Vec<f32>,
    /// What the score of each driven component has of η, [driven, auxiliaries].
    known: Vec<f32>,
    /// What it has of Ψ, \[driven\].
    share: Vec<f32>,
    /// The wrapped normal of each component, or of all.
    circles: Vec<Circle>,
}

/// Waves beyond which nothing of single precision is left of a normal as wide as [`WIDE`].
const WAVES: usize = 3;
/// Standard deviation from which on waves are summed.
const WIDE: f64 = 2.0;
/// Images on either side beyond which nothing is left of narrower ones.
const IMAGES: usize = 3;

/// A wrapped normal of mean 0.
#[derive(Debug)]
enum Circle {
    Narrow {
        /// 1/σ².
        precision: f32,
        /// −ln (σ √2π).
        log: f32,
        /// Images on either side that count.
        images: usize,
    },
    Wide {
        /// 2 exp(−n²σ²/2) of the waves n from 1 on.
        waves: [f32; WAVES],
    },
}

impl Wrapped {
    /// Components of the `weights`, `means` [K, d] and isotropic `variances`, \[K\] or one of all.
    pub(super) fn new(weights: &[f64], means: &[f64], variances: Vec<f64>) -> Self {
        let dimension = means.len() / weights.len();
        let used = |k: &usize| weights[*k] > 0.0;
        let places = || (0..weights.len()).filter(used);
        let total: f64 = weights.iter().sum();
        Self {
            dimension,
            log_weights: singles(places().map(|k| (weights[k] / total).ln())),
            means: places().flat_map(|k| singles(&means[k * dimension..][..dimension])).collect(),
            variances: match variances.len() {
                1 => variances,
                _ => places().map(|k| variances[k]).collect(),
            },
        }
    }

    /// # Errors
    /// Where a kernel has no density, or interrupted.
    pub(super) fn prepare(&self, process: &Process, times: &[f64], task: &Task) -> Result<PreparedWrapped<'_>> {
        let steps =
            task.blocks(times.len(), |i| self.coefficients(process, &process.kernel(times[i])?.with_density()?))?;
        Ok(PreparedWrapped { law: self, driven: process.driven().len(), steps })
    }

    fn coefficients(&self, process: &Process, kernel: &Kernel) -> Result<Coefficients> {
        let auxiliaries = process.components() - 1;
        // The angle last, so that what it has beyond η is the last row of the factor.
        let order: Vec<usize> = (1..=auxiliaries).chain([0]).collect();
        let factor = kernel.cholesky_in(&order);
        let own = factor.view((0, 0), (auxiliaries, auxiliaries)).into_owned();
        let row = factor.view((auxiliaries, 0), (1, auxiliaries)).transpose();
        let inverse = precision(&own);
        // Σ_ηη⁻¹ Σ_ηx: of Σ_ηη = L Lᵀ and Σ_ηx = L times the row of x.
        let regression = own.tr_solve_lower_triangular(&row).expect("a law with a density has no pivot of 0");
        let spread = factor[(auxiliaries, auxiliaries)];
        let driven = process.driven().iter();
        let known = driven.clone().flat_map(|&d| {
            (0..auxiliaries).map(move |j| (d, j)).map(|(d, j)| if d == 0 { 0.0 } else { -inverse[(d - 1, j)] })
        });
        let share = driven.map(|&d| if d == 0 { 1.0 } else { -regression[d - 1] });
        let circle = |variance: &f64| Circle::new((spread * spread + variance).sqrt());
        let circles: Vec<_> = self.variances.iter().map(circle).collect();
        let (known, share) = (singles(known), singles(share));
        Ok(Coefficients { regression: singles(regression.iter()), known, share, circles })
    }
}

impl Circle {
    /// Of the standard deviation `spread` before it is wrapped.
    fn new(spread: f64) -> Self {
        if spread >= WIDE {
            let wave = |n: usize| 2.0 * (-0.5 * ((n + 1) as f64 * spread).powi(2)).exp();
            return Self::Wide { waves: std::array::from_fn(|n| single(wave(n))) };
        }
        // The nearest image is at most half a turn away; six standard deviations on either side count.
        let images = (0.5 + 6.0 * spread / TAU).ceil() as usize;
        Self::Narrow {
            precision: single(spread.powi(-2)),
            log: single(-spread.ln() - 0.5 * TAU.ln()),
            images: images.min(IMAGES),
        }
    }
}

impl Prepared for PreparedWrapped<'_> {
    fn evaluator(&self, _width: usize) -> Box<dyn Evaluator + '_> {
        let d = self.law.dimension;
        Box::new(WrappedEvaluator {
            prepared: self,
            place: vec![[0.0; LANES]; d],
            slope: vec![[0.0; LANES]; d],
            softmax: Softmax::new(d),
            score: vec![[0.0; LANES]; self.driven * d],
        })
    }
}

struct WrappedEvaluator<'a> {
    prepared: &'a PreparedWrapped<'a>,
    /// x − gᵀη, [d].
    place: Vec<[f32; LANES]>,
    /// ψ of one component, [d].
    slope: Vec<[f32; LANES]>,
    /// Ψ, [d].
    softmax: Softmax,
    /// [driven, d].
    score: Vec<[f32; LANES]>,
}

impl Evaluator for WrappedEvaluator<'_> {
    fn evaluate(&mut self, step: usize, count: usize, state: &[f32], score: &mut [f32]) {
        let PreparedWrapped { law, steps, .. } = self.prepared;
        let (at, d) = (&steps[step], law.dimension);
        for start in (0..count).step_by(LANES) {
            let lanes = start..count.min(start + LANES);
            locate(&at.regression, count, lanes.clone(), state, &mut self.place);
            self.softmax.clear();
            for (k, (means, log_weight)) in law.means.chunks_exact(d).zip(&law.log_weights).enumerate() {
                let circle = at.circles.get(k).unwrap_or(&at.circles[0]);
                let mut log = [*log_weight; LANES];
                for ((place, mean), slope) in self.place.iter().zip(means).zip(&mut self.slope) {
                    match circle {
                        Circle::Narrow { precision, log: scale, images } => {
                            narrow(place, *mean, *precision, *scale, *images, slope, &mut log);
                        }
                        Circle::Wide { waves } => wide(place, *mean, waves, slope, &mut log),
                    }
                }
                self.softmax.add(&log, &self.slope);
            }
            spread(at, count, lanes, state, self.softmax.mean(), &mut self.score);
            store(&self.score, count, start, score);
        }
    }
}

dispatched! {
    /// x − gᵀη; lanes without a sample are at 0.
    fn locate(
        regression: &[f32],
        count: usize,
        lanes: std::ops::Range<usize>,
        state: &[f32],
        out: &mut [[f32; LANES]],
    ) {
        let d = out.len();
        for (c, out) in out.iter_mut().enumerate() {
            out.fill(0.0);
            out[..lanes.len()].copy_from_slice(&state[c * count + lanes.start..][..lanes.len()]);
            for (j, weight) in regression.iter().enumerate() {
                let row = &state[((j + 1) * d + c) * count + lanes.start..][..lanes.len()];
                for (out, eta) in out.iter_mut().zip(row) {
                    *out = (-weight).mul_add(*eta, *out);
                }
            }
        }
    }
}

/// 2π in two parts, the first of few digits.
const TURN: [f32; 2] = [6.281_25, 1.935_307_2e-3];

dispatched! {
    /// ψ of a narrow wrapped normal into `slope`, its logarithm added to `log`.
    fn narrow(
        place: &[f32; LANES],
        mean: f32,
        precision: f32,
        scale: f32,
        images: usize,
        slope: &mut [f32; LANES],
        log: &mut [f32; LANES],
    ) {
        let mut rest = [0.0; LANES];
        let (mut total, mut sum) = ([1.0; LANES], [0.0; LANES]);
        for i in 0..LANES {
            let away = place[i] - mean;
            let turns = (away * (1.0 / std::f32::consts::TAU)).round_ties_even();
            // Not beyond half a turn by rounding, where the next image would weigh more than any number.
            let near = turns.mul_add(-TURN[1], turns.mul_add(-TURN[0], away));
            rest[i] = near.clamp(-std::f32::consts::PI, std::f32::consts::PI);
        }
        for image in 1..=images {
            let distance = single(image as f64 * std::f64::consts::TAU);
            for i in 0..LANES {
                // Beside the nearest image, so that nothing vanishes: ((r ± 2πn)² − r²)/2 = 2πn (πn ± r).
                let ahead = exp(-precision * distance * 0.5f32.mul_add(distance, rest[i]));
                let behind = exp(-precision * distance * 0.5f32.mul_add(distance, -rest[i]));
                total[i] += ahead + behind;
                sum[i] = distance.mul_add(ahead - behind, sum[i]);
            }
        }
        for i in 0..LANES {
            slope[i] = -precision * (rest[i] + sum[i] / total[i]);
            log[i] += (-0.5 * precision * rest[i]).mul_add(rest[i], ln(total[i])) + scale;
        }
    }
}

dispatched! {
    /// The same of a wide one.
    fn wide(
        place: &[f32; LANES],
        mean: f32,
        waves: &[f32; WAVES],
        slope: &mut [f32; LANES],
        log: &mut [f32; LANES],
    ) {
        let (mut total, mut sum) = ([1.0; LANES], [0.0; LANES]);
        for (n, wave) in waves.iter().enumerate() {
            let n = single((n + 1) as f64);
            for i in 0..LANES {
                let angle = n * (place[i] - mean);
                total[i] = wave.mul_add(cos(angle), total[i]);
                sum[i] = (-n * wave).mul_add(sin(angle), sum[i]);
            }
        }
        for i in 0..LANES {
            slope[i] = sum[i] / total[i];
            // −ln 2π.
            log[i] += ln(total[i]) - 1.837_877_1;
        }
    }
}

dispatched! {
    /// −Σ_ηη⁻¹ η − g Ψ of the driven auxiliaries, Ψ of a driven angle.
    fn spread(
        at: &Coefficients,
        count: usize,
        lanes: std::ops::Range<usize>,
        state: &[f32],
        pull: &[[f32; LANES]],
        score: &mut [[f32; LANES]],
    ) {
        let (d, auxiliaries) = (pull.len(), at.regression.len());
        for (k, (score, share)) in score.chunks_exact_mut(d).zip(&at.share).enumerate() {
            let known = &at.known[k * auxiliaries..][..auxiliaries];
            for (c, (score, pull)) in score.iter_mut().zip(pull).enumerate() {
                for i in 0..LANES {
                    score[i] = share * pull[i];
                }
                for (j, weight) in known.iter().enumerate() {
                    let row = &state[((j + 1) * d + c) * count + lanes.start..][..lanes.len()];
                    for (score, eta) in score.iter_mut().zip(row) {
                        *score = weight.mul_add(*eta, *score);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};

    use super::*;
    use crate::data::{Covariance, Dataset, Mixture};
    use crate::process::fixtures::Active;
    use crate::process::{Definition, Linear, Process};
    use crate::rng::{Purpose, Stream};
    use crate::score::{Exact, Score};
    use crate::tensor::Tensor;

    const COUNT: usize = 70;

    /// Active noise on angles, with passive noise of temperature `passive`, and white noise alone without `active`.
    fn process(active: f64, passive: f64) -> Process {
        let linear = Active { stiffness: 0.0, active, passive, ..Active::default() }.linear();
        let alone = Linear {
            drift: DMatrix::zeros(1, 1),
            offset: DVector::zeros(1),
            noise: linear.noise.rows(0, 1).into_owned(),
            start_mean: DVector::zeros(1),
            start_factor: DMatrix::zeros(1, 1),
        };
        let line = match active {
            0.0 => Process::from_linear("white", &["x"], alone, 40.0).unwrap(),
            _ => Process::from_linear("active", &["x", "eta"], linear, 40.0).unwrap(),
        };
        Process::new(Definition { periodic: vec!["x".into()], ..line.definition().clone() }, 40.0).unwrap()
    }

    /// log p of (x, η), [m·2], as a sum over 101 images of each coordinate of each component (weight, mean, variance).
    fn log_density(process: &Process, parts: &[(f64, [f64; 2], f64)], z: &[f64], time: f64) -> f64 {
        let kernel = process.kernel(time).unwrap();
        let m = kernel.offset.len();
        let log_sum = |logs: &[f64]| {
            let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            top + logs.iter().map(|log| (log - top).exp()).sum::<f64>().ln()
        };
        let part = |(weight, mean, variance): &(f64, [f64; 2], f64)| {
            let factor = kernel.with_data_variance(*variance).cholesky;
            let coordinate = |c: usize| {
                let image = |n: i32| {
                    let mut r = DVector::from_fn(m, |b, _| z[2 * b + c] - kernel.offset[b]);
                    r[0] -= mean[c] + f64::from(n) * TAU;
                    crate::gauss::log_density(&factor, r)
                };
                log_sum(&(-50..=50).map(image).collect::<Vec<_>>())
            };
            weight.ln() + coordinate(0) + coordinate(1)
        };
        log_sum(&parts.iter().map(part).collect::<Vec<_>>())
    }

    /// In units of the noise, with spreads from 0.03 to 9 radians on both sides of the change from images to waves. A
    /// model of these formulas outside the program, right to 10⁻¹² here, was seen to pass the bounds with the waves' n
    /// left out, with the sign of g turned, with variances of components left out, and with the log density of narrow
    /// normals without −ln σ.
    #[test]
    fn scores_are_gradients_of_the_sum_over_images() {
        let means = [[3.0, 0.1], [-2.9, 0.8], [0.2, -3.1]];
        let weights = [0.2, 0.5, 0.3];
        for (active, passive) in [(1.0, 0.0), (1.0, 0.4), (0.0, 0.5)] {
            let process = process(active, passive);
            let m = process.components();
            for variances in [[0.04; 3], [0.01, 0.3, 4.5], [0.0; 3]] {
                let flat = means.concat();
                let data = match variances[0] {
                    0.0 => Dataset::from_points("points", &Tensor::from_f64(&[3, 2], &flat).unwrap()).unwrap(),
                    _ => {
                        let covariance = Covariance::Isotropic(variances.to_vec());
                        Dataset::from_mixture("three", Mixture::new(weights.to_vec(), flat, covariance).unwrap())
                            .unwrap()
                    }
                };
                let weight = |k: usize| if variances[0] == 0.0 { 1.0 / 3.0 } else { weights[k] };
                let parts: Vec<_> = (0..3).map(|k| (weight(k), means[k], variances[k])).collect();
                let exact = Exact::new(&process, &data).unwrap();
                let times = [0.03, 0.5, 2.2, 2.6, 40.0];
                let prepared = exact.prepare(&times, &Task::default()).unwrap();
                let mut evaluator = prepared.evaluator(COUNT);
                for (step, &time) in times.iter().enumerate() {
                    let kernel = process.kernel(time).unwrap();
                    // Around the data and their images, on all turns.
                    let mut z = vec![0.0; m * 2 * COUNT];
                    Stream::new(4, Purpose::Script).normals(0, 0, &mut z);
                    for (row, values) in z.chunks_exact_mut(COUNT).enumerate() {
                        let spread = single(kernel.covariance[(row / 2, row / 2)].sqrt());
                        for (i, value) in values.iter_mut().enumerate() {
                            *value *= spread;
                            if row < 2 {
                                *value += single(means[i % 3][row] + (i as f64 % 5.0 - 2.0) * TAU);
                            }
                        }
                    }
                    let mut score = vec![f32::NAN; process.driven().len() * 2 * COUNT];
                    evaluator.evaluate(step, COUNT, &z, &mut score);
                    let units = kernel.conditional_std();
                    for i in 0..COUNT {
                        let point: Vec<_> = (0..2 * m).map(|row| f64::from(z[row * COUNT + i])).collect();
                        for (k, &block) in process.driven().iter().enumerate() {
                            for c in 0..2 {
                                let shifted = |by: f64| {
                                    let mut z = point.clone();
                                    z[2 * block + c] += by * units[block];
                                    log_density(&process, &parts, &z, time)
                                };
                                let h = 1e-3;
                                let truth = (8.0 * (shifted(h) - shifted(-h)) - shifted(2.0 * h) + shifted(-2.0 * h))
                                    / (12.0 * h);
                                let found = f64::from(score[(2 * k + c) * COUNT + i]) * units[block];
                                // States of 15 radians are known to 10⁻⁶ only.
                                let most = 1e-4 + 4e-6 / units[0];
                                assert!((found - truth).abs() < most, "t = {time}, {variances:?}: {found} {truth}");
                            }
                        }
                    }
                }
            }
        }
    }

    /// The score of a wrapped normal of standard deviation 1; without images it is −3 at 3.
    #[test]
    fn a_wrapped_normal_has_the_known_score() {
        for (x, truth) in [(3.0, -1.170_45), (std::f32::consts::PI, 0.0), (-3.0, 1.170_45)] {
            let (mut slope, mut log) = ([0.0; LANES], [0.0; LANES]);
            let Circle::Narrow { precision, log: scale, images } = Circle::new(1.0) else { panic!("it is narrow") };
            narrow(&[x; LANES], 0.0, precision, scale, images, &mut slope, &mut log);
            assert!((slope[0] - truth).abs() < 1e-5, "{x}: {}", slope[0]);
        }
        // Where one sum takes over from the other they are the same.
        for i in 0..20 {
            let place = [single(f64::from(i) * 0.3); LANES];
            let [mut slopes, mut logs] = [[[0.0; LANES]; 2]; 2];
            let Circle::Narrow { precision, log, images } = Circle::new(WIDE - 1e-9) else { panic!("it is narrow") };
            narrow(&place, 0.0, precision, log, images, &mut slopes[0], &mut logs[0]);
            let Circle::Wide { waves } = Circle::new(WIDE) else { panic!("it is wide") };
            wide(&place, 0.0, &waves, &mut slopes[1], &mut logs[1]);
            assert!((slopes[0][0] - slopes[1][0]).abs() < 2e-6, "{slopes:?}");
            assert!((logs[0][0] - logs[1][0]).abs() < 2e-6, "{logs:?}");
        }
    }
}
