//! Powers, by logarithms in double precision.

/// Adding and subtracting it rounds to the nearest integer, and leaves what is one beyond 2⁵¹.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// a^b, within 1 ulp; special cases as in IEEE 754: a^0 = 1^b = 1, negative bases have integer powers only.
#[inline(always)]
pub fn pow(a: f32, b: f32) -> f32 {
    // A product b·log₂a of 128 must be known to 2⁻²⁵: in double precision throughout.
    let exponent = f64::from(b);
    let log = log2(f64::from(a.abs()));
    // |a| = 1 to infinite powers is 1.
    let magnitude = exp2(if log == 0.0 { 0.0 } else { exponent * log }) as f32;
    let shifted = exponent + ROUNDER;
    let is_integer = shifted - ROUNDER == exponent;
    let is_odd = is_integer && b.abs() < 16_777_216.0 && shifted.to_bits() & 1 == 1;
    let value = if is_odd && a.is_sign_negative() { -magnitude } else { magnitude };
    let value = if a < 0.0 && a > f32::NEG_INFINITY && !is_integer { f32::NAN } else { value };
    let value = if b.is_nan() { b } else { value };
    if a == 1.0 || b == 0.0 { 1.0 } else { value }
}

/// log₂ x for x ≥ 0 that is normal as an `f64`, 0, ∞ or NaN, within 10⁻¹².
#[inline(always)]
fn log2(x: f64) -> f64 {
    let bits = x.to_bits();
    // The mantissa is brought into [√½, √2).
    let shifted = bits.wrapping_sub(0x3fe6_a09e_667f_3bcd);
    let exponent = (shifted as i64) >> 52;
    let m = f64::from_bits(bits.wrapping_sub((exponent << 52) as u64));
    // ln m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …) with |s| ≤ 0.172.
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let p = 1.0 / 15.0_f64;
    let p = p.mul_add(square, 1.0 / 13.0);
    let p = p.mul_add(square, 1.0 / 11.0);
    let p = p.mul_add(square, 1.0 / 9.0);
    let p = p.mul_add(square, 1.0 / 7.0);
    let p = p.mul_add(square, 1.0 / 5.0);
    let p = p.mul_add(square, 1.0 / 3.0);
    let log = (square * s).mul_add(p, s) * (2.0 * std::f64::consts::LOG2_E);
    // The exponent as a number without a conversion of 64-bit integers, which AVX2 lacks.
    let exponent = f64::from_bits((ROUNDER.to_bits() as i64).wrapping_add(exponent) as u64) - ROUNDER;
    let log = exponent + log;
    let log = if x == 0.0 { f64::NEG_INFINITY } else { log };
    if x < f64::INFINITY { log } else { x }
}

/// 2ˣ within 10⁻⁹ for |x| ≤ 200, 2^±200 beyond.
#[inline(always)]
fn exp2(x: f64) -> f64 {
    // Comparisons in this order let NaN through.
    let x = if x > 200.0 { 200.0 } else { x };
    let x = if x < -200.0 { -200.0 } else { x };
    let shifted = x + ROUNDER;
    let r = (x - (shifted - ROUNDER)) * std::f64::consts::LN_2;
    let p = 1.0 / 40_320.0_f64;
    let p = p.mul_add(r, 1.0 / 5_040.0);
    let p = p.mul_add(r, 1.0 / 720.0);
    let p = p.mul_add(r, 1.0 / 120.0);
    let p = p.mul_add(r, 1.0 / 24.0);
    let p = p.mul_add(r, 1.0 / 6.0);
    let p = p.mul_add(r, 0.5);
    let p = p.mul_add(r, 1.0);
    let p = p.mul_add(r, 1.0);
    f64::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 52))
}
