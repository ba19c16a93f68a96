//! Tensors: arrays of single precision, their arithmetic, indexing and reductions.

use std::path::Path;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, FLOAT, INT, Module};

use crate::data::formats;
use crate::error::{Error, nearest};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{count_argument, number_argument, seed_argument, whole_argument};
use crate::lang::tensors::{
    give, index_argument, nested, shape_argument, tensor_argument, tensors_argument, wholes_argument,
};
use crate::tensor::{Binary, FUNCTIONS, Index, Reduction, Tensor};

/// Registers the type, its operators and its functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_type_with_name::<Tensor>("Tensor");
    for operation in Binary::ALL {
        operator(engine, operation);
    }
    equality(engine);
    engine.register_fn("-", |t: Tensor| t.map(|v| -v));
    engine.register_fn("+", |t: Tensor| t);
    for (name, function) in FUNCTIONS {
        let form = documented(name, "").with_params_info(["t: Tensor", "Tensor"]);
        form.register_into_engine(engine, move |t: Tensor| t.map(function));
    }
    for reduction in REDUCTIONS {
        reductions(engine, reduction);
    }
    engine.register_indexer_get(|ctx: NativeCallContext, t: &mut Tensor, index: Dynamic| -> Outcome<Dynamic> {
        if index.is_string() {
            return Err(no_property(&index.to_string())).raise(&ctx);
        }
        t.get(&index_argument(&ctx, &index)?).raise(&ctx).map(give)
    });
    engine.register_indexer_set(
        |ctx: NativeCallContext, t: &mut Tensor, index: Dynamic, value: Dynamic| -> Outcome<()> {
            if index.is_string() {
                return Err(no_property(&index.to_string())).raise(&ctx);
            }
            t.set(&index_argument(&ctx, &index)?, &operand(&ctx, "value", &value)?).raise(&ctx)
        },
    );
    let mut rows = Module::new();
    rows.set_iter(std::any::TypeId::of::<Tensor>(), |tensor| Box::new(rows_of(tensor)));
    engine.register_global_module(rows.into());
    engine.register_global_module(rhai::exported_module!(creation).into());
    engine.register_global_module(rhai::exported_module!(methods).into());
}

/// A number, an array or a tensor, as one side of an operator.
fn operand(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Tensor> {
    match crate::lang::options::number(value) {
        Some(x) => Ok(Tensor::scalar(x)),
        None => tensor_argument(ctx, name, value),
    }
}

/// Operations with a name have a doc comment; signs need none.
fn doc(operation: Binary) -> &'static str {
    match operation {
        Binary::Minimum => {
            "The smaller values of two tensors, or of a tensor and a number.\n\n# Example\n```rhai\n\
             assert_eq(minimum(tensor([1, 5]), 3), tensor([1, 3]));\n```"
        }
        Binary::Maximum => {
            "The larger values of two tensors, or of a tensor and a number.\n\n# Example\n```rhai\n\
             assert_eq(maximum(tensor([1, 5]), 3), tensor([3, 5]));\n```"
        }
        _ => "",
    }
}

fn operator(engine: &mut Engine, operation: Binary) {
    let sign = operation.symbol();
    let combine = move |ctx: &NativeCallContext, a: &Tensor, b: &Tensor| a.combine(operation, b).raise(ctx);
    documented(sign, doc(operation))
        .with_params_info(["a: Tensor", "b: Tensor", "Tensor"])
        .register_into_engine(engine, move |ctx: NativeCallContext, a: Tensor, b: Tensor| combine(&ctx, &a, &b));
    engine.register_fn(sign, move |ctx: NativeCallContext, a: Tensor, b: FLOAT| combine(&ctx, &a, &Tensor::scalar(b)));
    engine.register_fn(sign, move |ctx: NativeCallContext, a: FLOAT, b: Tensor| combine(&ctx, &Tensor::scalar(a), &b));
    engine.register_fn(sign, move |ctx: NativeCallContext, a: Tensor, b: INT| {
        combine(&ctx, &a, &Tensor::scalar(b as FLOAT))
    });
    engine.register_fn(sign, move |ctx: NativeCallContext, a: INT, b: Tensor| {
        combine(&ctx, &Tensor::scalar(a as FLOAT), &b)
    });
    engine.register_fn(sign, move |ctx: NativeCallContext, a: Tensor, b: Array| {
        combine(&ctx, &a, &tensor_argument(&ctx, sign, &b.into())?)
    });
    engine.register_fn(sign, move |ctx: NativeCallContext, a: Array, b: Tensor| {
        combine(&ctx, &tensor_argument(&ctx, sign, &a.into())?, &b)
    });
}

