//! Symbolic values: what `s`, `t` and `p` are inside the closures of a process.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, FLOAT, INT, Map};

use crate::error::{Error, suggestion};
use crate::expr::{COMPOSED, COMPOSED_OF_TWO, Comparison, Condition, Expression, Function, Operation};
use crate::lang::failure::{Outcome, Raise, refused};
use crate::lang::options::kind;
use crate::lang::surroundings::host;
use crate::lang::tensors::{give, operand, tensor_argument};
use crate::lang::tracing::{ParameterSymbols, StateSymbols, expression};
use crate::process::{StartLaw, coordinate_symbol};
use crate::tensor::Tensor;

/// Registers the types, their operators and their functions.
pub(super) fn install(engine: &mut Engine) {
    engine
        .register_type_with_name::<Expression>("Expression")
        .register_type_with_name::<Condition>("Condition")
        .register_type_with_name::<StateSymbols>("State symbols")
        .register_type_with_name::<ParameterSymbols>("Parameter symbols")
        .register_type_with_name::<StartLaw>("Start law");
    operators(engine);
    comparisons(engine);
    truth(engine);
    functions_of_one(engine);
    engine.register_global_module(rhai::exported_module!(functions).into());
}

/// Refuses graphs too deep for the traversals' recursion.
fn checked(expression: Expression) -> Outcome<Expression> {
    if expression.depth() <= Expression::DEEPEST {
        return Ok(expression);
    }
    Err(refused(format!(
        "this expression nests more than {} operations: split it, or use fewer terms",
        Expression::DEEPEST
    )))
}

/// Refuses conditions too large for the traversals; each part was checked, so the count itself stays short.
fn checked_condition(condition: Condition) -> Outcome<Condition> {
    if condition.size() <= Condition::LARGEST {
        return Ok(condition);
    }
    Err(refused(format!("this condition combines more than {} comparisons", Condition::LARGEST)))
}

fn operators(engine: &mut Engine) {
    use Operation::{Add, Divide, Multiply, Power, Subtract};
    for (sign, operation) in
        [("+", Add), ("-", Subtract), ("*", Multiply), ("/", Divide), ("**", Power), ("pow", Power)]
    {
        of_two(engine, sign, move |a, b| a.combine(operation, b));
    }
    for (name, function) in COMPOSED_OF_TWO {
        of_two(engine, name, function);
    }
    engine.register_fn("-", |a: Expression| a.negate());
    engine.register_fn("+", |a: Expression| a);
    engine.register_fn("to_string", |a: &mut Expression| a.to_string());
    engine.register_fn("to_debug", |a: &mut Expression| a.to_string());
    // Without these, Rhai would make a string of the two.
    engine.register_fn("+", |_: Expression, _: &str| -> Outcome<()> {
        Err(refused("a symbol cannot be added to a string"))
    });
    engine.register_fn("+", |_: &str, _: Expression| -> Outcome<()> {
        Err(refused("a symbol cannot be added to a string"))
    });
}

/// A function of two symbols, or of a symbol and a number.
fn of_two(engine: &mut Engine, name: &str, function: impl Fn(&Expression, &Expression) -> Expression + Copy + 'static) {
    let combine = move |a: &Expression, b: &Expression| checked(function(a, b));
    engine.register_fn(name, move |a: Expression, b: Expression| combine(&a, &b));
    engine.register_fn(name, move |a: Expression, b: FLOAT| combine(&a, &b.into()));
    engine.register_fn(name, move |a: FLOAT, b: Expression| combine(&a.into(), &b));
    engine.register_fn(name, move |a: Expression, b: INT| combine(&a, &(b as FLOAT).into()));
    engine.register_fn(name, move |a: INT, b: Expression| combine(&(a as FLOAT).into(), &b));
}

/// What functions of Rhai do that it does not document itself.
const MEANINGS: &[(&str, &str)] = &[
    ("fraction", "Part behind the decimal point."),
    ("int", "Part before the decimal point."),
    ("is_even", "Whether a whole number is even."),
    ("is_finite", "Whether a number is neither infinite nor NaN."),
    ("is_infinite", "Whether a number is infinite."),
    ("is_nan", "Whether a number is NaN."),
    ("is_odd", "Whether a whole number is odd."),
    ("is_zero", "Whether a number is 0."),
    ("sign", "-1, 0 or 1."),
    ("to_degrees", "An angle in radians, in degrees."),
    ("to_float", "A number as one with a decimal point."),
    ("to_int", "Part before the decimal point, as a whole number."),
    ("to_radians", "An angle in degrees, in radians."),
];

