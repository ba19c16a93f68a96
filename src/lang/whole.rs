//! Whole numbers: since `/` gives floats, a float without fraction is welcome wherever a whole number is meant.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use rhai::{Array, Dynamic, Engine, FLOAT, FuncRegistration, INT, NativeCallContext};

use super::catalog::{Form, forms};
use super::failure::{Outcome, Raise, refuse};
use super::options::{number, whole};
use super::rewrite::INDEX;
use crate::error::{Error, Result};
use crate::settings::written;
use crate::tensor::steps_between;

const ROUND: &str = "floor(x) and round(x) give whole numbers, idiv(a, b) the whole quotient";
const STEPS: &str = "`..` counts in ones from a whole number; range(start, end, step) goes in any steps";

fn range() -> FuncRegistration {
    FuncRegistration::new("range")
        .with_comments(["/// Numbers from the first to before the second, in steps of the third (default: 1)."])
}

/// Registers the guard of positions, and ranges of all numbers.
pub(super) fn install(engine: &mut Engine) {
    engine.register_fn(INDEX, position);
    macro_rules! counted {
        ($($a:ty, $b:ty);*) => {$(
            engine.register_fn("..", |a: $a, b: $b| -> Outcome<Range<INT>> {
                Ok(bound("..", a as FLOAT)?..bound("..", b as FLOAT)?)
            });
            engine.register_fn("..=", |a: $a, b: $b| -> Outcome<RangeInclusive<INT>> {
                Ok(bound("..=", a as FLOAT)?..=bound("..=", b as FLOAT)?)
            });
            range().register_into_engine(engine, |a: $a, b: $b| steps(a as FLOAT, b as FLOAT, None));
        )*};
    }
    counted!(FLOAT, INT; INT, FLOAT; FLOAT, FLOAT);
    macro_rules! stepped {
        ($($a:ty, $b:ty, $step:ty);*) => {$(
            range().register_into_engine(engine, |a: $a, b: $b, step: $step| {
                steps(a as FLOAT, b as FLOAT, Some(step as FLOAT))
            });
        )*};
    }
    stepped!(FLOAT, INT, INT; INT, FLOAT, INT; INT, INT, FLOAT; FLOAT, FLOAT, INT; FLOAT, INT, FLOAT;
        INT, FLOAT, FLOAT; FLOAT, FLOAT, FLOAT);
    engine.register_type_with_name::<Steps>("Range").register_iterator::<Steps>();
    engine.register_fn("to_string", |steps: &mut Steps| steps.to_string());
    engine.register_fn("to_debug", |steps: &mut Steps| steps.to_string());
}

/// What stands in the brackets of `a[..]`, as arrays and maps take it.
fn position(value: Dynamic) -> Outcome<Dynamic> {
    if let Ok(x) = value.as_float() {
        return rounded("index", x).map(Dynamic::from_int).map_err(refuse);
    }
    if let Some(items) = value.read_lock::<Array>() {
        return Ok(items.iter().cloned().map(position).collect::<Outcome<Array>>()?.into());
    }
    Ok(value)
}

fn rounded(name: &str, x: FLOAT) -> Result<INT> {
    whole(name, x).map_err(|error| error.with_hint(ROUND))
}

fn bound(sign: &str, x: FLOAT) -> Outcome<INT> {
    whole(sign, x).map_err(|_| {
        let error = Error::refused(format!("`{sign}` goes from one whole number to another, got {}", written(x)));
        refuse(error.with_hint(STEPS))
    })
}

/// Numbers at equal distances.
#[derive(Debug, Clone)]
struct Steps {
    start: FLOAT,
    step: FLOAT,
    next: usize,
    count: usize,
}

impl Iterator for Steps {
    type Item = FLOAT;

    fn next(&mut self) -> Option<FLOAT> {
        (self.next < self.count).then(|| {
            self.next += 1;
            // Sums of steps would gather rounding errors, and one value too many.
            self.start + self.step * (self.next - 1) as FLOAT
        })
    }
}

