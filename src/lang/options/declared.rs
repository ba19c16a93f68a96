//! Option maps read against the tables that declare them.

use std::collections::BTreeMap;
use std::ops::Deref;

use rhai::{Dynamic, FnPtr, Map, NativeCallContext};

use super::noted::{self, SEED};
use super::{UNKNOWN, expected, read_number, read_whole};
use crate::error::{Error, Result, nearest, suggestion};
use crate::lang::failure::{Outcome, Raise};
use crate::lang::long;
use crate::settings::{self, Kind, Setting, Value, Values};

/// The values of an option map, and those that only the language has.
pub(crate) struct Given<'a> {
    ctx: &'a NativeCallContext<'a>,
    values: Values,
    /// Values that only the language has, each with the words for what it must be.
    kept: BTreeMap<&'static str, (&'static str, Dynamic)>,
}

/// Reads a map against `tables` and hands the values to `take`, which must ask for every one of them.
///
/// # Errors
/// For a key that is not declared, a value of another kind or out of range, a missing one, and those of `take`.
///
/// # Panics
/// When `take` succeeds without having asked for a setting that is declared, or asks for one that is not: a documented
/// option that does nothing, or one that is not documented. The documented examples run into it.
pub(crate) fn read<T>(
    ctx: &NativeCallContext,
    mut map: Map,
    tables: &[&'static [Setting]],
    take: impl FnOnce(&Given) -> Outcome<T>,
) -> Outcome<T> {
    let mut kept = BTreeMap::new();
    let values = Values::read(tables, |setting| {
        // `()` counts as not given.
        let Some(value) = map.remove(setting.name).filter(|value| !value.is_unit()) else { return Ok(None) };
        match setting.kind {
            Kind::Other(wanted) => {
                kept.insert(setting.name, (wanted, value));
                Ok(Some(Value::Kept))
            }
            _ => convert(ctx, setting, &value).map(Some),
        }
    });
    let values = values.map_err(|error| explain_missing(error, &map, tables)).raise(ctx)?;
    // A misspelt key is the likeliest reason for none of several.
    refuse_unknown(&map, &values, tables).and_then(|()| values.check_alternatives()).raise(ctx)?;
    long::pass(ctx)?;
    let given = Given { ctx, values, kept };
    let result = take(&given)?;
    let unasked = given.values.unasked();
    assert!(unasked.is_empty(), "{}: declared but not read: {unasked:?}", ctx.fn_name());
    if given.has(SEED) {
        noted::call(ctx, &given.values);
    }
    Ok(result)
}

impl Deref for Given<'_> {
    type Target = Values;

    fn deref(&self) -> &Values {
        &self.values
    }
}

impl Given<'_> {
    /// The raw value of a setting that only the language has.
    pub(crate) fn other(&self, name: &str) -> Option<&Dynamic> {
        self.values.ask(name);
        self.kept.get(name).map(|(_, value)| value)
    }

    /// A setting that only the language has, as `read` makes it of the value; refused where it makes nothing.
    pub(crate) fn cast<T>(&self, name: &str, read: impl FnOnce(&Dynamic) -> Option<T>) -> Outcome<Option<T>> {
        self.values.ask(name);
        let Some((wanted, value)) = self.kept.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| expected(self.ctx, name, wanted, value)).raise(self.ctx)
    }

    /// A closure.
    pub(crate) fn closure(&self, name: &str) -> Outcome<Option<FnPtr>> {
        self.cast(name, |value| value.clone().try_cast())
    }

    /// A map.
    pub(crate) fn map(&self, name: &str) -> Outcome<Option<Map>> {
        self.cast(name, |value| value.clone().try_cast())
    }
}

/// A value of the kind that `setting` takes.
fn convert(ctx: &NativeCallContext, setting: &Setting, value: &Dynamic) -> Result<Value> {
    let name = setting.name;
    let refuse = |wanted: &str| Err(expected(ctx, name, wanted, value));
    let no_array = || expected(ctx, name, "an array", value).with_hint(format!("`{name}` is {}", setting.meaning));
    match setting.kind {
        Kind::Number(_) => read_number(ctx, name, value).map(Value::Number),
        Kind::Whole(_) => read_whole(ctx, name, value).map(Value::Whole),
        Kind::Flag => value.as_bool().map(Value::Flag).or_else(|_| refuse("true or false")),
        Kind::Text | Kind::Choice(_) => value.clone().into_string().map(Value::Text).or_else(|_| refuse("a string")),
        Kind::Numbers(_) | Kind::Wholes(_) => {
            let Some(items) = value.read_lock::<rhai::Array>() else { return Err(no_array()) };
            let read = |item: &Dynamic| match setting.kind {
                Kind::Wholes(_) => read_whole(ctx, name, item).map(|whole| whole as f64),
                _ => read_number(ctx, name, item),
            };
            items.iter().map(read).collect::<Result<_>>().map(Value::Numbers)
        }
        Kind::Texts => {
            let Some(items) = value.read_lock::<rhai::Array>() else { return Err(no_array()) };
            let read = |item: &Dynamic| {
                item.clone().into_string().map_err(|_| expected(ctx, name, "an array of strings", item))
            };
            items.iter().map(read).collect::<Result<_>>().map(Value::Texts)
        }
        Kind::Other(wanted) => refuse(wanted),
    }
}

