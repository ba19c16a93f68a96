//! New tensors, from numbers and from other tensors.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine};

use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{count_argument, natural_argument, number_argument, whole_argument};
use crate::lang::surroundings::host;
use crate::lang::tensors::{operand, shape_argument, tensor_argument, tensors_argument};
use crate::tensor::Tensor;

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    /// A tensor from nested arrays of numbers.
    ///
    /// Tensors hold single precision, seven digits: whole numbers beyond 16,777,216 that it has not, and numbers whose
    /// spread it loses beside their mean, are warned of. Arithmetic works value by value and repeats axes of length 1,
    /// as in NumPy; `t[0]`, `t[-1]`, `t[1..3]`, `t[[i, j]]` read and write parts.
    ///
    /// # Shapes
    /// n rows of d numbers -> [n, d]; any depth.
    ///
    /// # Errors
    /// When rows differ in length, hold something other than numbers, or a number beyond 3.4e38.
    ///
    /// # Example
    /// ```rhai
    /// let t = tensor([[1, 2], [3, 4]]);
    /// assert_eq(t.shape, [2, 2]);
    /// assert_eq(t[1], tensor([3, 4]));
    /// assert_eq((2 * t - 1)[[1, 0]], 5.0);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn tensor(ctx: NativeCallContext, values: Dynamic) -> Outcome<Tensor> {
        tensor_argument(&ctx, "values", &values)
    }

    /// Zeros.
    ///
    /// # Shapes
    /// `shape`: an array of lengths, or one length.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(zeros([2, 3]).sum(), 0.0);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn zeros(ctx: NativeCallContext, shape: Dynamic) -> Outcome<Tensor> {
        Tensor::full(&shape_argument(&ctx, "shape", &shape)?, 0.0, &host(&ctx)).raise(&ctx)
    }

    /// Ones.
    ///
    /// # Shapes
    /// `shape`: an array of lengths, or one length.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(ones([2, 3]).sum(), 6.0);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn ones(ctx: NativeCallContext, shape: Dynamic) -> Outcome<Tensor> {
        Tensor::full(&shape_argument(&ctx, "shape", &shape)?, 1.0, &host(&ctx)).raise(&ctx)
    }

    /// One value everywhere.
    ///
    /// # Shapes
    /// `shape`: an array of lengths, or one length.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(full([2, 2], 0.5), tensor([[0.5, 0.5], [0.5, 0.5]]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn full(ctx: NativeCallContext, shape: Dynamic, value: Dynamic) -> Outcome<Tensor> {
        let shape = shape_argument(&ctx, "shape", &shape)?;
        let number = number_argument(&ctx, "value", &value)?;
        // Refuses or tells what single precision has not.
        operand(&ctx, "value", &value)?;
        Tensor::full(&shape, number, &host(&ctx)).raise(&ctx)
    }

    /// The identity matrix.
    ///
    /// # Shapes
    /// -> [count, count]
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(identity(2), tensor([[1, 0], [0, 1]]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn identity(ctx: NativeCallContext, count: Dynamic) -> Outcome<Tensor> {
        Tensor::identity(count_argument(&ctx, "count", &count)?, &host(&ctx)).raise(&ctx)
    }

    /// `count` values at equal distances from `start` to `end`, both included.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(linspace(0, 1, 5), tensor([0, 0.25, 0.5, 0.75, 1]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn linspace(ctx: NativeCallContext, start: Dynamic, end: Dynamic, count: Dynamic) -> Outcome<Tensor> {
        let start = number_argument(&ctx, "start", &start)?;
        let end = number_argument(&ctx, "end", &end)?;
        Tensor::linspace(start, end, count_argument(&ctx, "count", &count)?, &host(&ctx)).raise(&ctx)
    }

    /// The values from `start` up to, not including, `end`, `step` apart.
    ///
    /// # Arguments
    /// - `start`: first value (default: 0)
    /// - `end`: where to stop
    /// - `step`: distance, not 0 (default: 1)
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(arange(3), tensor([0, 1, 2]));
    /// assert_eq(arange(1, 2, 0.5), tensor([1, 1.5]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn arange(ctx: NativeCallContext, start: Dynamic, end: Dynamic, step: Dynamic) -> Outcome<Tensor> {
        let start = number_argument(&ctx, "start", &start)?;
        let end = number_argument(&ctx, "end", &end)?;
        Tensor::arange(start, end, number_argument(&ctx, "step", &step)?, &host(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "arange", return_raw)]
    pub fn arange_between(ctx: NativeCallContext, start: Dynamic, end: Dynamic) -> Outcome<Tensor> {
        arange(ctx, start, end, Dynamic::ONE)
    }

    #[rhai_fn(name = "arange", return_raw)]
    pub fn arange_to(ctx: NativeCallContext, end: Dynamic) -> Outcome<Tensor> {
        arange(ctx, Dynamic::ZERO, end, Dynamic::ONE)
    }

    /// Independent standard normals. The same seed, 0 where it is left out, gives the same numbers.
    ///
    /// # Shapes
    /// `shape`: an array of lengths, or one length.
    ///
    /// # Example
    /// ```rhai
    /// let noise = random_normal([1000, 2], 7);
    /// assert(abs(noise.mean()) < 0.1 && abs(noise.std() - 1) < 0.1);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn random_normal(ctx: NativeCallContext, shape: Dynamic, seed: Dynamic) -> Outcome<Tensor> {
        let shape = shape_argument(&ctx, "shape", &shape)?;
        Tensor::normals(&shape, natural_argument(&ctx, "seed", &seed)?, &host(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "random_normal", return_raw)]
    pub fn random_normal_without_seed(ctx: NativeCallContext, shape: Dynamic) -> Outcome<Tensor> {
        random_normal(ctx, shape, Dynamic::ZERO)
    }

    /// Independent uniform numbers from 0 up to 1. The same seed, 0 where it is left out, gives the same numbers.
    ///
    /// # Shapes
    /// `shape`: an array of lengths, or one length.
    ///
    /// # Example
    /// ```rhai
    /// let u = random_uniform(1000, 7);
    /// assert(u.min() >= 0 && u.max() < 1);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn random_uniform(ctx: NativeCallContext, shape: Dynamic, seed: Dynamic) -> Outcome<Tensor> {
        let shape = shape_argument(&ctx, "shape", &shape)?;
        Tensor::uniforms(&shape, natural_argument(&ctx, "seed", &seed)?, &host(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "random_uniform", return_raw)]
    pub fn random_uniform_without_seed(ctx: NativeCallContext, shape: Dynamic) -> Outcome<Tensor> {
        random_uniform(ctx, shape, Dynamic::ZERO)
    }

    /// Tensors one after the other along an axis they have.
    ///
    /// # Arguments
    /// - `tensors`: array of tensors
    /// - `axis`: the axis that grows (default: 0)
    ///
    /// # Errors
    /// When their shapes differ along another axis.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(concatenate([zeros([2, 3]), ones([1, 3])]).shape, [3, 3]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn concatenate(ctx: NativeCallContext, tensors: Array, axis: Dynamic) -> Outcome<Tensor> {
        let axis = whole_argument(&ctx, "axis", &axis)?;
        Tensor::concatenate(&tensors_argument(&ctx, "tensors", &tensors)?, axis, &host(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "concatenate", return_raw)]
    pub fn concatenate_rows(ctx: NativeCallContext, tensors: Array) -> Outcome<Tensor> {
        concatenate(ctx, tensors, Dynamic::ZERO)
    }

    /// Tensors of one shape one after the other along a new axis.
    ///
    /// # Arguments
    /// - `tensors`: array of tensors
    /// - `axis`: where the new axis stands (default: 0)
    ///
    /// # Errors
    /// When their shapes differ.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(stack([zeros(3), ones(3)]).shape, [2, 3]);
    /// assert_eq(stack([zeros(3), ones(3)], 1).shape, [3, 2]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn stack(ctx: NativeCallContext, tensors: Array, axis: Dynamic) -> Outcome<Tensor> {
        let axis = whole_argument(&ctx, "axis", &axis)?;
        Tensor::stack(&tensors_argument(&ctx, "tensors", &tensors)?, axis, &host(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "stack", return_raw)]
    pub fn stack_rows(ctx: NativeCallContext, tensors: Array) -> Outcome<Tensor> {
        stack(ctx, tensors, Dynamic::ZERO)
    }
}