impl std::fmt::Display for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} numbers from {} in steps of {}", self.count, self.start, self.step)
    }
}

/// Whole bounds without a step are those of `..`.
fn steps(start: FLOAT, end: FLOAT, step: Option<FLOAT>) -> Outcome<Dynamic> {
    if step.is_none()
        && let (Ok(start), Ok(end)) = (whole("start", start), whole("end", end))
    {
        return Ok(Dynamic::from(start..end));
    }
    let step = step.unwrap_or(1.0);
    let count = steps_between(start, end, step).map_err(refuse)?;
    Ok(Dynamic::from(Steps { start, step, next: 0, count }))
}

/// Names and types of functions.
pub(super) type Known = BTreeSet<(String, Vec<TypeId>)>;

/// Those that an engine has.
pub(super) fn known(engine: &Engine) -> Known {
    forms(engine).iter().map(Form::key).collect()
}

/// Gives every function that takes whole numbers a form for floats, which must be whole: `a.extract(n / 2)`. Comes
/// last, when all functions are known.
pub(super) fn widen(engine: &mut Engine) {
    widen_those(engine, &Known::new(), &[TypeId::of::<INT>()]);
}

/// The same for the functions that a program registered since, and forms for whole numbers of those that take floats.
/// Those of the language tell the two apart where they should.
pub(super) fn widen_new(engine: &mut Engine, before: &Known) {
    widen_those(engine, before, &[TypeId::of::<INT>(), TypeId::of::<FLOAT>()]);
}

fn widen_those(engine: &mut Engine, before: &Known, kinds: &[TypeId]) {
    let found = forms(engine);
    let mut known: Known = found.iter().map(Form::key).collect();
    let other = |kind: TypeId| if kind == TypeId::of::<INT>() { TypeId::of::<FLOAT>() } else { TypeId::of::<INT>() };
    for form in found.into_iter().filter(|form| !before.contains(&form.key())) {
        let places: Vec<usize> = (0..form.types.len()).filter(|&i| kinds.contains(&form.types[i])).collect();
        for chosen in 1..1_usize << places.len() {
            let mut types = form.types.clone();
            for (bit, &place) in places.iter().enumerate() {
                if chosen >> bit & 1 == 1 {
                    types[place] = other(types[place]);
                }
            }
            if known.insert((form.name.clone(), types.clone())) {
                form.register(engine, &types);
            }
        }
    }
}

impl Form {
    fn key(&self) -> (String, Vec<TypeId>) {
        (self.name.clone(), self.types.clone())
    }

    fn register(&self, engine: &mut Engine, types: &[TypeId]) {
        let form = self.clone();
        engine.register_raw_fn(self.name.as_str(), types, move |ctx: NativeCallContext, arguments| {
            for (i, argument) in arguments.iter_mut().enumerate() {
                let Some(x) = number(argument) else { continue };
                if form.types[i] == TypeId::of::<INT>() {
                    let name = form.parameters.get(i).map_or("value", String::as_str);
                    **argument = Dynamic::from_int(rounded(name, x).raise(&ctx)?);
                } else if form.types[i] == TypeId::of::<FLOAT>() {
                    **argument = Dynamic::from_float(x);
                }
            }
            ctx.call_native_fn_raw(&form.name, true, arguments)
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::Runtime;

    /// Those of the language had been widened before.
    #[test]
    fn functions_of_a_program_take_numbers_of_either_kind() {
        let mut runtime = Runtime::new();
        assert_eq!(runtime.eval::<f64>("sqrt(4)").unwrap(), 2.0);
        runtime.engine().register_fn("half", |x: f64| x / 2.0).register_fn("pick", |i: i64, x: f64| x + i as f64);
        assert_eq!(runtime.eval::<f64>("half(3) + half(3.0)").unwrap(), 3.0);
        assert_eq!(runtime.eval::<f64>("pick(2.0, 1) + pick(6 / 3, 1.5)").unwrap(), 6.5);
        let refused = runtime.run("pick(2.5, 1)").unwrap_err().to_string();
        assert!(refused.contains("2.5"), "{refused}");
    }
}
