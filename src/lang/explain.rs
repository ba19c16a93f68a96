//! Rhai's errors in words: which name was meant, what a function takes, what to write instead.

mod slips;
mod syntax;

use rhai::{Dynamic, Engine, EvalAltResult, Position, Scope};

use super::catalog::{Catalog, Entry};
use super::diagnostics::{Diagnostic, Ending, Place};
use super::failure::Failure;
use super::options::{UNKNOWN, known_as};
use super::sources::{Sources, is_of_word};
use super::stop::Stop;
use crate::error::{Error, nearest};
use syntax::{FOR, lower_first};

const OF_SYMBOLS: &str = "a closure of a process runs once, on symbols: they have + - * / % **, the elementary \
                          functions, min, max, and where(condition, a, b) in the place of a branch";

/// Call forms listed at most.
const FORMS: usize = 4;
/// Functions listed at most that have an option.
const OWNERS: usize = 3;

/// The function of the standard library inside which a call failed.
struct Called {
    name: String,
    /// The file and line.
    inside: String,
}

/// What is known where an error is put into words.
pub(super) struct Frame<'a> {
    pub(super) engine: &'a Engine,
    pub(super) sources: &'a Sources,
    pub(super) scope: &'a Scope<'static>,
    pub(super) catalog: &'a Catalog,
}

/// A step on the way from the text to where it failed.
struct Step {
    place: Place,
    note: String,
    /// What was called here, unless it is the failure itself.
    called: Option<String>,
}