/// Whole tensors are equal or not; of a tensor and a number Rhai would silently say that they differ.
fn equality(engine: &mut Engine) {
    engine.register_fn("==", |a: Tensor, b: Tensor| a == b);
    engine.register_fn("!=", |a: Tensor, b: Tensor| a != b);
    for sign in ["==", "!="] {
        let refuse = move || -> Outcome<bool> {
            Err(format!("`{sign}` compares a tensor with a tensor, not with a number: write abs(t - x) < 1e-6").into())
        };
        engine.register_fn(sign, move |_: Tensor, _: FLOAT| refuse());
        engine.register_fn(sign, move |_: FLOAT, _: Tensor| refuse());
        engine.register_fn(sign, move |_: Tensor, _: INT| refuse());
        engine.register_fn(sign, move |_: INT, _: Tensor| refuse());
    }
}

/// A reduction, what it is, and what it gives along axis 0 of the example.
const REDUCTIONS: [(Reduction, &str, &str); 6] = [
    (Reduction::Sum, "Sum of all values, or along an axis.", "[4, 6]"),
    (Reduction::Mean, "Mean of all values, or along an axis.", "[2, 3]"),
    (Reduction::Variance, "Variance of all values, or along an axis; divided by n, not n − 1.", "[1, 4]"),
    (Reduction::StandardDeviation, "Standard deviation of all values, or along an axis; n as in `var`.", "[1, 2]"),
    (Reduction::Minimum, "Smallest of all values, or along an axis.", "[1, 1]"),
    (Reduction::Maximum, "Largest of all values, or along an axis.", "[3, 5]"),
];

fn reductions(engine: &mut Engine, (reduction, about, example): (Reduction, &str, &str)) {
    let name = reduction.name();
    let doc = format!(
        "{about}\n\n# Shapes\n`t.{name}()`: a number. `t.{name}(axis)`: the axis disappears; negative axes count from \
         the back.\n\n# Errors\nWhen the axis does not exist.\n\n# Example\n```rhai\n\
         assert_eq(tensor([[1, 5], [3, 1]]).{name}(0), tensor({example}));\n```"
    );
    documented(name, &doc)
        .with_params_info(["t: Tensor", "number"])
        .register_into_engine(engine, move |ctx: NativeCallContext, t: Tensor| t.reduce(reduction).raise(&ctx));
    documented(name, "")
        .with_params_info(["t: Tensor", "axis: number", "Tensor"])
        .register_into_engine(engine, move |ctx: NativeCallContext, t: Tensor, axis: INT| {
            t.reduce_axis(reduction, axis).raise(&ctx).map(give)
        });
}

fn documented(name: &str, doc: &str) -> FuncRegistration {
    FuncRegistration::new(name).with_comments(doc.lines().map(|line| format!("/// {line}")).collect::<Vec<_>>())
}

fn no_property(name: &str) -> Error {
    let known = ["shape", "rank", "len"];
    let error = Error::argument(name, "is not a property of a tensor");
    error.with_hint(match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the properties are {}", known.join(", ")),
    })
}

/// What `for row in t` goes through.
fn rows_of(tensor: Dynamic) -> impl Iterator<Item = Dynamic> {
    let tensor = tensor.try_cast::<Tensor>();
    let count = tensor.as_ref().and_then(|t| t.shape().first().copied()).unwrap_or(0);
    (0..count as i64).filter_map(move |i| tensor.as_ref()?.get(&[Index::At(i)]).ok().map(give))
}

