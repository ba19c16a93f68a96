//! One step of a chain, and of a window of it, as expressions.

use crate::expr::{Expression, Function, Operation};
use crate::process::Process;

/// The process with numbers for its parameters, as expressions in its components.
pub(super) struct Discrete {
    components: usize,
    drift: Vec<Expression>,
    noise: Vec<Vec<Expression>>,
    diffusion: Vec<Vec<Expression>>,
}

impl Discrete {
    pub(super) fn of(process: &Process) -> Self {
        Self {
            components: process.components(),
            drift: process.bound_drift(),
            noise: process.bound_noise(),
            diffusion: process.bound_diffusion(),
        }
    }

    pub(super) fn sources(&self) -> usize {
        self.noise[0].len()
    }

    pub(super) fn window_inputs(&self) -> usize {
        2 * self.components + triangle(self.components, 0) + self.sources()
    }

    /// Σ_s G_is √Δ ξ_s, with the normals at the inputs from `first` on.
    fn kick(&self, amplitudes: &[Expression], first: usize) -> Expression {
        let root = length().apply(Function::Sqrt);
        let terms = amplitudes.iter().enumerate().map(|(s, g)| g.multiply(&root).multiply(&symbol(first + s)));
        terms.fold(Expression::constant(0.0), |sum, term| sum.add(&term))
    }

    pub(super) fn step(&self) -> Vec<Expression> {
        let n = self.components;
        let next = |i: usize| {
            let move_ = self.drift[i].multiply(&length()).add(&self.kick(&self.noise[i], n));
            symbol(i).add(&move_)
        };
        (0..n).map(next).collect()
    }

    pub(super) fn window(&self) -> Vec<Expression> {
        let n = self.components;
        let state: Vec<_> = (0..n).map(|i| symbol(i).add(&symbol(n + i))).collect();
        let normals = 2 * n + triangle(n, 0);
        let mean = (0..n).map(|i| symbol(i).add(&self.drift[i].multiply(&length())));
        let deviation = (0..n).map(|i| {
            let change = self.drift[i].substitute(&state).combine(Operation::Subtract, &self.drift[i]);
            let amplitudes: Vec<_> = self.noise[i].iter().map(|g| g.substitute(&state)).collect();
            symbol(n + i).add(&change.multiply(&length()).add(&self.kick(&amplitudes, normals)))
        });
        mean.chain(deviation).chain(self.covariance()).collect()
    }

    /// P' by rows of its lower triangle.
    fn covariance(&self) -> Vec<Expression> {
        let n = self.components;
        let entry = |i: usize, j: usize| symbol(2 * n + triangle(i.max(j), i.min(j)));
        let jacobian = |i: usize, j: usize| self.drift[i].derivative(j).multiply(&length());
        let jacobian: Vec<Vec<_>> = (0..n).map(|i| (0..n).map(|j| jacobian(i, j)).collect()).collect();
        // (1 + JΔ) P, then times (1 + JΔ)ᵀ.
        let half =
            |i: usize, j: usize| (0..n).fold(entry(i, j), |sum, k| sum.add(&jacobian[i][k].multiply(&entry(k, j))));
        let half: Vec<Vec<_>> = (0..n).map(|i| (0..n).map(|j| half(i, j)).collect()).collect();
        let whole = |i: usize, j: usize| {
            let flow = (0..n).fold(half[i][j].clone(), |sum, k| sum.add(&half[i][k].multiply(&jacobian[j][k])));
            flow.add(&self.diffusion[i][j].multiply(&length()))
        };
        (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|(i, j)| whole(i, j)).collect()
    }
}

/// Δ, which every step gives anew.
fn length() -> Expression {
    Expression::parameter("step")
}

/// An input of a program.
pub(super) fn symbol(place: usize) -> Expression {
    Expression::component(place, "z")
}

/// Place of (i, j ≤ i) in a lower triangle by rows.
pub(super) fn triangle(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}
