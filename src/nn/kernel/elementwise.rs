//! What happens between two matrix products, in one pass over memory each.

use super::product::PANEL;
use crate::dispatched;
use crate::nn::Activation;
use crate::vector::math::{sigmoid, tanh};

/// (a(z), a'(z)) of the SiLU: with s the logistic function, (z s, s (1 + z (1 − s))).
#[inline(always)]
fn silu(z: f32) -> (f32, f32) {
    let s = sigmoid(z);
    let value = z * s;
    (value, value.mul_add(1.0 - s, s))
}

#[inline(always)]
fn tangent(z: f32) -> (f32, f32) {
    let value = tanh(z);
    (value, value.mul_add(-value, 1.0))
}

#[inline(always)]
fn rectified(z: f32) -> (f32, f32) {
    if z > 0.0 { (z, 1.0) } else { (0.0, 0.0) }
}

/// The approximation by tanh of Hendrycks and Gimpel, arXiv 1606.08415.
#[inline(always)]
fn gelu(z: f32) -> (f32, f32) {
    const SCALE: f32 = 0.797_884_6;
    const CUBIC: f32 = 0.044_715;
    let square = z * z;
    let half = 0.5 * (1.0 + tanh(SCALE * z * CUBIC.mul_add(square, 1.0)));
    // d tanh = 1 - tanh² = 4 h (1 - h).
    let inner = SCALE * (3.0 * CUBIC).mul_add(square, 1.0);
    (z * half, (2.0 * z * inner * half).mul_add(1.0 - half, half))
}

#[inline(always)]
fn each(values: &[f32], out: &mut [f32], activation: impl Fn(f32) -> (f32, f32)) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = activation(*value).0;
    }
}

#[inline(always)]
fn each_slope(values: &[f32], upstream: &[f32], sum: &mut [f32], activation: impl Fn(f32) -> (f32, f32)) {
    for ((sum, upstream), value) in sum.iter_mut().zip(upstream).zip(values) {
        *sum = activation(*value).1.mul_add(*upstream, *sum);
    }
}

dispatched! {
    /// a(z) of every number.
    pub(in crate::nn) fn activate(activation: Activation, values: &[f32], out: &mut [f32]) {
        match activation {
            Activation::Silu => each(values, out, silu),
            Activation::Tanh => each(values, out, tangent),
            Activation::Relu => each(values, out, rectified),
            Activation::Gelu => each(values, out, gelu),
        }
    }
}

dispatched! {
    /// Adds `upstream` a'(z) to `sum`.
    pub(in crate::nn) fn add_through(activation: Activation, values: &[f32], upstream: &[f32], sum: &mut [f32]) {
        match activation {
            Activation::Silu => each_slope(values, upstream, sum, silu),
            Activation::Tanh => each_slope(values, upstream, sum, tangent),
            Activation::Relu => each_slope(values, upstream, sum, rectified),
            Activation::Gelu => each_slope(values, upstream, sum, gelu),
        }
    }
}

#[inline(always)]
fn activate_rows_with_slopes(
    bias: &[f32],
    values: &mut [f32],
    slopes: &mut [f32],
    activation: impl Fn(f32) -> (f32, f32),
) {
    let width = bias.len();
    for (row, slopes) in values.chunks_exact_mut(width).zip(slopes.chunks_exact_mut(width)) {
        for ((value, slope), b) in row.iter_mut().zip(slopes).zip(bias) {
            (*value, *slope) = activation(*value + b);
        }
    }
}

#[inline(always)]
fn activate_panel_rows(bias: &[f32], values: &mut [f32], activation: impl Fn(f32) -> (f32, f32)) {
    for (row, b) in values.as_chunks_mut::<PANEL>().0.iter_mut().zip(bias) {
        for value in row {
            *value = activation(*value + b).0;
        }
    }
}

dispatched! {
    /// z ← a(z + b) for a panel of `values` [width, PANEL] and `bias` [width].
    pub(in crate::nn) fn activate_panel(activation: Activation, bias: &[f32], values: &mut [f32]) {
        match activation {
            Activation::Silu => activate_panel_rows(bias, values, silu),
            Activation::Tanh => activate_panel_rows(bias, values, tangent),
            Activation::Relu => activate_panel_rows(bias, values, rectified),
            Activation::Gelu => activate_panel_rows(bias, values, gelu),
        }
    }
}

