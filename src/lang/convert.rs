//! Values of the language as types of the program that embeds it.

use std::any::{Any, TypeId};
use std::sync::Arc;

use ndarray::ArrayD;
use rhai::{Array, Dynamic};

use super::builtins::score::Score;
use crate::score::{self, Learned};
use crate::tensor::Tensor;

/// The value as a `T`: one of its own type, or what the language takes for the same.
///
/// Whole numbers are numbers, a tensor is an array of `ndarray`, lists of numbers and tensors of rank 1 are vectors,
/// and scores come out as what they are.
pub(super) fn convert<T: Clone + 'static>(value: Dynamic) -> Result<T, Dynamic> {
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
    (TypeId::of::<f32>, |value| boxed(number(value).map(crate::vector::single))),
    (TypeId::of::<usize>, |value| boxed(value.as_int().ok().and_then(|number| usize::try_from(number).ok()))),
    (TypeId::of::<Vec<f64>>, |value| boxed(numbers(value))),
    (TypeId::of::<Vec<i64>>, |value| boxed(list(value, |entry| entry.as_int().ok()))),
    (TypeId::of::<Vec<bool>>, |value| boxed(list(value, |entry| entry.as_bool().ok()))),
    (TypeId::of::<Vec<String>>, |value| boxed(list(value, |entry| entry.clone().into_string().ok()))),
    (TypeId::of::<ArrayD<f32>>, |value| boxed(tensor(value).map(|tensor| tensor.array().to_owned().into_owned()))),
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
    use crate::lang::Runtime;

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
