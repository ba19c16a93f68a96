//! Elementary functions in single precision without branches, so that loops over them become vector code.
//!
//! Polynomials are weighted minimax fits made for this program; the errors stated are measured densely over all
//! exponents of the range.

#![allow(clippy::excessive_precision)]

mod inverse;
mod power;

pub use inverse::atan;
pub use power::pow;

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

/// n + [`ROUNDER`] and r with x = n ln 2 + r, |r| ≤ ½ ln 2.
#[inline(always)]
fn exponent_and_rest(x: f32) -> (f32, f32) {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUNDER);
    let n = shifted - ROUNDER;
    // ln 2 in two parts, the first short enough for n·part to be exact.
    let r = n.mul_add(-0.693_359_375, x);
    (shifted, n.mul_add(2.121_944_4e-4, r))
}

/// eʳ − 1 for |r| ≤ ½ ln 2.
#[inline(always)]
fn exp_minus_one(r: f32) -> f32 {
    let p = 1.381_461_275_741_458e-3_f32;
    let p = p.mul_add(r, 8.368_710_055_947_304e-3);
    let p = p.mul_add(r, 4.166_838_899_254_799e-2);
    let p = p.mul_add(r, 0.166_665_211_319_923_4);
    let p = p.mul_add(r, 0.499_999_940_395_355_2);
    (r * r).mul_add(p, r)
}

/// eˣ, within 1.5 ulp; 0 below −104, ∞ above 88.8.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    scaled_exp(x, 0)
}

