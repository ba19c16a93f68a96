//! Sums and products of signals, and what signals are not for.

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
    // Rhai's own comparison of two types is a silent false.
    for name in ["<", "<=", ">", ">=", "==", "!="] {
        engine.register_fn(name, |_: Signal, _: Signal| compared());
        engine.register_fn(name, |_: Signal, _: FLOAT| compared());
        engine.register_fn(name, |_: FLOAT, _: Signal| compared());
        engine.register_fn(name, |_: Signal, _: INT| compared());
        engine.register_fn(name, |_: INT, _: Signal| compared());
    }
}

fn compared() -> Outcome<bool> {
    Err(refused(
        "a signal has no value while the network is described: the closure runs once, for all states and times",
    ))
}
