//! Inverse functions of angles.

/// tan(π/8): up to here the polynomial serves.
const SMALL: f32 = 0.414_213_56;
/// tan(3π/8): from here on the reciprocal does.
const LARGE: f32 = 2.414_213_6;
/// π/2 and π/4, and what their single precision leaves out.
const HALF: [f32; 2] = [std::f32::consts::FRAC_PI_2, -4.371_139e-8];
const QUARTER: [f32; 2] = [std::f32::consts::FRAC_PI_4, -2.185_569_4e-8];

/// The angle in (−π/2, π/2) with this tangent, within 2.5 ulp.
#[inline(always)]
pub fn atan(x: f32) -> f32 {
    let size = x.abs();
    // atan a = π/2 − atan 1/a = π/4 + atan (a − 1)/(a + 1)
    let (above, below) = if size > SMALL { (size - 1.0, size + 1.0) } else { (size, 1.0) };
    let (above, below) = if size > LARGE { (-1.0, size) } else { (above, below) };
    let [turn, rest] = if size > SMALL { QUARTER } else { [0.0, 0.0] };
    let [turn, rest] = if size > LARGE { HALF } else { [turn, rest] };
    let r = above / below;
    let square = r * r;
    let p = -6.451_718_5e-2_f32;
    let p = p.mul_add(square, 0.107_436_69);
    let p = p.mul_add(square, -0.142_639_5);
    let p = p.mul_add(square, 0.199_995_4);
    let p = p.mul_add(square, -0.333_333_3);
    ((square * r).mul_add(p, r + rest) + turn).copysign(x)
}
