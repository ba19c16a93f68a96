//! Equations, inverses and eigenvalues.

use rhai::plugin::*;
use rhai::{Dynamic, Engine};

use crate::lang::failure::{Outcome, Raise};
use crate::lang::surroundings::host;
use crate::lang::tensors::numbers_argument;
use crate::tensor::{self, Tensor};

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// The solution x of the linear equations a x = b, computed in double precision.
    ///
    /// # Shapes
    /// a [n, n], b [n] or [n, k] -> the shape of `b`
    ///
    /// # Errors
    /// When `a` is not square, is singular in double precision, or holds numbers that are not finite, and when `b` has
    /// another number of rows.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(solve([[2, 1], [0, 4]], [4, 8]), tensor([1, 2]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn solve(ctx: NativeCallContext, a: Dynamic, b: Dynamic) -> Outcome<Tensor> {
        let (a, b) = (numbers_argument(&ctx, "a", &a)?, numbers_argument(&ctx, "b", &b)?);
        tensor::solve((&a.shape, &a.values), (&b.shape, &b.values), &host(&ctx)).raise(&ctx)
    }

    /// The inverse of a square matrix, computed in double precision. For equations, `solve` is more accurate.
    ///
    /// # Shapes
    /// [n, n] -> [n, n]
    ///
    /// # Errors
    /// When `a` is not square, is singular in double precision, or holds numbers that are not finite.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(inverse([[2, 1], [0, 4]]), tensor([[0.5, -0.125], [0, 0.25]]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn inverse(ctx: NativeCallContext, a: Dynamic) -> Outcome<Tensor> {
        let a = numbers_argument(&ctx, "a", &a)?;
        tensor::inverse((&a.shape, &a.values), &host(&ctx)).raise(&ctx)
    }

    /// The eigenvalues of a square matrix, computed in double precision.
    ///
    /// # Shapes
    /// A symmetric matrix [n, n] -> [n], ascending. Any other -> [n, 2], the real and imaginary part of each, ascending
    /// by the real and then the imaginary part.
    ///
    /// # Errors
    /// When `a` is not square, or holds numbers that are not finite.
    ///
    /// # Example
    /// ```rhai
    /// assert(is_close(eigenvalues([[2, 1], [1, 2]]), [1, 3], 1e-6));
    /// // A damped oscillator: x' = v, v' = -5 x - 2 v.
    /// assert(is_close(eigenvalues([[0, 1], [-5, -2]]), [[-1, -2], [-1, 2]], 1e-6));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn eigenvalues(ctx: NativeCallContext, a: Dynamic) -> Outcome<Tensor> {
        let a = numbers_argument(&ctx, "a", &a)?;
        tensor::eigenvalues((&a.shape, &a.values), &host(&ctx)).raise(&ctx)
    }
}
