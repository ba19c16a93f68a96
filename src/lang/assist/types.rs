//! Types of values: what they are, where they come from, and what may stand behind their dot.

use crate::lang::catalog::{Catalog, Entry};

/// A type, as users know it.
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Code that gives one.
    pub(super) from: &'static [&'static str],
}

const fn of(name: &'static str, about: &'static str, from: &'static [&'static str]) -> Type {
    Type { name, about, from }
}

#[rustfmt::skip]
const TYPES: &[Type] = &[
    of("Process", "A noise process: how data are noised, by which parameters.", &["process::active(#{ tau: 0.5 })", "sde(#{ .. })"]),
    of("Dataset", "Data: points, or a law that can be drawn from.", &["dataset::diamond()", "dataset::from_file(\"table.csv\")"]),
    of("Score", "The gradient of the log density of noised data, exact or learned.", &["score::exact(process, data)", "score::mlp(process, data)", "score::load(\"model.safetensors\")"]),
    of("State", "Samples at a time: a tensor for each block of the process, by its name, as `s.x`.", &["sample(score)", "perturb(process, data, time, seed)", "simulate(process, data)"]),
    of("Tensor", "Numbers in single precision along axes.", &["tensor([[1, 2], [3, 4]])", "data.sample(1000, seed)", "state.x"]),
    of("Record", "What a training leaves besides the weights: its loss over the steps, and its time.", &["train(score, data)"]),
    of("Classifier", "A small network that tells the classes of data.", &["train_classifier(data)"]),
    of("LogDensity", "Log densities of states, with their errors.", &["log_likelihood(score, data)"]),
    of("Figure", "A figure, to be shown or saved.", &["plot::scatter([x])"]),
    of("Explanation", "Equations and steps, as text and LaTeX.", &["explain(process)"]),
    of("Error", "What went wrong.", &["try { .. } catch (error) { .. }"]),
    of("Expression", "A symbol, or what is computed from symbols.", &["sde(#{ drift: |s, t, p| .. })"]),
    of("Condition", "A comparison of symbols, for `where(condition, a, b)`.", &["sde(#{ drift: |s, t, p| .. })"]),
    of("Signal", "A value inside of a network that is described.", &["score::network(process, data, |z, t| ..)"]),
    of("Range", "Whole numbers up to one that is left out.", &["0..10"]),
    of("array", "A list of values of any type.", &["[1, 2]"]),
    of("map", "Values by their keys.", &["#{ tau: 0.5 }"]),
    of("string", "A text.", &["\"text\"", "`x is ${x}`"]),
    of("number", "A number in double precision, or a whole one.", &["0.5", "3"]),
];

/// The type of that name.
pub(super) fn named(name: &str) -> Option<&'static Type> {
    TYPES.iter().find(|known| known.name == name)
}

/// The names of all types.
pub fn type_names() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|known| known.name)
}

/// What may stand behind the dot of a value.
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    /// Whether it is called.
    pub(super) is_method: bool,
    pub(super) entry: &'a Entry,
}

/// Properties and methods of a type, of every type of ours where it is not known. Rhai's own methods are there where
/// the type is known to have them.
pub(super) fn members<'a>(catalog: &'a Catalog, kind: Option<&str>) -> Vec<Member<'a>> {
    let standard = catalog.names().filter(|_| kind.is_some()).filter_map(|name| catalog.get(name));
    let member = |entry: &'a Entry| match entry.name.split_once('.') {
        Some((owner, name)) => {
            kind.is_none_or(|kind| kind == owner).then_some(Member { name, is_method: false, entry })
        }
        None => is_method(entry, kind).then_some(Member { name: &entry.name, is_method: true, entry }),
    };
    catalog.entries().chain(standard).filter_map(member).collect()
}

/// Whether the first parameter is of the type `kind`; `None` stands for any type that a program defines. A function of
/// a module has no receiver.
fn is_method(entry: &Entry, kind: Option<&str>) -> bool {
    let fits = |(_, first): (&str, &str)| match kind {
        Some(kind) => first == kind,
        None => first.starts_with(char::is_uppercase),
    };
    !entry.name.contains("::") && entry.forms.iter().filter_map(|form| parameter(form, 0)).any(fits)
}

/// Name and type, which may be empty, of a parameter of a call form.
pub(super) fn parameter(form: &str, position: usize) -> Option<(&str, &str)> {
    let (_, parameters) = form.split_once('(')?;
    let parameter = parameters.split(')').next()?.split(", ").nth(position)?;
    Some(parameter.split_once(": ").unwrap_or((parameter, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_has_members_is_known() {
        let runtime = crate::Runtime::new();
        let entries = || runtime.catalog().entries();
        let owners = entries().filter_map(|entry| entry.name.split_once('.').map(|(owner, _)| owner));
        let forms = entries().filter(|entry| !entry.name.contains(['.', ':'])).flat_map(|entry| &entry.forms);
        let receivers = forms.filter_map(|form| parameter(form, 0)).map(|(_, kind)| kind);
        let receivers = receivers.filter(|kind| kind.starts_with(char::is_uppercase));
        let lost: Vec<_> = owners.chain(receivers).filter(|kind| named(kind).is_none()).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}
