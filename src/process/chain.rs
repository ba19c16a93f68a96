//! The forward process as a chain of short Gaussian steps, for processes without a kernel.
//!
//! z_{k+1} = z_k + f(z_k, t_k) Δ_k + G(z_k, t_k) √Δ_k ξ (Euler–Maruyama, Itô). Over a *window* of steps that begins at a
//! known state, the law of the end is taken as the Gaussian linearised along the noiseless path m,
//!
//! ```text
//! m' = m + f(m) Δ        δ' = δ + (f(m + δ) − f(m)) Δ + G(m + δ) √Δ ξ        P' = (1 + JΔ) P (1 + JΔ)ᵀ + D(m) Δ
//! ```
//!
//! with z = m + δ, J the Jacobian of f at m, and m = z, δ = 0, P = 0 where the window begins. Its score −P⁻¹δ is a target
//! whose mean given z is the score of the chain: exactly for a window of one step, and for any window if f is linear
//! (for one step: Singhal, Goldstein, Ranganath, arXiv 2405.15625). δ is carried, not formed as a difference:
//! soon after the start it has fewer digits in z than it needs.

use super::Process;
use crate::error::{Error, Result};
use crate::expr::{Expression, Function, Operation, Program, Scalars, Workspace};

/// A process cut into steps, ready to be walked by blocks of samples.
#[derive(Debug)]
pub struct Chain {
    /// 0 = t_0 < ... < t_J, the horizon.
    times: Vec<f64>,
    components: usize,
    sources: usize,
    /// All components, the driven ones last.
    order: Vec<usize>,
    driven: usize,
    start_mean: Vec<f32>,
    start_std: Vec<f32>,
    step: Program,
    window: Program,
    /// What depends on the time only, of each step.
    scalars: Vec<[Scalars; 2]>,
}

/// Components beyond which the covariances of windows would cost more than they are worth.
const MOST_COMPONENTS: usize = 24;

impl Chain {
    /// Cuts `process` into `steps` steps, equal in √t: fine where the data are forgotten fastest.
    ///
    /// # Errors
    /// When `steps` is not from 2 to 100,000, or the process couples too many components.
    pub fn new(process: &Process, steps: usize) -> Result<Self> {
        if !(2..=100_000).contains(&steps) {
            return Err(Error::argument("chain_steps", format!("must be from 2 to 100000, got {steps}")));
        }
        let components = process.components();
        if components > MOST_COMPONENTS {
            let problem =
                format!("it couples {components} components, more than the {MOST_COMPONENTS} of a simulated kernel");
            return Err(Error::process(process.name(), problem).with_hint("couple fewer coordinates"));
        }
        let time = |k: usize| process.horizon() * (k as f64 / steps as f64).powi(2);
        let times: Vec<_> = (0..=steps).map(time).collect();
        let equations = Equations::of(process);
        let step = Program::new(&equations.step(), components + equations.sources(), &["step"])?;
        let window = Program::new(&equations.window(), equations.window_inputs(), &["step"])?;
        let scalars = times.windows(2).map(|pair| {
            let length = pair[1] - pair[0];
            [step.at(pair[0], &[length]), window.at(pair[0], &[length])]
        });
        let (start_mean, start_std) = process.start()?;
        let single = |values: nalgebra::DVector<f64>| values.iter().map(|&v| v as f32).collect();
        Ok(Self {
            scalars: scalars.collect(),
            times,
            components,
            sources: equations.sources(),
            order: process.undriven_first(),
            driven: process.driven().len(),
            start_mean: single(start_mean),
            start_std: single(start_std),
            step,
            window,
        })
    }

    /// The times t_0 = 0, ..., t_J.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Number J of steps.
    pub fn steps(&self) -> usize {
        self.scalars.len()
    }

    /// Number of Wiener sources.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// The first step that ends at `time` or later, counted from 1.
    pub fn step_at(&self, time: f64) -> usize {
        self.times.partition_point(|&t| t < time).clamp(1, self.steps())
    }

    /// A thread's own walk of `count` samples with `copies` each.
    pub fn walk(&self, copies: usize, count: usize) -> Walk<'_> {
        let length = copies * count;
        Walk {
            chain: self,
            copies,
            length,
            state: vec![0.0; self.window.inputs() * length],
            next: vec![0.0; self.window.inputs() * length],
            ended: vec![0.0; self.window.outputs() * length],
            workspaces: [self.step.workspace(length), self.window.workspace(length)],
        }
    }
}