impl Frame<'_> {
    /// The error in words.
    pub(super) fn diagnose(&self, error: &EvalAltResult) -> Diagnostic {
        let (core, mut steps) = self.unwrap(error);
        // Where the standard library stumbles over a user's value, the user's own line is what to look at.
        let mut called = None;
        if let Some(own) = steps.iter().position(|step| !step.place.is_standard_library())
            && own > 0
        {
            let Place { name: file, line, .. } = &steps[0].place;
            let inside = format!("{file}, line {line}");
            steps.drain(..own);
            steps[0].note.clear();
            called = steps[0].called.take().map(|name| Called { name, inside });
        }
        let places = steps.into_iter().map(|step| (step.place, step.note)).collect();
        let mut diagnostic = Diagnostic { places, ..Diagnostic::plain(String::new()) };
        self.explain(core, called.as_ref(), &mut diagnostic);
        diagnostic
    }

    /// The innermost error, and the steps from there outwards.
    fn unwrap<'e>(&self, error: &'e EvalAltResult) -> (&'e EvalAltResult, Vec<Step>) {
        let mut outer: Vec<(String, Position, String, Option<String>)> = Vec::new();
        let mut current = error;
        let mut source = String::new();
        loop {
            match current {
                EvalAltResult::ErrorInFunctionCall(name, inner_source, inner, position) => {
                    let note = match name.starts_with("anon$") {
                        true => "the closure was called from here".into(),
                        false => format!("`{name}` called here"),
                    };
                    outer.push((source, *position, note, Some(name.clone())));
                    source = inner_source.clone();
                    current = inner;
                }
                EvalAltResult::ErrorInModule(name, inner, position) => {
                    outer.push((source, *position, format!("`{name}` imported here"), None));
                    source = name.clone();
                    current = inner;
                }
                _ => break,
            }
        }
        outer.push((source, current.position(), String::new(), None));
        let locate = |(source, position, note, called): (String, Position, String, Option<String>)| {
            self.sources.locate(&source, position).map(|place| Step { place, note, called })
        };
        let mut steps: Vec<_> = outer.into_iter().rev().filter_map(locate).collect();
        // A builtin called by a closure reports the position of the call twice.
        steps.dedup_by(|a, b| a.place == b.place);
        (current, steps)
    }

    fn explain(&self, error: &EvalAltResult, called: Option<&Called>, to: &mut Diagnostic) {
        match error {
            EvalAltResult::ErrorFunctionNotFound(signature, _) => self.explain_function(signature, called, to),
            EvalAltResult::ErrorVariableNotFound(name, _) => self.explain_variable(name, to),
            EvalAltResult::ErrorPropertyNotFound(name, _) => self.explain_key(name, to),
            EvalAltResult::ErrorDotExpr(text, _) => self.explain_property(text, to),
            EvalAltResult::ErrorMismatchDataType(expected, actual, _)
            | EvalAltResult::ErrorMismatchOutputType(expected, actual, _)
                if !is_symbolic_condition(expected, actual) =>
            {
                let (expected, actual) = (self.type_name(expected), self.type_name(actual));
                to.message = format!("expected {expected}, got {actual}");
                to.hints.extend(hint_of_kinds(&expected, &actual).map(str::to_owned));
            }
            EvalAltResult::ErrorIndexingType(what, _) => {
                let (value, index) = what.trim_end_matches(']').split_once(" [").unwrap_or((what, ""));
                to.message = match index {
                    "" => format!("a {} has no positions", self.type_name(value)),
                    index => format!("a {} has no positions [{}]", self.type_name(value), self.type_name(index)),
                };
            }
            EvalAltResult::ErrorDataRace(what, _) => self.explain_capture(what, to),
            EvalAltResult::ErrorParsing(kind, position) => {
                let slip = to.places.first().and_then(|(place, _)| slips::syntax(place));
                syntax::explain(kind, *position, slip, to);
            }
            EvalAltResult::ErrorModuleNotFound(name, _) => {
                to.message = format!("there is no module `{name}`");
                to.hints.push(match nearest(name, self.catalog.modules()) {
                    Some(near) => did_you_mean(near),
                    None => format!("import \"{name}\" as {name} reads the file {name}.rhai"),
                });
            }
            other => {
                explain_plainly(other, called, to);
                self.suggest_option(other, called, to);
            }
        }
    }

    /// A value whose part is at work and that a closure captures; Rhai names the function, "argument #1 of function
    /// 'map'", and no place.
    fn explain_capture(&self, what: &str, to: &mut Diagnostic) {
        let function = what.split('\'').nth(1).unwrap_or("call");
        let found = self.sources.clash(function);
        let value = found.as_ref().map_or("the value", |(_, value)| value);
        to.message = format!("`{function}` works on a part of {value}, so that its closure cannot use {value} too");
        to.hints.push(match &found {
            Some((_, value)) => format!("take the part out first: let part = {value}...; part.{function}(|..| ..)"),
            None => format!("take the part out first: let part = p.a; part.{function}(|..| ..)"),
        });
        if let Some((place, _)) = found.filter(|_| to.places.is_empty()) {
            to.places.push((place, String::new()));
        }
    }

    /// An option that is not one here: where a function of the standard library passed it on, its own options are those
    /// to choose from, and other functions may have it.
    fn suggest_option(&self, error: &EvalAltResult, called: Option<&Called>, to: &mut Diagnostic) {
        let EvalAltResult::ErrorRuntime(value, _) = error else { return };
        let Some(failure) = value.read_lock::<Failure>() else { return };
        let Error::Argument { name, problem, .. } = &failure.error else { return };
        if problem != UNKNOWN {
            return;
        }
        let entry = called.and_then(|called| self.catalog.get(&called.name));
        let known: Vec<&str> = entry.into_iter().flat_map(Entry::options).map(|option| option.name.as_str()).collect();
        if !known.is_empty() && !known.contains(&name.as_str()) {
            to.hints = vec![known_as(name, &known)];
        }
        let function = entry.or_else(|| self.catalog.get(&failure.function)).map_or("", |entry| &entry.name);
        to.hints.extend(self.owners_of_option(name, function));
    }

    /// Who else has an option: others of the module of the function it was given to, or of a function of none, anybody.
    fn owners_of_option(&self, option: &str, function: &str) -> Option<String> {
        let module = |name: &str| name.rsplit_once("::").map(|(module, _)| module.to_owned());
        let is_near = |entry: &&Entry| module(function).is_none_or(|own| module(&entry.name) == Some(own));
        let has_it = |entry: &&Entry| entry.options().iter().any(|known| known.name == option);
        let near = self.catalog.entries().filter(is_near).filter(has_it);
        let owners: Vec<&str> = near.map(|entry| entry.name.as_str()).collect();
        let is_told = (1..=OWNERS).contains(&owners.len()) && !owners.contains(&function);
        is_told.then(|| format!("`{option}` is an option of {}", owners.join(", ")))
    }

    fn explain_function(&self, signature: &str, called: Option<&Called>, to: &mut Diagnostic) {
        let (name, arguments) = signature.split_once(" (").unwrap_or((signature, ")"));
        let arguments: Vec<String> =
            arguments.trim_end_matches(')').split(", ").filter(|a| !a.is_empty()).map(|a| self.type_name(a)).collect();
        let list = arguments.join(", ");
        let has_symbols = arguments.iter().any(|kind| kind == "Expression" || kind == "Condition");
        if has_symbols && !self.is_nowhere(name) {
            to.message = format!("`{name}` cannot be applied to symbols, of ({list})");
            to.hints.push(OF_SYMBOLS.into());
        } else if let Some(Called { name: outer, inside }) = called.filter(|_| self.is_nowhere(name)) {
            to.message = format!("`{outer}` calls a function that does not exist, `{name}` of ({list}), in {inside}");
        } else if let Some(entry) = called.and_then(|called| self.catalog.get(&called.name)) {
            to.message = format!("`{}` cannot take what it was given", entry.name);
            to.hints.push(forms(entry));
        } else if name.starts_with("anon$") {
            to.message = format!("the closure takes another number of arguments than the {} given", arguments.len());
        } else if !name.chars().any(char::is_alphanumeric) {
            to.message = format!("`{name}` cannot be applied to ({list})");
            if arguments.iter().any(|kind| kind == "array") {
                to.hints.push("arrays are lists; tensor([..]) computes with all entries at once".into());
            } else if name == "%" && arguments.first().is_some_and(|kind| kind == "string") {
                to.hints.push(slips::TEXT.into());
            }
        } else if let Some(entry) = self.catalog.get(name) {
            to.message = format!("`{name}` cannot take ({list})");
            // Who wants to count says so with one number.
            let counts = name == "range" && arguments.len() == 1;
            to.hints.push(if counts { FOR.into() } else { forms(entry) });
        } else {
            to.message = match list.is_empty() {
                true => format!("there is no function `{name}`"),
                false => format!("there is no function `{name}` of ({list})"),
            };
            self.suggest_function(name, to);
        }
    }

    /// Whether no function has this name, whatever it is called with.
    fn is_nowhere(&self, name: &str) -> bool {
        let is_word = name.chars().any(char::is_alphabetic) && !name.contains('$');
        is_word && self.catalog.get(name).is_none() && self.same_last_part(name).is_none()
    }

    fn suggest_function(&self, name: &str, to: &mut Diagnostic) {
        if self.scope.contains(name) {
            to.hints.push(format!("`{name}` is a variable; a closure is called as {name}.call(..)"));
        } else if let Some(instead) = slips::word(name) {
            to.hints.push(instead.into());
        } else if let Some(near) = self.same_last_part(name).or_else(|| nearest(name, self.catalog.names())) {
            to.hints.push(did_you_mean(near));
        } else if let Some((module, member)) = name.rsplit_once("::") {
            let prefix = format!("{module}::");
            let members: Vec<&str> = self.catalog.names().filter_map(|known| known.strip_prefix(&prefix)).collect();
            match nearest(member, members.iter().copied()) {
                Some(near) => to.hints.push(did_you_mean(format!("{prefix}{near}"))),
                None if members.is_empty() => {}
                None => to.hints.push(format!("`{module}` has {}", members.join(", "))),
            }
        }
    }

    /// `diamond` for `dataset::diamond`, `process::kernel` for `kernel`.
    fn same_last_part(&self, name: &str) -> Option<String> {
        let last = name.rsplit("::").next()?;
        self.catalog.names().find(|known| known.rsplit("::").next() == Some(last)).map(str::to_owned)
    }

    fn explain_variable(&self, name: &str, to: &mut Diagnostic) {
        to.message = format!("there is no variable `{name}` here");
        if self.scope.contains(name) {
            to.hints.push(format!(
                "a function sees its parameters only: pass `{name}` to it, or use a closure |..| which captures it"
            ));
        } else if let Some(instead) = slips::word(name) {
            to.hints.push(instead.into());
        } else if let Some(slip) = to.places.first().and_then(|(place, _)| slips::name(place)) {
            to.hints.push(slip);
        } else if let Some(slip) = to.places.first().and_then(|(place, _)| slips::member(place)) {
            to.hints.push(slip);
        } else if let Some(near) = nearest(name, self.scope.iter().map(|(known, _, _)| known)) {
            to.hints.push(did_you_mean(near));
        } else if let Some(entry) = self.catalog.get(name) {
            to.message = format!("`{name}` is a function, not a variable");
            to.hints.push(forms(entry));
        } else if self.catalog.modules().any(|module| module == name) {
            to.message = format!("`{name}` is a module, not a variable");
            to.hints.push(format!("its functions are called as {name}::NAME(..)"));
        } else if let Some(near) = nearest(name, self.catalog.names()).filter(|near| near.contains("::")) {
            to.hints.push(did_you_mean(near));
        } else if let Some((module, _)) = name.rsplit_once("::")
            && self.catalog.modules().any(|known| known == module)
        {
            self.suggest_function(name, to);
        } else if let Some((_, constant)) = name.rsplit_once("::") {
            to.hints.push(format!("a module shows what it exports: write export const {constant} = .. there"));
        }
    }

    /// A key that a map has not.
    fn explain_key(&self, name: &str, to: &mut Diagnostic) {
        to.message = format!("the map has no key `{name}`");
        let receiver = to.places.first().and_then(|(place, _)| place.receiver());
        let value: Option<Dynamic> = receiver.and_then(|receiver| self.scope.get_value(receiver));
        let Some(map) = value.as_ref().and_then(|value| value.read_lock::<rhai::Map>()) else { return };
        to.hints.push(match nearest(name, map.keys().map(ToString::to_string)) {
            Some(near) => did_you_mean(near),
            None if map.is_empty() => "it is empty".into(),
            None => format!("it has {}", map.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        });
    }

    /// A property that a type has not; Rhai says so in a sentence: "Unknown property 'knd' - a getter is not
    /// registered for type 'Process'", "No writable property 'kind' - a setter is not registered for ...".
    fn explain_property(&self, text: &str, to: &mut Diagnostic) {
        let mut quoted = text.split('\'').skip(1).step_by(2);
        let (Some(property), Some(kind)) = (quoted.next(), quoted.next()) else {
            to.message = lower_first(text);
            return;
        };
        let kind = self.type_name(kind);
        if text.starts_with("No writable") {
            to.message = format!("the property `{property}` of a {kind} cannot be set");
            return;
        }
        let article = if kind.starts_with(['a', 'e', 'i', 'o', 'A', 'E']) { "an" } else { "a" };
        to.message = format!("{article} {kind} has no property `{property}`");
        let owned = |entry: &Entry| entry.name.strip_prefix(&format!("{kind}.")).map(str::to_owned);
        let properties: Vec<String> = self.catalog.entries().filter_map(owned).collect();
        if let Some(near) = nearest(property, properties.iter().cloned()) {
            to.hints.push(did_you_mean(near));
        } else if self.catalog.get(property).is_some_and(|entry| entry.forms.iter().any(|form| takes(form, &kind))) {
            to.hints.push(format!("`{property}` is a function: write .{property}(..)"));
        } else if !properties.is_empty() {
            to.hints.push(format!("it has {}", properties.join(", ")));
        }
    }

    /// The user's name of a type.
    fn type_name(&self, kind: &str) -> String {
        match kind {
            "i64" | "f64" => "number".to_owned(),
            "Fn" => "closure".to_owned(),
            "char" => "character".to_owned(),
            "()" => "nothing".to_owned(),
            // Rhai names every type that would do for a string.
            kind if kind.contains("ImmutableString") || kind == "&str" || kind.ends_with("String") => {
                "string".to_owned()
            }
            kind if kind.contains("range") || kind.contains("Range<") => "range".to_owned(),
            // Types that nobody named: the last part of the path, without what it holds.
            kind => {
                let name = self.engine.map_type_name(kind);
                let name = name.split('<').next().unwrap_or(name);
                name.rsplit("::").next().unwrap_or(name).to_owned()
            }
        }
    }
}

