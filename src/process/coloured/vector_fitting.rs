//! Poles of a correlation function or spectrum by vector fitting (Gustavsen, Semlyen, IEEE Trans. Power Delivery 14,
//! 1052 (1999); in time: Grivet-Talocia, IEEE Microw. Wirel. Compon. Lett. 13, 472 (2003)).
//!
//! With trial poles q and σ = 1 + Σ k/(s − q), the product of σ and the wanted function has the trial poles only, so
//! that k and the numerators follow from linear least squares; the zeros of σ are the next trial poles. A product with
//! a fraction is a convolution in time. Spectra are functions of ω², whose poles are −(poles in s)².

use nalgebra::{Complex, DMatrix, DVector};

use super::roots::{Fractions, Roots, columns};
use super::sampled::Sampled;
use super::squares::least_squares;
use super::wanted::Wanted;

/// Times that poles are moved.
const MOVES: usize = 15;
/// Damping of the first trial poles, as a part of their frequency; the better of the two fits counts.
const DAMPINGS: [f64; 2] = [0.1, 1.0];
/// Poles nearer to the imaginary axis than this part of their size are moved away from it.
const UNDAMPED: f64 = 1e-6;

/// The poles of `count` states and the spectrum as a sum of fractions of ω² with the corresponding poles.
pub(super) fn vector_fit(wanted: &Wanted, count: usize) -> Option<(Roots, Fractions)> {
    let (low, high) = wanted.range();
    let (low, high) = if wanted.sampled == Sampled::Spectrum { (low, high) } else { (0.5 / high, 0.5 / low) };
    let fits = DAMPINGS.iter().filter_map(|&damping| {
        let start = spread(low, high, count, damping);
        match wanted.sampled {
            Sampled::Spectrum => in_frequency(wanted, start.map(|pole| -pole * pole)),
            _ => in_time(wanted, start),
        }
    });
    let (_, fractions) = fits.min_by(|a, b| a.0.total_cmp(&b.0))?;
    match wanted.sampled {
        Sampled::Spectrum => Some((fractions.poles.map(|square| -(-square).sqrt()), fractions)),
        _ => {
            let squares = fractions.poles.map(|pole| -pole * pole);
            // 2 Re ∫ R exp(s t) exp(-i omega t) dt = -2 R s/(omega² + s²) with the conjugate.
            let real = fractions.real.iter().zip(&fractions.poles.real).map(|(r, s)| -2.0 * r * s).collect();
            let pairs = fractions.pairs.iter().zip(&fractions.poles.pairs).map(|(r, s)| -2.0 * r * s).collect();
            Some((fractions.poles, Fractions { poles: squares, real, pairs }))
        }
    }
}

/// `count` stable poles with frequencies at equal ratios.
fn spread(low: f64, high: f64, count: usize, damping: f64) -> Roots {
    let pairs = count / 2;
    let frequency = |i: usize| match pairs {
        1 => (low * high).sqrt(),
        _ => low * (high / low).powf(i as f64 / (pairs - 1) as f64),
    };
    let pair = |i: usize| Complex::new(-damping, 1.0) * frequency(i);
    Roots {
        real: if count % 2 == 1 { vec![-(low * high).sqrt()] } else { Vec::new() },
        pairs: (0..pairs).map(pair).collect(),
    }
}

fn in_frequency(wanted: &Wanted, start: Roots) -> Option<(f64, Fractions)> {
    let squares: Vec<_> = wanted.places.iter().map(|place| place * place).collect();
    let term = |pole: Complex<f64>| squares.iter().map(|square| 1.0 / (square - pole)).collect::<Vec<_>>();
    let product = |pole: Complex<f64>| term(pole).iter().zip(&wanted.values).map(|(one, value)| one * value).collect();
    // A pole on the positive axis would be an infinite spectrum.
    let tidy = |pole: Complex<f64>| match pole.im == 0.0 && pole.re >= 0.0 {
        true => Complex::new(-pole.re.max(f64::MIN_POSITIVE), 0.0),
        false => pole,
    };
    iterate(wanted, start, term, product, tidy)
}

fn in_time(wanted: &Wanted, start: Roots) -> Option<(f64, Fractions)> {
    let first = wanted.places[0];
    let times: Vec<_> = wanted.places.iter().map(|place| place - first).collect();
    let term = |pole: Complex<f64>| times.iter().map(|time| (pole * time).exp()).collect();
    let product = |pole: Complex<f64>| convolution(pole, &times, &wanted.values);
    let tidy = |pole: Complex<f64>| match pole.re {
        re if re > UNDAMPED * pole.norm() => Complex::new(-re, pole.im),
        re if re > -UNDAMPED * pole.norm() => Complex::new(-1e-3 * pole.norm(), pole.im),
        _ => pole,
    };
    let (error, mut fractions) = iterate(wanted, start, term, product, tidy)?;
    // Numerators at the first time, brought to time 0.
    fractions.real.iter_mut().zip(&fractions.poles.real).for_each(|(r, s)| *r *= (-s * first).exp());
    fractions.pairs.iter_mut().zip(&fractions.poles.pairs).for_each(|(r, s)| *r *= (-s * first).exp());
    Some((error, fractions))
}

