//! A ladder: the stable linear filter of one white noise in coordinates that are independent in its stationary law.
//!
//! dz₁ = a₁z₂ dt, dzᵢ = (aᵢzᵢ₊₁ − aᵢ₋₁zᵢ₋₁) dt, dzₙ = (−aₙ₋₁zₙ₋₁ − γzₙ) dt + √(2γ) dW: neighbours exchange energy, as
//! springs and masses do, and only the last is damped and kicked. Whatever the couplings a and the damping γ > 0, the
//! stationary law is a standard normal one, and the noise Σ wᵢzᵢ has a spectrum |Σ wᵢφᵢ(iω)|² ≥ 0. Every stable filter
//! of one white noise can be written like this (Schwarz, Z. angew. Math. Phys. 7, 473 (1956)).

use nalgebra::{Complex, DMatrix, DVector};

use super::roots::Roots;
use super::sampled::Sampled;
use super::squares::least_squares;

/// Eigenvalues nearer than this part of their size are moved apart before fractions are formed: an error in second
/// order, where equal ones would give infinite numerators.
const APART: f64 = 1e-7;

/// States in a row, the last driven by white noise, and the weights of their sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// Weights w of the n states.
    pub weights: Vec<f64>,
    /// Couplings a of neighbours, 1/time, n − 1.
    pub couplings: Vec<f64>,
    /// Damping γ of the last state, 1/time.
    pub damping: f64,
}

impl Ladder {
    /// One with these poles and zeros, the zeros fewer, and a variance of any size.
    pub(super) fn with_roots(poles: &Roots, zeros: &Roots) -> Option<Self> {
        let (squares, damping) = routh(&poles.coefficients())?;
        let couplings: Vec<_> = squares.iter().rev().map(|square| square.sqrt()).collect();
        let mut ladder = Self { weights: vec![0.0; poles.count()], couplings, damping };
        // The weights from the numerator on the imaginary axis, where the states' own numerators are orthogonal.
        let (low, high) = poles.range();
        let count = 4 * poles.count();
        let mut rows = DMatrix::zeros(2 * count, poles.count());
        let mut wanted = DVector::zeros(2 * count);
        for i in 0..count {
            let place = 0.25 * low * (16.0 * high / low).powf(i as f64 / (count - 1) as f64);
            let s = Complex::new(0.0, place);
            let numerator = zeros.product(s);
            let size = numerator.norm().max(f64::MIN_POSITIVE);
            (wanted[2 * i], wanted[2 * i + 1]) = (numerator.re / size, numerator.im / size);
            for (j, state) in ladder.numerators(s).iter().enumerate() {
                (rows[(2 * i, j)], rows[(2 * i + 1, j)]) = (state.re / size, state.im / size);
            }
        }
        ladder.weights = least_squares(&rows, &wanted)?.as_slice().to_vec();
        ladder.is_finite().then_some(ladder)
    }

    /// Whether all its numbers are finite, and rates above 0.
    pub(super) fn is_finite(&self) -> bool {
        let is_rate = |rate: &f64| rate.is_finite() && *rate > 0.0;
        self.weights.iter().all(|weight| weight.is_finite())
            && self.couplings.iter().all(is_rate)
            && is_rate(&self.damping)
    }

    /// Stationary variance of the noise.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.weights.iter().map(|weight| weight * weight).sum()
    }

    /// The same for times in units of 1/`factor`.
    pub(super) fn faster(&self, factor: f64) -> Self {
        let couplings = self.couplings.iter().map(|rate| factor * rate).collect();
        Self { weights: self.weights.clone(), couplings, damping: factor * self.damping }
    }

    /// The function of the noise that `sampled` names, at `places` that rise, from the matrix exponential: without
    /// cancellation, as this never grows.
    pub(super) fn function(&self, sampled: Sampled, places: &[f64]) -> Vec<f64> {
        if sampled == Sampled::Spectrum {
            return places.iter().map(|&place| self.spectrum(place)).collect();
        }
        let weights = DVector::from_column_slice(&self.weights);
        let (drift, mut state, mut now) = (self.drift(), weights.clone(), 0.0);
        let step = |&place: &f64| {
            state = (&drift * (place - now)).exp() * &state;
            now = place;
            weights.dot(&state)
        };
        places.iter().map(step).collect()
    }

    /// S(ω) = ∫ C(t) exp(iωt) dt.
    pub(super) fn spectrum(&self, frequency: f64) -> f64 {
        let s = Complex::new(0.0, frequency);
        let states = self.numerators(s);
        let numerator: Complex<f64> = states.iter().zip(&self.weights).map(|(state, weight)| state * weight).sum();
        2.0 * self.damping * (numerator / self.denominator(s, &states)).norm_sqr()
    }

    /// The same as [`Ladder::function`] to about 1e-8 and much faster.
    pub(super) fn quickly(&self, sampled: Sampled, places: &[f64]) -> Vec<f64> {
        if sampled == Sampled::Spectrum {
            return self.function(sampled, places);
        }
        let Some((poles, residues)) = self.fractions() else { return vec![f64::NAN; places.len()] };
        let mut sum = vec![0.0; places.len()];
        for (i, (pole, residue)) in poles.upper().zip(residues).enumerate() {
            let twice = if i < poles.real.len() { 1.0 } else { 2.0 };
            sum.iter_mut().zip(places).for_each(|(sum, &time)| *sum += twice * (residue * (pole * time).exp()).re);
        }
        sum
    }

    /// C(t) as a sum of exponentials: the real poles and one of each pair, and what multiplies their exponentials.
    pub(super) fn fractions(&self) -> Option<(Roots, Vec<Complex<f64>>)> {
        let poles = apart(Roots::of_matrix(&self.drift())?);
        let leading: f64 = self.couplings.iter().product();
        let numerator = |s: Complex<f64>| {
            let states = self.numerators(s);
            let sum: Complex<f64> = states.iter().zip(&self.weights).map(|(state, weight)| state * weight).sum();
            sum * leading
        };
        let residue = |pole: Complex<f64>| {
            let others = poles.all().filter(|other| *other != pole).map(|other| pole - other);
            let slope: Complex<f64> = others.product();
            2.0 * self.damping * numerator(pole) * numerator(-pole) / (slope * poles.product(-pole))
        };
        Some((poles.clone(), poles.upper().map(residue).collect()))
    }

    fn drift(&self) -> DMatrix<f64> {
        let count = self.weights.len();
        let mut drift = DMatrix::zeros(count, count);
        for (i, coupling) in self.couplings.iter().enumerate() {
            (drift[(i, i + 1)], drift[(i + 1, i)]) = (*coupling, -coupling);
        }
        drift[(count - 1, count - 1)] = -self.damping;
        drift
    }

    /// φᵢ(s): the response of the states to the kicks, times a common denominator, with φ₁ = 1.
    fn numerators(&self, s: Complex<f64>) -> Vec<Complex<f64>> {
        let mut states = vec![Complex::new(1.0, 0.0)];
        for (i, coupling) in self.couplings.iter().enumerate() {
            let before = if i == 0 { Complex::new(0.0, 0.0) } else { states[i - 1] * self.couplings[i - 1] };
            states.push((s * states[i] + before) / coupling);
        }
        states
    }

    fn denominator(&self, s: Complex<f64>, states: &[Complex<f64>]) -> Complex<f64> {
        let last = states.len() - 1;
        let before = if last == 0 { Complex::new(0.0, 0.0) } else { states[last - 1] * self.couplings[last - 1] };
        (s + self.damping) * states[last] + before
    }
}