fn documented(name: &str) -> FuncRegistration {
    let meaning = MEANINGS.iter().find(|(known, _)| *known == name).map(|(_, meaning)| format!("/// {meaning}"));
    FuncRegistration::new(name).with_comments(meaning)
}

fn functions_of_one(engine: &mut Engine) {
    for function in Function::ALL {
        engine.register_fn(function.name(), move |a: Expression| checked(a.apply(function)));
    }
    for (name, function) in COMPOSED {
        documented(name).register_into_engine(engine, move |a: Expression| checked(function(&a)));
    }
    for name in ["is_nan", "is_finite", "is_infinite", "is_zero", "is_odd", "is_even", "to_int"] {
        documented(name).register_into_engine(engine, move |_: Expression| -> Outcome<()> {
            Err(refused(format!("`{name}` cannot be asked of a symbol; {NO_TRUTH}")))
        });
    }
}

fn comparisons(engine: &mut Engine) {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let all =
        [("<", Less), ("<=", LessOrEqual), (">", Greater), (">=", GreaterOrEqual), ("==", Equal), ("!=", NotEqual)];
    // Unregistered comparisons of unlike types are silently false in Rhai.
    for (sign, comparison) in all {
        let compare = move |a: Expression, b: Expression| Condition::Compare(comparison, a, b);
        engine.register_fn(sign, move |a: Expression, b: Expression| compare(a, b));
        engine.register_fn(sign, move |a: Expression, b: FLOAT| compare(a, b.into()));
        engine.register_fn(sign, move |a: FLOAT, b: Expression| compare(a.into(), b));
        engine.register_fn(sign, move |a: Expression, b: INT| compare(a, (b as FLOAT).into()));
        engine.register_fn(sign, move |a: INT, b: Expression| compare((a as FLOAT).into(), b));
    }
    engine.register_fn("&", |a: Condition, b: Condition| checked_condition(Condition::And((a, b).into())));
    engine.register_fn("|", |a: Condition, b: Condition| checked_condition(Condition::Or((a, b).into())));
    engine.register_fn("!", |a: Condition| checked_condition(Condition::Not(a.into())));
    engine.register_fn("to_string", |a: &mut Condition| a.to_string());
    engine.register_fn("to_debug", |a: &mut Condition| a.to_string());
}

const NO_TRUTH: &str = "closures of a process run once, on symbols, so a symbol has no value to branch on: write \
                        where(condition, a, b)";

/// Whether a symbol stands in the value, at any depth of arrays and maps.
fn is_symbolic(value: &Dynamic) -> bool {
    value.is::<Expression>()
        || value.is::<Condition>()
        || value.read_lock::<Array>().is_some_and(|items| items.iter().any(is_symbolic))
        || value.read_lock::<Map>().is_some_and(|entries| entries.values().any(is_symbolic))
}

/// `switch` and `in` compare without asking `==`, and would silently take the default or be false.
fn truth(engine: &mut Engine) {
    engine.register_fn(crate::lang::rewrite::SWITCH, |value: Dynamic| -> Outcome<Dynamic> {
        if is_symbolic(&value) {
            return Err(refused(format!("`switch` cannot choose by a symbol; {NO_TRUTH}")));
        }
        Ok(value)
    });
    engine.register_fn("contains", |_: Array, _: Expression| -> Outcome<bool> { Err(in_symbol()) });
    engine.register_fn("contains", |_: std::ops::Range<INT>, _: Expression| -> Outcome<bool> { Err(in_symbol()) });
    engine.register_fn("contains", |_: std::ops::RangeInclusive<INT>, _: Expression| -> Outcome<bool> {
        Err(in_symbol())
    });
    engine.register_fn("contains", |ctx: NativeCallContext, items: Array, value: Dynamic| -> Outcome<bool> {
        for item in items {
            if is_symbolic(&item) {
                return Err(in_symbol());
            }
            if ctx.call_native_fn::<bool>("==", (item, value.clone()))? {
                return Ok(true);
            }
        }
        Ok(false)
    });
}

fn in_symbol() -> Box<rhai::EvalAltResult> {
    refused(format!("`in` cannot look for a symbol; {NO_TRUTH}"))
}