#[inline(always)]
fn activate_panel_rows_with_slopes(
    bias: &[f32],
    values: &mut [f32],
    slopes: &mut [f32],
    activation: impl Fn(f32) -> (f32, f32),
) {
    let rows = values.as_chunks_mut::<PANEL>().0.iter_mut().zip(slopes.as_chunks_mut::<PANEL>().0);
    for ((row, slopes), b) in rows.zip(bias) {
        for (value, slope) in row.iter_mut().zip(slopes) {
            (*value, *slope) = activation(*value + b);
        }
    }
}

dispatched! {
    /// As [`activate_panel`], and the slopes a'(z + b), [width, PANEL].
    pub(in crate::nn) fn activate_panel_with_slopes(
        activation: Activation, bias: &[f32], values: &mut [f32], slopes: &mut [f32],
    ) {
        match activation {
            Activation::Silu => activate_panel_rows_with_slopes(bias, values, slopes, silu),
            Activation::Tanh => activate_panel_rows_with_slopes(bias, values, slopes, tangent),
            Activation::Relu => activate_panel_rows_with_slopes(bias, values, slopes, rectified),
            Activation::Gelu => activate_panel_rows_with_slopes(bias, values, slopes, gelu),
        }
    }
}

dispatched! {
    /// z ← a(z + b) for `values` [count, width] and `bias` [width], and the slopes a'(z + b), which the backward pass
    /// multiplies by.
    pub(in crate::nn) fn activate_with_slopes(activation: Activation, bias: &[f32], values: &mut [f32], slopes: &mut [f32]) {
        match activation {
            Activation::Silu => activate_rows_with_slopes(bias, values, slopes, silu),
            Activation::Tanh => activate_rows_with_slopes(bias, values, slopes, tangent),
            Activation::Relu => activate_rows_with_slopes(bias, values, slopes, rectified),
            Activation::Gelu => activate_rows_with_slopes(bias, values, slopes, gelu),
        }
    }
}

dispatched! {
    /// Adds column_i row_j to entry [i, j] of `values`.
    pub(in crate::nn) fn add_outer(column: &[f32], row: &[f32], values: &mut [f32]) {
        for (values, factor) in values.chunks_exact_mut(row.len()).zip(column) {
            for (value, other) in values.iter_mut().zip(row) {
                *value = factor.mul_add(*other, *value);
            }
        }
    }
}

dispatched! {
    /// Turns the gradient by a layer's values into the gradient by its pre-activations, `upstream` [count, width], and
    /// writes its sum over samples, the gradient by the bias [width].
    pub(in crate::nn) fn through_activation(slopes: &[f32], upstream: &mut [f32], bias: &mut [f32]) {
        let width = bias.len();
        bias.fill(0.0);
        for (row, slopes) in upstream.chunks_exact_mut(width).zip(slopes.chunks_exact(width)) {
            for ((value, slope), sum) in row.iter_mut().zip(slopes).zip(bias.iter_mut()) {
                *value *= slope;
                *sum += *value;
            }
        }
    }
}

/// Replaces the network's output by the gradient of Σ w (output + bias − target)² · `scale` and returns that sum.
///
/// `output` is [count, width]; `target` and `weight` are [width, count]; `bias_gradient` is written, and to `errors`
/// the part of each sample in the sum.
pub(in crate::nn) fn squared_error(
    bias: &[f32],
    target: &[f32],
    weight: &[f32],
    scale: f32,
    output: &mut [f32],
    bias_gradient: &mut [f32],
    errors: &mut [f64],
) -> f64 {
    let width = bias.len();
    let count = output.len() / width;
    let mut loss = 0.0;
    errors.fill(0.0);
    for component in 0..width {
        let mut sum = 0.0;
        let (target, weight) = (&target[component * count..][..count], &weight[component * count..][..count]);
        for (((row, t), w), error) in output.chunks_exact_mut(width).zip(target).zip(weight).zip(&mut *errors) {
            let residual = row[component] + bias[component] - t;
            let pull = scale * w * residual;
            let square = f64::from(pull) * f64::from(residual);
            loss += square;
            *error += square;
            row[component] = 2.0 * pull;
            sum += row[component];
        }
        bias_gradient[component] = sum;
    }
    loss
}
