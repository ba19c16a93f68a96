//! The linearised law at the end of a window, of one sample.

/// The linearised law of the end of one window.
#[derive(Debug, Clone)]
pub struct WindowLaw {
    pub(super) size: usize,
    pub(super) driven: usize,
    /// L with L Lᵀ = P, row-major; a column of zeros where nothing is random.
    pub(super) lower: Vec<f64>,
    /// δ.
    pub(super) deviation: Vec<f64>,
}

/// A pivot below this part of its variance is rounding: P is carried in single precision.
const SINGULAR: f64 = 1e-6;

impl WindowLaw {
    /// Turns P, which `lower` holds, into its factor.
    pub(super) fn decompose(&mut self) {
        let n = self.size;
        for i in 0..n {
            let variance = self.lower[i * n + i];
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| self.lower[i * n + k] * self.lower[j * n + k]).sum();
                let left = self.lower[i * n + j] - known;
                let pivot = self.lower[j * n + j];
                self.lower[i * n + j] = match () {
                    () if i == j && left > SINGULAR * variance => left.sqrt(),
                    () if i == j || pivot == 0.0 => 0.0,
                    () => left / pivot,
                };
            }
        }
    }

    /// ε = L⁻¹ δ, in the order of the factor: unit normals if the linearised law is the true one. 0 where nothing is
    /// random.
    pub fn white(&self) -> Vec<f64> {
        let n = self.size;
        let mut white = vec![0.0; n];
        for i in 0..n {
            let known: f64 = (0..i).map(|k| self.lower[i * n + k] * white[k]).sum();
            let pivot = self.lower[i * n + i];
            white[i] = if pivot == 0.0 { 0.0 } else { (self.deviation[i] - known) / pivot };
        }
        white
    }

    /// The driven part of the score, −L_dd^{−ᵀ} ε_d, \[driven\].
    pub fn score(&self) -> Vec<f64> {
        let (n, first) = (self.size, self.size - self.driven);
        let mut score: Vec<_> = self.white()[first..].iter().map(|e| -e).collect();
        for i in (0..self.driven).rev() {
            let below = i + 1..self.driven;
            let known: f64 = below.map(|k| self.lower[(first + k) * n + first + i] * score[k]).sum();
            score[i] = (score[i] - known) / self.lower[(first + i) * n + first + i];
        }
        score
    }

    /// The variance ℓ² of each driven component given all the others, \[driven\].
    pub fn conditional_variance(&self) -> Vec<f64> {
        let (n, first) = (self.size, self.size - self.driven);
        // Columns of L_dd⁻¹.
        let column = |j: usize| {
            let mut inverse = vec![0.0; self.driven];
            for i in j..self.driven {
                let known: f64 = (j..i).map(|k| self.lower[(first + i) * n + first + k] * inverse[k]).sum();
                let unit = if i == j { 1.0 } else { 0.0 };
                inverse[i] = (unit - known) / self.lower[(first + i) * n + first + i];
            }
            1.0 / inverse.iter().map(|v| v * v).sum::<f64>()
        };
        (0..self.driven).map(column).collect()
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};
    use proptest::prelude::*;

    use super::*;
    use crate::property::cases;

    fn law(covariance: &DMatrix<f64>, deviation: &[f64], driven: usize) -> WindowLaw {
        let lower = covariance.transpose().as_slice().to_vec();
        let mut law = WindowLaw { size: deviation.len(), driven, lower, deviation: deviation.to_vec() };
        law.decompose();
        law
    }

    proptest! {
        #![proptest_config(cases(64))]

        /// The score is −P⁻¹ δ, the variance given all others one over the diagonal of P⁻¹, in components of any size.
        #[test]
        fn laws_are_gaussian(
            entries in proptest::collection::vec(-1.0_f64..1.0, 16),
            pivots in proptest::collection::vec(0.3_f64..2.0, 4),
            units in proptest::collection::vec(-9_i32..9, 4),
            deviation in proptest::collection::vec(-2.0_f64..2.0, 4),
            driven in 1..5_usize,
        ) {
            let unit = |i: usize| f64::from(units[i]).exp2();
            let factor = DMatrix::from_fn(4, 4, |i, j| unit(i) * match i.cmp(&j) {
                std::cmp::Ordering::Less => 0.0,
                std::cmp::Ordering::Equal => pivots[i],
                std::cmp::Ordering::Greater => entries[4 * i + j],
            });
            let law = law(&(&factor * factor.transpose()), &deviation, driven);
            for (i, j) in (0..4).flat_map(|i| (0..=i).map(move |j| (i, j))) {
                prop_assert!((law.lower[4 * i + j] - factor[(i, j)]).abs() < 1e-12 * unit(i));
            }
            let inverse = factor.clone().try_inverse().unwrap();
            let precision = inverse.transpose() * &inverse;
            let deviation = DVector::from_vec(deviation);
            let (white, score) = (&inverse * &deviation, -&precision * &deviation);
            for (found, truth) in law.white().iter().zip(&white) {
                prop_assert!((found - truth).abs() < 1e-11 * white.norm());
            }
            prop_assert_eq!((law.score().len(), law.conditional_variance().len()), (driven, driven));
            for (d, i) in (4 - driven..4).enumerate() {
                prop_assert!((law.score()[d] - score[i]).abs() * unit(i) < 1e-11 * white.norm());
                prop_assert!((law.conditional_variance()[d] * precision[(i, i)] - 1.0).abs() < 1e-11);
            }
        }
    }

    /// A component that nothing moves, and one that follows from another up to rounding of single precision.
    #[test]
    fn what_is_certain_has_no_part() {
        let covariance = DMatrix::from_row_slice(3, 3, &[0.0, 0.0, 0.0, 0.0, 1e-8, 2e-8, 0.0, 2e-8, 4e-8 + 1e-15]);
        let law = law(&covariance, &[3.0, 1e-4, 5.0], 1);
        assert_eq!(law.white(), [0.0, 1.0, 0.0]);
        assert_eq!(law.lower[8], 0.0);
    }
}
