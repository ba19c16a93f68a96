//! Results as types of the program that embeds the language.

use std::any::{Any, TypeId};
use std::sync::Arc;

use ndarray::ArrayD;
use rhai::{Array, Dynamic};
use serde::de::DeserializeOwned;

use super::{Runtime, Value};
use crate::lang::builtins::score::Score;
use crate::lang::diagnostics::Diagnostic;
use crate::lang::json;
use crate::score::{self, Learned};
use crate::tensor::Tensor;
use crate::vector::single;

impl Runtime {
    /// Runs a text as [`Runtime::run`] and converts the value.
    ///
    /// Besides what is registered, as `Tensor`, [`Process`](crate::process::Process) or `String`, a number may be asked
    /// for as `f64`, a tensor as `ndarray::ArrayD<f32>`, a list of numbers as `Vec<f64>`, a score as
    /// `Arc<dyn `[`Score`](crate::score::Score)`>`, or as [`Learned`](crate::score::Learned) where it has a network.
    ///
    /// # Errors
    /// As [`Runtime::run`], and when the value is not a `T`.
    pub fn eval<T: Clone + 'static>(&mut self, text: &str) -> Result<T, Box<Diagnostic>> {
        let value = self.run(text)?;
        self.converted("the text", value)
    }

    /// Calls a function of a script, or a closure that a variable holds, and converts what it returns as
    /// [`Runtime::eval`] does.
    ///
    /// ```
    /// let mut tumble = tumble::Runtime::new();
    /// let _ = tumble.run("fn energy(x, k) { 0.5 * k * x ** 2 }")?;
    /// assert_eq!(tumble.call::<f64>("energy", vec![2.0.into(), 3_i64.into()])?, 6.0);
    /// # Ok::<(), Box<tumble::Diagnostic>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Runtime::eval`], and when there is no such function.
    pub fn call<T: Clone + 'static>(&mut self, name: &str, arguments: Vec<Value>) -> Result<T, Box<Diagnostic>> {
        let names: Vec<String> = (1..=arguments.len()).map(|i| format!("argument_{i}")).collect();
        let is_closure = self.scope.get_value_ref::<rhai::FnPtr>(name).is_some();
        let called = if is_closure { format!("{name}.call") } else { name.to_owned() };
        self.keep_newest_variables();
        let before = self.scope.len();
        for (name, value) in names.iter().zip(arguments) {
            self.scope.push_dynamic(name.as_str(), value);
        }
        let result = self.run_named("call", &format!("{called}({})", names.join(", ")));
        self.scope.rewind(before);
        self.converted(&format!("`{name}`"), result?)
    }

    /// Runs a text as [`Runtime::run`] and makes of the value, by way of JSON, whatever `serde` can: a map becomes a
    /// structure, a tensor nested vectors.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Summary {
    ///     persistence: f64,
    ///     covariance: Vec<Vec<f64>>,
    /// }
    /// let mut tumble = tumble::Runtime::new();
    /// let text = "let p = process::active(); #{ persistence: p.params.tau, covariance: p.kernel(1).cov }";
    /// let summary: Summary = tumble.deserialize(text)?;
    /// assert_eq!((summary.persistence, summary.covariance.len()), (0.5, 2));
    /// # Ok::<(), Box<tumble::Diagnostic>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Runtime::run`], when something in the value has no JSON, and when a `T` cannot be made of it.
    pub fn deserialize<T: DeserializeOwned>(&mut self, text: &str) -> Result<T, Box<Diagnostic>> {
        let value = self.run(text)?;
        let json = json::value(&self.engine, "value", &value, &self.host)
            .map_err(|error| Box::new(Diagnostic::from(error)))?;
        serde_json::from_value(json)
            .map_err(|error| Box::new(Diagnostic::plain(format!("what the text gives is not as wanted: {error}"))))
    }

    fn converted<T: Clone + 'static>(&self, giver: &str, value: Value) -> Result<T, Box<Diagnostic>> {
        convert(value).map_err(|value| {
            let found = self.engine.map_type_name(value.type_name());
            let wanted = self.engine.map_type_name(std::any::type_name::<T>());
            Box::new(Diagnostic::plain(format!("{giver} gives a value of type {found}, not {wanted}")))
        })
    }
}

/// The value as a `T`: one of its own type, or what the language takes for the same.
///
/// Whole numbers are numbers, a tensor is an array of `ndarray`, lists of numbers and tensors of rank 1 are vectors,
/// and scores come out as what they are.
fn convert<T: Clone + 'static>(value: Dynamic) -> Result<T, Dynamic> {
    let wanted = TypeId::of::<T>();
    let is_other = |(id, _): &&(fn() -> TypeId, Conversion)| id() == wanted && value.type_id() != wanted;
    let Some((_, convert)) = CONVERSIONS.iter().find(is_other) else { return value.try_cast_result() };
    let found = convert(&value).and_then(|found| found.downcast::<T>().ok());
    found.map(|found| *found).ok_or(value)
}

