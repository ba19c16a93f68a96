use proptest::prelude::*;

use super::*;
use crate::property::cases;

fn fit(sampled: Sampled, from: f64, to: f64, tolerance: f64, wanted: impl Fn(f64) -> f64) -> Result<Embedding> {
    let places = places(from, to).unwrap();
    let values: Vec<_> = places.iter().map(|&place| wanted(place)).collect();
    embed(sampled, &places, &values, tolerance, 0.0, &Task::default())
}

fn states(embedding: &Embedding) -> usize {
    embedding.components.iter().map(Component::states).sum()
}

/// The largest relative error at places between those of the fit.
fn relative_error(embedding: &Embedding, sampled: Sampled, from: f64, to: f64, wanted: impl Fn(f64) -> f64) -> f64 {
    let places = logarithmic(from, to, 997).unwrap();
    let errors = embedding.function(sampled, &places).into_iter().zip(&places);
    errors.map(|(found, &place)| (found / wanted(place) - 1.0).abs()).fold(0.0, f64::max)
}

proptest! {
    #![proptest_config(cases(16))]

    /// A sum of two exponentials a factor of 4 or more apart comes back, from either side.
    #[test]
    fn sums_of_exponentials_are_found(tau in 0.05..0.5, ratio in 4.0..20.0, part in 0.2..0.8) {
        let wanted = [(part, tau), (1.0 - part, ratio * tau)];
        for (sampled, from, to) in [(Sampled::Correlation, 0.01, 10.0), (Sampled::Spectrum, 0.01, 20.0)] {
            let sum = |place: f64| wanted.iter().map(|(v, tau)| v * sampled.unit(*tau, place)).sum();
            let embedding = fit(sampled, from, to, 1e-3, sum).unwrap();
            prop_assert!(embedding.error < 1e-3 && states(&embedding) == 2, "{embedding:?}");
        }
    }

    /// Sums of two damped oscillations that are noises come back as such, whatever their units of time.
    #[test]
    fn sums_of_oscillations_are_found(
        variance in 0.2..1.0,
        rates in (0.2..2.0, 0.2..2.0),
        frequencies in (0.5..4.0, 8.0..20.0),
        blends in (-0.9..0.9, -0.9..0.9),
        unit in prop_oneof![Just(1.0), Just(1e-9), Just(1e7)],
    ) {
        let oscillation = |variance, rate: f64, frequency, blend| {
            Component::Oscillation { variance, time: unit / rate, frequency: frequency / unit, blend }
        };
        let wanted = Embedding {
            components: vec![
                oscillation(variance, rates.0, frequencies.0, blends.0),
                oscillation(1.0, rates.1, frequencies.1, blends.1),
            ],
            error: 0.0,
            worst: 0.0,
        };
        for (sampled, from, to) in
            [(Sampled::Correlation, 0.01 * unit, 10.0 * unit), (Sampled::Spectrum, 0.1 / unit, 100.0 / unit)]
        {
            let places = places(from, to).unwrap();
            let values = wanted.function(sampled, &places);
            let embedding = embed(sampled, &places, &values, 1e-3, 0.0, &Task::default()).unwrap();
            prop_assert!(embedding.error < 1e-3 && states(&embedding) <= 4, "{sampled:?} {embedding:?}");
        }
    }

    /// A ladder's correlation is that of its own equations, and its spectrum the transform of it: both from its
    /// matrices.
    #[test]
    fn ladders_are_filters_of_white_noise(
        weights in prop::array::uniform4(-2.0..2.0_f64),
        couplings in prop::array::uniform3(0.2..3.0_f64),
        damping in 0.2..5.0_f64,
    ) {
        let ladder = Ladder { weights: weights.to_vec(), couplings: couplings.to_vec(), damping };
        let component = Component::Ladder(ladder.clone());
        let times = [0.0, 0.3, 1.0, 4.0];
        let exact = component.function(Sampled::Correlation, &times);
        prop_assert!((exact[0] - ladder.variance()).abs() < 1e-12);
        for (quick, exact) in ladder.quickly(Sampled::Correlation, &times).iter().zip(&exact) {
            prop_assert!((quick - exact).abs() < 1e-6 * ladder.variance().max(1.0), "{quick} {exact}");
        }
        let (poles, residues) = ladder.fractions().unwrap();
        for frequency in [0.0, 0.7, 3.0] {
            let s = nalgebra::Complex::new(0.0, frequency);
            let one = |(i, (pole, residue)): (usize, (nalgebra::Complex<f64>, &nalgebra::Complex<f64>))| {
                let conjugate = if i < poles.real.len() { s * 0.0 } else { residue.conj() / (s - pole.conj()) };
                2.0 * (residue / (s - pole) + conjugate).re
            };
            let transform: f64 = poles.upper().zip(&residues).enumerate().map(one).sum();
            let spectrum = component.function(Sampled::Spectrum, &[frequency])[0];
            prop_assert!(spectrum >= 0.0);
            prop_assert!((spectrum - transform).abs() < 1e-6 * ladder.variance(), "{spectrum} {transform}");
        }
    }
}

