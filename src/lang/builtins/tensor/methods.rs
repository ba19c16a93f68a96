//! What can be asked of a tensor.

use std::path::Path;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, INT};

use crate::data::formats;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{number_argument, whole_argument};
use crate::lang::surroundings::{host, task};
use crate::lang::tensors::{give, nested, tensor_argument, wholes_argument};
use crate::tensor::{Index, Tensor};

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
}

#[export_module]
mod functions {
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(t: &mut Tensor) -> String {
        t.to_string()
    }

    /// Length of each axis.
    #[rhai_fn(get = "shape", pure)]
    pub fn shape(t: &mut Tensor) -> Array {
        t.shape().iter().map(|&side| Dynamic::from_int(side as INT)).collect()
    }

    /// Number of axes.
    #[rhai_fn(get = "rank", pure)]
    pub fn rank(t: &mut Tensor) -> INT {
        t.rank() as INT
    }

    /// Length of the first axis: the number of rows.
    #[rhai_fn(name = "len", get = "len", pure)]
    pub fn len(t: &mut Tensor) -> INT {
        t.shape().first().map_or(0, |&side| side as INT)
    }

    /// Column `index` of a sample: the values at this position of the second axis.
    ///
    /// # Shapes
    /// [n, d, ..] -> [n, ..]
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(tensor([[1, 2], [3, 4]]).column(1), tensor([2, 4]));
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn column(ctx: NativeCallContext, t: &mut Tensor, index: Dynamic) -> Outcome<Tensor> {
        let index = whole_argument(&ctx, "index", &index)?;
        t.get(&[Index::Range(0, None), Index::At(index)]).raise(&ctx)
    }

    /// The given positions along an axis, in this order; a position may come twice.
    ///
    /// # Arguments
    /// - `indices`: array of positions; negative ones count from the end
    /// - `axis`: the axis (default: 0)
    ///
    /// # Errors
    /// When a position or the axis does not exist.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(tensor([[1, 2], [3, 4]]).select([1, 0]), tensor([[3, 4], [1, 2]]));
    /// assert_eq(tensor([[1, 2], [3, 4]]).select([-1], 1), tensor([[2], [4]]));
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn select(ctx: NativeCallContext, t: &mut Tensor, indices: Array, axis: Dynamic) -> Outcome<Tensor> {
        let axis = whole_argument(&ctx, "axis", &axis)?;
        t.select(axis, &wholes_argument(&ctx, "indices", &indices.into())?, &host(&ctx)).raise(&ctx)
    }

    #[rhai_fn(name = "select", return_raw, pure)]
    pub fn select_rows(ctx: NativeCallContext, t: &mut Tensor, indices: Array) -> Outcome<Tensor> {
        select(ctx, t, indices, Dynamic::ZERO)
    }

    /// The same values under another shape; one length may be -1, which is what the others leave.
    ///
    /// # Errors
    /// When the shape does not hold exactly these values.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(arange(6).reshape([2, -1]).shape, [2, 3]);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn reshape(ctx: NativeCallContext, t: &mut Tensor, shape: Dynamic) -> Outcome<Tensor> {
        t.reshape(&wholes_argument(&ctx, "shape", &shape)?).raise(&ctx)
    }

    /// The axes in reverse order, or in the order given.
    ///
    /// # Arguments
    /// - `axes`: array that names every axis once (default: all in reverse order)
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(tensor([[1, 2], [3, 4]]).transpose(), tensor([[1, 3], [2, 4]]));
    /// assert_eq(zeros([2, 3, 4]).transpose([0, 2, 1]).shape, [2, 4, 3]);
    /// ```
    #[rhai_fn(name = "transpose", return_raw, pure)]
    pub fn permute(ctx: NativeCallContext, t: &mut Tensor, axes: Array) -> Outcome<Tensor> {
        t.permute(&wholes_argument(&ctx, "axes", &axes.into())?).raise(&ctx)
    }

    #[rhai_fn(pure)]
    pub fn transpose(t: &mut Tensor) -> Tensor {
        t.transpose()
    }

    /// The matrix product of matrices and vectors.
    ///
    /// # Shapes
    /// [m, k] and [k, n] -> [m, n]; [m, k] and [k] -> [m]; [k] and [k] -> number
    ///
    /// # Errors
    /// When the inner lengths differ; the error names both shapes.
    ///
    /// # Example
    /// ```rhai
    /// let a = tensor([[1, 2], [3, 4]]);
    /// assert_eq(matmul(a, a), tensor([[7, 10], [15, 22]]));
    /// assert_eq(matmul(a, [1, 1]), tensor([3, 7]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn matmul(ctx: NativeCallContext, a: Dynamic, b: Dynamic) -> Outcome<Dynamic> {
        let (a, b) = (tensor_argument(&ctx, "a", &a)?, tensor_argument(&ctx, "b", &b)?);
        task(&ctx).check().raise(&ctx)?;
        a.product(&b, &host(&ctx)).raise(&ctx).map(give)
    }

    /// Whether all values of two tensors agree within `tolerance`, relative for values above 1.
    ///
    /// # Errors
    /// When the shapes differ.
    ///
    /// # Example
    /// ```rhai
    /// assert(is_close(tensor([1, 2]), [1, 2.000001], 1e-5));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn is_close(ctx: NativeCallContext, a: Dynamic, b: Dynamic, tolerance: Dynamic) -> Outcome<bool> {
        let tolerance = number_argument(&ctx, "tolerance", &tolerance)?;
        let (a, b) = (tensor_argument(&ctx, "a", &a)?, tensor_argument(&ctx, "b", &b)?);
        a.is_close(&b, tolerance, tolerance).raise(&ctx)
    }

    /// The values as nested arrays of numbers.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(tensor([[1, 2], [3, 4]]).to_array(), [[1.0, 2.0], [3.0, 4.0]]);
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn to_array(ctx: NativeCallContext, t: &mut Tensor) -> Outcome<Dynamic> {
        nested(t, &host(&ctx)).raise(&ctx)
    }

    /// Writes the tensor to a file: .npy or .npz for NumPy, .csv for tables.
    ///
    /// # Errors
    /// When the folder does not exist, the ending is unknown, or a .csv file is asked for more than two axes.
    ///
    /// # Example
    /// ```rhai
    /// // zeros([3, 2]).save("zeros.npy");
    /// assert_fails(|| zeros([3, 2]).save("no_such_folder/zeros.npy"), "does not exist");
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn save(ctx: NativeCallContext, t: &mut Tensor, path: &str) -> Outcome<()> {
        formats::write(Path::new(path), t, &host(&ctx)).raise(&ctx)
    }
}