/// Samples on their way along a chain.
#[derive(Debug)]
pub struct Walk<'a> {
    chain: &'a Chain,
    copies: usize,
    /// Copies times samples: how long a row is.
    length: usize,
    /// Before a window: z and room for ξ. In a window: m, δ, P (its lower triangle by rows) and room for ξ.
    state: Vec<f32>,
    next: Vec<f32>,
    /// m, δ, P at the ends of the windows.
    ended: Vec<f32>,
    workspaces: [Workspace; 2],
}

impl Walk<'_> {
    /// Puts the samples at t = 0: data `x`, \[d, count\], and auxiliaries by their laws from what `normals` fills in.
    pub fn start(&mut self, x: &[f32], normals: impl FnOnce(&mut [f32])) {
        let (length, chain) = (self.length, self.chain);
        let (data, rest) = self.state.split_at_mut(x.len());
        data.copy_from_slice(x);
        let auxiliary = &mut rest[..chain.components * length - x.len()];
        normals(auxiliary);
        let first = x.len() / length;
        for (row, i) in auxiliary.chunks_exact_mut(length).zip(first..) {
            let (mean, std) = (chain.start_mean[i], chain.start_std[i]);
            row.iter_mut().for_each(|z| *z = std.mul_add(*z, mean));
        }
    }

    /// Takes step number `step` outside a window, with what `normals` fills in, \[sources·copies, count\].
    pub fn step(&mut self, step: usize, normals: impl FnOnce(&mut [f32])) {
        let (length, chain) = (self.length, self.chain);
        let size = chain.components * length;
        normals(&mut self.state[size..size + chain.sources * length]);
        let inputs = &self.state[..size + chain.sources * length];
        chain.step.run(&chain.scalars[step][0], &mut self.workspaces[0], length, inputs, &mut self.next[..size]);
        self.state[..size].copy_from_slice(&self.next[..size]);
    }

    /// The states outside a window, \[components·copies, count\].
    pub fn states(&self) -> &[f32] {
        &self.state[..self.chain.components * self.length]
    }

    /// Walks every sample i from the start to step `end[i]` ≥ 1, without windows. `normals` fills in the noise of a step.
    pub fn paths(&mut self, end: &[u32], mut normals: impl FnMut(usize, &mut [f32])) {
        let latest = end.iter().copied().max().unwrap_or(0) as usize;
        self.ended.fill(0.0);
        for step in 0..latest {
            self.step(step, |noise| normals(step, noise));
            self.leave(step + 1, end, self.chain.components);
        }
    }

    /// Walks every sample i from the start to step `end[i]` > `begin[i]`, with a window from step `begin[i]` on. `normals` fills in
    /// the noise of a step.
    pub fn windows(&mut self, begin: &[u32], end: &[u32], mut normals: impl FnMut(usize, &mut [f32])) {
        let earliest = begin.iter().copied().min().unwrap_or(0) as usize;
        let latest = end.iter().copied().max().unwrap_or(0) as usize;
        for step in 0..earliest {
            self.step(step, |noise| normals(step, noise));
        }
        let (length, chain) = (self.length, self.chain);
        let rows = chain.window.outputs() * length;
        self.state[chain.components * length..rows].fill(0.0);
        for step in earliest..latest {
            for (sample, _) in begin.iter().enumerate().filter(|(_, begin)| **begin as usize == step) {
                self.enter(sample);
            }
            normals(step, &mut self.state[rows..rows + chain.sources * length]);
            chain.window.run(
                &chain.scalars[step][1],
                &mut self.workspaces[1],
                length,
                &self.state,
                &mut self.next[..rows],
            );
            std::mem::swap(&mut self.state, &mut self.next);
            self.leave(step + 1, end, chain.window.outputs());
        }
    }

    /// Begins the window of a sample: m ← m + δ, δ ← 0, P ← 0.
    fn enter(&mut self, sample: usize) {
        let (length, components) = (self.length, self.chain.components);
        for lane in (sample..length).step_by(length / self.copies) {
            for i in 0..components {
                self.state[i * length + lane] += self.state[(components + i) * length + lane];
            }
            for row in components..self.chain.window.outputs() {
                self.state[row * length + lane] = 0.0;
            }
        }
    }

    /// Keeps the first `rows` of the samples that end after step `now`; they walk on, unseen.
    fn leave(&mut self, now: usize, end: &[u32], rows: usize) {
        let length = self.length;
        for (sample, _) in end.iter().enumerate().filter(|(_, end)| **end as usize == now) {
            for lane in (sample..length).step_by(length / self.copies) {
                for row in 0..rows {
                    self.ended[row * length + lane] = self.state[row * length + lane];
                }
            }
        }
    }

    /// The states at the ends of the windows, m + δ, to `out`, \[components·copies, count\].
    pub fn ends(&self, out: &mut [f32]) {
        let size = self.chain.components * self.length;
        let (mean, rest) = self.ended.split_at(size);
        for ((out, m), d) in out.iter_mut().zip(mean).zip(rest) {
            *out = m + d;
        }
    }

    /// Of the window of (sample, copy) number `lane`: the lower-triangular factor of P, the driven components last, and
    /// the deviation δ in the same order.
    pub fn window(&self, lane: usize, factor: &mut Factor) {
        let (n, length) = (self.chain.components, self.length);
        let at = |row: usize| f64::from(self.ended[row * length + lane]);
        for (i, &a) in self.chain.order.iter().enumerate() {
            factor.deviation[i] = at(n + a);
            for (j, &b) in self.chain.order[..=i].iter().enumerate() {
                factor.lower[i * n + j] = at(2 * n + triangle(a.max(b), a.min(b)));
            }
        }
        factor.decompose();
    }

    /// Buffers for [`Walk::window`].
    pub fn factor(&self) -> Factor {
        let n = self.chain.components;
        Factor { size: n, driven: self.chain.driven, lower: vec![0.0; n * n], deviation: vec![0.0; n] }
    }
}

