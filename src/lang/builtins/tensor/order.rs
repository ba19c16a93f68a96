//! Which value comes where: extremes, order, quantiles, running sums; and the reductions of plain arrays.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, FuncRegistration, INT};

use crate::error::Result;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{number, number_argument, whole_argument};
use crate::lang::tensors::{Numbers, give, numbers_argument, tensor_argument};
use crate::tensor::{self, Reduction, Tensor};

/// Registers the functions.
pub(super) fn install(engine: &mut Engine) {
    engine.register_global_module(rhai::exported_module!(functions).into());
    Reduction::ALL.into_iter().for_each(|reduction| of_arrays(engine, reduction));
}

/// A reduction of an array of numbers, in double precision; see the same one of tensors.
fn of_arrays(engine: &mut Engine, reduction: Reduction) {
    let form = |parameters: &[&str]| FuncRegistration::new(reduction.name()).with_params_info(parameters);
    form(&["values: Array", "number"]).register_into_engine(engine, move |ctx: NativeCallContext, values: Array| {
        let numbers = Numbers::read(&ctx, "values", &values.into())?;
        reduction.of(&numbers.shape, &numbers.values).raise(&ctx)
    });
    form(&["values: Array", "axis", "Tensor"]).register_into_engine(
        engine,
        move |ctx: NativeCallContext, values: Array, axis: Dynamic| {
            let axis = whole_argument(&ctx, "axis", &axis)?;
            tensor_argument(&ctx, "values", &values.into())?.reduce_axis(reduction, axis).raise(&ctx).map(give)
        },
    );
}