/// Power laws of all steepnesses and widths, each value relative to itself.
#[test]
fn power_laws_hold_their_tolerance() {
    for (exponent, from, to, most) in [
        (0.1, 0.02, 2.0, 4),
        (0.25, 0.01, 10.0, 5),
        (0.5, 1e-6, 1e6, 19),
        (0.5, 0.001, 100.0, 8),
        (1.0, 0.02, 2.0, 5),
        (1.5, 0.01, 10.0, 7),
        (2.0, 1e-3, 1e3, 16),
        (3.0, 0.02, 2.0, 7),
        (4.0, 1e-8, 1e-6, 8),
    ] {
        let law = |t: f64| t.powf(-exponent);
        let embedding = fit(Sampled::Correlation, from, to, 0.02, law).unwrap();
        let error = relative_error(&embedding, Sampled::Correlation, from, to, law);
        assert!(error < 0.021 && embedding.error <= 0.02, "exponent {exponent}: {error}, {embedding:?}");
        assert!(states(&embedding) <= most, "exponent {exponent}: {} states", states(&embedding));
    }
}

/// What no sum of decays can be: smooth at 0, or turning. The number of states is what such functions need.
#[test]
fn correlations_without_a_kink_are_fitted() {
    let cases: [(&str, fn(f64) -> f64, f64, usize); 6] = [
        ("Lorentzian", |t| 1.0 / (1.0 + t * t), 10.0, 5),
        ("Gaussian", |t| (-t * t).exp(), 3.0, 4),
        ("Gaussian to the end", |t| (-t * t).exp(), 10.0, 5),
        ("Matérn 3/2", |t| (1.0 + t) * (-t).exp(), 10.0, 2),
        ("Matérn 5/2", |t| (1.0 + t + t * t / 3.0) * (-t).exp(), 10.0, 3),
        ("Gaussian beat", |t| (-t * t).exp() * (5.0 * t).cos(), 10.0, 8),
    ];
    for (name, wanted, to, most) in cases {
        let embedding = fit(Sampled::Correlation, 0.01, to, 0.02, wanted).unwrap();
        let states = states(&embedding);
        assert!(embedding.error <= 0.02 && states <= most, "{name}: {} of {states} states", embedding.error);
        let times = logarithmic(0.01, to, 97).unwrap();
        let found = embedding.function(Sampled::Correlation, &times);
        let deviation = found.iter().zip(&times).map(|(found, &t)| (found - wanted(t)).abs()).fold(0.0, f64::max);
        assert!(deviation < 0.02, "{name}: {deviation}");
    }
}

