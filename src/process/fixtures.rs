//! The processes that most tests are about.

use nalgebra::{DMatrix, DVector};

use super::{Definition, Linear, Process, Start, StartLaw};
use crate::expr::{Expression, Function, Operation};

/// Active noise on x, dx = (η − k x + f) dt + √(2 T_p) dW₁ and dη = −η/τ dt + √(2 T_a)/τ dW₂, where η has its
/// stationary variance at t = 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Active {
    /// k.
    pub(crate) stiffness: f64,
    /// T_p.
    pub(crate) passive: f64,
    /// T_a.
    pub(crate) active: f64,
    /// τ.
    pub(crate) persistence: f64,
    /// f.
    pub(crate) force: f64,
    /// The mean of η at t = 0.
    pub(crate) start: f64,
}

impl Default for Active {
    /// k = T_a = 1, τ = ½, all else 0.
    fn default() -> Self {
        Self { stiffness: 1.0, passive: 0.0, active: 1.0, persistence: 0.5, force: 0.0, start: 0.0 }
    }
}

impl Active {
    /// The numbers.
    pub(crate) fn linear(self) -> Linear {
        let Self { stiffness, passive, active, persistence, force, start } = self;
        let (slow, fast) = (f64::sqrt(2.0 * passive), f64::sqrt(2.0 * active) / persistence);
        Linear {
            drift: DMatrix::from_row_slice(2, 2, &[-stiffness, 1.0, 0.0, -1.0 / persistence]),
            offset: DVector::from_vec(vec![force, 0.0]),
            noise: DMatrix::from_row_slice(2, 2, &[slow, 0.0, 0.0, fast]),
            start_mean: DVector::from_vec(vec![0.0, start]),
            start_factor: DMatrix::from_diagonal(&DVector::from_vec(vec![0.0, f64::sqrt(active / persistence)])),
        }
    }

    /// The process up to t = 2.
    pub(crate) fn process(self) -> Process {
        Process::from_linear("active", &["x", "eta"], self.linear(), 2.0).unwrap()
    }
}

/// White noise on x, dx = −x dt + √2 dW, up to t = 2.
pub(crate) fn passive() -> Process {
    let linear = Linear {
        drift: DMatrix::from_element(1, 1, -1.0),
        offset: DVector::zeros(1),
        noise: DMatrix::from_element(1, 1, f64::sqrt(2.0)),
        start_mean: DVector::zeros(1),
        start_factor: DMatrix::zeros(1, 1),
    };
    Process::from_linear("passive", &["x"], linear, 2.0).unwrap()
}

/// Active noise with the parameters k, Ta and tau in its equations, without passive noise and force.
pub(crate) fn symbolic(horizon: f64) -> Process {
    let [x, eta] = [Expression::component(0, "x"), Expression::component(1, "eta")];
    let [k, active, tau] = ["k", "Ta", "tau"].map(Expression::parameter);
    let root = |value: Expression| value.apply(Function::Sqrt);
    let over = |value: Expression| value.combine(Operation::Divide, &tau);
    let zero = Expression::constant(0.0);
    let amplitude = over(root(Expression::constant(2.0).multiply(&active)));
    let definition = Definition {
        name: "active".into(),
        blocks: vec!["x".into(), "eta".into()],
        coordinates: None,
        periodic: Vec::new(),
        parameters: [("k", 1.0), ("Ta", 1.0), ("tau", 0.5)].map(|(name, value)| (name.to_owned(), value)).into(),
        drift: vec![eta.combine(Operation::Subtract, &k.multiply(&x)), over(eta.negate())],
        noise: vec![vec![zero.clone(), zero.clone()], vec![zero.clone(), amplitude]],
        start: Start::Each(vec![None, Some(StartLaw { mean: zero, std: root(over(active)) })]),
    };
    Process::new(definition, horizon).unwrap()
}

/// dx = f dt + g dW up to `horizon`, by the expressions of `drift` and `noise`, without parameters.
pub(crate) fn one_component(drift: Expression, noise: Expression, horizon: f64) -> Process {
    let definition = Definition {
        name: "one component".into(),
        blocks: vec!["x".into()],
        coordinates: None,
        periodic: Vec::new(),
        parameters: [].into(),
        drift: vec![drift],
        noise: vec![vec![noise]],
        start: Start::Each(vec![None]),
    };
    Process::new(definition, horizon).unwrap()
}
