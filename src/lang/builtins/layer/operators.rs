//! Sums and products of signals.

use rhai::{Engine, FLOAT, INT};

use crate::lang::failure::{Outcome, refuse, refused};
use crate::nn::graph::{Affine, Combination, Combine, Signal};

/// Registers the operators.
pub(super) fn register(engine: &mut Engine) {
    let combine = |combination, a: &Signal, b: &Signal| Signal::of(Combine { combination }, &[a, b]).map_err(refuse);
    let affine = |a: &Signal, factor: f64, offset: f64| Signal::of(Affine { factor, offset }, &[a]).map_err(refuse);
    engine.register_fn("+", move |a: Signal, b: Signal| combine(Combination::Sum, &a, &b));
    engine.register_fn("-", move |a: Signal, b: Signal| combine(Combination::Sum, &a, &affine(&b, -1.0, 0.0)?));
    engine.register_fn("*", move |a: Signal, b: Signal| combine(Combination::Product, &a, &b));
    engine.register_fn("-", move |a: Signal| affine(&a, -1.0, 0.0));
    engine.register_fn("/", |_: Signal, _: Signal| -> Outcome<Signal> {
        Err(refused("a signal cannot be divided by another: multiply, or divide by a number"))
    });
    macro_rules! numbers {
        ($number:ty) => {
            engine.register_fn("+", move |a: Signal, b: $number| affine(&a, 1.0, b as f64));
            engine.register_fn("+", move |a: $number, b: Signal| affine(&b, 1.0, a as f64));
            engine.register_fn("-", move |a: Signal, b: $number| affine(&a, 1.0, -(b as f64)));
            engine.register_fn("-", move |a: $number, b: Signal| affine(&b, -1.0, a as f64));
            engine.register_fn("*", move |a: Signal, b: $number| affine(&a, b as f64, 0.0));
            engine.register_fn("*", move |a: $number, b: Signal| affine(&b, a as f64, 0.0));
            engine.register_fn("/", move |a: Signal, b: $number| affine(&a, 1.0 / b as f64, 0.0));
        };
    }
    numbers!(FLOAT);
    numbers!(INT);
}