/// A misspelt key is the likeliest reason for a missing one.
fn explain_missing(error: Error, map: &Map, tables: &[&'static [Setting]]) -> Error {
    let Error::Argument { name, problem, .. } = &error else { return error };
    let all = settings::all(tables);
    let is_unknown = |key: &&str| !all.iter().any(|(setting, _)| setting.name == *key);
    let unknown = map.keys().map(|key| key.as_str()).filter(is_unknown);
    match nearest(name, unknown).filter(|_| problem == Setting::MISSING) {
        Some(near) => {
            let hint = format!("`{near}` is given: did you mean `{name}`?");
            error.with_hint(hint)
        }
        None => match map.keys().find(|key| is_unknown(&key.as_str())) {
            Some(other) if problem == Setting::MISSING => {
                let hint = error.hint().map_or_else(String::new, |hint| format!("{hint}; "));
                let hint = format!("{hint}`{other}`, which is given, is not an option here");
                error.with_hint(hint)
            }
            _ => error,
        },
    }
}

/// Refuses keys that are not declared, with the nearest that is, and those that belong to a word that was not chosen.
fn refuse_unknown(map: &Map, values: &Values, tables: &[&'static [Setting]]) -> Result<()> {
    let Some(name) = map.keys().next() else { return Ok(()) };
    let error = Error::argument(name.as_str(), UNKNOWN);
    let all = settings::all(tables);
    let owners = all.iter().filter(|(setting, _)| setting.name == name.as_str()).filter_map(|(_, owner)| *owner);
    let owners: Vec<_> = owners.map(|(setting, choice)| format!("`{}: \"{}\"`", setting.name, choice.word)).collect();
    if !owners.is_empty() {
        return Err(error.with_hint(format!("it belongs to {}", owners.join(" and "))));
    }
    let known: Vec<_> = all.iter().map(|(setting, _)| setting.name).filter(|name| values.has(name)).collect();
    Err(error.with_hint(match known.is_empty() {
        true => "there are no options".to_owned(),
        false => known_as(name, &known),
    }))
}

/// What others call what is an option here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("batch_size", "batch"),
    ("epochs", "steps"),
    ("filename", "file"),
    ("iterations", "steps"),
    ("layers", "hidden"),
    ("learning_rate", "lr"),
    ("n", "count"),
    ("noise", "std"),
    ("num_samples", "count"),
    ("num_steps", "steps"),
    ("n_samples", "count"),
    ("n_steps", "steps"),
    ("output", "file"),
    ("random_state", "seed"),
    ("sampler", "method"),
    ("scheduler", "schedule"),
    ("sigma", "std"),
    ("solver", "method"),
    ("units", "hidden"),
    ("width", "hidden"),
];

/// Which of the options was meant by a name that none has.
pub(in crate::lang) fn known_as(name: &str, known: &[&str]) -> String {
    match ELSEWHERE.iter().find(|(other, own)| *other == name && known.contains(own)) {
        Some((_, own)) => format!("it is `{own}` here"),
        None => suggestion(name, known, "the options are"),
    }
}

#[cfg(test)]
mod tests {
    use rhai::{Engine, EvalAltResult};

    use super::*;
    use crate::lang::failure::Failure;
    use crate::settings::Choice;

    const TABLE: &[Setting] = &[
        Setting::count("steps", "number of steps").or(200.0),
        Setting::choice(
            "grid",
            "how the times are spread",
            &[Choice::new("uniform", "equal steps"), Choice::new("rho", "finer at one end").with(&[RHO])],
        ),
        Setting::other("closure", "a closure", "what to call").or_else(""),
    ];
    const RHO: Setting = Setting::number("rho", "the exponent").above(0.0).or(7.0);

    /// The error, with its hint, of a call with this map.
    fn problem(map: &str, take: impl Fn(&Given) -> Outcome<()> + 'static) -> String {
        let mut engine = Engine::new();
        engine.register_fn("f", move |ctx: NativeCallContext, map: Map| read(&ctx, map, &[TABLE], &take));
        let error = engine.run(&format!("f({map})")).map_or_else(|error| *error, |()| panic!("no error: {map}"));
        let EvalAltResult::ErrorRuntime(value, _) = error else { panic!("{error}") };
        let error = value.cast::<Failure>().error;
        format!("{error}; {}", error.hint().unwrap_or_default())
    }

    fn take_all(given: &Given) -> Outcome<()> {
        let rho = if given.word("grid") == "rho" { given.number("rho") } else { 0.0 };
        given.closure("closure").map(|_| assert!(given.count("steps") > 0 && rho >= 0.0))
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("#{ stps: 3 }", "`stps` is not an option here; did you mean `steps`?"),
            ("#{ width: 3 }", "`width` is not an option here; the options are steps, grid, closure"),
            ("#{ epochs: 3 }", "`epochs` is not an option here; it is `steps` here"),
            ("#{ rho: 3 }", "`rho` is not an option here; it belongs to `grid: \"rho\"`"),
            ("#{ grid: \"rho\", rho: 0 }", "`rho` must be above 0, got 0; "),
            ("#{ grid: \"roh\" }", "`grid` must be one of \"uniform\", \"rho\", got \"roh\"; did you mean \"rho\"?"),
            ("#{ steps: 1.5 }", "`steps` must be a whole number, got 1.5; "),
            ("#{ closure: 3 }", "`closure` must be a closure, got a whole number; "),
        ];
        for (map, expected) in cases {
            assert_eq!(problem(map, take_all), expected);
        }
    }

    #[test]
    #[should_panic(expected = "f: declared but not read: [\"closure\", \"grid\"]")]
    fn what_is_declared_must_be_read() {
        problem("#{}", |given| {
            assert_eq!(given.count("steps"), 200);
            Ok(())
        });
    }

    #[test]
    #[should_panic(expected = "no setting `length` is declared")]
    fn what_is_read_must_be_declared() {
        problem("#{}", |given| {
            assert_eq!(given.count("length"), 200);
            Ok(())
        });
    }
}