/// The linearised law of the end of one window.
#[derive(Debug, Clone)]
pub struct Factor {
    size: usize,
    driven: usize,
    /// L with L Lᵀ = P, row-major; a column of zeros where nothing is random.
    lower: Vec<f64>,
    deviation: Vec<f64>,
}

/// A pivot below this part of its variance is rounding: P is carried in single precision.
const SINGULAR: f64 = 1e-6;

impl Factor {
    fn decompose(&mut self) {
        let n = self.size;
        for i in 0..n {
            let variance = self.lower[i * n + i];
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| self.lower[i * n + k] * self.lower[j * n + k]).sum();
                let left = self.lower[i * n + j] - known;
                let pivot = self.lower[j * n + j];
                self.lower[i * n + j] = match () {
                    () if i == j && left > SINGULAR * variance => left.sqrt(),
                    () if i == j || pivot == 0.0 => 0.0,
                    () => left / pivot,
                };
            }
        }
    }

    /// ε = L⁻¹ δ, in the order of the factor: unit normals if the linearised law is the true one. 0 where nothing is
    /// random.
    pub fn white(&self) -> Vec<f64> {
        let n = self.size;
        let mut white = vec![0.0; n];
        for i in 0..n {
            let known: f64 = (0..i).map(|k| self.lower[i * n + k] * white[k]).sum();
            let pivot = self.lower[i * n + i];
            white[i] = if pivot == 0.0 { 0.0 } else { (self.deviation[i] - known) / pivot };
        }
        white
    }

    /// The driven part of the score, −L_dd^{−ᵀ} ε_d, \[driven\].
    pub fn score(&self) -> Vec<f64> {
        let (n, first) = (self.size, self.size - self.driven);
        let mut score: Vec<_> = self.white()[first..].iter().map(|e| -e).collect();
        for i in (0..self.driven).rev() {
            let below = i + 1..self.driven;
            let known: f64 = below.map(|k| self.lower[(first + k) * n + first + i] * score[k]).sum();
            score[i] = (score[i] - known) / self.lower[(first + i) * n + first + i];
        }
        score
    }

    /// The variance ℓ² of each driven component given all the others, \[driven\].
    pub fn conditional_variance(&self) -> Vec<f64> {
        let (n, first) = (self.size, self.size - self.driven);
        // Columns of L_dd⁻¹.
        let column = |j: usize| {
            let mut inverse = vec![0.0; self.driven];
            for i in j..self.driven {
                let known: f64 = (j..i).map(|k| self.lower[(first + i) * n + first + k] * inverse[k]).sum();
                let unit = if i == j { 1.0 } else { 0.0 };
                inverse[i] = (unit - known) / self.lower[(first + i) * n + first + i];
            }
            1.0 / inverse.iter().map(|v| v * v).sum::<f64>()
        };
        (0..self.driven).map(column).collect()
    }
}

