//! Where double precision becomes single.
//!
//! Physics is computed in double precision: times, kernels, covariances, and what a step multiplies samples by.
//! Samples, tensors and networks are in single precision. Numbers cross here, once, to the nearest one of single
//! precision.

use std::borrow::Borrow;

use nalgebra::DMatrix;

/// One number.
#[inline(always)]
pub fn single(value: f64) -> f32 {
    value as f32
}

/// Numbers in their order.
pub fn singles(values: impl IntoIterator<Item: Borrow<f64>>) -> Vec<f32> {
    values.into_iter().map(|value| single(*value.borrow())).collect()
}

/// The entries of a matrix, row-major.
pub fn single_rows(matrix: &DMatrix<f64>) -> Vec<f32> {
    // Column-major in memory: the transpose, read in that order, is the matrix by rows.
    singles(&matrix.transpose())
}
