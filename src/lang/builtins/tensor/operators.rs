//! Arithmetic, comparison and reductions of tensors.

use rhai::{Array, Dynamic, Engine, FLOAT, FuncRegistration, INT, NativeCallContext};

use crate::lang::failure::{Outcome, Raise, refused};
use crate::lang::options::whole_argument;
use crate::lang::surroundings::host;
use crate::lang::tensors::{give, tensor_argument};
use crate::tensor::{Binary, FUNCTIONS, Reduction, Tensor};

/// Registers the operators and the functions that go with them.
pub(super) fn install(engine: &mut Engine) {
    for operation in Binary::ALL {
        operator(engine, operation);
    }
    equality(engine);
    engine.register_fn("-", |t: Tensor| t.map(|v| -v));
    engine.register_fn("+", |t: Tensor| t);
    engine.register_fn("!", |t: Tensor| t.map(|v| f64::from(v == 0.0)));
    for (name, function) in FUNCTIONS {
        let form = documented(name, "").with_params_info(["t: Tensor", "Tensor"]);
        form.register_into_engine(engine, move |t: Tensor| t.map(function));
    }
    for reduction in REDUCTIONS {
        reductions(engine, reduction);
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
    let combine = move |ctx: &NativeCallContext, a: &Tensor, b: &Tensor| a.combine(operation, b, &host(ctx)).raise(ctx);
    let form = |a: &str, b: &str| {
        documented(sign, doc(operation)).with_params_info([format!("a: {a}"), format!("b: {b}"), "Tensor".to_owned()])
    };
    form("Tensor", "Tensor")
        .register_into_engine(engine, move |ctx: NativeCallContext, a: Tensor, b: Tensor| combine(&ctx, &a, &b));
    form("Tensor", "f64").register_into_engine(engine, move |ctx: NativeCallContext, a: Tensor, b: FLOAT| {
        combine(&ctx, &a, &Tensor::scalar(b))
    });
    form("f64", "Tensor").register_into_engine(engine, move |ctx: NativeCallContext, a: FLOAT, b: Tensor| {
        combine(&ctx, &Tensor::scalar(a), &b)
    });
    form("Tensor", "i64").register_into_engine(engine, move |ctx: NativeCallContext, a: Tensor, b: INT| {
        combine(&ctx, &a, &Tensor::scalar(b as FLOAT))
    });
    form("i64", "Tensor").register_into_engine(engine, move |ctx: NativeCallContext, a: INT, b: Tensor| {
        combine(&ctx, &Tensor::scalar(a as FLOAT), &b)
    });
    form("Tensor", "Array").register_into_engine(engine, move |ctx: NativeCallContext, a: Tensor, b: Array| {
        combine(&ctx, &a, &tensor_argument(&ctx, sign, &b.into())?)
    });
    form("Array", "Tensor").register_into_engine(engine, move |ctx: NativeCallContext, a: Array, b: Tensor| {
        combine(&ctx, &tensor_argument(&ctx, sign, &a.into())?, &b)
    });
}

/// Whole tensors are equal or not. Without these Rhai would silently call a tensor and anything else different.
fn equality(engine: &mut Engine) {
    for (sign, wanted) in [("==", true), ("!=", false)] {
        let compare = move |ctx: &NativeCallContext, t: &Tensor, other: Array| -> Outcome<bool> {
            Ok((*t == tensor_argument(ctx, sign, &other.into())?) == wanted)
        };
        let refuse = move || -> Outcome<bool> {
            Err(refused(format!(
                "`{sign}` compares a tensor with a tensor, not with a number: write abs(t - x) < 1e-6"
            )))
        };
        engine.register_fn(sign, move |a: Tensor, b: Tensor| (a == b) == wanted);
        engine.register_fn(sign, move |ctx: NativeCallContext, a: Tensor, b: Array| compare(&ctx, &a, b));
        engine.register_fn(sign, move |ctx: NativeCallContext, a: Array, b: Tensor| compare(&ctx, &b, a));
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
    (Reduction::Minimum, "Smallest of all values, or along an axis; of two tensors, see `minimum`.", "[1, 1]"),
    (Reduction::Maximum, "Largest of all values, or along an axis; of two tensors, see `maximum`.", "[3, 5]"),
];

fn reductions(engine: &mut Engine, (reduction, about, example): (Reduction, &str, &str)) {
    let name = reduction.name();
    let doc = format!(
        "{about} Arrays of numbers have it too, in double precision.\n\n# Shapes\n`t.{name}()`: a number. \
         `t.{name}(axis)`: the axis disappears; negative axes count from the back.\n\n# Errors\nWhen the axis does not exist.\n\n# Example\n```rhai\n\
         assert_eq(tensor([[1, 5], [3, 1]]).{name}(0), tensor({example}));\n```"
    );
    documented(name, &doc)
        .with_params_info(["t: Tensor", "number"])
        .register_into_engine(engine, move |ctx: NativeCallContext, t: Tensor| t.reduce(reduction).raise(&ctx));
    documented(name, "").with_params_info(["t: Tensor", "axis", "Tensor"]).register_into_engine(
        engine,
        move |ctx: NativeCallContext, t: Tensor, axis: Dynamic| {
            t.reduce_axis(reduction, whole_argument(&ctx, "axis", &axis)?).raise(&ctx).map(give)
        },
    );
}

fn documented(name: &str, doc: &str) -> FuncRegistration {
    FuncRegistration::new(name).with_comments(doc.lines().map(|line| format!("/// {line}")).collect::<Vec<_>>())
}