/// Place of (i, j ≤ i) in a lower triangle by rows.
fn triangle(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

/// The process with numbers for its parameters, as expressions in its components.
struct Equations {
    components: usize,
    drift: Vec<Expression>,
    noise: Vec<Vec<Expression>>,
}

impl Equations {
    fn of(process: &Process) -> Self {
        Self { components: process.components(), drift: process.bound_drift(), noise: process.bound_noise() }
    }

    fn sources(&self) -> usize {
        self.noise[0].len()
    }

    fn window_inputs(&self) -> usize {
        2 * self.components + triangle(self.components, 0) + self.sources()
    }

    /// Σ_s G_is √Δ ξ_s, with the normals at the inputs from `first` on.
    fn kick(&self, amplitudes: &[Expression], first: usize) -> Expression {
        let root = length().apply(Function::Sqrt);
        let terms = amplitudes.iter().enumerate().map(|(s, g)| g.multiply(&root).multiply(&symbol(first + s)));
        terms.fold(Expression::constant(0.0), |sum, term| sum.add(&term))
    }

    fn step(&self) -> Vec<Expression> {
        let n = self.components;
        let next = |i: usize| {
            let move_ = self.drift[i].multiply(&length()).add(&self.kick(&self.noise[i], n));
            symbol(i).add(&move_)
        };
        (0..n).map(next).collect()
    }

    fn window(&self) -> Vec<Expression> {
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
        let zero = || Expression::constant(0.0);
        let entry = |i: usize, j: usize| symbol(2 * n + triangle(i.max(j), i.min(j)));
        let jacobian = |i: usize, j: usize| self.drift[i].derivative(j).multiply(&length());
        let jacobian: Vec<Vec<_>> = (0..n).map(|i| (0..n).map(|j| jacobian(i, j)).collect()).collect();
        // (1 + JΔ) P, then times (1 + JΔ)ᵀ.
        let half =
            |i: usize, j: usize| (0..n).fold(entry(i, j), |sum, k| sum.add(&jacobian[i][k].multiply(&entry(k, j))));
        let half: Vec<Vec<_>> = (0..n).map(|i| (0..n).map(|j| half(i, j)).collect()).collect();
        let diffusion = |i: usize, j: usize| {
            let pairs = self.noise[i].iter().zip(&self.noise[j]);
            pairs.fold(zero(), |sum, (a, b)| sum.add(&a.multiply(b))).multiply(&length())
        };
        let whole = |i: usize, j: usize| {
            let flow = (0..n).fold(half[i][j].clone(), |sum, k| sum.add(&half[i][k].multiply(&jacobian[j][k])));
            flow.add(&diffusion(i, j))
        };
        (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|(i, j)| whole(i, j)).collect()
    }
}

/// Δ, which every step gives anew.
fn length() -> Expression {
    Expression::parameter("step")
}

/// An input of a program.
fn symbol(place: usize) -> Expression {
    Expression::block(place, "z")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nalgebra::{DMatrix, DVector};

    use super::*;
    use crate::process::Definition;
    use crate::rng::{Purpose, Stream};

    fn process(drift: Vec<Expression>, noise: Vec<Vec<Expression>>, horizon: f64) -> Process {
        let definition = Definition {
            name: "tested".into(),
            blocks: ["x", "y"][..drift.len()].iter().map(ToString::to_string).collect(),
            coordinates: None,
            parameters: BTreeMap::new(),
            start: vec![None; drift.len()],
            drift,
            noise,
        };
        Process::new(definition, horizon).unwrap()
    }

    fn walk_to<'a>(chain: &'a Chain, x: &[f32], begin: u32, end: u32) -> Walk<'a> {
        let mut walk = chain.walk(1, x.len());
        walk.start(x, |normals| normals.fill(0.0));
        let stream = Stream::new(4, Purpose::Pilot);
        let (begin, end) = (vec![begin; x.len()], vec![end; x.len()]);
        walk.windows(&begin, &end, |step, normals| stream.normals(step as u32, 0, normals));
        walk
    }

    /// Over the whole chain of a linear process the linearised law is the kernel, up to the length of the steps.
    #[test]
    fn windows_of_linear_processes_are_kernels() {
        let [x, y] = [symbol(0), symbol(1)];
        let drift = vec![y.combine(Operation::Subtract, &x), y.multiply(&Expression::constant(-2.0))];
        let linear = process(drift, vec![vec![0.5.into(), 0.0.into()], vec![0.0.into(), 2.0.into()]], 1.0);
        let chain = Chain::new(&linear, 4000).unwrap();
        let walk = walk_to(&chain, &[0.3; 3], 0, 4000);
        let mut factor = walk.factor();
        walk.window(1, &mut factor);
        let lower = DMatrix::from_row_slice(2, 2, &factor.lower);
        let truth = linear.transition(0.0, 1.0).unwrap();
        let difference = (&lower * lower.transpose() - &truth.covariance).abs().max();
        assert!(difference < 2e-3, "{difference}");
        // The score of the whole Gaussian, since both components are driven.
        let deviation = DVector::from_column_slice(&factor.deviation);
        let score = -(&lower * lower.transpose()).try_inverse().unwrap() * deviation;
        assert!(factor.score().iter().zip(&score).all(|(a, b)| (a - b).abs() < 1e-9 * b.abs()));
        let mut ends = vec![0.0; 6];
        walk.ends(&mut ends);
        let mean = 0.3 * truth.transfer[(0, 0)];
        assert!((f64::from(ends[1]) - mean - factor.deviation[0]).abs() < 2e-3);
    }

    /// A window of one step is the transition itself, whatever the process: δ = G(z) √Δ ξ with the z of its beginning.
    #[test]
    fn a_window_of_one_step_is_its_transition() {
        let x = symbol(0);
        let noise = x.multiply(&x).add(&1.0.into()).apply(Function::Sqrt);
        let curved = process(vec![x.apply(Function::Sin)], vec![vec![noise]], 1.0);
        let chain = Chain::new(&curved, 50).unwrap();
        let starts = [-1.5, 0.0, 0.7, 2.0];
        let mut before = chain.walk(1, starts.len());
        before.start(&starts, |_| ());
        let stream = Stream::new(4, Purpose::Pilot);
        for step in 0..30 {
            before.step(step, |normals| stream.normals(step as u32, 0, normals));
        }
        let walk = walk_to(&chain, &starts, 30, 31);
        let (mut factor, mut normals) = (walk.factor(), [0.0; 4]);
        stream.normals(30, 0, &mut normals);
        let length = chain.times()[31] - chain.times()[30];
        for (lane, z) in before.states().iter().enumerate() {
            walk.window(lane, &mut factor);
            let variance = f64::from(z * z + 1.0) * length;
            let score = -f64::from(normals[lane]) / variance.sqrt();
            assert!((factor.conditional_variance()[0] / variance - 1.0).abs() < 1e-5);
            assert!((factor.score()[0] / score - 1.0).abs() < 1e-4, "{} {score}", factor.score()[0]);
        }
    }

    /// Soon after the start x is all but determined: the factor keeps what is left.
    #[test]
    fn short_windows_keep_their_digits() {
        let y = symbol(1);
        let driven = process(vec![y.clone(), 0.0.into()], vec![vec![0.0.into()], vec![1.0.into()]], 1.0);
        let chain = Chain::new(&driven, 1000).unwrap();
        let walk = walk_to(&chain, &[1.0], 0, 100);
        let mut factor = walk.factor();
        walk.window(0, &mut factor);
        // Given ∫W, the variance of W is t/4.
        let time = chain.times()[100];
        assert!((factor.conditional_variance()[0] / (time / 4.0) - 1.0).abs() < 0.05);
    }

    #[test]
    fn chains_out_of_range_are_refused() {
        let passive = process(vec![symbol(0).negate()], vec![vec![1.0.into()]], 1.0);
        assert!(Chain::new(&passive, 1).unwrap_err().to_string().contains("chain_steps"));
        assert_eq!(Chain::new(&passive, 10).unwrap().step_at(0.25), 5);
        assert_eq!(Chain::new(&passive, 10).unwrap().step_at(0.0), 1);
    }
}
