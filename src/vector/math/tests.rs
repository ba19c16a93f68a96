use super::*;

/// The error of `fast` in units in the last place of the true value.
fn ulp(fast: f32, truth: f64) -> f64 {
    if f64::from(fast) == truth || fast == truth as f32 || fast.is_nan() && truth.is_nan() {
        return 0.0;
    }
    let exponent = truth.abs().log2().floor().max(-126.0);
    (f64::from(fast) - truth).abs() / (exponent - 23.0).exp2()
}

/// The largest error over arguments of magnitudes from `low` to `high`, evenly spread over the exponents, of both
/// signs.
fn worst_ulp(low: f32, high: f32, fast: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
    let magnitudes = (low.to_bits()..=high.to_bits()).step_by(499).map(f32::from_bits);
    let errors = magnitudes.flat_map(|x| [x, -x]).map(|x| ulp(fast(x), exact(f64::from(x))));
    errors.fold(0.0, |worst, error| if error <= worst { worst } else { error })
}

#[test]
fn stated_errors_hold() {
    let cases: [(&str, f32, f32, f64, fn(f32) -> f32, fn(f64) -> f64); 11] = [
        ("exp", 1e-9, 110.0, 1.5, exp, f64::exp),
        ("ln", 0.0, f32::MAX, 1.0, ln_any, f64::ln),
        ("sin", 1e-9, REACH, 2.5, sin, f64::sin),
        ("cos", 1e-9, REACH, 2.5, cos, f64::cos),
        ("tan", 1e-9, REACH, 4.0, tan, f64::tan),
        ("sin beyond", 1e4, f32::MAX, 2.5, sin_any, f64::sin),
        ("atan", 1e-9, f32::MAX, 2.5, atan, f64::atan),
        ("sinh", 1e-9, 95.0, 2.0, sinh, f64::sinh),
        ("cosh", 1e-9, 95.0, 2.0, cosh, f64::cosh),
        ("tanh", 1e-9, 95.0, 3.0, tanh, f64::tanh),
        ("sigmoid", 1e-9, 80.0, 3.0, sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
    ];
    for (name, low, high, stated, fast, exact) in cases {
        let worst = worst_ulp(low, high, fast, exact);
        assert!(worst < stated, "{name}: {worst} ulp");
    }
    assert!(worst_ulp(1e-30, 1e30, |x| ln(x.abs()), |x| x.abs().ln()) < 1.0);
}

#[test]
fn angles_at_zeros_of_the_sine_keep_their_digits() {
    // The floats nearest to multiples of π/2, where all leading digits cancel.
    for n in 1..83_000 {
        let x = (f64::from(n) * std::f64::consts::FRAC_PI_2) as f32;
        let exact = f64::from(x);
        let errors = [ulp(sin(x), exact.sin()), ulp(cos(x), exact.cos()), ulp(tan(x), exact.tan())];
        assert!(errors.iter().all(|&error| error < 4.0), "{errors:?} ulp at {n} π/2");
    }
}

#[test]
fn powers_are_those_of_the_library() {
    for power in [0.5, 1.7, -2.3, 3.0, 33.3, -0.01] {
        let worst = (1..f32::INFINITY.to_bits()).step_by(9_973).map(f32::from_bits).fold(0.0, |worst, x| {
            let error = ulp(pow(x, power), f64::from(x).powf(f64::from(power)));
            if error <= worst { worst } else { error }
        });
        assert!(worst < 1.0, "power {power}: {worst} ulp");
    }
    let mut special = vec![0.0, 1.0, 1.000_000_1, 2.0, 0.5, 3.0, 1e30, 1e-40, 4_194_304.5, 8_388_609.0, 16_777_216.0];
    special.extend([f32::INFINITY, f32::NAN]);
    let special: Vec<f32> = special.into_iter().flat_map(|x| [x, -x]).collect();
    for &a in &special {
        for &b in &special {
            let (fast, library) = (pow(a, b), a.powf(b));
            let same = fast.is_nan() && library.is_nan() || fast.to_bits().abs_diff(library.to_bits()) <= 1;
            assert!(same, "{a:e} ** {b:e} = {fast:e} instead of {library:e}");
        }
    }
}

#[test]
fn turns_are_sines_and_cosines() {
    for i in -200_000..=200_000 {
        let u = i as f32 / 100_000.0;
        let (sin, cos) = sin_cos_turns(u);
        let (true_sin, true_cos) = (std::f64::consts::TAU * f64::from(u)).sin_cos();
        assert!((f64::from(sin) - true_sin).abs() < 2.4e-7, "sin at {u}");
        assert!((f64::from(cos) - true_cos).abs() < 2.4e-7, "cos at {u}");
    }
}

#[test]
fn ends_of_the_range() {
    assert_eq!(exp(f32::NEG_INFINITY), 0.0);
    assert_eq!(exp(200.0), f32::INFINITY);
    assert_eq!(exp(0.0), 1.0);
    assert_eq!((tanh(50.0), tanh(-50.0), tanh(f32::INFINITY)), (1.0, -1.0, 1.0));
    assert_eq!((sinh(f32::INFINITY), sinh(f32::NEG_INFINITY)), (f32::INFINITY, f32::NEG_INFINITY));
    assert_eq!((cosh(f32::NEG_INFINITY), cosh(0.0)), (f32::INFINITY, 1.0));
    assert_eq!((sin(0.0), cos(0.0), tan(0.0)), (0.0, 1.0, 0.0));
    let right = std::f32::consts::FRAC_PI_2;
    assert_eq!((atan(0.0), atan(f32::INFINITY), atan(f32::NEG_INFINITY)), (0.0, right, -right));
    assert_eq!((ln(1.0), ln_any(0.0), ln_any(-0.0)), (0.0, f32::NEG_INFINITY, f32::NEG_INFINITY));
    assert_eq!(ln_any(f32::INFINITY), f32::INFINITY);
    assert!(ln_any(-1e-40).is_nan() && ln_any(f32::NEG_INFINITY).is_nan());
    for function in [exp, ln_any, sin, cos, tan, sin_any, cos_any, tan_any, atan, sinh, cosh, tanh] {
        assert!(function(f32::NAN).is_nan());
    }
    for function in [sin_any, cos_any, tan_any] {
        assert!(function(f32::INFINITY).is_nan());
    }
}