#[export_module]
mod functions {
    /// The conditional on symbolic values and tensors: `a` where the condition holds, `b` elsewhere.
    ///
    /// A closure of a process runs once, on symbols, so it cannot branch with `if`; `where` puts both branches into
    /// the expression. Comparisons of tensors are tensors of 1 and 0: it chooses value by value, `a` where the
    /// condition is not 0. With plain truth values it simply chooses.
    ///
    /// # Shapes
    /// Tensors, arrays and numbers repeat as in arithmetic.
    ///
    /// # Returns
    /// An expression, a tensor, or the chosen value.
    ///
    /// # Errors
    /// When the shapes do not fit.
    ///
    /// # Example
    /// ```rhai
    /// let t = tensor([-1, 2, 5]);
    /// assert_eq(where(t > 0, t, 0), tensor([0, 2, 5]));
    /// assert(where(2 > 1, "yes", "no") == "yes");
    /// ```
    #[rhai_fn(name = "where", return_raw)]
    pub fn where_(ctx: NativeCallContext, condition: Dynamic, a: Dynamic, b: Dynamic) -> Outcome<Dynamic> {
        if let Ok(holds) = condition.as_bool() {
            return Ok(if holds { a } else { b });
        }
        if condition.is::<Tensor>() || condition.is_array() {
            let test = tensor_argument(&ctx, "condition", &condition)?;
            let (a, b) = (operand(&ctx, "a", &a)?, operand(&ctx, "b", &b)?);
            return test.choose(&a, &b, &host(&ctx)).raise(&ctx).map(give);
        }
        let Some(test) = condition.read_lock::<Condition>().map(|c| c.clone()) else {
            let problem = format!("must be a comparison, got {}", kind(&ctx, &condition));
            return Err(Error::argument("condition", problem)).raise(&ctx);
        };
        let (a, b) = (symbol(&ctx, "a", &a)?, symbol(&ctx, "b", &b)?);
        Ok(Dynamic::from(checked(a.or_where(&test, &b))?))
    }

    /// A normal law for the start of an auxiliary block, N(mean, std²), for use in `start:` of `sde`.
    ///
    /// # Arguments
    /// - `mean`: mean, a number or an expression in the parameters
    /// - `std`: standard deviation, likewise, not negative
    ///
    /// # Example
    /// ```rhai
    /// let p = sde(#{
    ///     state: ["x", "v"],
    ///     drift: |s| #{ x: s.v, v: -s.x - 2 * s.v },
    ///     noise: |s| #{ v: 2 },
    ///     start: |p| #{ v: normal(0, 0.2) },
    ///     horizon: 2,
    /// });
    /// assert(abs(p.kernel(1e-9).cov[1][1] - 0.04) < 1e-6);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn normal(ctx: NativeCallContext, mean: Dynamic, std: Dynamic) -> Outcome<StartLaw> {
        Ok(StartLaw { mean: symbol(&ctx, "mean", &mean)?, std: symbol(&ctx, "std", &std)? })
    }

    #[rhai_fn(index_get, return_raw)]
    pub fn block(ctx: NativeCallContext, symbols: &mut StateSymbols, name: &str) -> Outcome<Expression> {
        match symbols.0.iter().position(|block| block == name) {
            Some(index) => Ok(Expression::component(index, name)),
            None => Err(unknown("block of the state", name, &symbols.0)).raise(&ctx),
        }
    }

    #[rhai_fn(index_get, return_raw)]
    pub fn parameter(ctx: NativeCallContext, symbols: &mut ParameterSymbols, name: &str) -> Outcome<Expression> {
        match symbols.0.iter().any(|known| known == name) {
            true => Ok(Expression::parameter(name)),
            false => Err(unknown("parameter", name, &symbols.0)).raise(&ctx),
        }
    }

    #[rhai_fn(index_get, return_raw)]
    pub fn coordinate(ctx: NativeCallContext, block: &mut Expression, index: INT) -> Outcome<Expression> {
        coordinate_symbol(block, index).raise(&ctx)
    }
}

fn unknown(what: &str, name: &str, known: &[String]) -> Error {
    let error = Error::argument(name, format!("is not a {what}"));
    error.with_hint(match known.is_empty() {
        true => "there are none".to_owned(),
        false => suggestion(name, known, "known are"),
    })
}

/// A number or symbol that a function takes.
fn symbol(ctx: &NativeCallContext, name: &str, value: &Dynamic) -> Outcome<Expression> {
    let problem = || format!("must be a number or an expression, got {}", kind(ctx, value));
    expression(value).ok_or_else(|| Error::argument(name, problem())).raise(ctx)
}