type Conversion = fn(&Dynamic) -> Option<Box<dyn Any>>;

/// What else than its own type a value is taken for.
const CONVERSIONS: &[(fn() -> TypeId, Conversion)] = &[
    (TypeId::of::<f64>, |value| boxed(number(value))),
    (TypeId::of::<f32>, |value| boxed(number(value).map(single))),
    (TypeId::of::<usize>, |value| boxed(value.as_int().ok().and_then(|number| usize::try_from(number).ok()))),
    (TypeId::of::<Vec<f64>>, |value| boxed(numbers(value))),
    (TypeId::of::<Vec<i64>>, |value| boxed(list(value, |entry| entry.as_int().ok()))),
    (TypeId::of::<Vec<bool>>, |value| boxed(list(value, |entry| entry.as_bool().ok()))),
    (TypeId::of::<Vec<String>>, |value| boxed(list(value, |entry| entry.clone().into_string().ok()))),
    (TypeId::of::<ArrayD<f32>>, |value| boxed(tensor(value).map(|tensor| tensor.array().to_owned()))),
    (TypeId::of::<ArrayD<f64>>, |value| boxed(tensor(value).map(|tensor| tensor.array().mapv(f64::from)))),
    (TypeId::of::<Arc<dyn score::Score>>, |value| boxed(score_of(value).map(Score::into_shared))),
    (TypeId::of::<Learned>, |value| boxed(score_of(value).and_then(Score::into_learned))),
];

fn boxed<T: 'static>(value: Option<T>) -> Option<Box<dyn Any>> {
    value.map(|value| Box::new(value) as Box<dyn Any>)
}

fn number(value: &Dynamic) -> Option<f64> {
    value.as_float().ok().or_else(|| value.as_int().ok().map(|number| number as f64))
}

fn list<T>(value: &Dynamic, entry: impl Fn(&Dynamic) -> Option<T>) -> Option<Vec<T>> {
    value.read_lock::<Array>()?.iter().map(entry).collect()
}

fn numbers(value: &Dynamic) -> Option<Vec<f64>> {
    match tensor(value) {
        Some(tensor) => (tensor.rank() == 1).then(|| tensor.values().iter().map(|&x| f64::from(x)).collect()),
        None => list(value, number),
    }
}

fn tensor(value: &Dynamic) -> Option<Tensor> {
    value.read_lock::<Tensor>().map(|tensor| tensor.clone())
}

fn score_of(value: &Dynamic) -> Option<Score> {
    value.read_lock::<Score>().map(|score| score.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_as_what_they_are() {
        let mut runtime = Runtime::new();
        assert_eq!(runtime.eval::<f64>("1 + 1").unwrap(), 2.0);
        assert_eq!(runtime.eval::<f32>("0.5").unwrap(), 0.5);
        assert_eq!(runtime.eval::<usize>("3").unwrap(), 3);
        assert_eq!(runtime.eval::<Vec<f64>>("[1, 0.5]").unwrap(), [1.0, 0.5]);
        assert_eq!(runtime.eval::<Vec<f64>>("tensor([1, 0.5])").unwrap(), [1.0, 0.5]);
        assert_eq!(runtime.eval::<Vec<String>>("[\"a\", \"b\"]").unwrap(), ["a", "b"]);
        let array = runtime.eval::<ArrayD<f32>>("tensor([[1, 2, 3], [4, 5, 6]])").unwrap();
        assert_eq!((array.shape(), array[[1, 0]]), (&[2, 3][..], 4.0));
        assert_eq!(runtime.eval::<ArrayD<f64>>("tensor([0.1])").unwrap()[[0]], f64::from(0.1_f32));
    }

    #[test]
    fn scores_come_out() {
        let mut runtime = Runtime::new();
        let _ = runtime.run("let p = process::passive(); let d = dataset::diamond();").unwrap();
        let exact = runtime.eval::<Arc<dyn score::Score>>("score::exact(p, d)").unwrap();
        assert_eq!((exact.shape(), exact.process().name()), (&[2][..], "passive"));
        let learned = runtime.eval::<Learned>("score::mlp(p, d, #{ hidden: [4], seed: 1 })").unwrap();
        assert_eq!(score::Score::shape(&learned), [2]);
        assert!(runtime.eval::<Learned>("score::exact(p, d)").is_err());
    }

    #[test]
    fn other_types_are_refused() {
        let mut runtime = Runtime::new();
        for (wrong, words) in [
            (runtime.eval::<f64>("\"a\"").unwrap_err(), "type string, not f64"),
            (runtime.eval::<usize>("-1").unwrap_err(), "type i64, not usize"),
            (runtime.eval::<Vec<f64>>("[1, \"a\"]").unwrap_err(), "type array, not"),
        ] {
            assert!(wrong.to_string().contains(words), "{wrong}");
        }
    }
}