/// The way out where a value of another kind was expected.
fn hint_of_kinds(expected: &str, actual: &str) -> Option<&'static str> {
    match (expected, actual) {
        ("bool", "Tensor") => {
            Some("a comparison of tensors gives 0 or 1 for each value: (t > 0).min() == 1 asks for all")
        }
        ("number", "array") => Some("an array takes one position at a time: a[1][2]; tensor(a) takes several: t[1, 2]"),
        ("number", "range") => Some("a part of an array is a.extract(1..3); tensor(a) takes ranges: t[1..3]"),
        ("string", "number") => Some("a map is read by its keys: m.key or m[\"key\"]"),
        _ => None,
    }
}

/// Whether a call form such as `std(t: Tensor, axis)` takes a value of this kind first.
fn takes(form: &str, kind: &str) -> bool {
    let first = form.split_once('(').and_then(|(_, rest)| rest.split([',', ')']).next());
    first.is_some_and(|first| !first.is_empty() && first.split_once(": ").is_none_or(|(_, wanted)| wanted == kind))
}

fn did_you_mean(name: String) -> String {
    format!("did you mean `{name}`?")
}

fn forms(entry: &Entry) -> String {
    let shown = entry.forms.iter().take(FORMS).cloned().collect::<Vec<_>>().join("\n             or ");
    let more = if entry.forms.len() > FORMS { "\n             ..." } else { "" };
    format!("it is called as {shown}{more}")
}