/// ∫₀ᵗ exp(s (t − t')) f(t') dt' at all times, with f linear between them.
fn convolution(pole: Complex<f64>, times: &[f64], values: &[f64]) -> Vec<Complex<f64>> {
    let mut sum = Complex::new(0.0, 0.0);
    let mut all = vec![sum];
    for i in 1..times.len() {
        let step = times[i] - times[i - 1];
        let z = pole * step;
        let decay = z.exp();
        let (before, after) = match z.norm() < 1e-3 {
            true => (0.5 + z / 3.0 + z * z / 8.0, 0.5 + z / 6.0 + z * z / 24.0),
            false => ((decay * (z - 1.0) + 1.0) / (z * z), (decay - 1.0 - z) / (z * z)),
        };
        sum = decay * sum + (before * values[i - 1] + after * values[i]) * step;
        all.push(sum);
    }
    all
}

/// The best of all moves: its error, and its fractions.
fn iterate(
    wanted: &Wanted,
    start: Roots,
    term: impl Fn(Complex<f64>) -> Vec<Complex<f64>>,
    product: impl Fn(Complex<f64>) -> Vec<Complex<f64>>,
    tidy: impl Fn(Complex<f64>) -> Complex<f64>,
) -> Option<(f64, Fractions)> {
    let weighted = |all: Vec<Vec<f64>>| all.iter().map(|column| wanted.weighted(column)).collect::<Vec<_>>();
    let target = wanted.weighted(&wanted.values);
    let mut poles = start;
    let mut best: Option<(f64, Fractions)> = None;
    for _ in 0..MOVES {
        let mut both = weighted(columns(&poles, &term));
        both.extend(weighted(columns(&poles, &product)).into_iter().map(|column: DVector<f64>| -column));
        let Some(solution) = least_squares(&DMatrix::from_columns(&both), &target) else { break };
        let sigma = Fractions::new(poles.clone(), &solution.as_slice()[poles.count()..]);
        let Some(zeros) = sigma.zeros(true) else { break };
        poles = zeros.map(&tidy);
        let own = columns(&poles, &term);
        let Some(numerators) = least_squares(&DMatrix::from_columns(&weighted(own.clone())), &target) else { break };
        let mut sum = vec![0.0; wanted.places.len()];
        for (column, numerator) in own.iter().zip(&numerators) {
            sum.iter_mut().zip(column).for_each(|(sum, one)| *sum += numerator * one);
        }
        let (error, _) = wanted.error(&sum);
        if best.as_ref().is_none_or(|(least, _)| error < *least) {
            best = Some((error, Fractions::new(poles.clone(), numerators.as_slice())));
        }
    }
    best.filter(|(error, _)| error.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poles_are_spread_at_equal_ratios() {
        let near = |a: Complex<f64>, b: Complex<f64>| assert!((a - b).norm() < 1e-12 * b.norm(), "{a} not {b}");
        let Roots { real, pairs } = spread(0.1, 10.0, 7, 0.01);
        assert!(real.len() == 1 && (real[0] + 1.0).abs() < 1e-12, "{real:?}");
        assert_eq!(pairs.len(), 3);
        pairs.iter().zip([0.1, 1.0, 10.0]).for_each(|(&pole, w)| near(pole, Complex::new(-0.01 * w, w)));
        let Roots { real, pairs } = spread(0.1, 40.0, 2, 0.5);
        assert_eq!((real.len(), pairs.len()), (0, 1));
        near(pairs[0], Complex::new(-1.0, 2.0));
    }

    /// Of f = 2 + 3 t the integral is known; the steps are short for the pole, long, and uneven.
    #[test]
    fn convolutions_of_straight_lines_are_exact() {
        let times = [0.0, 1e-5, 1e-4, 0.3, 1.0, 4.0];
        let values = times.map(|t| 2.0 + 3.0 * t);
        for pole in [Complex::new(-0.7, 0.0), Complex::new(-0.2, 1.3)] {
            let found = convolution(pole, &times, &values);
            for (found, &t) in found.iter().zip(&times) {
                // By its series where it is a small difference of large numbers.
                let z = pole * t;
                let (one, line) = match z.norm() < 1e-2 {
                    true => (t * (1.0 + z / 2.0 + z * z / 6.0), t * t * (0.5 + z / 6.0 + z * z / 24.0)),
                    false => ((z.exp() - 1.0) / pole, (z.exp() - 1.0 - z) / (pole * pole)),
                };
                let truth = 2.0 * one + 3.0 * line;
                assert!((found - truth).norm() <= 1e-6 * truth.norm(), "{pole}, {t}: {found} not {truth}");
            }
        }
    }
}
