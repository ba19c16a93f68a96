//! The arithmetic of a physicist: true division, IEEE comparison, elementary functions of whole numbers.
//!
//! Rhai's own comparison of floats uses an epsilon (1e-20 == 0.0 is true there, ∞ > 1 false); with its fast operators
//! switched off, the functions registered here take precedence everywhere, also in `in`, `sort` and array equality.

use std::any::TypeId;

use rhai::{Array, Dynamic, Engine, EvalAltResult, FLOAT, FuncRegistration, INT, ImmutableString, Map, Position};

use super::failure::{Outcome, refused};

/// Registers the overrides.
pub(super) fn install(engine: &mut Engine) {
    comparisons(engine);
    division(engine);
    whole_part(engine);
    powers(engine);
    elementary(engine);
    texts(engine);
}

/// Numbers as they are in arrays: alone, Rhai writes 1e-9 as 0.000000001.
fn texts(engine: &mut Engine) {
    for (name, about) in [("to_string", "The text of a value."), ("print", "Writes a line to standard output.")] {
        documented(name, about).register_into_engine(engine, |x: FLOAT| format!("{x:?}"));
    }
}

fn comparisons(engine: &mut Engine) {
    macro_rules! compare {
        ($($name:literal $op:tt),*) => {$(
            engine.register_fn($name, |a: FLOAT, b: FLOAT| a $op b);
            engine.register_fn($name, |a: FLOAT, b: INT| a $op b as FLOAT);
            engine.register_fn($name, |a: INT, b: FLOAT| (a as FLOAT) $op b);
        )*};
    }
    compare!("<" <, "<=" <=, ">" >, ">=" >=, "==" ==, "!=" !=);
    refuse_order(engine);
    let pairs: [(&str, &str, fn(f64, f64) -> f64); 2] =
        [("min", "The smaller of two numbers.", f64::min), ("max", "The larger of two numbers.", f64::max)];
    for (name, about, pick) in pairs {
        documented(name, about).register_into_engine(engine, move |a: FLOAT, b: FLOAT| pick(a, b));
        engine.register_fn(name, move |a: FLOAT, b: INT| pick(a, b as FLOAT));
        engine.register_fn(name, move |a: INT, b: FLOAT| pick(a as FLOAT, b));
    }
}

/// Which of two values is larger, where one has no order with the other: a silent false in Rhai.
fn refuse_order(engine: &mut Engine) {
    let numbers = [TypeId::of::<INT>(), TypeId::of::<FLOAT>()];
    let lists = [TypeId::of::<Array>(), TypeId::of::<Map>(), TypeId::of::<ImmutableString>()];
    let array = TypeId::of::<Array>();
    let mixed = numbers.iter().flat_map(|&number| lists.iter().flat_map(move |&list| [[number, list], [list, number]]));
    let pairs: Vec<_> = mixed.chain([[array, array]]).collect();
    for name in ["<", "<=", ">", ">="] {
        for pair in &pairs {
            engine.register_raw_fn(name, pair, move |_, arguments: &mut [&mut Dynamic]| -> Outcome<bool> {
                let signature = format!("{name} ({}, {})", arguments[0].type_name(), arguments[1].type_name());
                Err(EvalAltResult::ErrorFunctionNotFound(signature, Position::NONE).into())
            });
        }
    }
}

fn division(engine: &mut Engine) {
    engine.register_fn("/", |a: INT, b: INT| a as FLOAT / b as FLOAT);
    documented("idiv", "Quotient of two whole numbers, rounded towards 0 as `%` has it.").register_into_engine(
        engine,
        |a: INT, b: INT| -> Outcome<INT> {
            a.checked_div(b).ok_or_else(|| refused(format!("idiv({a}, {b}) has no whole-number result")))
        },
    );
    // Without it `x /= 2` would take Rhai's own quotient. A raw function, because the result changes the variable's
    // type.
    let whole = std::any::TypeId::of::<INT>();
    engine.register_raw_fn("/=", [whole, whole], |_, arguments| -> Outcome<()> {
        let quotient =
            arguments[0].as_int().unwrap_or_default() as FLOAT / arguments[1].as_int().unwrap_or_default() as FLOAT;
        *arguments[0] = Dynamic::from_float(quotient);
        Ok(())
    });
}