fn is_symbolic_condition(expected: &str, actual: &str) -> bool {
    expected == "bool" && (actual.ends_with("Condition") || actual.ends_with("Expression"))
}

fn explain_plainly(error: &EvalAltResult, called: Option<&Called>, to: &mut Diagnostic) {
    match error {
        EvalAltResult::ErrorRuntime(value, _) => match value.read_lock::<Failure>() {
            Some(failure) => explain_failure(&failure, called, to),
            None => to.message = value.to_string(),
        },
        EvalAltResult::ErrorTerminated(value, _) => match value.clone().try_cast::<Stop>() {
            Some(Stop::Exit(code)) => to.ending = Ending::Exit(code),
            stop => match stop.and_then(|stop| stop.explain()) {
                Some((message, hint)) => {
                    to.message = message;
                    to.hints.extend(hint);
                }
                None => {
                    to.message = "interrupted".into();
                    to.ending = Ending::Interrupted;
                }
            },
        },
        EvalAltResult::ErrorMismatchDataType(expected, actual, _) if is_symbolic_condition(expected, actual) => {
            to.message = "this condition depends on symbolic values, so it is neither true nor false".into();
            to.hints.push(
                "a closure of a process runs once, on symbols: write where(condition, a, b) instead of a branch, \
                 and `&`, `|` instead of `&&`, `||`"
                    .into(),
            );
        }
        EvalAltResult::ErrorStackOverflow(_) => to.message = "functions call each other too deeply".into(),
        EvalAltResult::ErrorFor(_) => {
            to.message = "`for` cannot go through this value".into();
            to.hints.push(FOR.into());
        }
        other => {
            let text = other.to_string();
            let end = text.rfind(" (line ").unwrap_or(text.len());
            to.message = lower_first(&text[..end]);
        }
    }
}