/// Spectra, each value relative to itself.
#[test]
fn spectra_are_fitted() {
    let cases: [(&str, fn(f64) -> f64, usize); 8] = [
        ("Lorentzian of order 4", |w| 1.0 / (1.0 + w.powi(4)), 2),
        ("Lorentzian of order 8", |w| 1.0 / (1.0 + w.powi(8)), 4),
        ("cubed Lorentzian", |w| (1.0 + w * w).powi(-3), 3),
        ("Brownian", |w| w.powi(-2), 1),
        ("white", |_| 1.0, 1),
        ("rising", |w| w.powf(0.4), 6),
        ("resonance", |w| 1.0 / ((w * w - 25.0).powi(2) + 0.0025 * w * w), 2),
        ("cubic", |w| w.powi(-3), 6),
    ];
    for (name, wanted, most) in cases {
        let embedding = fit(Sampled::Spectrum, 0.01, 10.0, 0.02, wanted).unwrap();
        let error = relative_error(&embedding, Sampled::Spectrum, 0.01, 10.0, wanted);
        let states = states(&embedding);
        assert!(error < 0.021 && states <= most, "{name}: {error} of {states} states");
    }
}

/// Fractional Brownian motion, rough and smooth, over four decades.
#[test]
fn mean_square_displacements_are_fitted() {
    for (hurst, is_rough) in [(0.05, true), (0.25, true), (0.45, true), (0.55, false), (0.75, false), (0.95, false)] {
        let law = |t: f64| t.powf(2.0 * hurst);
        let embedding = fit(Sampled::Displacement, 1e-3, 10.0, 0.02, law).unwrap();
        assert!(relative_error(&embedding, Sampled::Displacement, 1e-3, 10.0, law) < 0.021, "H = {hurst}");
        let is_position = |one: &Component| matches!(one, Component::Position { .. });
        assert!(embedding.components.iter().all(|one| is_position(one) == is_rough), "H = {hurst}: {embedding:?}");
        assert!(states(&embedding) <= 6, "H = {hurst}: {embedding:?}");
    }
}

/// What no noise has is refused with the error that was reached, and so are values that say nothing.
#[test]
fn what_cannot_be_embedded_is_refused() {
    let refusal = |result: Result<Embedding>| result.unwrap_err().to_string();
    let step = refusal(fit(Sampled::Correlation, 0.01, 10.0, 0.02, |t| f64::from(t < 1.0)));
    assert!(step.starts_with("`correlation` is met by no noise") && step.contains("tolerance is 2 %"), "{step}");
    assert!(refusal(fit(Sampled::Displacement, 0.01, 10.0, 0.02, |t| t.powi(3))).contains("`displacement`"));
    let embed =
        |places: &[f64], values: &[f64]| embed(Sampled::Correlation, places, values, 0.02, 0.0, &Task::default());
    assert!(refusal(embed(&[0.0, 1.0, 2.0], &[1.0, 0.5])).contains("as many"));
    assert!(refusal(embed(&[0.0, 1.0], &[1.0, 0.5])).contains("two times"));
    assert!(refusal(embed(&[0.5, 1.0], &[-1.0, f64::NAN])).contains("finite"));
    assert!(refusal(embed(&[0.5, 1.0], &[-1.0, -0.5])).contains("a value above 0"));
}

/// Errors of a function that dies out count in parts of what its neighbours leave, and below a floor in parts of that.
#[test]
fn small_values_count_by_their_neighbours() {
    let (places, values) = ([1.0, 2.0, 4.0], [1.0, 0.0, 1e-3]);
    let error = |floor: f64| {
        let wanted = Wanted::new(Sampled::Correlation, &places, &values, floor).unwrap();
        wanted.error(&[1.0, 1e-3, 1e-3])
    };
    assert!((error(0.0).0 - 1e-3 * 2.0_f64.powi(8)).abs() < 1e-12);
    assert!((error(0.1).0 - 1e-2).abs() < 1e-12);
    assert_eq!(error(0.1).1, 2.0);
}