/// Rhai makes 0 of what is no number.
fn whole_part(engine: &mut Engine) {
    engine.register_fn("to_int", |x: FLOAT| -> Outcome<INT> {
        const END: FLOAT = 9_223_372_036_854_775_808.0;
        match x {
            x if (-END..END).contains(&x) => Ok(x as INT),
            x if x.is_finite() => {
                Err(refused(format!("to_int: {x:e} is beyond the whole numbers, which end at {END:e}")))
            }
            x => Err(refused(format!("to_int: {} is no whole number", x.to_string().to_lowercase()))),
        }
    });
}

fn powers(engine: &mut Engine) {
    for (name, about) in [("**", ""), ("pow", "Power; the same as `a ** b`.")] {
        documented(name, about).register_into_engine(engine, whole_power);
    }
}

fn whole_power(a: INT, b: INT) -> Outcome<Dynamic> {
    if b < 0 {
        return Ok(Dynamic::from_float((a as FLOAT).powf(b as FLOAT)));
    }
    u32::try_from(b)
        .ok()
        .and_then(|b| a.checked_pow(b))
        .map(Dynamic::from_int)
        .ok_or_else(|| refused(format!("{a} ** {b} exceeds the whole numbers: write {a}.0 ** {b}")))
}

fn elementary(engine: &mut Engine) {
    let of_whole_numbers: [(&str, &str, fn(FLOAT) -> FLOAT); 19] = [
        ("sqrt", "Square root.", f64::sqrt),
        ("exp", "Exponential.", f64::exp),
        ("ln", "Natural logarithm.", f64::ln),
        ("log", "Logarithm to base 10; of (x, base), to that base.", f64::log10),
        ("sin", "Sine of an angle in radians.", f64::sin),
        ("cos", "Cosine of an angle in radians.", f64::cos),
        ("tan", "Tangent of an angle in radians.", f64::tan),
        ("asin", "Inverse sine, in radians.", f64::asin),
        ("acos", "Inverse cosine, in radians.", f64::acos),
        ("atan", "Inverse tangent, in radians; of (y, x), the angle of the point.", f64::atan),
        ("sinh", "Hyperbolic sine.", f64::sinh),
        ("cosh", "Hyperbolic cosine.", f64::cosh),
        ("tanh", "Hyperbolic tangent.", f64::tanh),
        ("asinh", "Inverse hyperbolic sine.", f64::asinh),
        ("acosh", "Inverse hyperbolic cosine.", f64::acosh),
        ("atanh", "Inverse hyperbolic tangent.", f64::atanh),
        ("floor", "Nearest whole number below.", |x| x),
        ("ceiling", "Nearest whole number above.", |x| x),
        ("round", "Nearest whole number.", |x| x),
    ];
    for (name, about, function) in of_whole_numbers {
        documented(name, about).register_into_engine(engine, move |x: INT| function(x as FLOAT));
    }
    documented("abs", "Absolute value.").register_into_engine(engine, f64::abs);
    for (name, about, function) in [
        ("hypot", "Length of the hypotenuse.", f64::hypot as fn(f64, f64) -> f64),
        ("atan", "", f64::atan2),
        ("log", "", f64::log),
        ("pow", "", f64::powf),
    ] {
        documented(name, about).register_into_engine(engine, move |a: FLOAT, b: FLOAT| function(a, b));
        if name != "pow" {
            engine.register_fn(name, move |a: INT, b: INT| function(a as FLOAT, b as FLOAT));
        }
        engine.register_fn(name, move |a: FLOAT, b: INT| function(a, b as FLOAT));
        engine.register_fn(name, move |a: INT, b: FLOAT| function(a as FLOAT, b));
    }
}

fn documented(name: &str, about: &str) -> FuncRegistration {
    FuncRegistration::new(name).with_comments([format!("/// {about}")])
}