#[export_module]
mod creation {
    /// A tensor from nested arrays of numbers.
    ///
    /// Tensors hold single precision. Arithmetic works value by value and repeats axes of length 1, as in NumPy;
    /// `t[0]`, `t[-1]`, `t[1..3]`, `t[[i, j]]` read and write parts.
    ///
    /// # Shapes
    /// n rows of d numbers -> \[n, d\]; any depth.
    ///
    /// # Errors
    /// When rows differ in length or hold something other than numbers.
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
        Tensor::full(&shape_argument(&ctx, "shape", &shape)?, 0.0).raise(&ctx)
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
        Tensor::full(&shape_argument(&ctx, "shape", &shape)?, 1.0).raise(&ctx)
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
        Tensor::full(&shape, number_argument(&ctx, "value", &value)?).raise(&ctx)
    }

    /// The identity matrix.
    ///
    /// # Shapes
    /// -> \[count, count\]
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(identity(2), tensor([[1, 0], [0, 1]]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn identity(ctx: NativeCallContext, count: Dynamic) -> Outcome<Tensor> {
        Tensor::identity(count_argument(&ctx, "count", &count)?).raise(&ctx)
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
        Tensor::linspace(start, end, count_argument(&ctx, "count", &count)?).raise(&ctx)
    }

    /// The values from `start` up to, not including, `end`, `step` apart.
    ///
    /// # Options
    /// - `start`: first value (default 0)
    /// - `end`: where to stop
    /// - `step`: distance, not 0 (default 1)
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
        Tensor::arange(start, end, number_argument(&ctx, "step", &step)?).raise(&ctx)
    }

    #[rhai_fn(name = "arange", return_raw)]
    pub fn arange_between(ctx: NativeCallContext, start: Dynamic, end: Dynamic) -> Outcome<Tensor> {
        arange(ctx, start, end, Dynamic::ONE)
    }

    #[rhai_fn(name = "arange", return_raw)]
    pub fn arange_to(ctx: NativeCallContext, end: Dynamic) -> Outcome<Tensor> {
        arange(ctx, Dynamic::ZERO, end, Dynamic::ONE)
    }

    /// Independent standard normals. The same seed gives the same numbers.
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
        Tensor::normals(&shape, seed_argument(&ctx, "seed", &seed)?).raise(&ctx)
    }

    /// Independent uniform numbers from 0 up to 1. The same seed gives the same numbers.
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
        Tensor::uniforms(&shape, seed_argument(&ctx, "seed", &seed)?).raise(&ctx)
    }

    /// Tensors one after the other along an axis they have.
    ///
    /// # Options
    /// - `tensors`: array of tensors
    /// - `axis`: the axis that grows (default 0)
    ///
    /// # Errors
    /// When their shapes differ along another axis.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(concatenate([zeros([2, 3]), ones([1, 3])]).shape, [3, 3]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn concatenate(ctx: NativeCallContext, tensors: Array, axis: INT) -> Outcome<Tensor> {
        Tensor::concatenate(&tensors_argument(&ctx, "tensors", &tensors)?, axis).raise(&ctx)
    }

    #[rhai_fn(name = "concatenate", return_raw)]
    pub fn concatenate_rows(ctx: NativeCallContext, tensors: Array) -> Outcome<Tensor> {
        concatenate(ctx, tensors, 0)
    }

    /// Tensors of one shape one after the other along a new axis.
    ///
    /// # Options
    /// - `tensors`: array of tensors
    /// - `axis`: where the new axis stands (default 0)
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
    pub fn stack(ctx: NativeCallContext, tensors: Array, axis: INT) -> Outcome<Tensor> {
        Tensor::stack(&tensors_argument(&ctx, "tensors", &tensors)?, axis).raise(&ctx)
    }

    #[rhai_fn(name = "stack", return_raw)]
    pub fn stack_rows(ctx: NativeCallContext, tensors: Array) -> Outcome<Tensor> {
        stack(ctx, tensors, 0)
    }
}

#[export_module]
mod methods {
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
    /// \[n, d, ..\] -> \[n, ..\]
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(tensor([[1, 2], [3, 4]]).column(1), tensor([2, 4]));
    /// ```
    #[rhai_fn(return_raw, pure)]
    pub fn column(ctx: NativeCallContext, t: &mut Tensor, index: INT) -> Outcome<Tensor> {
        t.get(&[Index::Range(0, None), Index::At(index)]).raise(&ctx)
    }

    /// The given positions along an axis, in this order; a position may come twice.
    ///
    /// # Options
    /// - `indices`: array of positions; negative ones count from the end
    /// - `axis`: the axis (default 0)
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
    pub fn select(ctx: NativeCallContext, t: &mut Tensor, indices: Array, axis: INT) -> Outcome<Tensor> {
        t.select(axis, &wholes_argument(&ctx, "indices", &indices.into())?).raise(&ctx)
    }

    #[rhai_fn(name = "select", return_raw, pure)]
    pub fn select_rows(ctx: NativeCallContext, t: &mut Tensor, indices: Array) -> Outcome<Tensor> {
        select(ctx, t, indices, 0)
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
    /// # Options
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
    /// \[m, k\] and \[k, n\] -> \[m, n\]; \[m, k\] and \[k\] -> \[m\]; \[k\] and \[k\] -> number
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
        a.product(&b).raise(&ctx).map(give)
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
        nested(t).raise(&ctx)
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
        formats::write(Path::new(path), t).raise(&ctx)
    }
}
