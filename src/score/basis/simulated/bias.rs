//! How far the mean of targets lies from the score that they stand for.
//!
//! For the true score s and any g, E[s_d g] = −E[∂_d g] (Stein). What targets y miss in it, b_k = −E[∂_d g_k + y g_k],
//! is E[(s_d − E[y | z]) g_k]: for several g with the products G = E[g gᵀ], bᵀ G⁻¹ b is the mean square of that part of
//! the bias which they can tell. With one factor b from each half of the samples chance adds nothing to it on average.

use nalgebra::{DMatrix, DVector};

/// Places, and width, of the bumps in each component, in its standard deviations.
const CENTRES: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];
const WIDTH: f64 = 0.7;
/// Parts of G below this of its largest are rounding.
const RESOLUTION: f64 = 1e-8;

/// A function of the state and its slope along one component, at each sample.
type Probe = (Vec<f64>, Vec<f64>);

/// Squared bias of `targets` for the score along component `own`, as a part of the squared score, both as far as
/// constants, each component, bumps in it and `more` can tell; `states` are those of each component, and the
/// first and the second half of the samples are independent.
pub(super) fn squared_bias(states: &[Vec<f64>], own: usize, targets: &[f64], more: Option<Probe>) -> f64 {
    let count = targets.len();
    let mut probes: Vec<Probe> = vec![(vec![1.0; count], vec![0.0; count])];
    for (component, states) in states.iter().enumerate() {
        probes.extend(along(states, component == own));
    }
    probes.extend(more);
    let mean = |range: std::ops::Range<usize>, of: &dyn Fn(usize) -> f64| {
        range.clone().map(of).sum::<f64>() / range.len() as f64
    };
    let each = |of: &dyn Fn(&Probe) -> f64| DVector::from_iterator(probes.len(), probes.iter().map(of));
    let missed = |range: std::ops::Range<usize>| {
        each(&|(value, slope)| mean(range.clone(), &|i| -slope[i] - targets[i] * value[i]))
    };
    let slopes = each(&|(_, slope)| mean(0..count, &|i| -slope[i]));
    // In units in which the diagonal is 1: the probes may be of very different size.
    let units = each(&|(value, _)| mean(0..count, &|i| value[i] * value[i]).sqrt().max(f64::MIN_POSITIVE).recip());
    let product = |k: usize, l: usize| units[k] * units[l] * mean(0..count, &|i| probes[k].0[i] * probes[l].0[i]);
    let products = DMatrix::from_fn(probes.len(), probes.len(), |k, l| if l <= k { product(k, l) } else { 0.0 });
    let decomposed = products.symmetric_eigen();
    let least = RESOLUTION * decomposed.eigenvalues.max();
    let square = |a: &DVector<f64>, b: &DVector<f64>| {
        let [a, b] = [a, b].map(|v| decomposed.eigenvectors.tr_mul(&v.component_mul(&units)));
        let parts = a.iter().zip(&b).zip(&decomposed.eigenvalues);
        parts.filter(|(_, value)| **value > least).map(|((a, b), value)| a * b / value).sum::<f64>()
    };
    square(&missed(0..count / 2), &missed(count / 2..count)) / square(&slopes, &slopes)
}

/// A component itself and bumps in it; the slopes are by this component, or 0 by another one.
fn along(states: &[f64], is_own: bool) -> Vec<Probe> {
    let count = states.len() as f64;
    let mean = states.iter().sum::<f64>() / count;
    let scale = (states.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / count).sqrt();
    // A component at rest says nothing.
    if scale.is_nan() || scale <= 0.0 {
        return Vec::new();
    }
    let normal: Vec<f64> = states.iter().map(|z| (z - mean) / scale).collect();
    let slope = if is_own { scale.recip() } else { 0.0 };
    let bump = |centre: f64| {
        let value = |u: &f64| (-0.5 * ((u - centre) / WIDTH).powi(2)).exp();
        let values = normal.iter().map(value).collect();
        (values, normal.iter().map(|u| -slope * (u - centre) / WIDTH.powi(2) * value(u)).collect())
    };
    std::iter::once((normal.clone(), vec![slope; normal.len()])).chain(CENTRES.map(bump)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    /// Of normal states the score is −z. Targets with noise twice as wide as the score have no bias, those that are 0.2
    /// too small, or off by 0.2 in a way that moments up to the third do not show, have one of a part of 0.2 and of
    /// what the five bumps can tell of the other. 8 standard errors of 6 probes at 2¹⁶ samples are 0.006.
    #[test]
    fn bias_is_found_and_chance_is_not() {
        const COUNT: usize = 1 << 16;
        let mut normals = vec![0.0; 2 * COUNT];
        Stream::new(1, Purpose::Pilot).normals(0, 0, &mut normals);
        let [states, noise]: [Vec<f64>; 2] =
            [0, 1].map(|part| normals[part * COUNT..][..COUNT].iter().map(|&z| f64::from(z)).collect());
        let bias = |error: &dyn Fn(f64) -> f64| {
            let targets: Vec<f64> = states.iter().zip(&noise).map(|(z, n)| -z + error(*z) + 2.0 * n).collect();
            squared_bias(std::slice::from_ref(&states), 0, &targets, None)
        };
        assert!(bias(&|_| 0.0).abs() < 0.006, "{}", bias(&|_| 0.0));
        assert!((bias(&|z| 0.2 * z) - 0.04).abs() < 0.02, "{}", bias(&|z| 0.2 * z));
        let even = |z: f64| 0.2 * (z.powi(4) - 6.0 * z * z + 3.0) / 24_f64.sqrt();
        assert!(bias(&even) > 0.015, "{}", bias(&even));
    }

    /// Against differences between neighbours; a component at rest is left out.
    #[test]
    fn slopes_of_probes_are_their_derivatives() {
        let states: Vec<f64> = (0..4001).map(|i| 2.0 + 1e-3 * f64::from(i)).collect();
        for (values, slopes) in along(&states, true) {
            for i in 1..4000 {
                let truth = (values[i + 1] - values[i - 1]) / (states[i + 1] - states[i - 1]);
                assert!((slopes[i] - truth).abs() < 1e-4, "{i}: {} not {truth}", slopes[i]);
            }
            assert!(values.iter().copied().fold(0.0, f64::max) > 0.9);
        }
        assert!(along(&states, false).iter().all(|(_, slopes)| slopes.iter().all(|slope| *slope == 0.0)));
        assert!(along(&[3.0; 5], true).is_empty());
    }
}
