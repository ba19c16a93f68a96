//! The arithmetic of a physicist: true division, IEEE comparison, elementary functions of whole numbers.
//!
//! Rhai's own comparison of floats uses an epsilon (1e-20 == 0.0 is true there, ∞ > 1 false); with its fast operators
//! switched off, the functions registered here take precedence everywhere, also in `in`, `sort` and array equality.

use rhai::{Dynamic, Engine, EvalAltResult, FLOAT, INT};

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Registers the overrides.
pub(super) fn install(engine: &mut Engine) {
    comparisons(engine);
    division(engine);
    powers(engine);
    elementary(engine);
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
    for (name, pick) in [("min", f64::min as fn(f64, f64) -> f64), ("max", f64::max)] {
        engine.register_fn(name, move |a: FLOAT, b: FLOAT| pick(a, b));
        engine.register_fn(name, move |a: FLOAT, b: INT| pick(a, b as FLOAT));
        engine.register_fn(name, move |a: INT, b: FLOAT| pick(a as FLOAT, b));
    }
}

fn division(engine: &mut Engine) {
    engine.register_fn("/", |a: INT, b: INT| a as FLOAT / b as FLOAT);
    engine.register_fn("idiv", |a: INT, b: INT| -> Outcome<INT> {
        a.checked_div_euclid(b).ok_or_else(|| format!("idiv({a}, {b}) has no whole-number result").into())
    });
    // Without it `x /= 2` would take Rhai's own quotient. A raw function, because the result changes the variable's type.
    let whole = std::any::TypeId::of::<INT>();
    engine.register_raw_fn("/=", [whole, whole], |_, arguments| -> Outcome<()> {
        let quotient =
            arguments[0].as_int().unwrap_or_default() as FLOAT / arguments[1].as_int().unwrap_or_default() as FLOAT;
        *arguments[0] = Dynamic::from_float(quotient);
        Ok(())
    });
}

fn powers(engine: &mut Engine) {
    engine.register_fn("**", |a: INT, b: INT| -> Outcome<Dynamic> {
        if b < 0 {
            return Ok(Dynamic::from_float((a as FLOAT).powf(b as FLOAT)));
        }
        u32::try_from(b)
            .ok()
            .and_then(|b| a.checked_pow(b))
            .map(Dynamic::from_int)
            .ok_or_else(|| format!("{a} ** {b} exceeds the whole numbers: write {a}.0 ** {b}").into())
    });
    engine.register_fn("pow", |a: FLOAT, b: FLOAT| a.powf(b));
    engine.register_fn("pow", |a: INT, b: FLOAT| (a as FLOAT).powf(b));
    engine.register_fn("pow", |a: FLOAT, b: INT| a.powf(b as FLOAT));
    engine.register_fn("pow", |a: INT, b: INT| (a as FLOAT).powf(b as FLOAT));
}

fn elementary(engine: &mut Engine) {
    macro_rules! of_whole_numbers {
        ($($name:literal $function:expr),*) => {$(
            engine.register_fn($name, |x: INT| { let f: fn(FLOAT) -> FLOAT = $function; f(x as FLOAT) });
        )*};
    }
    of_whole_numbers!(
        "sqrt" f64::sqrt, "exp" f64::exp, "ln" f64::ln, "log" f64::log10,
        "sin" f64::sin, "cos" f64::cos, "tan" f64::tan,
        "asin" f64::asin, "acos" f64::acos, "atan" f64::atan,
        "sinh" f64::sinh, "cosh" f64::cosh, "tanh" f64::tanh,
        "asinh" f64::asinh, "acosh" f64::acosh, "atanh" f64::atanh,
        "floor" |x| x, "ceiling" |x| x, "round" |x| x
    );
    engine.register_fn("hypot", |a: INT, b: INT| (a as FLOAT).hypot(b as FLOAT));
    engine.register_fn("hypot", |a: FLOAT, b: INT| a.hypot(b as FLOAT));
    engine.register_fn("hypot", |a: INT, b: FLOAT| (a as FLOAT).hypot(b));
    engine.register_fn("atan", |a: INT, b: INT| (a as FLOAT).atan2(b as FLOAT));
    engine.register_fn("atan", |a: FLOAT, b: INT| a.atan2(b as FLOAT));
    engine.register_fn("atan", |a: INT, b: FLOAT| (a as FLOAT).atan2(b));
}