fn explain_failure(failure: &Failure, called: Option<&Called>, to: &mut Diagnostic) {
    let function = called.map_or(&failure.function, |called| &called.name);
    // Operators and properties (`index$get$`) have no name that a user would know; the argument may bear the
    // function's.
    let is_name = !function.is_empty() && function.chars().all(|c| is_of_word(c) || c == ':');
    to.message = match &failure.error {
        Error::Argument { name, .. } if is_name && name != function => format!("{function}: {}", failure.error),
        error => error.to_string(),
    };
    to.hints.extend(failure.error.hint().map(str::to_owned));
    let option = match &failure.error {
        Error::Argument { name, .. } => Some(name.as_str()),
        Error::Process { part, .. } => part.as_deref(),
        _ => None,
    };
    if let Some(name) = option
        && let Some((place, _)) = to.places.first_mut()
        && let Some(option) = place.option(name)
    {
        *place = option;
    }
}

#[cfg(test)]
mod tests {
    use crate::lang::runtime::Runtime;

    /// Seen to be called what `verify` cannot take.
    #[test]
    fn what_the_library_lacks_is_no_fault_of_its_caller() {
        let mut runtime = Runtime::new();
        drop(runtime.run_named("stdlib/broken.rhai", "fn verify(x) {\n    missing_there(x)\n}").unwrap());
        let error = runtime.run_named("mine", "verify(1)").unwrap_err().render(false);
        let expected = "`verify` calls a function that does not exist, `missing_there` of (number), in \
                        stdlib/broken.rhai, line 2";
        assert!(error.contains(expected), "{error}");
    }
}