/// Couplings squared, from the driven end, and the damping of the ladder whose characteristic polynomial this is: the
/// ratios in the first column of Routh's scheme. `None` where the polynomial is not stable.
fn routh(coefficients: &[f64]) -> Option<(Vec<f64>, f64)> {
    let count = coefficients.len() - 1;
    let mut above: Vec<_> = coefficients.iter().step_by(2).copied().collect();
    let mut row: Vec<_> = coefficients.iter().skip(1).step_by(2).copied().collect();
    let damping = row[0] / above[0];
    let mut squares = Vec::new();
    for _ in 1..count {
        let ratio = above[0] / row[0];
        let next = |j: usize| above[j + 1] - ratio * row.get(j + 1).copied().unwrap_or(0.0);
        let below: Vec<_> = (0..above.len() - 1).map(next).collect();
        squares.push(below[0] / above[0]);
        (above, row) = (row, below);
    }
    let is_stable = squares.iter().chain([&damping]).all(|one| one.is_finite() && *one > 0.0);
    is_stable.then_some((squares, damping))
}

/// The same roots, those that are nearly equal moved apart along the real axis.
fn apart(mut roots: Roots) -> Roots {
    // Two that are nearly conjugate to themselves are two nearly equal real ones.
    let is_pair = |root: &Complex<f64>| root.im > APART * root.norm();
    roots.real.extend(roots.pairs.iter().filter(|root| !is_pair(root)).flat_map(|root| [root.re, root.re]));
    roots.pairs.retain(is_pair);
    for i in 0..roots.real.len() {
        for j in i + 1..roots.real.len() {
            let least = APART * roots.real[i].abs();
            if (roots.real[i] - roots.real[j]).abs() < least {
                roots.real[i] -= least;
                roots.real[j] += least;
            }
        }
    }
    for i in 0..roots.pairs.len() {
        for j in i + 1..roots.pairs.len() {
            let least = APART * roots.pairs[i].norm();
            if (roots.pairs[i] - roots.pairs[j]).norm() < least {
                roots.pairs[i].re -= least;
                roots.pairs[j].re += least;
            }
        }
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_that_are_equal_are_moved_apart() {
        let pair = Complex::new(-1.0, 2.0);
        let roots = apart(Roots { real: vec![-3.0, -3.0, -5.0], pairs: vec![pair, pair, Complex::new(-4.0, 1e-9)] });
        let near = |found: f64, truth: f64| assert!((found - truth).abs() < 1e-12, "{found} not {truth}");
        let truth = [-3.0 - 3.0 * APART, -3.0 + 3.0 * APART, -5.0, -4.0 - 4.0 * APART, -4.0 + 4.0 * APART];
        roots.real.iter().zip(truth).for_each(|(found, truth)| near(*found, truth));
        let moved = APART * 5_f64.sqrt();
        assert_eq!((roots.real.len(), roots.pairs.len()), (5, 2));
        roots.pairs.iter().zip([-1.0 - moved, -1.0 + moved]).for_each(|(found, truth)| near(found.re, truth));
        let distinct = Roots { real: vec![-1.0, -2.0], pairs: vec![Complex::new(-1.0, 1.0), Complex::new(-1.0, 3.0)] };
        assert_eq!(apart(distinct.clone()), distinct);
    }
}