/// 2ᵏ eˣ, also where eˣ alone would overflow, for x up to 90.
#[inline(always)]
fn scaled_exp(x: f32, k: i32) -> f32 {
    // Comparisons in this order let NaN through.
    let x = if x > 90.0 { 90.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let (shifted, r) = exponent_and_rest(x);
    let value = exp_minus_one(r) + 1.0;
    // 2ⁿ in two factors: one alone overflows at the ends of the range.
    let n = integer(shifted).wrapping_add(k);
    let half = n >> 1;
    value * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// ln x for positive normal x, within 1 ulp.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    ln_of_bits(x, 0.0)
}

/// ln(2ᵏ x) for positive normal x.
#[inline(always)]
fn ln_of_bits(x: f32, k: f32) -> f32 {
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
    let e = exponent as f32 + k;
    let small = e.mul_add(-2.121_944_4e-4, square * f * p);
    let small = square.mul_add(-0.5, small);
    e.mul_add(0.693_359_375, f + small)
}

/// ln x for every x, within 1 ulp: −∞ at 0, NaN below.
#[inline(always)]
pub fn ln_any(x: f32) -> f32 {
    // Subnormal numbers are brought into the normal range and their exponents corrected.
    let subnormal = x < f32::MIN_POSITIVE;
    let (factor, k) = if subnormal { (8_388_608.0, -23.0) } else { (1.0, 0.0) };
    let value = ln_of_bits(x * factor, k);
    // ∞ and NaN are their own logarithms, those of 0 and of what is below it are −1/0 and 0/0.
    let value = if x < f32::INFINITY { value } else { x };
    let outside = if x < 0.0 { f32::NAN } else { f32::NEG_INFINITY };
    if x <= 0.0 { outside } else { value }
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

/// Arguments up to this are reduced without loss by [`sin`], [`cos`] and [`tan`].
pub const REACH: f32 = 131_072.0;

/// π and π/2 in four parts: n·part is exact for the first three while |n part| stays below [`REACH`].
const PI: [f32; 4] = [3.140_625, 9.675_025_939_941_406e-4, 1.509_906_724_095_344_5e-7, 5.126_688_136_514_179e-12];
const HALF_PI: [f32; 4] =
    [1.570_312_5, 4.837_512_969_970_703e-4, 7.549_533_620_476_723e-8, 2.563_344_068_257_089_6e-12];

/// x − n · (the sum of the parts), by the method of Cody and Waite (Software Manual for the Elementary Functions,
/// 1980).
#[inline(always)]
fn reduced(x: f32, n: f32, parts: [f32; 4]) -> f32 {
    parts.into_iter().fold(x, |x, part| n.mul_add(-part, x))
}

/// sin r for |r| ≤ π/2 and a little beyond.
#[inline(always)]
fn half_wave(r: f32) -> f32 {
    let square = r * r;
    let p = 2.604_533_619_887_661e-6_f32;
    let p = p.mul_add(square, -1.980_922_243_092_209e-4);
    let p = p.mul_add(square, 8.333_064_615_726_471e-3);
    let p = p.mul_add(square, -0.166_666_597_127_914_3);
    (square * r).mul_add(p, r)
}

/// −x if the last bit of `n` is 1.
#[inline(always)]
fn negated_if_odd(x: f32, n: i32) -> f32 {
    f32::from_bits(x.to_bits() ^ (n as u32) << 31)
}

/// sin x for |x| ≤ [`REACH`], within 2.5 ulp; [`sin_any`] beyond.
#[inline(always)]
pub fn sin(x: f32) -> f32 {
    let shifted = x.mul_add(std::f32::consts::FRAC_1_PI, ROUNDER);
    negated_if_odd(half_wave(reduced(x, shifted - ROUNDER, PI)), integer(shifted))
}

/// cos x for |x| ≤ [`REACH`], within 2.5 ulp; [`cos_any`] beyond.
#[inline(always)]
pub fn cos(x: f32) -> f32 {
    // cos(nπ + π/2 + r) = −(−1)ⁿ sin r.
    let shifted = x.mul_add(std::f32::consts::FRAC_1_PI, -0.5) + ROUNDER;
    let r = reduced(x, shifted - ROUNDER + 0.5, PI);
    negated_if_odd(half_wave(r), integer(shifted).wrapping_add(1))
}

/// tan x for |x| ≤ [`REACH`], within 4 ulp; [`tan_any`] beyond.
#[inline(always)]
pub fn tan(x: f32) -> f32 {
    let shifted = x.mul_add(std::f32::consts::FRAC_2_PI, ROUNDER);
    let r = reduced(x, shifted - ROUNDER, HALF_PI);
    let square = r * r;
    let p = 9.508_641_436_696_053e-3_f32;
    let p = p.mul_add(square, 2.913_389_820_605_516_4e-3);
    let p = p.mul_add(square, 2.455_784_007_906_913_8e-2);
    let p = p.mul_add(square, 5.337_579_175_829_887e-2);
    let p = p.mul_add(square, 0.133_392_244_577_407_84);
    let p = p.mul_add(square, 0.333_331_406_116_485_6);
    let tan = (square * r).mul_add(p, r);
    // tan(r + π/2) = −1/tan r.
    let odd = integer(shifted) & 1 == 1;
    let (above, below) = if odd { (-1.0, tan) } else { (tan, 1.0) };
    above / below
}

/// sin x for every x; slow beyond [`REACH`].
#[inline(always)]
pub fn sin_any(x: f32) -> f32 {
    if x.abs() <= REACH { sin(x) } else { f64::from(x).sin() as f32 }
}

/// cos x for every x; slow beyond [`REACH`].
#[inline(always)]
pub fn cos_any(x: f32) -> f32 {
    if x.abs() <= REACH { cos(x) } else { f64::from(x).cos() as f32 }
}

/// tan x for every x; slow beyond [`REACH`].
#[inline(always)]
pub fn tan_any(x: f32) -> f32 {
    if x.abs() <= REACH { tan(x) } else { f64::from(x).tan() as f32 }
}

/// sinh x, within 2 ulp; ±∞ beyond ±89.4.
#[inline(always)]
pub fn sinh(x: f32) -> f32 {
    let square = x * x;
    let p = 2.037_334_052_147_343_5e-4_f32;
    let p = p.mul_add(square, 8.330_270_648_002_625e-3);
    let p = p.mul_add(square, 0.166_667_163_372_039_8);
    let near = (square * x).mul_add(p, x);
    let half = scaled_exp(x.abs(), -1);
    let magnitude = half - 0.25 / half;
    let far = if x < 0.0 { -magnitude } else { magnitude };
    if x.abs() < 1.0 { near } else { far }
}

/// cosh x, within 2 ulp; ∞ beyond ±89.4.
#[inline(always)]
pub fn cosh(x: f32) -> f32 {
    let half = scaled_exp(x.abs(), -1);
    half + 0.25 / half
}

/// tanh x, within 3 ulp.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    // With e = exp(2|x|) − 1 it is e/(e + 2), which loses no digit anywhere: 2ⁿ eʳ − 1 = 2ⁿ (eʳ − 1) + (2ⁿ − 1). It is
    // 1 from 9.02 on.
    let doubled = 2.0 * x.abs();
    let doubled = if doubled > 20.0 { 20.0 } else { doubled };
    let (shifted, r) = exponent_and_rest(doubled);
    let power = power_of_two(integer(shifted));
    let e = power.mul_add(exp_minus_one(r), power - 1.0);
    (e / (e + 2.0)).copysign(x)
}

/// The logistic function 1/(1 + e⁻ˣ), within 3 ulp.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests;