#[export_module]
mod functions {
    /// The position of the largest value; the first of equal ones.
    ///
    /// # Shapes
    /// Of a vector a whole number; of more axes an array with the position along each, as `t[position]` takes it. With
    /// an axis the positions along it, where it disappears.
    ///
    /// # Arguments
    /// - `x`: a tensor or an array of numbers
    /// - `axis`: the axis; negative ones count from the back (default: all values together)
    ///
    /// # Errors
    /// When there are no values, or the axis does not exist.
    ///
    /// # Example
    /// ```rhai
    /// let t = tensor([[1, 5], [3, 1]]);
    /// assert(t.argmax() == [0, 1] && t[t.argmax()] == 5);
    /// assert_eq(t.argmax(0), tensor([1, 0]));
    /// assert_eq([0.1, 0.3, 0.2].argmax(), 1);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn argmax(ctx: NativeCallContext, x: Dynamic) -> Outcome<Dynamic> {
        extreme(&ctx, &x, true)
    }

    #[rhai_fn(name = "argmax", return_raw)]
    pub fn argmax_along(ctx: NativeCallContext, x: Dynamic, axis: Dynamic) -> Outcome<Dynamic> {
        extreme_along(&ctx, &x, &axis, true)
    }

    /// The position of the smallest value; the first of equal ones.
    ///
    /// # Shapes
    /// As `argmax`.
    ///
    /// # Arguments
    /// - `x`: a tensor or an array of numbers
    /// - `axis`: the axis; negative ones count from the back (default: all values together)
    ///
    /// # Errors
    /// As `argmax`.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(tensor([[1, 5], [3, 0]]).argmin(), [1, 1]);
    /// assert_eq(tensor([[1, 5], [3, 0]]).argmin(-1), tensor([0, 1]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn argmin(ctx: NativeCallContext, x: Dynamic) -> Outcome<Dynamic> {
        extreme(&ctx, &x, false)
    }

    #[rhai_fn(name = "argmin", return_raw)]
    pub fn argmin_along(ctx: NativeCallContext, x: Dynamic, axis: Dynamic) -> Outcome<Dynamic> {
        extreme_along(&ctx, &x, &axis, false)
    }

    /// The positions of the values of a vector in ascending order, as `select` takes them. Equal values stay in their
    /// order; NaN comes last.
    ///
    /// # Shapes
    /// [n] -> an array of n whole numbers
    ///
    /// # Errors
    /// When there is more than one axis.
    ///
    /// # Example
    /// ```rhai
    /// let t = tensor([[3, 1], [1, 2], [2, 3]]);
    /// let order = t.column(0).argsort();
    /// assert_eq(order, [1, 2, 0]);
    /// assert_eq(t.select(order), tensor([[1, 2], [2, 3], [3, 1]]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn argsort(ctx: NativeCallContext, x: Dynamic) -> Outcome<Array> {
        let x = numbers_argument(&ctx, "x", &x)?;
        tensor::argsort(&x.shape, &x.values).map(whole).raise(&ctx)
    }

    /// The value below which the part `q` of all values lies, or of those along an axis. Between the two nearest values
    /// it is interpolated linearly; 0.5 is the median.
    ///
    /// # Arguments
    /// - `x`: a tensor or an array of numbers
    /// - `q`: a number from 0 to 1, or, without an axis, an array of them
    /// - `axis`: the axis, which disappears; negative ones count from the back (default: all values together)
    ///
    /// # Returns
    /// A number, for several `q` a tensor with one each, and along an axis a tensor. NaN where a value is NaN.
    ///
    /// # Errors
    /// When `q` is out of range, there are no values, or the axis does not exist.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq([4, 1, 3, 2].quantile(0.5), 2.5);
    /// assert_eq(arange(101).quantile([0.05, 0.95]), tensor([5, 95]));
    /// assert_eq(tensor([[1, 5], [3, 1]]).quantile(0.5, 0), tensor([2, 3]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn quantile(ctx: NativeCallContext, x: Dynamic, q: Dynamic) -> Outcome<Dynamic> {
        let x = numbers_argument(&ctx, "x", &x)?;
        if number(&q).is_some() {
            let part = number_argument(&ctx, "q", &q)?;
            return tensor::quantile(&x.shape, &x.values, part).map(Dynamic::from_float).raise(&ctx);
        }
        let parts = numbers_argument(&ctx, "q", &q)?;
        tensor::quantiles(&x.shape, &x.values, &parts.values)
            .and_then(|values| Tensor::from_f64(&parts.shape, &values))
            .map(give)
            .raise(&ctx)
    }

    #[rhai_fn(name = "quantile", return_raw)]
    pub fn quantile_along(ctx: NativeCallContext, x: Dynamic, q: Dynamic, axis: Dynamic) -> Outcome<Dynamic> {
        let (part, axis) = (number_argument(&ctx, "q", &q)?, whole_argument(&ctx, "axis", &axis)?);
        let x = numbers_argument(&ctx, "x", &x)?;
        tensor::quantile_along(&x.shape, &x.values, part, axis).map(give).raise(&ctx)
    }

    /// Running sums: each value with all before it along an axis.
    ///
    /// # Arguments
    /// - `x`: a tensor or an array of numbers
    /// - `axis`: the axis; negative ones count from the back (default: 0)
    ///
    /// # Returns
    /// A tensor of the same shape.
    ///
    /// # Errors
    /// When the axis does not exist.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq([1, 2, 3].cumsum(), tensor([1, 3, 6]));
    /// assert_eq(tensor([[1, 2], [3, 4]]).cumsum(1), tensor([[1, 3], [3, 7]]));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn cumsum(ctx: NativeCallContext, x: Dynamic, axis: Dynamic) -> Outcome<Tensor> {
        let axis = whole_argument(&ctx, "axis", &axis)?;
        let x = numbers_argument(&ctx, "x", &x)?;
        tensor::cumulative_sum(&x.shape, &x.values, axis).raise(&ctx)
    }

    #[rhai_fn(name = "cumsum", return_raw)]
    pub fn cumsum_of_rows(ctx: NativeCallContext, x: Dynamic) -> Outcome<Tensor> {
        cumsum(ctx, x, Dynamic::ZERO)
    }

    /// The values moved along an axis; those that leave at one end come in at the other.
    ///
    /// # Arguments
    /// - `x`: a tensor or an array of numbers
    /// - `shift`: positions to move by, a whole number; negative ones move to the front
    /// - `axis`: the axis; negative ones count from the back (default: 0)
    ///
    /// # Returns
    /// A tensor of the same shape.
    ///
    /// # Errors
    /// When the axis does not exist.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(arange(4).roll(1), tensor([3, 0, 1, 2]));
    /// let t = random_normal([100, 2], 1);
    /// assert_eq(t.roll(1)[1], t[0]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn roll(ctx: NativeCallContext, x: Dynamic, shift: Dynamic, axis: Dynamic) -> Outcome<Tensor> {
        let (shift, axis) = (whole_argument(&ctx, "shift", &shift)?, whole_argument(&ctx, "axis", &axis)?);
        tensor_argument(&ctx, "x", &x)?.roll(shift, axis).raise(&ctx)
    }

    #[rhai_fn(name = "roll", return_raw)]
    pub fn roll_rows(ctx: NativeCallContext, x: Dynamic, shift: Dynamic) -> Outcome<Tensor> {
        roll(ctx, x, shift, Dynamic::ZERO)
    }
}

fn extreme(ctx: &NativeCallContext, x: &Dynamic, is_largest: bool) -> Outcome<Dynamic> {
    let x = numbers_argument(ctx, "x", x)?;
    let mut position: Array = tensor::extreme(&x.shape, &x.values, is_largest).map(whole).raise(ctx)?;
    Ok(if position.len() == 1 { position.remove(0) } else { position.into() })
}

fn extreme_along(ctx: &NativeCallContext, x: &Dynamic, axis: &Dynamic, is_largest: bool) -> Outcome<Dynamic> {
    let axis = whole_argument(ctx, "axis", axis)?;
    let x = numbers_argument(ctx, "x", x)?;
    let places: Result<Tensor> = tensor::extreme_along(&x.shape, &x.values, axis, is_largest);
    places.raise(ctx).map(give)
}

fn whole(positions: Vec<usize>) -> Array {
    positions.into_iter().map(|position| Dynamic::from_int(position as INT)).collect()
}
